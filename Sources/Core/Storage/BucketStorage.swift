import HTTP
import Loop
import Outbound
import Wire

/// Objects in a bucket that speaks S3, by requests of our own with signatures of our own.
///
/// Large objects go as multipart uploads. What is paused keeps its bytes as parts and, when they are too few for one,
/// in an object under `incoming/`, so that any instance can go on with it.
public final class BucketStorage: Storage {
    public struct Place: Sendable {
        /// `https://s3.eu-central-1.amazonaws.com`.
        public var endpoint: String
        public var bucket: String
        /// The bucket stands in the host's name instead of the path.
        public var isInHost: Bool

        public init(endpoint: String, bucket: String, isInHost: Bool) {
            self.endpoint = endpoint
            self.bucket = bucket
            self.isInHost = isInHost
        }
    }

    public let identity: String
    private let client: HTTPClient
    private let signer: SignatureV4
    private let clock: @Sendable () -> Timestamp
    private let scheme: String
    private let host: String
    private let root: String

    public init(
        _ place: Place, signer: SignatureV4, client: HTTPClient,
        clock: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.client = client
        self.signer = signer
        self.clock = clock
        scheme = place.endpoint.hasPrefix("https://") ? "https" : "http"
        let authority = String(place.endpoint.dropFirst(scheme.count + 3).prefix { $0 != "/" })
        let ownPort = scheme == "https" ? ":443" : ":80"
        let bare = authority.hasSuffix(ownPort) ? String(authority.dropLast(ownPort.count)) : authority
        host = place.isInHost ? "\(place.bucket).\(bare)" : bare
        root = place.isInHost ? "/" : "/\(place.bucket)/"
        identity = "s3:\(bare)/\(place.bucket)"
    }

    // MARK: writing

    public func write(_ key: StorageKey) async throws -> any StorageWriter { BucketWriter(self, key) }

    public func resume(_ key: StorageKey, from state: StorageState) async throws -> any StorageWriter {
        var tail: [UInt8] = []
        if state.tail > 0 {
            let answer = try await send("GET", tailName(key, state), missing: key)
            tail = try await collected(answer)
            guard tail.count == state.tail else { throw StorageError.missing(key) }
        }
        return BucketWriter(self, key, state, tail: tail)
    }

    public func length(of key: StorageKey) async throws -> Int? {
        let answer = try await send("HEAD", objectName(key), missing: nil)
        _ = try await collected(answer)
        return answer.status == 200 ? answer.header("content-length").flatMap { Int($0) } : nil
    }

    public func abandon(_ key: StorageKey, _ state: StorageState) async throws {
        if let upload = state.upload {
            try await done(send("DELETE", objectName(key), [("uploadId", upload)], missing: nil))
        }
        try await dropTails(of: key)
    }

    func put(_ name: String, _ bytes: [UInt8]) async throws {
        try await done(send("PUT", name, body: bytes, missing: nil))
    }

    func beginUpload(_ key: StorageKey) async throws -> String {
        let answer = try await send("POST", objectName(key), [("uploads", "")], missing: nil)
        let text = String(decoding: try await collected(answer), as: UTF8.self)
        guard let upload = S3Text.first("UploadId", in: text) else {
            throw StorageError.failed("no UploadId in \(text.prefix(300))")
        }
        return upload
    }

    /// The tag of the part.
    func putPart(_ key: StorageKey, upload: String, number: Int, _ bytes: [UInt8]) async throws -> String {
        let query = [("partNumber", String(number)), ("uploadId", upload)]
        let answer = try await send("PUT", objectName(key), query, body: bytes, missing: key)
        _ = try await collected(answer)
        guard let tag = answer.header("etag") else {
            throw StorageError.failed("a part came back without ETag")
        }
        return tag
    }

