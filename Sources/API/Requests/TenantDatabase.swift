import Postgres

/// The database with one tenant set on every statement; inside an idempotent request all of it is one transaction.
public struct TenantDatabase: Sendable {
    public let database: Database
    public let tenant: Tenant
    let joined: Transaction?

    /// One statement, one round trip, a transaction of its own.
    public func query(
        _ sql: SQL, as other: Tenant? = nil, deadline: Duration? = nil
    ) async throws(DatabaseError) -> Rows {
        guard let joined else {
            return try await database.query(sql, as: other ?? tenant, deadline: deadline)
        }
        return try await batch([sql], as: other, in: joined)[0]
    }

    /// All of the statements or none, in one round trip.
    public func batch(
        _ statements: [SQL], as other: Tenant? = nil, deadline: Duration? = nil
    ) async throws(DatabaseError) -> [Rows] {
        guard let joined else {
            return try await database.batch(statements, as: other ?? tenant, deadline: deadline)
        }
        return try await batch(statements, as: other, in: joined)
    }

    /// Statements that write, all or none, in one round trip; readers do not wait behind their commit.
    public func write(_ statements: [SQL], deadline: Duration? = nil) async throws(DatabaseError) -> [Rows] {
        guard let joined else { return try await database.write(statements, as: tenant, deadline: deadline) }
        return try await joined.batch(statements)
    }

    /// A transaction; it is run again from its beginning when another was in its way.
    public func transaction<Value>(
        as other: Tenant? = nil, isolation: Isolation = .readCommitted, deadline: Duration? = nil,
        _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        guard let joined else {
            return try await database.transaction(
                as: other ?? tenant, isolation: isolation, deadline: deadline, body)
        }
        // A savepoint, so that a handler may catch its failure as it could if it were a transaction of its own.
        return try await joined.savepoint {
            if let other, other != tenant { _ = try await joined.query(Self.become(other)) }
            let value = try await body(joined)
            if let other, other != tenant { _ = try await joined.query(Self.become(tenant)) }
            return value
        }
    }

    /// One slow reading statement on a connection of its own, perhaps on a replica that lags.
    public func report(_ sql: SQL, deadline: Duration? = nil) async throws(DatabaseError) -> Rows {
        try await database.report(sql, as: tenant, deadline: deadline)
    }

    /// One quick reading statement that may lag.
    public func replica(_ sql: SQL, deadline: Duration? = nil) async throws(DatabaseError) -> Rows {
        guard let joined else { return try await database.replica(sql, as: tenant, deadline: deadline) }
        return try await joined.query(sql)
    }

    private func batch(
        _ statements: [SQL], as other: Tenant?, in transaction: Transaction
    ) async throws(DatabaseError) -> [Rows] {
        guard let other, other != tenant else { return try await transaction.batch(statements) }
        let rows = try await transaction.batch([Self.become(other)] + statements + [Self.become(tenant)])
        return Array(rows.dropFirst().dropLast())
    }

    private static func become(_ tenant: Tenant) -> SQL {
        """
        SELECT set_config('app.company_id', \(tenant.company?.description ?? ""), true),
               set_config('app.user_id', \(tenant.user?.description ?? ""), true)
        """
    }
}
