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
    private(set) var isBloated = false
    var lastUse: UInt64 = 0

    private let pg: OpaquePointer
    private let descriptor: Int32
    private var inFlight = Ring<InFlight>()
    private var cache = StatementCache()
    private let parameters = ParameterBuffer()
    private var watchdog: LoopTimer?
    private var lastHeard: UInt64
    private var wantsWritable = false

    private enum InFlight {
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
            if step.bound.count > 65_535 { return DatabaseError(.other, "a statement takes at most 65,535 values") }
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
            pg, sql.text, count, sql.declaredTypes, parameters.values, parameters.lengths, parameters.formats, 1) == 1
    }

    /// The statement under its name on this connection; prepares it, ahead of the request and outside its transaction
    /// block, when it is new here.
    private func prepared(_ sql: SQL) -> Statement? {
        guard habits.prepares else { return nil }
        if let known = cache.find(sql.text) { return known }
        let statement = Statement(text: sql.text)
        if let evicted = cache.add(statement) { deallocate(evicted) }
        guard PQsendPrepare(pg, statement.name, statement.text, Int32(sql.bound.count), sql.declaredTypes) == 1,
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

    private func flush() -> Bool {
        let left = PQflush(pg)
        if left < 0 { return false }
        if (left > 0) != wantsWritable {
            wantsWritable = left > 0
            loop.change(descriptor, wantsWritable ? [.readable, .writable] : .readable)
        }
        return true
    }

    // MARK: receiving

    func ready(_ events: EventLoop.Events) {
        if isLost { return }
        if wantsWritable, events.contains(.writable), !flush() { return lose(.unavailable(handle.errorText)) }
        let isAlive = PQconsumeInput(pg) == 1
        lastHeard = loop.now
        receive()
        if let notified { takeNotifications(notified) }
        if !isLost, !isAlive || handle.isBad { lose(.unavailable(handle.errorText)) }
    }

    private func receive() {
        var ends = 0
        while !isLost, let head = inFlight.first, PQisBusy(pg) == 0 {
            guard let result = PQgetResult(pg) else {
                // One nil ends the results of a statement; a second one in a row means that nothing more will come.
                ends += 1
                if ends > 1 { return }
                continue
            }
            ends = 0
            accept(result, head)
        }
    }

    private func takeNotifications(_ tell: (String, String) -> Void) {
        while !isLost, let notification = PQnotifies(pg) {
            let (channel, payload) = (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra))
            PQfreemem(notification)
            tell(channel, payload)
        }
    }

    private func accept(_ result: OpaquePointer, _ head: InFlight) {
        let status = PQresultStatus(result)
        switch status {
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            inFlight.removeFirst()
            settle(head)
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            succeeded(result, head)
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
        default:
            let error = DatabaseError(result: result)
            PQclear(result)
            failed(error, head)
        }
    }

    private func succeeded(_ result: OpaquePointer, _ head: InFlight) {
        switch head {
        case .request(let request):
            if PQresultMemorySize(result) > DatabaseLimits.roomyAnswer { isBloated = true }
            request.accept(result)
        case .preparation(let statement):
            // The answer to the description; the one to the preparation itself is empty.
            statement.parameterTypes = (0..<PQnparams(result)).map { PQparamtype(result, $0) }
            PQclear(result)
        case .farewell: PQclear(result)
        }
    }

    private func failed(_ error: DatabaseError, _ head: InFlight) {
        switch head {
        case .request(let request):
            let statement = request.step < request.statements.count ? request.statements[request.step] : nil
            request.refuse(request.causeOfAbort(error) ?? statement?.failure ?? error)
            if let statement, error.meansStaleStatement { cache.remove(statement) }
        case .preparation(let statement):
            statement.failure = error
            cache.remove(statement)
        case .farewell: break
        }
    }

    private func settle(_ entry: InFlight) {
        switch entry {
        case .preparation(let statement): statement.isReady = statement.failure == nil
        case .farewell: break
        case .request(let request):
            if let failure = request.failure { settle(request, failure) } else { deliver(request) }
        }
    }

    private func settle(_ request: Request, _ failure: DatabaseError) {
        if failure.meansStaleStatement {
            // A name the server does not know although it was prepared: a pooler gave us another session.
            if failure.meansLostStatement { habits.stopPreparing() }
            if !request.isInTransaction, !request.wasResent {
                request.rewind()
                return send(request)
            }
            return request.answer(.failed(failure.asSerialization))
        }
        if failure.sqlState == "55P03", let divert = request.divert, !request.isAnswered {
            request.divert = nil
            request.rewind()
            return divert(request)
        }
        request.answer(.failed(failure))
        if failure.endsConnection { lose(failure) }
    }

    // MARK: results

    private func deliver(_ request: Request) {
        var shapes: [RowShape] = []
        for (index, result) in request.resultsHeld.enumerated() {
            let statement = request.statements[request.leading + index]
            if let shape = statement?.shape, shape.hasTypes(of: result) { shapes.append(shape); continue }
            switch habits.catalogue.read(result) {
            case .shape(let shape):
                statement?.shape = shape
                shapes.append(shape)
            case .unknown(let types): return learn(types, then: request)
            case .unreadable(let error): return request.answer(.failed(error))
            }
        }
        request.answer(shapes: shapes)
    }

    private func learn(_ types: [UInt32], then request: Request) {
        let catalogue = habits.catalogue
        let question = TypeCatalogue.question(about: types)
        send(Request(
            statements: [question], isInTransaction: request.isInTransaction, started: loop.now,
            deadline: request.deadline,
            reply: .call { [self] outcome in
                do throws(DatabaseError) {
                    try catalogue.learn(from: try outcome.rows(), about: types)
                    deliver(request)
                } catch {
                    request.answer(.failed(error))
                }
            }))
    }

    // MARK: the end

    private func lookAtDeadlines() {
        if isLost || inFlight.isEmpty { return }
        let now = loop.now
        inFlight.forEach { entry in
            if case .request(let request) = entry, request.deadline <= now, !request.isAnswered {
                request.answer(.failed(DatabaseError(.timedOut, "no answer within the deadline", isEffectUnknown: true)))
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
        for case .request(let request) in inFlight.drain() { request.answer(.failed(request.failure ?? unknown)) }
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

extension DatabaseError {
    /// The statement must be prepared anew: its tables have changed, or the server no longer knows it.
    var meansStaleStatement: Bool {
        meansLostStatement || sqlState == "0A000" && debugText.contains("cached plan must not change result type")
    }

    var meansLostStatement: Bool { sqlState == "26000" || sqlState == "42P05" }

    /// The same error as one after which a transaction is worth another try.
    var asSerialization: DatabaseError { DatabaseError(.serialization, debugText, sqlState: sqlState) }
}
