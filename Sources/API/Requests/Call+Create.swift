import Postgres

extension Call {
    /// Makes a row, with everything that is written along with it, in one round trip and one transaction: all of it or
    /// nothing. Gives the row as `insert` returns it.
    ///
    ///     let rows = try await call.create(
    ///         "INSERT INTO teams (…) SELECT … WHERE \(fragment: .below(500, count, else: .tooManyTeams)) RETURNING …",
    ///         also: [Audit.sql(…), Events.sql(…)])
    ///     return try Created(rows)
    ///
    /// What must be read and decided on first needs `db.transaction`; what the statement itself can decide does not.
    public func create(_ insert: SQL, also others: [SQL] = []) async throws -> Rows {
        let answers = try await db.write([insert] + others)
        return answers[0]
    }
}

extension SQL {
    /// A condition for the statement it stands in: true while `count` is below `limit`; else the statement and all that
    /// goes with it fails as `problem`.
    ///
    /// Those who ask at the same moment do not see each other: a limit may be overrun by as many as there are.
    public static func below(_ limit: Int, _ count: SQL, else problem: ProblemCode) -> SQL {
        .unless("(\(fragment: count)) >= \(unescaped: String(limit))", problem)
    }

    /// A condition for the statement it stands in: when `fault` holds, the statement and all that goes with it fails as
    /// `problem`.
    public static func unless(_ fault: SQL, _ problem: ProblemCode) -> SQL {
        // CASE, for it alone promises that the second branch is not run when the first is taken.
        "CASE WHEN \(fragment: fault) THEN refuse('\(unescaped: problem.name)') ELSE TRUE END"
    }
}
