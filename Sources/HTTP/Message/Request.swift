import Glibc
import Loop
import Wire

/// One request whose head has been read and found valid.
///
/// The head's bytes are copied once, out of the loop's buffer; header access reads them in place.
// @unchecked Sendable: all is fixed when it is made but `context`, the body and what is worked out late, and these
// are touched on the connection's loop alone.
public final class Request: @unchecked Sendable {
    public let method: Method
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    public let minorVersion: UInt8
    /// The client means to send another request on the connection.
    public let isKeepAlive: Bool
    public let loop: EventLoop
    /// Nanoseconds of the monotonic clock, when the head was complete.
    public let receivedAt: UInt64
    public let body: RequestBody
    /// For the layer above.
    public var context: AnyObject?

    let peer: Peer
    lazy var believedHop = findBelievedHop()
    let framing: Framing
    let expectsContinue: Bool
    let isAsterisk: Bool
    let headBytes: Int

    /// The fields' places, then the head itself, in one block.
    private let block: UnsafeMutableRawPointer
    private let fieldCount: Int
    private let pathSpan: Span
    private let querySpan: Span?
    private let hostSpan: Span

    init(
        _ head: UnsafeRawBufferPointer, _ parser: borrowing HeadParser, peer: Peer, loop: EventLoop,
        body: BodySource?
    ) {
        method = parser.method
        minorVersion = parser.minorVersion
        isKeepAlive = parser.isKeepAlive
        framing = parser.framing
        expectsContinue = parser.expectsContinue
        isAsterisk = parser.isAsterisk
        pathSpan = parser.path
        querySpan = parser.query
        hostSpan = parser.host
        fieldCount = parser.fieldCount
        headBytes = head.count
        self.peer = peer
        self.loop = loop
        self.body = RequestBody(source: body)
        receivedAt = loop.now
        let indexBytes = fieldCount * MemoryLayout<Field>.stride
        block = malloc(indexBytes + head.count)!
        memcpy(block, parser.fields, indexBytes)
        memcpy(block + indexBytes, head.baseAddress!, head.count)
    }

    deinit { free(block) }

    // MARK: the target

    /// As it was sent: begins with "/", decodes once to valid UTF-8, has no dot segments; "*" for `OPTIONS *`.
    public var path: String { String(decoding: bytes(pathSpan), as: UTF8.self) }

    /// What stands behind the first question mark, as it was sent; nil when there is none.
    public var query: String? { querySpan.map { String(decoding: bytes($0), as: UTF8.self) } }

    /// Lends the path without a copy.
    @inline(__always)
    public func withPath<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        defer { withExtendedLifetime(self) {} }
        return try body(bytes(pathSpan))
    }

    /// Lends the query without a copy; nil when there is none.
    public func withQuery<Value>(_ body: (UnsafeRawBufferPointer?) throws -> Value) rethrows -> Value {
        defer { withExtendedLifetime(self) {} }
        return try body(querySpan.map(bytes))
    }

    /// The authority the client addressed, before any proxy's word; empty only for HTTP/1.0.
    var hostField: String { String(decoding: bytes(hostSpan), as: UTF8.self) }

    // MARK: the fields

    /// The value of the first field of that name; `name` is in lower case.
    public func header(_ name: StaticString) -> String? {
        headerBytes(name) { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the value of the first field of that name without a copy; `name` is in lower case.
    public func headerBytes<Value>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) rethrows -> Value? {
        defer { withExtendedLifetime(self) {} }
        guard let field = next(name, after: -1) else { return nil }
        return try body(bytes(fields[field].value))
    }

    /// All values of that name joined by ", " as RFC 9110 section 5.3 allows; `name` is in lower case.
    public func headerList(_ name: StaticString) -> String? {
        var joined: String?
        var at = -1
        while let field = next(name, after: at) {
            let value = String(decoding: bytes(fields[field].value), as: UTF8.self)
            joined = joined.map { $0 + ", " + value } ?? value
            at = field
        }
        return joined
    }

    /// How many fields of that name there are; `name` is in lower case.
    public func headerCount(_ name: StaticString) -> Int {
        var count = 0
        var at = -1
        while let field = next(name, after: at) {
            count += 1
            at = field
        }
        return count
    }

    /// Calls `body` with each field in order; names come in lower case.
    public func forEachHeader(_ body: (_ name: String, _ value: String) -> Void) {
        for index in 0..<fieldCount {
            body(
                String(decoding: bytes(fields[index].name), as: UTF8.self),
                String(decoding: bytes(fields[index].value), as: UTF8.self))
        }
    }

    private var fields: UnsafePointer<Field> {
        UnsafePointer(block.assumingMemoryBound(to: Field.self))
    }

    @inline(__always) private func bytes(_ span: Span) -> UnsafeRawBufferPointer {
        let head = block + fieldCount &* MemoryLayout<Field>.stride
        return UnsafeRawBufferPointer(start: head + Int(span.start), count: Int(span.count))
    }

    private func next(_ name: StaticString, after index: Int) -> Int? {
        let length = name.utf8CodeUnitCount
        let head = block + fieldCount &* MemoryLayout<Field>.stride
        let fields = fields
        var at = index + 1
        while at < fieldCount {
            let candidate = fields[at].name
            if Int(candidate.count) == length,
                memcmp(head + Int(candidate.start), name.utf8Start, length) == 0
            {
                return at
            }
            at += 1
        }
        return nil
    }
}
