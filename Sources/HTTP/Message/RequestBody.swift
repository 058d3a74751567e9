import Glibc
import Wire

/// Why a body could not be had; each is the caller's doing or his departure.
public enum BodyError: Error, Equatable, Sendable {
    case tooLarge(limit: Int)
    case malformed
    /// Another Content-Encoding than gzip.
    case unknownEncoding
    case badGzip
    case timedOut
    case disconnected

    init(_ error: GzipError, _ limit: Int) {
        switch error {
        case .tooLarge, .bomb: self = .tooLarge(limit: limit)
        case .damaged, .cutShort: self = .badGzip
        }
    }
}

/// The body of a request, read on the connection's loop by the one task that answers it.
public struct RequestBody: Sendable {
    let source: BodySource?

    /// There is none, or it was announced to be of no length.
    public var isEmpty: Bool { source == nil }

    /// As announced; nil when there is no body or it is chunked.
    public var contentLength: Int? { source?.announced }

    /// All of it when it has come already, without waiting; nil when some is still to come.
    public func whole(upTo limit: Int) throws(BodyError) -> [UInt8]? {
        guard let source else { return [] }
        return try source.takeWhole(upTo: limit)
    }

    /// All of it. Does not wait when it has come already.
    public func collect(upTo limit: Int) async throws(BodyError) -> [UInt8] {
        guard let source else { return [] }
        while true {
            if let whole = try source.takeWhole(upTo: limit) { return whole }
            await source.more(window: limit + 1)
        }
    }

    /// The next piece; nil at the end. The client is slowed to the pace of the reader.
    public func next() async throws(BodyError) -> [UInt8]? {
        guard let source else { return nil }
        while true {
            if let piece = try source.takePiece() { return piece }
            if source.isComplete { return nil }
            await source.more(window: 0)
        }
    }
}

/// Where a connection puts the content of a body and its reader finds it.
// @unchecked Sendable: for the connection's loop alone.
final class BodySource: @unchecked Sendable {
    let announced: Int?
    private let coding: ContentCoding
    private let contentMax: Int
    private var unzipping: GzipReader?
    private var received: [UInt8] = []
    private(set) var isComplete = false
    private(set) var failure: BodyError?
    private var waiter: UnsafeContinuation<Void, Never>?
    /// So many bytes may be here unread before the socket is left alone.
    private var window: Int
    /// Cut when the exchange is over, so that they do not hold each other.
    private weak var connection: Connection?

    init(announced: Int?, _ coding: ContentCoding, _ limits: Limits, _ connection: Connection) {
        self.announced = announced
        self.coding = coding
        contentMax = limits.bodyBytes
        window = limits.bodyWindowBytes
        self.connection = connection
    }

    var isFull: Bool { received.count >= window }

    // MARK: the connection's side

    func append(_ bytes: UnsafeRawBufferPointer) {
        if received.isEmpty { received.reserveCapacity(min(announced ?? bytes.count, window)) }
        received.append(contentsOf: bytes)
    }

    func complete() {
        isComplete = true
        wake()
    }

    func fail(_ error: BodyError) {
        if !isComplete, failure == nil { failure = error }
        wake()
    }

    /// Lets a waiting reader look again, once the connection is done with the bytes at hand.
    func wake() {
        guard let waiter else { return }
        self.waiter = nil
        waiter.resume()
    }

    /// The answer is out: nothing more will come.
    func abandon() {
        connection = nil
        received = []
        fail(.disconnected)
    }

    // MARK: the reader's side

    func takeWhole(upTo limit: Int) throws(BodyError) -> [UInt8]? {
        if let failure { throw failure }
        guard coding != .unknown else { throw .unknownEncoding }
        guard announced ?? 0 <= limit, received.count <= limit else { throw .tooLarge(limit: limit) }
        guard isComplete else { return nil }
        let whole = received
        received = []
        return coding == .gzip ? try Self.unzip(whole, limit) : whole
    }

    private static func unzip(_ bytes: [UInt8], _ limit: Int) throws(BodyError) -> [UInt8] {
        do throws(GzipError) { return try Gzip.decompress(bytes, outputMax: limit) } catch {
            throw BodyError(error, limit)
        }
    }

    /// Nil when nothing is here, for now or at the end.
    func takePiece() throws(BodyError) -> [UInt8]? {
        guard coding != .unknown else { throw .unknownEncoding }
        guard !received.isEmpty else {
            if let failure { throw failure }
            if isComplete, let unzipping {
                do throws(GzipError) { try unzipping.end() } catch { throw BodyError(error, contentMax) }
            }
            return nil
        }
        let piece = received
        received = []
        connection?.bodyHasRoom()
        guard coding == .gzip else { return piece }
        let content = try unzip(piece: piece)
        return content.isEmpty ? try takePiece() : content
    }

    private func unzip(piece: [UInt8]) throws(BodyError) -> [UInt8] {
        let reader = unzipping ?? GzipReader(outputMax: contentMax)
        unzipping = reader
        let out = ByteWriter(capacity: piece.count * 4)
        do throws(GzipError) { try reader.read(piece, into: out) } catch {
            throw BodyError(error, contentMax)
        }
        return out.array
    }

    /// Waits until more has come, the body has ended or failed.
    func more(window wanted: Int) async {
        window = max(window, wanted)
        connection?.bodyIsWanted()
        await withUnsafeContinuation { continuation in
            if isComplete || failure != nil { continuation.resume() } else { waiter = continuation }
        }
    }
}
