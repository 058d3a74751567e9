import CLibPQ
import Loop

/// Statements that go to the server together and are one implicit transaction, or a part of an explicit one.
///
/// For the thread of the connection's loop.
final class Request {
    enum Outcome: Sendable {
        case one(Rows)
        case many([Rows])
        case failed(DatabaseError)
    }

    enum Reply {
        case continuation(UnsafeContinuation<Outcome, Never>)
        case call((Outcome) -> Void)
    }

    /// What precedes the caller's own statements.
    var opening: Opening?
    private let own: [SQL]
    /// All statements in order, once the connection is known: it may have a role to take.
    private(set) var steps: [SQL] = []
    private(set) var leading = 0
    /// Part of a transaction that outlives the request: it cannot simply be sent again.
    let isInTransaction: Bool
    /// When the caller stops waiting, by the loop's clock.
    let deadline: UInt64
    let started: UInt64

    private let statistics: PoolStatistics?
    private var reply: Reply?
    /// The results so far, which this owns.
    private var results: [OpaquePointer] = []
    var statements: [Statement?] = []
    var failure: DatabaseError?
    /// The step the next result belongs to.
    var step = 0
    var wasResent = false
    /// Takes the request elsewhere when it would hold up a shared connection by waiting for a lock.
    var divert: ((Request) -> Void)?
    /// Done when the request has been answered.
    var afterwards: (() -> Void)?

    init(
        opening: Opening? = nil, statements: [SQL], isInTransaction: Bool = false, started: UInt64,
        deadline: UInt64,
        statistics: PoolStatistics? = nil, reply: Reply
    ) {
        self.statistics = statistics
        self.opening = opening
        own = statements
        self.isInTransaction = isInTransaction
        self.started = started
        self.deadline = deadline
        self.reply = reply
    }

    deinit {
        for result in results { PQclear(result) }
        // A request that nobody answered would leave its caller waiting for ever.
        if let reply {
            Self.answer(reply, .failed(.unavailable("the connection was closed", isEffectUnknown: true)))
        }
    }

    /// Lays out the statements for a connection whose transactions must take `role`, if any.
    func lay(role: String?) {
        steps = []
        leading = 0
        guard let opening else {
            steps = own
            return
        }
        steps.reserveCapacity(own.count + 2)
        leading = opening.lay(role: role, into: &steps)
        steps += own
    }

    var isAnswered: Bool { reply == nil }

    func accept(_ result: OpaquePointer) {
        if step < leading { PQclear(result) } else { results.append(result) }
        step += 1
    }

    /// Within a transaction a statement that cannot be prepared spoils those before it as well: they are sent later and
    /// only find the transaction aborted. What went wrong first is what the caller wants to know.
    func causeOfAbort(_ error: DatabaseError) -> DatabaseError? {
        guard error.sqlState == "25P02" else { return nil }
        return statements.lazy.compactMap { $0?.failure }.first { $0.sqlState != "25P02" }
    }

    func refuse(_ error: DatabaseError) {
        if failure == nil { failure = error }
    }

    /// Forgets what came back, to be sent once more.
    func rewind() {
        for result in results { PQclear(result) }
        results = []
        failure = nil
        step = 0
        statements = []
        wasResent = true
    }

    var resultsHeld: [OpaquePointer] { results }

    /// Hands the results over, each with its shape.
    func answer(shapes: [RowShape]) {
        let owned = results
        results = []
        if owned.count == 1 { return answer(.one(Rows(owning: owned[0], shape: shapes[0]))) }
        answer(.many(zip(owned, shapes).map { Rows(owning: $0, shape: $1) }))
    }

    func answer(_ outcome: Outcome) {
        guard let reply else { return }
        self.reply = nil
        statistics?.answered(after: EventLoop.monotonicNanoseconds() &- started, isFailure: outcome.isFailure)
        Self.answer(reply, outcome)
        divert = nil
        let afterwards = afterwards
        self.afterwards = nil
        afterwards?()
    }

    private static func answer(_ reply: Reply, _ outcome: Outcome) {
        switch reply {
        case .continuation(let continuation): continuation.resume(returning: outcome)
        case .call(let call): call(outcome)
        }
    }
}

extension Request.Outcome {
    var isFailure: Bool { if case .failed = self { true } else { false } }

    func rows() throws(DatabaseError) -> Rows {
        switch self {
        case .one(let rows): return rows
        case .many(let many):
            guard let last = many.last else {
                throw .undecodable("a request without a statement has no rows")
            }
            return last
        case .failed(let error): throw error
        }
    }

    func all() throws(DatabaseError) -> [Rows] {
        switch self {
        case .one(let rows): return [rows]
        case .many(let many): return many
        case .failed(let error): throw error
        }
    }
}
