import Loop
import Wire

/// An answer without end that others write to while no task waits for it: a silent listener costs its connection and
/// little more. What is pushed is framed by whoever pushes; comments keep the connection alive meanwhile.
// @unchecked Sendable: for the connection's loop alone.
public final class PushStream: @unchecked Sendable {
    public let loop: EventLoop
    /// Called once, when the client has gone or the stream was ended.
    public var whenOver: (() -> Void)?
    private var connection: Connection?
    private var timer: LoopTimer?
    private let pingEvery: UInt64

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.home.loop
        pingEvery = connection.limits.eventPing.nanoseconds
        timer = loop.timer { [unowned self] in ping() }
        timer?.arm(afterNanoseconds: pingEvery)
    }

    public var isOpen: Bool { connection != nil }

    /// The client reads as fast as it is told; when it does not, nothing more should be pushed for now.
    public var hasRoom: Bool {
        guard let connection else { return false }
        return connection.unsent.bytes <= connection.limits.unsentBytes
    }

    /// Sends the bytes; false when the client is gone.
    @discardableResult
    public func push(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let connection, (try? connection.writeStream(bytes)) != nil else { return false }
        timer?.arm(afterNanoseconds: pingEvery)
        return true
    }

    @discardableResult
    public func push(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { push($0) } }

    /// Ends the answer in order.
    public func end() {
        guard let connection else { return }
        over()
        connection.endPush()
    }

    private func ping() {
        guard let connection else { return }
        timer?.arm(afterNanoseconds: pingEvery)
        // A client that is behind gets nothing more to read.
        guard connection.unsent.isEmpty else { return }
        let comment: StaticString = ": ping\n\n"
        try? connection.writeStream(
            UnsafeRawBufferPointer(start: comment.utf8Start, count: comment.utf8CodeUnitCount))
    }

    /// The server is about to stop: says so, as an event stream does.
    func drain() {
        push(Array("event: goodbye\nretry: 1000\ndata: draining\n\n".utf8))
        end()
    }

    /// Nothing more can be sent.
    func over() {
        guard connection != nil else { return }
        connection = nil
        timer?.cancel()
        timer = nil
        let told = whenOver
        whenOver = nil
        told?()
    }
}
