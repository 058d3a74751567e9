import Loop

/// The shared connection of a loop, dialled again whenever it is lost.
///
/// For the loop's thread. While a first dial is under way requests wait for it; once a dial has failed they are refused
/// at once, until one succeeds.
// @unchecked Sendable: handed to its loop as a whole, touched on that loop's thread alone.
final class Pipeline: @unchecked Sendable {
    private let loop: EventLoop
    private let dialer: Dialer
    private let target: Target
    private let habits: Habits
    private let statistics: PoolStatistics

    private(set) var connection: Connection?
    private var waiting: [Request] = []
    private var failedDials = 0
    private var connectedAt: UInt64 = 0
    private(set) var reason: DatabaseError?
    private var redial: LoopTimer?
    private var wasStarted = false
    private var isClosed = false
    /// Told when a connection stands or none does.
    var changed: (() -> Void)?
    /// Given each new connection before it serves.
    var connected: ((Connection) -> Void)?

    init(loop: EventLoop, dialer: Dialer, target: Target, habits: Habits, statistics: PoolStatistics) {
        self.loop = loop
        self.dialer = dialer
        self.target = target
        self.habits = habits
        self.statistics = statistics
        redial = loop.timer { [weak self] in self?.dial() }
    }

    var isUp: Bool { connection != nil }
    var state: DatabaseState {
        isUp ? .up : reason.map { .down(reason: $0.debugText.trimmedEnd) } ?? .connecting
    }
    var depth: Int { connection?.depth ?? waiting.count }

    /// Begins to dial; asked again, it has begun already.
    func start() {
        if wasStarted { return }
        wasStarted = true
        dial()
    }

    func submit(_ request: Request) {
        if let connection {
            guard connection.depth < DatabaseLimits.pipelineDepth else {
                return request.answer(.failed(.unavailable("the shared connection's queue is full")))
            }
            return connection.send(request)
        }
        guard !isClosed, reason == nil, waiting.count < DatabaseLimits.pipelineDepth else {
            return request.answer(.failed(.unavailable(reason?.debugText ?? "the database is not connected")))
        }
        waiting.append(request)
    }

    private func dial() {
        if isClosed { return }
        dialer.dial(target, for: loop) { [self] in dialled($0) }
    }

    private func dialled(_ result: Result<Handle, DatabaseError>) {
        if isClosed { return }
        switch result {
        case .success(let handle):
            let connection = Connection(handle, loop: loop, habits: habits)
            connection.lost = { [weak self] in self?.lost($0) }
            self.connection = connection
            reason = nil
            connectedAt = loop.now
            statistics.opened()
            connected?(connection)
            let waiting = waiting
            self.waiting = []
            for request in waiting { submit(request) }
        case .failure(let error):
            reason = error
            failedDials += 1
            refuseWaiting(error)
            redial?.arm(after: pause())
        }
        changed?()
    }

    private func lost(_ error: DatabaseError) {
        connection = nil
        statistics.closed()
        // What is asked in the meantime waits for the first dial, which most often succeeds. Connections that die as
        // soon as they are born are no reason to dial without a pause.
        let isShortLived = loop.now &- connectedAt < DatabaseLimits.shortLife.nanoseconds
        failedDials = isShortLived ? failedDials + 1 : 0
        if failedDials > 1 { redial?.arm(after: pause()) } else { dial() }
        changed?()
    }

    /// Doubles from dial to dial; a random half of it is dropped, so that many servers do not knock at once.
    private func pause() -> Duration {
        let full = min(
            DatabaseLimits.redialPauseMax.nanoseconds,
            DatabaseLimits.redialPauseFirst.nanoseconds << UInt64(min(max(failedDials - 1, 0), 10)))
        return .nanoseconds(Int64(full / 2 + UInt64.random(in: 0...full / 2)))
    }

    private func refuseWaiting(_ error: DatabaseError) {
        let waiting = waiting
        self.waiting = []
        for request in waiting { request.answer(.failed(.unavailable(error.debugText))) }
    }

    func close() {
        isClosed = true
        redial?.disarm()
        redial = nil
        changed = nil
        connected = nil
        let connection = connection
        self.connection = nil
        connection?.lost = nil
        connection?.lose(.unavailable("the database was closed"))
        refuseWaiting(.unavailable("the database was closed"))
    }
}
