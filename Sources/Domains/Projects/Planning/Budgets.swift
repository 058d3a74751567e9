import API
import Core
import Postgres
import Wire

/// What a project may cost, and what it has cost: time × rate, and costs entered one by one.
enum Budgets {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/budget", "See a project's budget", .can(.projectsRead), read)
            .describe("Takes the right to manage it. 404 while it has none.")
        PUT("/v1/projects/{id}/budget", "Set a project's budget and rates", .can(.projectsRead), set)
            .problems(.projectArchived, .budgetCurrencyFixed)
            .describe(
                """
                The whole of it: what is left out is taken away. Rates are for an hour and count for time entered from now \
                on; a member without one has the project's. The lead and the managers hear of it when 50, 80 and 100 % are used.
                """
            )
            .example(body: ["currency": "EUR", "amount_minor": 1_200_000, "rate_minor": 9_500, "rates": []])
        GET("/v1/projects/{id}/costs", "List what was spent beside time", .can(.projectsRead), costs)
        POST("/v1/projects/{id}/costs", "Enter a cost", .can(.projectsRead), spend)
            .operation("createProjectCost").problems(.projectArchived, .projectHasNoBudget)
            .describe("In the currency of the project's budget.")
            .example(body: ["name": "Stock photos", "amount_minor": 24_900, "spent_on": "2026-03-04"])
        DELETE("/v1/projects/{id}/costs/{cost_id}", "Delete a cost", .can(.projectsRead), unspend)
            .operation("deleteProjectCost").problems(.projectArchived)
    }

    struct Budget: Codable, Sendable, FieldNotes {
        let currency: String
        let amountMinor: Int64?
        let amountMinutes: Int?
        let rateMinor: Int64?
        let spentMinutes: Int
        let timeMinor: Int64
        let costsMinor: Int64
        let spentMinor: Int64
        let remainingMinor: Int64?
        let remainingMinutes: Int?
        let percent: Double?
        let rates: JSON
        let version: Int

        static let fieldNotes = [
            "time_minor": "Entered time × its rate, each entry rounded by itself.",
            "percent": "Used of the money, or of the hours where no money is set.",
            "rates": "Rates of single members: `[{\"member_id\", \"rate_minor\"}]`.",
        ]
    }

    struct MemberRate: Codable, Sendable {
        let memberId: UUID
        let rateMinor: Cents
    }

    struct NewBudget: Codable, Sendable {
        let currency: CurrencyCode
        let amountMinor: Cents?
        let amountMinutes: Whole<0, 10_000_000>?
        let rateMinor: Cents?
        let rates: UpTo<1000, MemberRate>?
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Budget> {
        let head = try await ProjectAccess.require(.manage, in: id.value, call, evenArchived: true)
        return try Single(await call.db.query(figures(head.id, call.company)))
    }

    static func set(_ call: Call, _ id: Path<UUID>, _ body: Body<NewBudget>) async throws -> Single<Budget> {
        let new = body.value
        try await call.db.transaction { tx in try await apply(new, to: id.value, call, tx) }
        return try Single(await call.db.query(figures(id.value, call.company)))
    }

    @inline(never)
    private static func apply(_ new: NewBudget, to project: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx)
        let rates = new.rates?.items ?? []
        try await ProjectMembers.requireActive(rates.map(\.memberId), at: "/rates", company, tx)
        let before = try await tx.query(
            """
            SELECT currency, amount_minor, amount_minutes, rate_minor, version FROM project_budgets
             WHERE company_id = \(company) AND project_id = \(project) FOR UPDATE
            """)
        // A budget that is yet to be set has no version that anybody can have seen.
        try call.requireVersion(before.first?.get("version") ?? 0)
        if let row = before.first {
            let old = try row.get("currency", as: String.self)
            if old != new.currency.text { try await requireNothingSpent(project, company, tx) }
        }
        _ = try await tx.batch([
            """
            INSERT INTO project_budgets AS b (company_id, project_id, currency, amount_minor, amount_minutes, rate_minor)
            VALUES (\(company), \(project), \(new.currency), \(new.amountMinor), \(new.amountMinutes), \(new.rateMinor))
            ON CONFLICT (company_id, project_id) DO UPDATE
               SET currency = EXCLUDED.currency, amount_minor = EXCLUDED.amount_minor,
                   amount_minutes = EXCLUDED.amount_minutes, rate_minor = EXCLUDED.rate_minor,
                   version = b.version + 1, updated_at = now()
            """,
            "DELETE FROM project_rates WHERE company_id = \(company) AND project_id = \(project)",
            """
            INSERT INTO project_rates (company_id, project_id, member_id, rate_minor)
            SELECT DISTINCT ON (own.member) \(company), \(project), own.member, own.rate
              FROM unnest(\(rates.map(\.memberId))::uuid[], \(rates.map(\.rateMinor.value))::bigint[]) AS own (member, rate)
            """,
            Audit.sql(
                Audit.Entry(
                    "project.budget_changed", on: "project", project,
                    before: try before.first.map { try JSON(row: $0) }, after: try JSON(encoding: new)),
                by: call.actor, company: company),
            ProjectEvents.updated(head, ["budget"], by: call.actor, company),
        ])
        try await BudgetAlert.look(at: project, by: call.actor, company, tx)
    }

    @inline(never)
    private static func requireNothingSpent(_ project: UUID, _ company: UUID, _ tx: Transaction) async throws
    {
        let spent = try await tx.query(
            """
            SELECT 1 WHERE EXISTS (SELECT 1 FROM time_entries
                                    WHERE company_id = \(company) AND project_id = \(project) AND rate_minor IS NOT NULL)
                        OR EXISTS (SELECT 1 FROM project_costs WHERE company_id = \(company) AND project_id = \(project))
            """)
        if !spent.isEmpty { throw Problem(.budgetCurrencyFixed) }
    }

    struct Cost: Codable, Sendable {
        let id: UUID
        let name: String
        let amountMinor: Int64
        let currency: String
        let spentOn: LocalDate
        let note: String?
        let createdBy: UUID?
        let createdAt: Timestamp
    }

    struct NewCost: Codable, Sendable {
        let name: Text<120>
        let amountMinor: Cents
        let spentOn: LocalDate
        let note: Prose<2000>?
    }

    struct CostFilter: ListFilter {
        let spentOn: Bounds<LocalDate>?
        static let sorts = ["-spent_on", "-amount_minor"]
        static let search = ["name", "note"]
    }

    static func costs(_ call: Call, _ id: Path<UUID>, _ list: List<CostFilter>) async throws -> Page<Cost> {
        let head = try await ProjectAccess.require(.manage, in: id.value, call, evenArchived: true)
        return try await call.page(list, selectCosts(of: head.id, call.company))
    }

    static func spend(_ call: Call, _ id: Path<UUID>, _ body: Body<NewCost>) async throws -> Created<Cost> {
        let (draft, cost) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, cost, in: id.value, call, tx) }
        return try Created(
            await call.db.query("\(fragment: selectCosts(of: id.value, call.company)) AND c.id = \(cost)"))
    }

    @inline(never)
    private static func insert(
        _ draft: NewCost, _ id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx)
        let made = try await tx.query(
            """
            INSERT INTO project_costs (company_id, id, project_id, name, amount_minor, spent_on, note, created_by)
            SELECT \(company), \(id), project_id, \(draft.name), \(draft.amountMinor), \(draft.spentOn), \(draft.note),
                   \(try call.member)
              FROM project_budgets WHERE company_id = \(company) AND project_id = \(project)
            """)
        if made.affected == 0 { throw Problem(.projectHasNoBudget) }
        try await record("project.cost_added", head, draft.name.text, draft.amountMinor.value, call, tx)
        try await BudgetAlert.look(at: project, by: call.actor, company, tx)
    }

    static func unspend(_ call: Call, _ id: Path<UUID>, _ cost: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(cost.value, from: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, from project: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx)
        let gone = try await tx.query(
            """
            DELETE FROM project_costs
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id) RETURNING name, amount_minor
            """)
        guard let row = gone.first else { throw Problem.notFound }
        try await record(
            "project.cost_deleted", head, try row.get("name"), try row.get("amount_minor"), call, tx)
        try await BudgetAlert.look(at: project, by: call.actor, company, tx)
    }

    @inline(never)
    private static func record(
        _ action: String, _ head: ProjectHead, _ name: String, _ amount: Int64, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let after: JSON = ["name": .string(name), "amount_minor": JSON(amount)]
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry(action, on: "project", head.id, after: after), by: call.actor, company: company),
            ProjectEvents.updated(head, ["costs"], by: call.actor, company),
        ])
    }

    private static func selectCosts(of project: UUID, _ company: UUID) -> SQL {
        """
        SELECT c.id, c.name, c.amount_minor, b.currency, c.spent_on, c.note, c.created_by, c.created_at
          FROM project_costs c
          JOIN project_budgets b ON b.company_id = c.company_id AND b.project_id = c.project_id
         WHERE c.company_id = \(company) AND c.project_id = \(project)
        """
    }

    /// No row for a project without a budget.
    static func figures(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT b.currency, b.amount_minor, b.amount_minutes, b.rate_minor, worked.spent_minutes, worked.time_minor,
               bought.costs_minor, worked.time_minor + bought.costs_minor AS spent_minor,
               b.amount_minor - worked.time_minor - bought.costs_minor AS remaining_minor,
               (b.amount_minutes - worked.spent_minutes)::integer AS remaining_minutes,
               (CASE WHEN b.amount_minor IS NOT NULL
                     THEN round(100.0 * (worked.time_minor + bought.costs_minor) / nullif(b.amount_minor, 0), 1)
                     ELSE round(100.0 * worked.spent_minutes / nullif(b.amount_minutes, 0), 1) END)::float8 AS percent,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('member_id', r.member_id, 'rate_minor', r.rate_minor)
                                          ORDER BY r.member_id), '[]')
                  FROM project_rates r WHERE r.company_id = b.company_id AND r.project_id = b.project_id) AS rates,
               b.version
          FROM project_budgets b
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(e.minutes), 0)::bigint AS spent_minutes,
                      coalesce(sum(\(fragment: TimeTotals.amount)), 0)::bigint AS time_minor
                 FROM time_entries e
                WHERE e.company_id = b.company_id AND e.project_id = b.project_id AND e.minutes IS NOT NULL) worked
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(c.amount_minor), 0)::bigint AS costs_minor
                 FROM project_costs c WHERE c.company_id = b.company_id AND c.project_id = b.project_id) bought
         WHERE b.company_id = \(company) AND b.project_id = \(project)
        """
    }
}
