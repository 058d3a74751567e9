import API
import Core
import Postgres
import Wire

/// How long what kind of data is kept: what the product does by itself, and what the company chose instead.
enum RetentionPolicies {
    struct Policy: Codable, Sendable, FieldNotes {
        let name: String
        let summary: String
        let days: Int
        let defaultDays: Int
        let isChosen: Bool
        let isAdjustable: Bool
        let daysMin: Int?
        let daysMax: Int?
        /// Deleted by the operators' own connection: the program itself has no right to.
        let needsOwner: Bool

        static let fieldNotes = [
            "is_chosen": "The company chose it; otherwise it is the product's rule.",
            "needs_owner":
                "The program that serves has no right to delete it; the operator's maintenance does.",
        ]
    }

    struct Choice: Codable, Sendable { let days: Whole<1, 36_500> }

    struct Due: Codable, Sendable {
        let name: String
        let days: Int
        let rows: Int64
        let oldestAt: Timestamp?
        let isHeld: Bool
    }

    struct Trial: Codable, Sendable, FieldNotes {
        let name: Text<60>?
        let days: Whole<1, 36_500>?

        static let fieldNotes = [
            "name": "Only this kind of data.", "days": "As if this had been chosen for it.",
        ]
    }

    @RouteList static var routes: [Route] {
        GET("/v1/retention-policies", "See how long data is kept", .can(.privacyRead), list)
        GET("/v1/retention-policies/due", "See what would be deleted now", .can(.privacyRead), due)
            .operation("listRetentionDue")
            .describe("Counts and deletes nothing. With `name` and `days` it tells what a choice would do.")
            .problems(.unknownRetentionClass)
        PUT("/v1/retention-policies/{name}", "Choose how long data is kept", .can(.privacyWrite), choose)
            .problems(.unknownRetentionClass, .retentionNotAdjustable).example(body: ["days": 365])
        DELETE("/v1/retention-policies/{name}", "Go back to the product's rule", .can(.privacyWrite), reset)
            .problems(.unknownRetentionClass)
    }

    static func list(_ call: Call) async throws -> Page<Policy> {
        let company = try call.company
        let classes = call.environment[Declarations.self].retention
        let values = classes.map { one -> SQL in
            """
            (\(one.name), \(one.summary), \(one.days)::integer, \(one.choice?.lowerBound)::integer,
             \(one.choice?.upperBound)::integer, \(one.needsOwner)::boolean)
            """
        }
        return Page(
            all: try await call.db.query(
                """
                SELECT c.name, c.summary, coalesce(p.days, c.days) AS days, c.days AS default_days,
                       p.days IS NOT NULL AS is_chosen, c.days_min IS NOT NULL AS is_adjustable, c.days_min, c.days_max,
                       c.needs_owner
                  FROM (VALUES \(fragment: values.joined(separator: ", ")))
                       AS c (name, summary, days, days_min, days_max, needs_owner)
                  LEFT JOIN retention_policies p ON p.company_id = \(company) AND p.class = c.name
                 ORDER BY c.name
                """))
    }

    static func due(_ call: Call, _ trial: Query<Trial>) async throws -> Page<Due> {
        let company = try call.company
        let held = try await LegalHolds.isHeld(company, call.db.database)
        let chosen = try await RetentionSweep.chosen(company, call.db.database)
        var classes = call.environment[Declarations.self].retention.filter { $0.choice != nil }
        if let name = trial.name?.text {
            classes = classes.filter { $0.name == name }
            if classes.isEmpty { throw Problem(.unknownRetentionClass) }
        }
        let counts = classes.map { one -> SQL in
            let days = trial.days?.value ?? chosen[one.name] ?? one.days
            return """
                SELECT \(one.name)::text AS name, \(days)::integer AS days, count(*) AS rows,
                       min(t.\(unescaped: one.since)) AS oldest_at, \(held)::boolean AS is_held
                  FROM \(unescaped: one.table) t
                 WHERE \(fragment: RetentionSweep.condition(one, days: days, company: company))
                """
        }
        guard !counts.isEmpty else { return Page(all: try await call.db.query(Self.none)) }
        return Page(
            all: try await call.db.report(
                "\(fragment: counts.joined(separator: " UNION ALL ")) ORDER BY name"))
    }

    private static let none: SQL = """
        SELECT ''::text AS name, 0 AS days, 0::bigint AS rows, now() AS oldest_at, false AS is_held WHERE false
        """

    static func choose(_ call: Call, _ name: Path<String>, _ body: Body<Choice>) async throws -> Single<
        Policy
    > {
        let one = try known(name.value, call)
        let days = body.days.value
        guard let choice = one.choice else { throw Problem(.retentionNotAdjustable) }
        guard choice.contains(days) else {
            throw Problem(
                .retentionNotAdjustable,
                faults: [
                    .at(
                        "/days", "out-of-range",
                        "must be between \(choice.lowerBound) and \(choice.upperBound)")
                ])
        }
        try await change(one, to: days, call)
        return try await policy(one, call)
    }

    static func reset(_ call: Call, _ name: Path<String>) async throws -> NoContent {
        try await change(known(name.value, call), to: nil, call)
        return NoContent()
    }

    private static func known(_ name: String, _ call: Call) throws -> RetentionClass {
        let classes = call.environment[Declarations.self].retention
        guard let one = classes.first(where: { $0.name == name }) else {
            throw Problem(.unknownRetentionClass)
        }
        return one
    }

    private static func change(_ one: RetentionClass, to days: Int?, _ call: Call) async throws {
        let (company, user) = (try call.company, try call.user)
        try await call.db.transaction { tx in
            let before = try await tx.query(
                "SELECT days FROM retention_policies WHERE company_id = \(company) AND class = \(one.name) FOR UPDATE"
            )
            let old = try before.first?.get("days", as: Int.self)
            if old == days { return }
            let statement: SQL
            if let days {
                statement = """
                    INSERT INTO retention_policies (company_id, class, days, updated_by)
                    VALUES (\(company), \(one.name), \(days), \(user))
                    ON CONFLICT (company_id, class)
                    DO UPDATE SET days = excluded.days, updated_by = excluded.updated_by, updated_at = now()
                    """
            } else {
                statement =
                    "DELETE FROM retention_policies WHERE company_id = \(company) AND class = \(one.name)"
            }
            _ = try await tx.batch([
                statement,
                Audit.sql(
                    Audit.Entry(
                        "retention.changed", on: "retention_policy", nil,
                        before: ["name": .string(one.name), "days": JSON(old ?? one.days)],
                        after: ["name": .string(one.name), "days": JSON(days ?? one.days)]),
                    by: call.actor, company: company),
            ])
        }
    }

    private static func policy(_ one: RetentionClass, _ call: Call) async throws -> Single<Policy> {
        let chosen = try await RetentionSweep.chosen(call.company, call.db.database)
        return Single(
            Policy(
                name: one.name, summary: one.summary, days: chosen[one.name] ?? one.days,
                defaultDays: one.days,
                isChosen: chosen[one.name] != nil, isAdjustable: one.choice != nil,
                daysMin: one.choice?.lowerBound,
                daysMax: one.choice?.upperBound, needsOwner: one.needsOwner))
    }
}
