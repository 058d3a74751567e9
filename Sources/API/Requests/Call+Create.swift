import Postgres
import Wire

/// How many rows of a kind a company may have.
public struct RowLimit: Sendable {
    let max: Int
    /// `SELECT count(*) FROM …` of the company's rows.
    let count: SQL
    let problem: ProblemCode

    /// Before a statement that counts: it waits for who is making such rows of the company, and they for it. A statement
    /// of its own, for what a statement counts is what was there when it began.
    func alone(in company: UUID) -> SQL { "SELECT pg_advisory_xact_lock(\(fragment: key(company)))" }

    /// A condition that is true: with others, but not beside one that counts.
    func together(in company: UUID) -> SQL {
        "pg_advisory_xact_lock_shared(\(fragment: key(company))) IS NOT NULL"
    }

    private func key(_ company: UUID) -> SQL {
        "hashtextextended(\(problem.name + "/" + company.description)::text, 0)"
    }

    public init(_ max: Int, _ count: SQL, else problem: ProblemCode) {
        self.max = max
        self.count = count
        self.problem = problem
    }
}

extension Call {
    /// Makes a row, with everything that is written along with it, in one round trip and one transaction: all of it or
    /// nothing. Gives the row as `insert` returns it. `insert` is given the condition that the limit is not reached.
    ///
    ///     let limit = RowLimit(500, "SELECT count(*) FROM teams WHERE company_id = \(company)", else: .tooManyTeams)
    ///     let rows = try await call.create(under: limit, also: [Audit.sql(…), Events.sql(…)]) { isBelow in
    ///         "INSERT INTO teams (…) SELECT … WHERE \(fragment: isBelow) RETURNING …"
    ///     }
    ///     return try Created(rows)
    ///
    /// What must be read and decided on first needs `db.transaction`; what the statement itself can decide does not.
    public func create(
        under limit: RowLimit, also others: [SQL] = [], _ insert: (SQL) -> SQL
    ) async throws -> Rows {
        let company = try company
        let key = Headroom.Key(company: company, problem: limit.problem)
        let headroom = application.headroom
        if headroom.take(key, now: request.loop.now) {
            return try await create(insert(limit.together(in: company)), also: others)
        }
        let condition = SQL.below(limit.max, limit.count, else: limit.problem)
        let answers = try await db.write(
            [limit.alone(in: company), insert(condition)] + others + [limit.count])
        let count = try answers[answers.count - 1][0].get(0, as: Int.self)
        headroom.learn(key, left: limit.max - count, now: request.loop.now)
        return answers[1]
    }

    /// The same without a limit.
    public func create(_ insert: SQL, also others: [SQL] = []) async throws -> Rows {
        let answers = try await db.write([insert] + others)
        return answers[0]
    }
}

extension SQL {
    /// A condition for the statement it stands in: true while `count` is below `limit`; else the statement and all that
    /// goes with it fails as `problem`.
    ///
    /// Those who ask at the same moment do not see each other; where that matters, `create(under:)` lets one wait for the
    /// other.
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
