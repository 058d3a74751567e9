import Loop

extension Database {
    /// Runs `body` in a transaction as `tenant` and commits when it returns; when it throws, nothing has happened.
    ///
    /// When another transaction was in the way the body is run again from its beginning, so it must have no effect but
    /// on this database. `deadline` bounds each of its statements.
    public func transaction<Value>(
        as tenant: Tenant = .none, isolation: Isolation = .readCommitted, deadline: Duration? = nil,
        _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        let lane = lane()
        var tries = 0
        while true {
            tries += 1
            let connection = try await lane.lease(for: .transaction)
            let transaction = Transaction(
                connection, lane, opening: opening(tenant, isolation, deadline),
                patience: (deadline ?? configuration.statementDeadline) + .seconds(1))
            do {
                let value = try await body(transaction)
                let afterCommit = try await transaction.commit()
                await lane.give(back: connection, to: .transaction)
                for work in afterCommit { await work() }
                return value
            } catch {
                await transaction.rollback()
                let isWorthAnother = await transaction.hasMetRival()
                await lane.give(back: connection, to: .transaction)
                guard isWorthAnother, tries < DatabaseLimits.transactionTries, !Task.isCancelled else {
                    throw error
                }
                lane.statistics.retried()
                try await Task.sleep(for: Self.pause(afterTry: tries))
            }
        }
    }

    func opening(_ tenant: Tenant, _ isolation: Isolation, _ deadline: Duration?) -> Opening {
        let isPooled = configuration.isPooled
        return Opening(
            begin: isolation,
            context: Context(
                tenant: tenant,
                statementDeadline: deadline ?? (isPooled ? configuration.statementDeadline : nil),
                lockDeadline: isPooled ? configuration.lockDeadline : nil,
                idleDeadline: isPooled ? configuration.idleDeadline : nil))
    }

    private static func pause(afterTry tries: Int) -> Duration {
        let full = DatabaseLimits.retryPause.nanoseconds << UInt64(tries - 1)
        return .nanoseconds(Int64(full / 2 + UInt64.random(in: 0...full / 2)))
    }

    /// Runs one statement that may take long, on a connection of its own, on the replica when there is one. When the
    /// task is cancelled the server is told to stop.
    public func report(
        _ sql: SQL, as tenant: Tenant = .none, deadline: Duration? = nil
    ) async throws(DatabaseError) -> Rows {
        let lane = lane()
        let connection = try await lane.lease(for: .report)
        let limit = deadline ?? configuration.reportDeadline
        let transaction = Transaction(
            connection, lane, opening: opening(tenant, .readOnlySnapshot, limit),
            patience: limit + .seconds(1))
        let outcome: Result<Rows, DatabaseError>
        do throws(DatabaseError) {
            outcome = .success(try await transaction.query(sql))
        } catch {
            outcome = .failure(error)
        }
        await transaction.rollback()
        await lane.give(back: connection, to: .report)
        return try outcome.get()
    }
}

extension Lane {
    enum Loan: Sendable { case transaction, report }

    private func pool(_ loan: Loan) -> LeasePool {
        switch loan {
        case .transaction: leases
        case .report: reports
        }
    }

    func lease(for loan: Loan) async throws(DatabaseError) -> Connection {
        let answer = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<LeasePool.Answer, Never>) in
            perform { [self] in
                let deadline = loop.now &+ configuration.leaseDeadline.nanoseconds
                pool(loan).take(until: deadline) { continuation.resume(returning: $0) }
            }
        }
        return try answer.get()
    }

    func give(back connection: Connection, to loan: Loan) async {
        await withUnsafeContinuation { continuation in
            perform { [self] in
                pool(loan).give(back: connection)
                continuation.resume()
            }
        }
    }
}
