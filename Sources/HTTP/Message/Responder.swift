import Loop
import Wire

/// What answers the requests of a server.
public protocol Responder: Sendable {
    /// Called on the loop's thread when the head has been read; it must not block.
    func respond(to request: Request) -> Reply

    /// Called on the loop's thread when the answer has gone out or failed: the place for access log and metrics.
    func finished(_ exchange: Exchange)

    /// The answer for what the server itself refuses; `request` is nil when its head could not be read.
    func refusal(_ status: Int, _ reason: Refusal, _ request: Request?) -> Response
}

extension Responder {
    public func finished(_ exchange: Exchange) {}

    public func refusal(_ status: Int, _ reason: Refusal, _ request: Request?) -> Response {
        var response = Response(status: status, body: .bytes(Array("\(reason.detail)\n".utf8)))
        response.headers.add("content-type", "text/plain; charset=utf-8")
        return response
    }
}

/// An answer that is here, or one that takes waiting.
public enum Reply: Sendable {
    case now(Response)
    /// The task runs on the connection's loop and is cancelled when the client goes away.
    case later(@Sendable () async -> Response)
}

/// One request with the fate of its answer.
public struct Exchange: Sendable {
    public enum Outcome: Sendable {
        case sent
        /// The client went away, or a deadline passed, before all of the answer was out.
        case aborted
    }

    /// Nil when the head could not be read.
    public let request: Request?
    /// 0 when the client was gone before there was an answer.
    public let status: Int
    /// Of the head and the body as sent by the client, framing included.
    public let bytesIn: Int
    /// Handed to the socket (before encryption).
    public let bytesOut: Int
    /// Nanoseconds of the monotonic clock: when the head was read, the answer begun and done with.
    public let started: UInt64
    public let firstByte: UInt64
    public internal(set) var ended: UInt64
    public internal(set) var outcome: Outcome
}

/// Why the server itself refuses a request.
public enum Refusal: Error, Sendable, CaseIterable {
    case requestLine, target, path, host, field, framing, chunk, lineEnding
    case lineTooLong, headTooLarge, tooManyFields, bodyTooLarge
    case unknownMethod, unknownVersion, unknownExpectation, unknownTransferCoding
    case headTooSlow, bodyTooSlow
    case tooManyRequests
    case plainOnEncryptedPort

    public var status: Int {
        switch self {
        case .requestLine, .target, .path, .host, .field, .framing, .chunk, .lineEnding,
            .plainOnEncryptedPort:
            400
        case .headTooSlow, .bodyTooSlow: 408
        case .bodyTooLarge: 413
        case .lineTooLong: 414
        case .unknownExpectation: 417
        case .headTooLarge, .tooManyFields: 431
        case .unknownMethod, .unknownTransferCoding: 501
        case .tooManyRequests: 503
        case .unknownVersion: 505
        }
    }

    /// A sentence for the caller.
    public var detail: String {
        switch self {
        case .requestLine: "The request line is not `METHOD target HTTP/1.1`."
        case .target:
            "The request target is not valid; reserved and non-ASCII characters must be percent-encoded."
        case .path: "The path has a dot segment, a control character or bytes that are not UTF-8."
        case .host: "The request needs exactly one valid Host field."
        case .field:
            "A header field is not valid: a name, a colon at once behind it, and a value without control bytes."
        case .framing:
            "The length of the body is ambiguous: one valid Content-Length or `Transfer-Encoding: chunked`."
        case .chunk: "The chunked body is not framed correctly."
        case .lineEnding: "Lines end in CR LF."
        case .lineTooLong: "The request line is too long."
        case .headTooLarge: "The header fields are too large."
        case .tooManyFields: "There are too many header fields."
        case .bodyTooLarge: "The body is too large."
        case .unknownMethod: "The method is not known here."
        case .unknownVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .unknownExpectation: "The only expectation that can be met is `100-continue`."
        case .unknownTransferCoding: "The only transfer coding known here is `chunked`."
        case .headTooSlow: "The request did not arrive in time."
        case .bodyTooSlow: "The body did not arrive in time."
        case .tooManyRequests: "The server is at its limit; please try again shortly."
        case .plainOnEncryptedPort: "This port speaks https; the request was plain http."
        }
    }
}
