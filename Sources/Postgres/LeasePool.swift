import Loop

/// Connections of a loop that are lent to one user at a time: transactions, reports.
///
/// Opened when wanted, up to a limit; who finds none waits in line until its deadline.
// @unchecked Sendable: touched on its loop's thread alone.
final class LeasePool: @unchecked Sendable {
    typealias Answer = Result<Connection, DatabaseError>

    private struct Waiter {
        let deadline: UInt64
        let answer: (Answer) -> Void
    }

    private let loop: EventLoop
    private let dialer: Dialer
    private let target: Target
    private let habits: Habits
    private let limit: Int
    private let statistics: PoolStatistics
    /// Why nothing can be had, when the database is known to be away.
    private let outage: () -> DatabaseError?

    private var idle: [Connection] = []
    /// Idle, lent, or being dialled.
    private var count = 0
    private var waiters = Ring<Waiter>()
    private var watch: LoopTimer?
    private var isClosed = false

    init(
        loop: EventLoop, dialer: Dialer, target: Target, habits: Habits, limit: Int,
        statistics: PoolStatistics,
        outage: @escaping () -> DatabaseError?
    ) {
        self.loop = loop
        self.dialer = dialer
        self.target = target
        self.habits = habits
        self.limit = max(1, limit)
        self.statistics = statistics
        self.outage = outage
        watch = loop.timer { [weak self] in self?.lookAround() }
    }

    func take(until deadline: UInt64, _ answer: @escaping (Answer) -> Void) {
        if isClosed { return answer(.failure(.unavailable("the database was closed"))) }
        if let outage = outage() { return answer(.failure(outage)) }
        if let connection = idle.popLast() {
            statistics.tookLease()
            return answer(.success(connection))
        }
        guard waiters.count < DatabaseLimits.leaseQueue else {
            statistics.refused()
            return answer(.failure(.unavailable("too many transactions wait for a connection")))
        }
        if count < limit { dial() } else { statistics.waited() }
        waiters.append(Waiter(deadline: deadline, answer: answer))
        armWatch()
    }

    func give(back connection: Connection) {
        statistics.gaveLease()
        if isClosed || connection.isLost || connection.wasCancelled || connection.isBloated
            || !connection.isIdle
        {
            discard(connection)
            if !isClosed, !waiters.isEmpty, count < limit { dial() }
            return
        }
        connection.lastUse = loop.now
        if let waiter = waiters.removeFirst() {
            statistics.tookLease()
            return waiter.answer(.success(connection))
        }
        idle.append(connection)
        armWatch()
    }

    private func dial() {
        count += 1
        dialer.dial(target, for: loop) { [self] in dialled($0) }
    }

    private func dialled(_ result: Result<Handle, DatabaseError>) {
        switch result {
        case .success(let handle):
            if isClosed { return }
            let connection = Connection(handle, loop: loop, habits: habits)
            connection.lost = { [weak self, weak connection] _ in
                if let connection { self?.lost(connection) }
            }
            statistics.opened()
            statistics.tookLease()
            give(back: connection)
        case .failure(let error):
            count -= 1
            // Whoever has waited for longest learns it; the others have the connections at work to wait for.
            if count == 0 { refuseAll(error) } else { waiters.removeFirst()?.answer(.failure(error)) }
        }
    }

    /// An idle connection was closed by the server; a lent one is seen to when it comes back.
    private func lost(_ connection: Connection) {
        guard let place = idle.firstIndex(where: { $0 === connection }) else { return }
        idle.remove(at: place)
        count -= 1
        statistics.closed()
    }

    private func discard(_ connection: Connection) {
        count -= 1
        statistics.closed()
        connection.lost = nil
        connection.lose(.unavailable("the connection is not used again"))
    }

    private func armWatch() {
        if let watch, !watch.isArmed { watch.arm(after: DatabaseLimits.watchPeriod) }
    }

    /// Refuses who has waited too long and closes what nobody has wanted for long.
    private func lookAround() {
        let now = loop.now
        // All wait equally long, so the first in line is due first.
        while let waiter = waiters.first, waiter.deadline <= now {
            waiters.removeFirst()
            statistics.refused()
            waiter.answer(.failure(.unavailable("no connection became free in time")))
        }
        let longest = DatabaseLimits.leaseIdle.nanoseconds
        while idle.count > 1, let oldest = idle.first, now &- oldest.lastUse > longest {
            idle.removeFirst()
            discard(oldest)
        }
        if !waiters.isEmpty || idle.count > 1 { armWatch() }
    }

    private func refuseAll(_ error: DatabaseError) {
        for waiter in waiters.drain() { waiter.answer(.failure(.unavailable(error.debugText))) }
    }

    func close() {
        isClosed = true
        watch?.disarm()
        watch = nil
        refuseAll(.unavailable("the database was closed"))
        let idle = idle
        self.idle = []
        for connection in idle { discard(connection) }
    }
}
