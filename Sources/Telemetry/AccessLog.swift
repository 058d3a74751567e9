import Loop
import Wire

/// What the access log says of one exchange. The query string, headers and bodies are no part of it: they may hold
/// secrets.
public struct AccessEntry {
    public var method: StaticString
    /// The template (`/v1/leads/{id}`), or nil when no route matched.
    public var route: String?
    /// The path without its query.
    public var path: String
    public var status: Int
    public var durationNanoseconds: UInt64
    public var bytesIn = 0
    public var bytesOut = 0
    /// The id the caller gave, or else our own.
    public var requestId: String?
    public var ownRequestId: UUID?
    public var traceId: String?
    public var companyId: UUID?
    public var userId: UUID?
    public var client: String?
    /// False when the client went away before the answer was out.
    public var isSent = true

    public init(method: StaticString, route: String?, path: String, status: Int, durationNanoseconds: UInt64)
    {
        self.method = method
        self.route = route
        self.path = path
        self.status = status
        self.durationNanoseconds = durationNanoseconds
    }
}

/// One line of JSON per exchange, gathered on each loop without a lock and handed to the writer in blocks.
public final class AccessLog: Sendable {
    private let lanes: [AccessLane]

    public init(loops: LoopGroup, to lines: LineWriter = .standardError) {
        lanes = loops.loops.map { AccessLane(loop: $0, lines: lines) }
    }

    /// Called on the thread of `loop`.
    public func record(_ entry: borrowing AccessEntry, on loop: EventLoop) { lanes[loop.index].record(entry) }

    /// Hands over what the loops have gathered; the last lines of a server that stops.
    public func flush() async {
        for lane in lanes {
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                lane.loop.execute {
                    lane.handOver()
                    done.resume()
                }
            }
        }
    }
}

/// The lines of one loop.
// @unchecked Sendable: everything mutable is touched on the thread of `loop` alone.
private final class AccessLane: @unchecked Sendable {
    let loop: EventLoop
    private let lines: LineWriter
    private var buffer = ByteWriter(capacity: LineWriter.bufferBytes + 4096)
    private var count = 0
    private var timer: LoopTimer?

    /// A line is seen by the reader at the latest after this.
    private static let delay: Duration = .milliseconds(100)

    init(loop: EventLoop, lines: LineWriter) {
        self.loop = loop
        self.lines = lines
    }

    func record(_ entry: borrowing AccessEntry) {
        JSONLine(into: buffer, level: "info", message: "request").end { line in
            line.plain("method", entry.method)
            line.text("route", entry.route)
            line.text("path", entry.path)
            line.number("status", entry.status)
            line.milliseconds("duration_ms", nanoseconds: entry.durationNanoseconds)
            line.number("bytes_in", entry.bytesIn)
            line.number("bytes_out", entry.bytesOut)
            line.text("request_id", entry.requestId)
            line.uuid("request_id", entry.ownRequestId)
            line.text("trace_id", entry.traceId)
            line.uuid("company_id", entry.companyId)
            line.uuid("user_id", entry.userId)
            line.text("client", entry.client)
            if !entry.isSent { line.text("outcome", "aborted") }
        }
        count += 1
        if buffer.count >= LineWriter.bufferBytes { handOver() } else { armTimer() }
    }

    func handOver() {
        guard count > 0 else { return }
        timer?.disarm()
        buffer = lines.exchange(buffer, lines: count)
        count = 0
    }

    private func armTimer() {
        // The timer keeps the lane alive only while lines wait.
        let timer = timer ?? loop.timer { [unowned self] in handOver() }
        self.timer = timer
        if !timer.isArmed { timer.arm(after: Self.delay) }
    }
}
