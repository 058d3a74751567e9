import Loop
import Synchronization

/// A PostgreSQL database, reached from every loop over connections of that loop's own.
public final class Database: Sendable {
    public let configuration: DatabaseConfiguration
    let lanes: [Lane]
    let habits: Habits
    let dialer: Dialer
    let listener: Listener
    private let health: Health
    private let turn = Atomic<Int>(0)

    /// Begins to connect; nothing waits for it. What is asked before the first connection stands waits for that.
    public init(_ configuration: DatabaseConfiguration, loops: LoopGroup) {
        self.configuration = configuration
        let dialer = Dialer(deadline: configuration.connectDeadline)
        let habits = Habits(prepares: configuration.preparesStatements)
        self.dialer = dialer
        self.habits = habits
        let health = Health(lanes: loops.loops.count)
        self.health = health
        lanes = loops.loops.enumerated().map { index, loop in
            Lane(loop: loop, configuration: configuration, dialer: dialer, habits: habits) {
                health.set($0, of: index)
            }
        }
        listener = Listener(lane: lanes[0], habits: habits)
        for lane in lanes { lane.loop.execute { lane.start() } }
    }

    /// Runs one statement as `tenant`: one round trip, a transaction of its own.
    ///
    /// It shares a connection with others and holds them up: what is slow belongs into `report`, what waits for locks
    /// into `transaction`.
    public func query(
        _ sql: SQL, as tenant: Tenant = .none, deadline: Duration? = nil
    ) async throws(DatabaseError) -> Rows {
        try await submit([sql], tenant, deadline, on: .reading).rows()
    }

    /// Runs statements as `tenant` in one round trip and one transaction: all of them or none.
    public func batch(
        _ statements: [SQL], as tenant: Tenant = .none, deadline: Duration? = nil
    ) async throws(DatabaseError) -> [Rows] {
        statements.isEmpty ? [] : try await submit(statements, tenant, deadline, on: .reading).all()
    }

    /// Runs statements that write as `tenant`, in one round trip and one transaction: all of them or none.
    ///
    /// Like `batch`, on connections where no reader waits behind a commit that waits for the disk.
    public func write(
        _ statements: [SQL], as tenant: Tenant = .none, deadline: Duration? = nil
    ) async throws(DatabaseError) -> [Rows] {
        statements.isEmpty ? [] : try await submit(statements, tenant, deadline, on: .writing).all()
    }

    /// Runs one reading statement where the answer may lag behind: on the replica when there is one.
    public func replica(
        _ sql: SQL, as tenant: Tenant = .none, deadline: Duration? = nil
    ) async throws(DatabaseError) -> Rows {
        try await submit([sql], tenant, deadline, on: .lagging).rows()
    }

    private func submit(
        _ statements: [SQL], _ tenant: Tenant, _ deadline: Duration?, on way: Lane.Way
    ) async -> Request.Outcome {
        let lane = lane()
        return await withUnsafeContinuation { (continuation: UnsafeContinuation<Request.Outcome, Never>) in
            if lane.loop.isCurrent {
                lane.submit(
                    statements, as: tenant, deadline: deadline, on: way,
                    reply: .continuation(continuation))
            } else {
                lane.loop.execute {
                    lane.submit(
                        statements, as: tenant, deadline: deadline, on: way,
                        reply: .continuation(continuation))
                }
            }
        }
    }

    /// The lane of the present loop; off the loops, each in turn.
    func lane() -> Lane {
        if let loop = EventLoop.current, loop.index < lanes.count, lanes[loop.index].loop === loop {
            return lanes[loop.index]
        }
        return lanes[
            Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(lanes.count))]
    }

    /// Whether the database can be reached at this moment; down as soon as one loop has lost it.
    public var state: DatabaseState { health.state }

    public var statistics: DatabaseStatistics {
        var sum = DatabaseStatistics()
        for lane in lanes { lane.statistics.add(to: &sum) }
        return sum
    }

    /// Closes every connection; what is in flight fails.
    public func close() async {
        let listener = listener
        lanes[0].perform { listener.close() }
        for lane in lanes {
            await withUnsafeContinuation { continuation in
                lane.perform {
                    lane.close()
                    continuation.resume()
                }
            }
        }
        dialer.stop()
    }
}
