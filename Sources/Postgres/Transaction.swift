import Loop
import Synchronization

/// A transaction on a connection of its own. `BEGIN` and the tenant travel with its first statement.
// @unchecked Sendable: its state is touched on the loop's thread alone; the rest is constant.
public final class Transaction: @unchecked Sendable {
    private let connection: Connection
    private let lane: Lane
    private let opening: Opening
    private let patience: UInt64
    private var hasBegun = false
    private var isOver = false
    private var savepoints = 0
    private var metRival = false
    private var afterCommit: [@Sendable () async -> Void] = []

    init(_ connection: Connection, _ lane: Lane, opening: Opening, patience: Duration) {
        self.connection = connection
        self.lane = lane
        self.opening = opening
        self.patience = patience.nanoseconds
    }

    /// Runs one statement.
    public func query(_ sql: SQL) async throws(DatabaseError) -> Rows { try await run([sql]).rows() }

    /// Runs statements in one round trip; after the first that fails none is run, and the transaction can only end.
    public func batch(_ statements: [SQL]) async throws(DatabaseError) -> [Rows] {
        statements.isEmpty ? [] : try await run(statements).all()
    }

    /// Runs statements and commits in the same round trip; after it the transaction is over. Gives the statements' rows.
    public func finish(with statements: [SQL]) async throws(DatabaseError) -> [Rows] {
        let rows = try await run(statements + [SQL(fixed: "COMMIT", bound: [])]).all()
        await onLoop { [self] in isOver = true }
        try Self.checkCommitted(rows.last)
        return Array(rows.dropLast())
    }

    /// Does `work` when the transaction has been committed, and not otherwise.
    public func onCommit(_ work: @escaping @Sendable () async -> Void) async {
        await onLoop { [self] in afterCommit.append(work) }
    }

    /// Runs `body` so that its failure undoes its own statements alone; the transaction goes on.
    public func savepoint<Value>(_ body: () async throws -> Value) async throws -> Value {
        let name = await nextSavepoint()
        _ = try await run([SQL(fixed: "SAVEPOINT \(name)", bound: [])])
        do {
            let value = try await body()
            _ = try await run([SQL(fixed: "RELEASE SAVEPOINT \(name)", bound: [])])
            return value
        } catch {
            _ = try await run([SQL(fixed: "ROLLBACK TO SAVEPOINT \(name)", bound: [])], evenIfCancelled: true)
            throw error
        }
    }

    private func nextSavepoint() async -> String {
        await withUnsafeContinuation { continuation in
            lane.perform { [self] in
                savepoints += 1
                continuation.resume(returning: "step_\(savepoints)")
            }
        }
    }

    private func onLoop(_ work: @escaping @Sendable () -> Void) async {
        await withUnsafeContinuation { continuation in
            lane.perform {
                work()
                continuation.resume()
            }
        }
    }

    private func run(
        _ statements: [SQL], evenIfCancelled: Bool = false
    ) async throws(DatabaseError) -> Request.Outcome {
        if evenIfCancelled { return await send(statements) }
        if Task.isCancelled { throw DatabaseError(.cancelled, "the task was cancelled") }
        let outcome = await withTaskCancellationHandler {
            await send(statements)
        } onCancel: { [lane, connection] in
            lane.loop.execute { connection.cancel(on: lane.dialer) }
        }
        if case .failed(let error) = outcome, error.sqlState == "57014", Task.isCancelled {
            throw DatabaseError(.cancelled, error.debugText, sqlState: error.sqlState)
        }
        return outcome
    }

    private func send(_ statements: [SQL]) async -> Request.Outcome {
        await withUnsafeContinuation { continuation in
            lane.perform { [self] in enqueue(statements, continuation) }
        }
    }

    private func enqueue(_ statements: [SQL], _ continuation: UnsafeContinuation<Request.Outcome, Never>) {
        let now = lane.loop.now
        connection.send(
            Request(
                opening: hasBegun ? nil : opening, statements: statements, isInTransaction: true,
                started: now,
                deadline: now &+ patience, statistics: lane.statistics,
                reply: .call { [self] outcome in
                    settle(outcome)
                    continuation.resume(returning: outcome)
                }))
        hasBegun = true
    }

    private func settle(_ outcome: Request.Outcome) {
        guard case .failed(let error) = outcome else { return }
        if error.kind == .serialization { metRival = true }
        // The statement may go on for long after its caller has given up.
        if error.kind == .timedOut, !connection.isIdle { connection.cancel(on: lane.dialer) }
    }

    /// Runs a COPY in this transaction, on the loop of its connection.
    func copy<Value>(_ body: (Copy) async throws(DatabaseError) -> Value) async throws -> Value {
        // `BEGIN` has to be through before the connection leaves pipeline mode.
        _ = try await run([SQL(fixed: "SELECT 1", bound: [])]).rows()
        return try await withTaskExecutorPreference(lane.loop) {
            let copy = try Copy(connection)
            defer { copy.finish() }
            return try await body(copy)
        }
    }

    // MARK: the end, told by the database

    /// Commits, and says what is to be done after it.
    func commit() async throws(DatabaseError) -> [@Sendable () async -> Void] {
        guard await isOpen() else { return await hooks() }
        try Self.checkCommitted(try await send([SQL(fixed: "COMMIT", bound: [])]).rows())
        return await hooks()
    }

    /// A transaction that has failed before answers COMMIT with a quiet ROLLBACK.
    private static func checkCommitted(_ answer: Rows?) throws(DatabaseError) {
        guard answer?.commandTag == "COMMIT" else {
            throw DatabaseError(.other, "the transaction was rolled back: a statement in it had failed")
        }
    }

    func rollback() async {
        guard await isOpen() else { return }
        if case .failed = await send([SQL(fixed: "ROLLBACK", bound: [])]) {
            await onLoop { [connection] in connection.lose(.unavailable("a rollback failed")) }
        }
    }

    /// Whether another transaction was in the way, so that a new try is worth it.
    func hasMetRival() async -> Bool { await read { $0.metRival } }

    private func isOpen() async -> Bool { await read { $0.hasBegun && !$0.isOver } }
    private func hooks() async -> [@Sendable () async -> Void] { await read { $0.afterCommit } }

    private func read<Value: Sendable>(_ value: @escaping @Sendable (Transaction) -> Value) async -> Value {
        if lane.loop.isCurrent { return value(self) }
        return await withUnsafeContinuation { continuation in
            lane.loop.execute { [self] in continuation.resume(returning: value(self)) }
        }
    }
}
