import CLibPQ
import Loop

/// One connection in pipeline mode on one loop: requests go out as they come, answers come back in that order.
///
/// For the loop's thread.
// @unchecked Sendable: handed to its loop as a whole, touched on that loop's thread alone.
final class Connection: Readiness, @unchecked Sendable {
    let loop: EventLoop
    let handle: Handle
    let habits: Habits
    /// Told once, when the connection is of no more use.
    var lost: ((DatabaseError) -> Void)?
    /// Told what NOTIFY brings: the channel and what was sent.
    var notified: ((String, String) -> Void)?
    /// A cancellation was sent: it may still hit whatever runs next, so the connection is not used again.
    private(set) var wasCancelled = false
    private(set) var isLost = false
    /// libpq never gives back the room that a large answer took; a lent connection is closed after one.
    var isBloated = false
    var lastUse: UInt64 = 0

    let pg: OpaquePointer
    private let descriptor: Int32
    var inFlight = Ring<InFlight>()
    var cache = StatementCache()
    private let parameters = ParameterBuffer()
    private var watchdog: LoopTimer?
    var lastHeard: UInt64
    var wantsWritable = false

    enum InFlight {
        case request(Request)
        case preparation(Statement)
        case farewell
    }

    init(_ handle: Handle, loop: EventLoop, habits: Habits) {
        self.loop = loop
        self.handle = handle
        self.habits = habits
        pg = handle.pg
        descriptor = PQsocket(pg)
        lastHeard = loop.now
        PQsetnonblocking(pg, 1)
        PQenterPipelineMode(pg)
        loop.watch(descriptor, .readable, self)
        watchdog = loop.timer { [weak self] in self?.lookAtDeadlines() }
    }

    /// Requests that have been sent and not yet answered.
    var depth: Int { inFlight.count }
    var isIdle: Bool { inFlight.isEmpty }

    /// Takes the socket back from whoever has used it outside pipeline mode; `isWhole` says that nothing is left over.
    func resume(isWhole: Bool) {
        if isLost { return }
        loop.watch(descriptor, .readable, self)
        wantsWritable = false
        if !isWhole { lose(.unavailable("a COPY was broken off")) }
    }

    // MARK: sending

    func send(_ request: Request) {
        if isLost { return request.answer(.failed(.unavailable("the connection is lost"))) }
        request.lay(role: handle.roleOfTransactions)
        if let fault = fault(in: request) { return request.answer(.failed(fault)) }
        request.statements.reserveCapacity(request.steps.count)
        for step in request.steps { request.statements.append(prepared(step)) }
        for (step, statement) in zip(request.steps, request.statements) where !isLost {
            // A sync after half of the statements would commit that half.
            if !send(step, statement) { lose(.unavailable(handle.errorText)) }
        }
        if isLost { return request.answer(.failed(.unavailable("the connection was lost"))) }
        finish(with: .request(request))
    }

    private func fault(in request: Request) -> DatabaseError? {
        for step in request.steps {
            if step.holdsNUL { return DatabaseError(.invalidText, "a text holds a NUL") }
            if step.bound.count > 65_535 {
                return DatabaseError(.other, "a statement takes at most 65,535 values")
            }
        }
        return nil
    }

    private func send(_ sql: SQL, _ statement: Statement?) -> Bool {
        parameters.fill(sql.bound, types: statement?.parameterTypes ?? [])
        defer { parameters.trim() }
        let count = Int32(sql.bound.count)
        if let statement {
            return PQsendQueryPrepared(
                pg, statement.name, count, parameters.values, parameters.lengths, parameters.formats, 1) == 1
        }
        return PQsendQueryParams(
            pg, sql.text, count, sql.declaredTypes, parameters.values, parameters.lengths, parameters.formats,
            1) == 1
    }

    /// The statement under its name on this connection; prepares it, ahead of the request and outside its transaction
    /// block, when it is new here.
    private func prepared(_ sql: SQL) -> Statement? {
        guard habits.prepares else { return nil }
        if let known = cache.find(sql.text) { return known }
        let statement = Statement(text: sql.text)
        if let evicted = cache.add(statement) { deallocate(evicted) }
        guard
            PQsendPrepare(pg, statement.name, statement.text, Int32(sql.bound.count), sql.declaredTypes) == 1,
            PQsendDescribePrepared(pg, statement.name) == 1
        else {
            lose(.unavailable(handle.errorText))
            return statement
        }
        finish(with: .preparation(statement))
        return statement
    }

    private func deallocate(_ statement: Statement) {
        let text = "DEALLOCATE \(String(cString: statement.name))"
        if PQsendQueryParams(pg, text, 0, nil, nil, nil, nil, 1) == 1 { finish(with: .farewell) }
    }

    /// Ends the segment. libpq 15 flushes with every sync, so what is left over is only what the socket did not take.
    private func finish(with entry: InFlight) {
        if inFlight.isEmpty { lastHeard = loop.now }
        inFlight.append(entry)
        guard PQpipelineSync(pg) == 1, flush() else { return lose(.unavailable(handle.errorText)) }
        if let watchdog, !watchdog.isArmed { watchdog.arm(after: DatabaseLimits.watchPeriod) }
    }

    func flush() -> Bool {
        let left = PQflush(pg)
        if left < 0 { return false }
        if (left > 0) != wantsWritable {
            wantsWritable = left > 0
            loop.change(descriptor, wantsWritable ? [.readable, .writable] : .readable)
        }
        return true
    }

    // MARK: the end

    private func lookAtDeadlines() {
        if isLost || inFlight.isEmpty { return }
        let now = loop.now
        for case .request(let request) in inFlight.all {
            if request.deadline <= now, !request.isAnswered {
                request.answer(
                    .failed(DatabaseError(.timedOut, "no answer within the deadline", isEffectUnknown: true)))
            }
        }
        if isSilent(now) {
            return lose(.unavailable("the server has not spoken for too long", isEffectUnknown: true))
        }
        watchdog?.arm(after: DatabaseLimits.watchPeriod)
    }

    /// Past the deadline of the request it works on, a server that lives has at least said that it stopped it.
    private func isSilent(_ now: UInt64) -> Bool {
        let grace = DatabaseLimits.silenceGrace.nanoseconds
        guard now &- lastHeard > grace else { return false }
        guard case .request(let request) = inFlight.first, request.deadline < .max else { return true }
        return request.deadline &+ grace < now
    }

    /// Gives the connection up: what is in flight fails, its effect unknown.
    func lose(_ reason: DatabaseError) {
        if isLost { return }
        isLost = true
        watchdog?.disarm()
        watchdog = nil
        loop.forget(descriptor)
        let unknown = DatabaseError.unavailable(reason.debugText, isEffectUnknown: true)
        for case .request(let request) in inFlight.drain() {
            request.answer(.failed(request.failure ?? unknown))
        }
        let lost = lost
        self.lost = nil
        lost?(reason)
    }

    /// Asks the server to stop what runs on this connection.
    func cancel(on dialer: Dialer) {
        if isLost || inFlight.isEmpty { return }
        wasCancelled = true
        dialer.cancel(handle)
    }
}
