import Wire

/// Chooses the form in which an answer goes out: the part of a file that was asked for, gzip where both sides gain.
enum Representation {
    /// What can be done without holding up the loop.
    static func shape(_ response: Response, for request: Request?, _ home: ServerLoop) -> Response {
        guard let request else { return response }
        switch response.body {
        case .file(let file) where response.status == 200: return part(of: file, response, request)
        case .bytes(let bytes):
            guard mayShrink(response, bytes.count, home.limits.gzipBytesOnLoop, home.limits) else {
                return response
            }
            return bytes.withUnsafeBytes { compressed(response, $0, request, home.gzip) }
        case .buffer(let writer):
            guard mayShrink(response, writer.count, home.limits.gzipBytesOnLoop, home.limits) else {
                return response
            }
            return compressed(response, writer.bytes, request, home.gzip)
        case .empty, .file, .stream: return response
        }
    }

    /// Compresses a large body on a thread of its own; with none free it goes out as it is.
    static func shapeElsewhere(_ response: Response, for request: Request, _ home: ServerLoop) async
        -> Response
    {
        guard let count = response.body.memoryBytes, count > home.limits.gzipBytesOnLoop,
            mayShrink(response, count, home.limits.gzipBytesMax, home.limits), wantsGzip(request)
        else { return response }
        let shaped = try? await home.shared.workers.run {
            let gzip = GzipWriter()
            return switch response.body {
            case .bytes(let bytes): bytes.withUnsafeBytes { compressed(response, $0, request, gzip) }
            case .buffer(let writer): compressed(response, writer.bytes, request, gzip)
            case .empty, .file, .stream: response
            }
        }
        return shaped ?? response
    }

    /// Whether a stream of unknown length is to be compressed; says so in its fields.
    static func compressesStream(_ response: inout Response, _ body: StreamBody, for request: Request?)
        -> Bool
    {
        guard let request, request.minorVersion > 0, body.length == nil, !body.isEventStream,
            response.status != 206, response.headers.value("content-type", isCompressible) ?? false,
            !response.headers.contains("content-encoding")
        else { return false }
        response.headers.add("vary", "accept-encoding")
        guard wantsGzip(request) else { return false }
        mark(&response)
        return true
    }

    // MARK: ranges

    private static func part(of file: FileBody, _ response: Response, _ request: Request) -> Response {
        var response = response
        response.headers.add("accept-ranges", "bytes")
        guard request.method == .get, let field = request.header("range"), rangeHolds(response, request)
        else { return response }
        switch ByteRange(field, length: file.length) {
        case .whole: return response
        case .part(let range):
            response.status = 206
            response.headers.add("content-range", ByteRange.contentRange(range, length: file.length))
            response.body = .file(file.part(range))
        case .unsatisfiable:
            response.status = 416
            response.headers.add("content-range", ByteRange.contentRange(nil, length: file.length))
            response.headers.remove("content-type")
            response.body = .empty
        }
        return response
    }

    private static func rangeHolds(_ response: Response, _ request: Request) -> Bool {
        guard let condition = request.header("if-range") else { return true }
        return ByteRange.holds(
            ifRange: condition, tag: response.headers.first("etag").flatMap { EntityTag(parsing: $0) },
            lastModified: response.headers.first("last-modified").flatMap { HTTPDate.parse($0) })
    }

    // MARK: compression

    private static func mayShrink(_ response: Response, _ count: Int, _ most: Int, _ limits: Limits) -> Bool {
        count >= limits.gzipBytesMin && count <= most && response.status != 206
            && response.headers.value("content-type", isCompressible) ?? false
            && !response.headers.contains("content-encoding")
    }

    private static func compressed(
        _ response: Response, _ content: UnsafeRawBufferPointer, _ request: Request, _ gzip: GzipWriter
    ) -> Response {
        var response = response
        // Also the plain form must say so, or a cache would give it to everybody.
        response.headers.add("vary", "accept-encoding")
        guard wantsGzip(request) else { return response }
        let out = ByteWriter(capacity: content.count / 4 + 64)
        gzip.write(content, into: out, flush: .finish)
        mark(&response)
        response.body = .buffer(out)
        return response
    }

    /// Says that the body is gzip, which makes it another representation with another tag.
    private static func mark(_ response: inout Response) {
        response.headers.add("content-encoding", "gzip")
        if let tag = response.headers.first("etag").flatMap({ EntityTag(parsing: $0) }) {
            response.headers.set("etag", tag.gzipped.description)
        }
    }

    private static func wantsGzip(_ request: Request) -> Bool {
        request.headerBytes("accept-encoding") { AcceptEncoding($0).prefersGzip } ?? false
    }

    private static func isCompressible(_ type: UnsafeRawBufferPointer) -> Bool {
        let essence = UnsafeRawBufferPointer(
            rebasing: type.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") })
        if essence.prefixLength(of: "text/") != nil { return !essence.isWord("text/event-stream") }
        if essence.isWord("application/json") || essence.hasEnding("+json") || essence.hasEnding("+xml") {
            return true
        }
        return essence.isWord("application/javascript") || essence.isWord("application/xml")
            || essence.isWord("application/yaml") || essence.isWord("application/x-ndjson")
    }
}

extension Response.Body {
    fileprivate var memoryBytes: Int? {
        switch self {
        case .bytes(let bytes): bytes.count
        case .buffer(let writer): writer.count
        case .empty, .file, .stream: nil
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func hasEnding(_ ending: StaticString) -> Bool {
        let length = ending.utf8CodeUnitCount
        return count >= length && UnsafeRawBufferPointer(rebasing: suffix(length)).isWord(ending)
    }
}
