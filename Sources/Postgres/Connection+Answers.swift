import CLibPQ
import Loop

/// What comes back on a connection, matched to what was sent.
extension Connection {
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
            let (channel, payload) = (
                String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)
            )
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
            if let shape = statement?.shape, shape.hasTypes(of: result) {
                shapes.append(shape)
                continue
            }
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
        send(
            Request(
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
}

extension DatabaseError {
    /// The statement must be prepared anew: its tables have changed, or the server no longer knows it.
    var meansStaleStatement: Bool {
        meansLostStatement
            || sqlState == "0A000" && debugText.contains("cached plan must not change result type")
    }

    var meansLostStatement: Bool { sqlState == "26000" || sqlState == "42P05" }

    /// The same error as one after which a transaction is worth another try.
    var asSerialization: DatabaseError { DatabaseError(.serialization, debugText, sqlState: sqlState) }
}
