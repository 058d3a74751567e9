import API
import Core
import Postgres
import Wire

/// What plans allow, who is on which, and the exceptions: for those who run the installation.
enum PlanRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/system/plan-limits", "List the limits of plans", .operator, limits)
            .describe("What stands in no row has the limit that the program declares.")
        PUT("/v1/system/plan-limits/{plan}/{quota}", "Set a limit of a plan", .operator, setLimit)
            .describe(
                "Without a limit there is none. Companies in the middle of their work feel it within five minutes."
            )
        DELETE("/v1/system/plan-limits/{plan}/{quota}", "Clear a limit of a plan", .operator, clearLimit)
        GET("/v1/system/companies/{company_id}/plan", "Read a company's plan", .operator, plan)
        PUT("/v1/system/companies/{company_id}/plan", "Put a company on a plan", .operator, setPlan)
        GET("/v1/system/companies/{company_id}/quotas", "List a company's quotas", .operator, quotas)
        PUT(
            "/v1/system/companies/{company_id}/quotas/{quota}", "Set a company's own limit", .operator,
            setOverride
        )
        .describe("It holds in place of the plan's. Without a limit there is none.")
        DELETE(
            "/v1/system/companies/{company_id}/quotas/{quota}", "Clear a company's own limit", .operator,
            clearOverride)
        POST("/v1/quota-grants", "Grant a company more of a quota", .operator, grant).problems(.tooManyGrants)
            .describe(
                "On top of the limit. Of what is counted by period, grants are used up after the limit: the lowest "
                    + "`priority` first, then what expires first. Of what is held, a grant lifts the limit while it lasts."
            )
    }

    struct PlanLimit: Codable, Sendable {
        let plan: String
        let quota: String
        let limit: Int64?
        let updatedAt: Timestamp
    }

    struct NewLimit: Codable, Sendable {
        let limit: QuotaAmount?
    }

    struct LimitOrder: ListFilter {
        let plan: Text<60>?
        let quota: Text<60>?
        static let sorts = ["plan"]
    }

    static func limits(_ call: Call, _ list: List<LimitOrder>) async throws -> Page<PlanLimit> {
        try await call.page(
            list,
            "SELECT plan || '/' || quota AS id, plan, quota, amount AS \"limit\", updated_at FROM plan_limits"
        )
    }

    static func setLimit(_ call: Call, _ plan: Path<FlagKey>, _ name: Path<Text<60>>, _ body: Body<NewLimit>)
        async throws
        -> Single<PlanLimit>
    {
        let quota = try named(name.text)
        let rows = try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                INSERT INTO plan_limits (plan, quota, amount) VALUES (\(plan.text), \(quota.name), \(body.limit?.value))
                ON CONFLICT (plan, quota) DO UPDATE SET amount = excluded.amount, updated_at = now()
                RETURNING plan, quota, amount AS "limit", updated_at
                """)
            _ = try await tx.batch(
                call.installationRecord(
                    "plan_limit.set", of: plan.text, with(quota, try JSON(encoding: body.value))))
            return rows
        }
        return try Single(rows)
    }

    static func clearLimit(_ call: Call, _ plan: Path<FlagKey>, _ quota: Path<Text<60>>) async throws
        -> NoContent
    {
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                "DELETE FROM plan_limits WHERE plan = \(plan.text) AND quota = \(quota.text) RETURNING plan")
            if rows.isEmpty { throw Problem.notFound }
            _ = try await tx.batch(
                call.installationRecord("plan_limit.cleared", of: plan.text, ["quota": .string(quota.text)]))
        }
        return NoContent()
    }

    struct CompanyPlan: Codable, Sendable, FieldNotes {
        let companyId: UUID
        let plan: String
        let anchorDay: Int
        static let fieldNotes = ["anchor_day": "The day of the month on which monthly counters begin anew."]
    }

    struct NewPlan: Codable, Sendable {
        let plan: FlagKey
        let anchorDay: Whole<1, 28>?
    }

    static func plan(_ call: Call, _ company: Path<UUID>) async throws -> Single<CompanyPlan> {
        try Single(
            await call.db.query(
                """
                SELECT c.id AS company_id, coalesce(p.plan, \(Plans.standard)) AS plan, coalesce(p.anchor_day, 1) AS anchor_day
                  FROM companies c LEFT JOIN company_plans p ON p.company_id = c.id WHERE c.id = \(company)
                """, as: tenant(company.value, call)))
    }

    static func setPlan(_ call: Call, _ company: Path<UUID>, _ body: Body<NewPlan>) async throws -> Single<
        CompanyPlan
    > {
        let (id, plan) = (company.value, body.plan.text)
        try await change(id, call) { tx in
            _ = try await tx.batch([
                """
                INSERT INTO company_plans (company_id, plan, anchor_day)
                VALUES (\(id), \(plan), \(body.value.anchorDay?.value ?? 1))
                ON CONFLICT (company_id) DO UPDATE
                   SET plan = excluded.plan, anchor_day = coalesce(\(body.value.anchorDay?.value), company_plans.anchor_day),
                       version = company_plans.version + 1, updated_at = now()
                """,
                audit("company.plan_set", id, ["plan": .string(plan)], call),
            ])
            // Whoever is signed in has the plan beside his permissions.
            try await AccessChange.record(user: nil, company: id, in: tx)
            for quota in QuotaCatalogue.all.sorted(by: { $0.name < $1.name }) {
                try await Quotas.lookOver(quota, company: id, in: tx)
            }
        }
        return try await Self.plan(call, company)
    }

    static func quotas(_ call: Call, _ company: Path<UUID>, _ list: List<QuotaRoutes.NoOrder>) async throws
        -> Page<QuotaState>
    {
        try await change(company.value, call) { tx in
            for quota in QuotaCatalogue.all.sorted(by: { $0.name < $1.name }) {
                _ = try await Quotas.standing(quota, company: company.value, in: tx)
            }
        }
        let base = QuotaRoutes.select(QuotaCatalogue.all, company.value)
        return try await call.page(
            list, "SELECT q.*, q.quota AS id FROM (\(fragment: base)) q", as: tenant(company.value, call))
    }

    struct NewOverride: Codable, Sendable {
        let limit: QuotaAmount?
        let isHard: Bool?
        let note: Prose<500>?
    }

    static func setOverride(
        _ call: Call, _ company: Path<UUID>, _ name: Path<Text<60>>, _ body: Body<NewOverride>
    ) async throws -> Single<QuotaState> {
        let (id, quota) = (company.value, try named(name.text))
        try await change(id, call) { tx in
            _ = try await tx.batch([
                """
                INSERT INTO quota_overrides (company_id, quota, amount, is_hard, note)
                VALUES (\(id), \(quota.name), \(body.value.limit?.value), \(body.value.isHard), \(body.value.note))
                ON CONFLICT (company_id, quota) DO UPDATE
                   SET amount = excluded.amount, is_hard = excluded.is_hard, note = excluded.note,
                       version = quota_overrides.version + 1, updated_at = now()
                """,
                audit("quota.limit_set", id, with(quota, try JSON(encoding: body.value)), call),
            ])
            try await Quotas.lookOver(quota, company: id, in: tx)
        }
        return try Single(await call.db.query(QuotaRoutes.select([quota], id), as: tenant(id, call)))
    }

    static func clearOverride(_ call: Call, _ company: Path<UUID>, _ name: Path<Text<60>>) async throws
        -> NoContent
    {
        let (id, quota) = (company.value, try named(name.text))
        try await change(id, call) { tx in
            let rows = try await tx.query(
                "DELETE FROM quota_overrides WHERE company_id = \(id) AND quota = \(quota.name) RETURNING quota"
            )
            if rows.isEmpty { throw Problem.notFound }
            _ = try await tx.query(audit("quota.limit_cleared", id, with(quota, [:]), call))
            try await Quotas.lookOver(quota, company: id, in: tx)
        }
        return NoContent()
    }

    struct NewGrant: Codable, Sendable {
        let companyId: UUID
        let quota: Text<60>
        let amount: QuotaAmount
        let priority: Whole<0, 1000>?
        let expiresAt: Timestamp?
        let note: Prose<500>?
    }

    static func grant(_ call: Call, _ body: Body<NewGrant>) async throws -> Created<QuotaGrant> {
        let (company, id) = (body.companyId, UUID.v7())
        guard let quota = QuotaCatalogue.named(body.quota.text) else {
            throw Problem.unprocessable(
                "/quota", "not-one-of", "is none of \(QuotaCatalogue.all.map(\.name).joined(separator: ", "))"
            )
        }
        if body.amount.value == 0 {
            throw Problem.unprocessable("/amount", "too-small", "must be at least 1")
        }
        if let end = body.value.expiresAt, end <= call.now {
            throw Problem.unprocessable("/expires_at", "out-of-range", "must lie ahead")
        }
        try await change(company, call) { tx in
            let count = try await tx.query(
                "SELECT count(*) FROM quota_grants WHERE company_id = \(company) AND quota = \(quota.name) AND used < amount"
            )
            guard try count[0].get(0, as: Int.self) < QuotaLimits.grantsMax else {
                throw Problem(.tooManyGrants)
            }
            _ = try await tx.batch([
                """
                INSERT INTO quota_grants (company_id, id, quota, amount, priority, expires_at, note)
                VALUES (\(company), \(id), \(quota.name), \(body.amount.value), \(body.value.priority?.value ?? 100),
                        \(body.value.expiresAt), \(body.value.note))
                """,
                audit("quota.granted", company, with(quota, try JSON(encoding: body.value)), call),
            ])
            try await Quotas.lookOver(quota, company: company, in: tx)
        }
        let rows = try await call.db.query(
            "\(fragment: QuotaGrant.select(company)) AND id = \(id)", as: tenant(company, call))
        return try Created(rows)
    }

    /// A transaction as the company's, which must exist.
    private static func change(_ company: UUID, _ call: Call, _ body: (Transaction) async throws -> Void)
        async throws
    {
        try await call.db.transaction(as: tenant(company, call)) { tx in
            let rows = try await tx.query(
                "SELECT 1 FROM companies WHERE id = \(company) AND status <> 'deleted'")
            if rows.isEmpty { throw Problem.notFound("There is no such company.") }
            try await body(tx)
        }
    }

    private static func tenant(_ company: UUID, _ call: Call) throws -> Tenant {
        Tenant(company: company, user: try call.user)
    }

    private static func named(_ name: String) throws(Problem) -> Quota {
        guard let quota = QuotaCatalogue.named(name) else {
            throw Problem.notFound("There is no quota of this name.")
        }
        return quota
    }

    private static func with(_ quota: Quota, _ json: JSON) -> JSON {
        var object = json.objectValue ?? JSON.Object()
        object["quota"] = .string(quota.name)
        return .object(object)
    }

    private static func audit(_ action: String, _ company: UUID, _ after: JSON, _ call: Call) -> SQL {
        Audit.sql(Audit.Entry(action, on: "company", company, after: after), by: call.actor, company: company)
    }
}

struct QuotaGrant: Codable, Sendable, FieldNotes {
    let id: UUID
    let quota: String
    let amount: Int64
    let used: Int64
    let priority: Int
    let expiresAt: Timestamp?
    let note: String?
    let createdAt: Timestamp

    static let fieldNotes = [
        "used": "As booked when the counter was last looked over.",
        "priority": "The lowest number is used up first, among equals what expires first.",
    ]

    static func select(_ company: UUID) -> SQL {
        "SELECT id, quota, amount, used, priority, expires_at, note, created_at FROM quota_grants WHERE company_id = \(company)"
    }
}

/// So much of something that is counted.
struct QuotaAmount: NumberValue {
    let value: Int64
    init(unchecked value: Int64) { self.value = value }

    static var schema: Schema {
        Schema(.integer(IntegerRule(0...QuotaLimits.amountMax, format: "int64")), example: 1000)
    }
    static var sample: QuotaAmount { QuotaAmount(unchecked: 1000) }
}
