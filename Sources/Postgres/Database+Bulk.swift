import CLibPQ
import Loop

extension Database {
    /// Streams what `COPY … TO STDOUT` gives, in the format it asks for; the receiver sets the pace.
    public func copyOut(
        _ sql: SQL, as tenant: Tenant = .none, deadline: Duration? = nil,
        to receive: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        try await lend(for: .report, as: tenant, .readOnlySnapshot, deadline ?? DatabaseLimits.copyDeadline) {
            transaction in
            let thrown: (any Error)? = try await transaction.copy { copy async throws(DatabaseError) in
                try await copy.begin(sql, expecting: PGRES_COPY_OUT)
                while let chunk = try await copy.read() {
                    do { try await receive(chunk) } catch { return error }
                }
                return nil
            }
            if let thrown { throw thrown }
        }
    }

    /// Streams bytes into `COPY … FROM STDIN` in one transaction, until `send` has no more; gives the number of rows.
    ///
    /// PostgreSQL refuses it for tables under row-level security: copy into a table of one's own, then insert from it.
    // Not optimised: the compiler of Swift 6.3 crashes over the coroutine that comes of inlining `send` into `lend`.
    @_optimize(none)
    public func copyIn(
        _ sql: SQL, as tenant: Tenant = .none, deadline: Duration? = nil,
        from send: @Sendable () async throws -> [UInt8]?
    ) async throws -> Int {
        try await lend(for: .transaction, as: tenant, .readCommitted, deadline ?? DatabaseLimits.copyDeadline)
        { transaction in
            try await transaction.copyIn(sql, from: send)
        }
    }

    /// Reads what may be too much for memory, so many rows at a time, from one stable picture of the data.
    public func stream(
        _ sql: SQL, as tenant: Tenant = .none, rowsAtOnce: Int? = nil, deadline: Duration? = nil,
        to receive: (Rows) async throws -> Void
    ) async throws {
        let deadline = deadline ?? configuration.reportDeadline
        try await lend(for: .report, as: tenant, .readOnlySnapshot, deadline) { transaction in
            _ = try await transaction.query("DECLARE reading NO SCROLL CURSOR FOR \(fragment: sql)")
            let count = rowsAtOnce ?? DatabaseLimits.streamedRows
            while true {
                let rows = try await transaction.query(SQL(fixed: "FETCH \(count) FROM reading", bound: []))
                if !rows.isEmpty { try await receive(rows) }
                if rows.count < count { return }
            }
        }
    }

    /// Runs `body` once in a transaction on a connection of its own.
    private func lend<Value>(
        for loan: Lane.Loan, as tenant: Tenant, _ isolation: Isolation, _ deadline: Duration,
        _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        let lane = lane()
        let connection = try await lane.lease(for: loan)
        var opening = opening(tenant, isolation, deadline)
        // Between two chunks the transaction idles for as long as their reader takes.
        opening.context.idleDeadline = deadline
        let transaction = Transaction(connection, lane, opening: opening, patience: deadline + .seconds(1))
        do {
            let value = try await body(transaction)
            _ = try await transaction.commit()
            await lane.give(back: connection, to: loan)
            return value
        } catch {
            await transaction.rollback()
            await lane.give(back: connection, to: loan)
            throw error
        }
    }
}

extension Transaction {
    /// Streams bytes into `COPY … FROM STDIN` until `send` has no more; gives the number of rows.
    public func copyIn(_ sql: SQL, from send: () async throws -> [UInt8]?) async throws -> Int {
        var thrown: (any Error)?
        let rows = try await copy { copy async throws(DatabaseError) in
            try await copy.begin(sql, expecting: PGRES_COPY_IN)
            do {
                while let chunk = try await send() { try await copy.write(chunk) }
            } catch let error as DatabaseError where error.sqlState != nil {
                throw error
            } catch {
                thrown = error
                _ = try? await copy.endWriting(because: "the sender gave up")
                return 0
            }
            return try await copy.endWriting(because: nil)
        }
        if let thrown { throw thrown }
        return rows
    }
}
