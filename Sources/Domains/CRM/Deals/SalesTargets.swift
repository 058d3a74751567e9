import API
import Core
import Postgres
import Wire

/// What is to be won in a month, a quarter or a year: by somebody, by a team, or by all.
enum SalesTargets {
    @RouteList static var routes: [Route] {
        GET("/v1/sales-targets", "List sales targets with what is attained", .can(.crmRead), list)
            .describe(
                "Takes crm:amounts. Attained is what the holder's deals were worth that were won in the period, as far as the caller sees them."
            )
        POST("/v1/sales-targets", "Set a sales target", .can(.crmManage), create)
            .problems(.salesTargetTaken, .tooManySalesTargets)
            .describe("In the company's currency; of a member, a team, or everybody when neither is named.")
            .example(body: ["period": "quarter", "starts_on": "2026-10-01", "amount_minor": 24_000_000])
        PATCH("/v1/sales-targets/{id}", "Change a sales target", .can(.crmManage), change)
            .example(body: ["amount_minor": 26_000_000])
        DELETE("/v1/sales-targets/{id}", "Delete a sales target", .can(.crmManage), delete)
    }

    enum Period: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
        case month, quarter, year
    }

    struct Target: Codable, Sendable, FieldNotes {
        let id: UUID
        let memberId: UUID?
        let teamId: UUID?
        let pipelineId: UUID?
        let period: Period
        let startsOn: LocalDate
        let endsOn: LocalDate
        let amountMinor: Int64
        let attainedMinor: Int64
        let attainedBp: Int64
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "attained_bp": "Of the target, in hundredths of a per cent; may be beyond 10000."
        ]
    }

    struct NewTarget: Codable, Sendable {
        let memberId: UUID?
        let teamId: UUID?
        let pipelineId: UUID?
        let period: Period
        let startsOn: LocalDate
        let amountMinor: Cents
    }

    struct TargetChange: Codable, Sendable { let amountMinor: Cents? }

    struct Filter: ListFilter {
        let memberId: [UUID]?
        let teamId: [UUID]?
        let pipelineId: [UUID]?
        let period: [Period]?
        let startsOn: Bounds<LocalDate>?
        static let sorts = ["-starts_on", "-created_at"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Target> {
        try call.require(.crmAmounts)
        return try await call.page(list, select(call))
    }

    static func create(_ call: Call, _ body: Body<NewTarget>) async throws -> Created<Target> {
        try call.require(.crmAmounts)
        let (id, new) = (UUID.v7(), body.value)
        if new.memberId != nil, new.teamId != nil {
            throw Problem.unprocessable("/team_id", "too-many", "goes without `member_id`")
        }
        if new.amountMinor.value == 0 {
            throw Problem.unprocessable("/amount_minor", "out-of-range", "must be more than zero")
        }
        try await call.db.transaction { tx in try await insert(new, id, call, tx) }
        return try Created(await call.db.query("\(fragment: select(call)) AND t.id = \(id)"))
    }

    @inline(never)
    private static func insert(_ new: NewTarget, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let rows = try await tx.query(
            """
            SELECT '/member_id' AS pointer, 'is no member of this company' AS detail
             WHERE \(new.memberId)::uuid IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.company_id = \(company) AND m.id = \(new.memberId)::uuid)
            UNION ALL SELECT '/team_id', 'is no team of this company' WHERE \(new.teamId)::uuid IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.company_id = \(company) AND t.id = \(new.teamId)::uuid)
            UNION ALL SELECT '/pipeline_id', 'is no pipeline of this company' WHERE \(new.pipelineId)::uuid IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM pipelines p WHERE p.company_id = \(company) AND p.id = \(new.pipelineId)::uuid)
            UNION ALL SELECT '/starts_on', 'must be the first day of its period'
             WHERE \(new.startsOn)::date <> date_trunc(\(new.period), \(new.startsOn)::date::timestamp)::date
            """)
        let faults = try rows.map { Fault.at(try $0.get("pointer"), "invalid", try $0.get("detail")) }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        let isBelow = SQL.below(
            DealLimits.targetsMax, "SELECT count(*) FROM sales_targets WHERE company_id = \(company)",
            else: .tooManySalesTargets)
        _ = try await tx.batch([
            """
            INSERT INTO sales_targets (company_id, id, member_id, team_id, pipeline_id, period, starts_on, amount_minor)
            SELECT \(company), \(id), \(new.memberId)::uuid, \(new.teamId)::uuid, \(new.pipelineId)::uuid, \(new.period),
                   \(new.startsOn), \(new.amountMinor) WHERE \(fragment: isBelow)
            """,
            Audit.sql(
                Audit.Entry(
                    "sales_target.created", on: "sales_target", id,
                    after: ["amount_minor": JSON(new.amountMinor.value)]),
                by: call.actor, company: company),
        ])
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TargetChange>) async throws -> Single<
        Target
    > {
        try call.require(.crmAmounts)
        let company = try call.company
        if body.amountMinor?.value == 0 {
            throw Problem.unprocessable("/amount_minor", "out-of-range", "must be more than zero")
        }
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, company, call, tx) }
        return try Single(
            await call.db.query("\(fragment: select(call)) AND t.id = \(id.value)"), versionIsWhole: false)
    }

    @inline(never)
    private static func apply(
        _ change: TargetChange, to id: UUID, _ company: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            "SELECT amount_minor, version FROM sales_targets WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
        )
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("amount_minor", change.amountMinor)
        _ = try await tx.batch([
            "UPDATE sales_targets SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                Audit.Entry(
                    "sales_target.changed", on: "sales_target", id,
                    before: ["amount_minor": JSON(try row.get("amount_minor", as: Int64.self))],
                    after: try JSON(encoding: change)), by: call.actor, company: company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in try await remove(id.value, company, call.actor, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ company: UUID, _ actor: Audit.Actor, _ tx: Transaction)
        async throws
    {
        let rows = try await tx.query(
            "DELETE FROM sales_targets WHERE company_id = \(company) AND id = \(id) RETURNING id")
        if rows.isEmpty { throw Problem.notFound }
        try await Audit.record(
            Audit.Entry("sales_target.deleted", on: "sales_target", id), by: actor, company: company, in: tx)
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT t.id, t.member_id, t.team_id, t.pipeline_id, t.period, t.starts_on, span.ends_on, t.amount_minor,
               got.minor AS attained_minor, round(got.minor::numeric * 10000 / t.amount_minor)::bigint AS attained_bp, t.version,
               t.created_at, t.updated_at
          FROM sales_targets t
          JOIN companies house ON house.id = t.company_id
         CROSS JOIN LATERAL (
            SELECT (next.day - interval '1 day')::date AS ends_on, t.starts_on::timestamp AT TIME ZONE house.time_zone AS begins,
                   next.day AT TIME ZONE house.time_zone AS ends
              FROM (SELECT t.starts_on + CASE t.period WHEN 'month' THEN interval '1 month'
                                                       WHEN 'quarter' THEN interval '3 months'
                                                       ELSE interval '1 year' END AS day) AS next) AS span
         CROSS JOIN LATERAL (
            SELECT coalesce(sum(d.base_minor), 0)::bigint AS minor FROM deals d
             WHERE d.company_id = t.company_id AND d.stage_kind = 'won' AND d.closed_at >= span.begins AND d.closed_at < span.ends
               AND (t.pipeline_id IS NULL OR d.pipeline_id = t.pipeline_id)
               AND (t.member_id IS NULL OR d.owner_id = t.member_id)
               AND (t.team_id IS NULL OR d.owner_id IN (
                    SELECT tm.member_id FROM team_members tm WHERE tm.company_id = t.company_id AND tm.team_id = t.team_id))
               AND \(fragment: try CRMAccess.visible(call, "d"))) AS got
         WHERE t.company_id = \(try call.company)
        """
    }
}