    func completeUpload(_ key: StorageKey, upload: String, parts: [String]) async throws {
        var body = "<CompleteMultipartUpload>"
        for (index, tag) in parts.enumerated() {
            body += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag.escapedAsMarkup)</ETag></Part>"
        }
        body += "</CompleteMultipartUpload>"
        let answer = try await send(
            "POST", objectName(key), [("uploadId", upload)], body: Array(body.utf8), missing: key)
        let text = String(decoding: try await collected(answer), as: UTF8.self)
        // S3 begins to answer before it is done, and may say 200 and then that it failed.
        if text.contains("<Error>") { throw StorageError.failed("completing an upload: \(text.prefix(300))") }
    }

    func objectName(_ key: StorageKey) -> String { "objects/\(key.path)" }

    /// Named by the length behind it: what a request that crashed wrote last must not replace what the row speaks of.
    func tailName(_ key: StorageKey, _ state: StorageState) -> String { "\(tailStart(key))\(state.length)" }

    private func tailStart(_ key: StorageKey) -> String { "incoming/\(key.company).\(key.id)." }

    func dropTails(of key: StorageKey) async throws {
        try await listNames(under: tailStart(key)) { found in
            for object in found { try await self.done(self.send("DELETE", object.name, missing: nil)) }
        }
    }

    // MARK: reading

    public func body(_ key: StorageKey, length: Int, range: Range<Int>?) async throws -> StorageBody {
        var fields: [(name: String, value: String)] = []
        if let range { fields = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")] }
        if length == 0 || range?.isEmpty == true { return .stream { _ in } }
        // Asked before the answer begins: what is missing can then still be said with a status.
        let answer = try await send("GET", objectName(key), headers: fields, missing: key, isStream: true)
        guard answer.status == (range == nil ? 200 : 206) else {
            throw StorageError.failed("GET of a range gave \(answer.status)")
        }
        return .stream { out in
            while let piece = try await answer.body.next() { try await out.write(piece) }
        }
    }

    public func read(_ key: StorageKey, _ take: ([UInt8]) async throws -> Void) async throws {
        let answer = try await send("GET", objectName(key), missing: key, isStream: true)
        while let piece = try await answer.body.next() { try await take(piece) }
    }

    public func directURL(_ key: StorageKey, type: String, disposition: String, seconds: Int) -> String? {
        let request = SignatureV4.Request(
            "GET", host: host, path: root + objectName(key),
            query: [("response-content-disposition", disposition), ("response-content-type", type)])
        return "\(scheme)://\(host)" + signer.presigned(request, seconds: seconds, at: clock())
    }

    public func delete(_ keys: [StorageKey]) async throws {
        for key in keys { try await done(send("DELETE", objectName(key), missing: nil)) }
    }

    // MARK: what there is

    public func list(_ visit: ([StoredObject]) async throws -> Void) async throws {
        try await listNames(under: "objects/") { found in
            try await visit(
                found.compactMap { object in
                    StorageKey(path: object.name.dropFirst("objects/".count)).map {
                        StoredObject(key: $0, changedAt: object.changedAt)
                    }
                })
        }
    }

    public func listUnfinished(_ visit: ([UnfinishedObject]) async throws -> Void) async throws {
        var marker: [(name: String, value: String)] = []
        repeat {
            let answer = try await send("GET", "", [("uploads", "")] + marker, missing: nil)
            let text = String(decoding: try await collected(answer), as: UTF8.self)
            let found = S3Text.blocks("Upload", in: text).compactMap { block -> UnfinishedObject? in
                guard let name = S3Text.first("Key", in: block),
                    let upload = S3Text.first("UploadId", in: block),
                    let key = StorageKey(path: name.dropFirst("objects/".count)),
                    let begun = S3Text.first("Initiated", in: block).flatMap({ Timestamp($0) })
                else { return nil }
                return UnfinishedObject(key: key, state: StorageState(upload: upload), begunAt: begun)
            }
            if !found.isEmpty { try await visit(found) }
            marker = [
                ("key-marker", S3Text.first("NextKeyMarker", in: text) ?? ""),
                ("upload-id-marker", S3Text.first("NextUploadIdMarker", in: text) ?? ""),
            ]
            if S3Text.first("IsTruncated", in: text) != "true" { break }
        } while true
        try await listNames(under: "incoming/") { found in
            try await visit(
                found.compactMap { object in
                    let parts = object.name.dropFirst("incoming/".count).split(separator: ".")
                    guard parts.count == 3, let company = UUID(String(parts[0])),
                        let id = UUID(String(parts[1]))
                    else { return nil }
                    return UnfinishedObject(
                        key: StorageKey(company: company, id: id), state: StorageState(),
                        begunAt: object.changedAt)
                })
        }
    }

    private struct Named {
        let name: String
        let changedAt: Timestamp
    }

    private func listNames(under prefix: String, _ visit: ([Named]) async throws -> Void) async throws {
        var token: [(name: String, value: String)] = []
        while true {
            let query =
                [("list-type", "2"), ("max-keys", String(StorageLimits.listedAtOnce)), ("prefix", prefix)]
                + token
            let answer = try await send("GET", "", query, missing: nil)
            let text = String(decoding: try await collected(answer), as: UTF8.self)
            let found = S3Text.blocks("Contents", in: text).compactMap { block -> Named? in
                guard let name = S3Text.first("Key", in: block),
                    let changed = S3Text.first("LastModified", in: block).flatMap({ Timestamp($0) })
                else { return nil }
                return Named(name: name, changedAt: changed)
            }
            if !found.isEmpty { try await visit(found) }
            guard let next = S3Text.first("NextContinuationToken", in: text) else { return }
            token = [("continuation-token", next)]
        }
    }

    public func check() async -> String? {
        let key = StorageKey(company: .v7(), id: .v7())
        do {
            try await put(objectName(key), [1])
            try await delete(key)
            return nil
        } catch StorageError.failed(let text) {
            return text
        } catch {
            return "\(error)"
        }
    }

    // MARK: requests

    /// Asks, and asks again when the trouble looks temporary. Answers that say no are thrown.
    /// - Parameter missing: what is thrown for a 404; nil when it is no fault that nothing is there.
    private func send(
        _ method: String, _ name: String, _ query: [(String, String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], missing: StorageKey?, isStream: Bool = false
    ) async throws -> HTTPClient.Response {
        var tries = 0
        while true {
            tries += 1
            do {
                let answer = try await sendOnce(method, name, query, headers, body, isStream)
                if (200..<300).contains(answer.status) || answer.status == 404 && missing == nil {
                    return answer
                }
                if answer.status == 404, let missing { throw StorageError.missing(missing) }
                let text = String(decoding: (try? await answer.body.collect()) ?? [], as: UTF8.self)
                let code = S3Text.first("Code", in: text) ?? ""
                guard answer.status >= 500 || answer.status == 429, tries < Self.triesMax else {
                    throw StorageError.failed(
                        "\(method) \(name.isEmpty ? "bucket" : name): \(answer.status) \(code)")
                }
            } catch let error as TransferError {
                guard error.isTemporary, tries < Self.triesMax else {
                    throw StorageError.failed("\(method) \(host): \(error)")
                }
            }
            try await Task.sleep(for: .milliseconds(Int64.random(in: 50...150) << (2 * tries)))
        }
    }

    private func sendOnce(
        _ method: String, _ name: String, _ query: [(String, String)],
        _ headers: [(name: String, value: String)],
        _ body: [UInt8], _ isStream: Bool
    ) async throws(TransferError) -> HTTPClient.Response {
        // The bucket itself has no slash behind it, or its signature would be another's.
        let path = name.isEmpty && root.count > 1 ? String(root.dropLast()) : root + name
        let request = SignatureV4.Request(
            method, host: host, path: path, query: query.map { (name: $0.0, value: $0.1) })
        let text = SignatureV4.Request.encoded(request.query)
        return try await client.send(
            HTTPClient.Request(
                method, "\(scheme)://\(host)\(request.encodedPath)\(text.isEmpty ? "" : "?\(text)")",
                headers: signer.headers(request, payload: body, at: clock()) + headers, body: body,
                deadlines: HTTPClient.Deadlines(
                    firstByte: .seconds(120), idle: .seconds(60), total: isStream ? nil : .seconds(300)),
                responseBytesMax: isStream ? .max : Self.answerBytesMax, acceptsGzip: false))
    }

    private func done(_ answer: HTTPClient.Response) async throws { _ = try await collected(answer) }

    private func collected(_ answer: HTTPClient.Response) async throws -> [UInt8] {
        do { return try await answer.body.collect() } catch { throw StorageError.failed("\(host): \(error)") }
    }

    private static let triesMax = 4
    /// A tail of a part, or five hundred names.
    private static let answerBytesMax = 16 << 20
}

/// Writes one object of a bucket.
// @unchecked Sendable: used by one task at a time, as the protocol says.
final class BucketWriter: StorageWriter, @unchecked Sendable {
    private let storage: BucketStorage
    private let key: StorageKey
    private var state: StorageState
    private var gathered: [UInt8]
    /// Something of it may lie under `incoming/`.
    private var hasTails: Bool

    init(
        _ storage: BucketStorage, _ key: StorageKey, _ state: StorageState = StorageState(),
        tail: [UInt8] = []
    ) {
        self.storage = storage
        self.key = key
        self.state = state
        gathered = tail
        hasTails = state.length > 0
    }

    func write(_ bytes: [UInt8]) async throws {
        if gathered.isEmpty { gathered.reserveCapacity(StorageLimits.partBytes + bytes.count) }
        gathered += bytes
        state.length += bytes.count
        while gathered.count >= StorageLimits.partBytes {
            let part = Array(gathered.prefix(StorageLimits.partBytes))
            gathered.removeFirst(part.count)
            try await put(part)
        }
    }

    private func put(_ part: [UInt8]) async throws {
        let upload: String
        if let begun = state.upload { upload = begun } else { upload = try await storage.beginUpload(key) }
        state.upload = upload
        let tag = try await storage.putPart(key, upload: upload, number: state.parts.count + 1, part)
        state.parts.append(tag)
    }

    func save() async throws -> StorageState {
        if gathered.count >= StorageLimits.partBytesMin {
            try await put(gathered)
            gathered = []
        }
        state.tail = gathered.count
        if !gathered.isEmpty {
            hasTails = true
            try await storage.put(storage.tailName(key, state), gathered)
        }
        return state
    }

    func finish() async throws {
        if let upload = state.upload {
            if !gathered.isEmpty { try await put(gathered) }
            try await storage.completeUpload(key, upload: upload, parts: state.parts)
        } else {
            try await storage.put(storage.objectName(key), gathered)
        }
        gathered = []
        // The object is whole; what is left of its making is found by the sweep if this fails.
        if hasTails { try? await storage.dropTails(of: key) }
    }

    func abandon() async { try? await storage.abandon(key, state) }
}

/// The little XML that S3 speaks.
enum S3Text {
    static func first(_ tag: String, in text: some StringProtocol) -> String? {
        blocks(tag, in: text).first.map { unescaped(String($0)) }
    }

    /// What stands between each `<tag>` and its end.
    static func blocks(_ tag: String, in text: some StringProtocol) -> [String] {
        var found: [String] = []
        var rest = String(text)[...]
        while let start = rest.firstRange(of: "<\(tag)>"),
            let end = rest[start.upperBound...].firstRange(of: "</\(tag)>")
        {
            found.append(String(rest[start.upperBound..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return found
    }

    private static func unescaped(_ text: String) -> String {
        guard text.contains("&") else { return text }
        return [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"),
            ("&amp;", "&"),
        ]
        .reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
