import API
import Core
import Postgres
import Wire

/// What the company may use, and what it has used.
enum QuotaRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/quotas", "List the company's quotas", .can(.quotasRead), list)
            .describe("Everything that is counted, with what is used of it in the running period.")
        GET("/v1/quotas/{quota}", "Read a quota", .can(.quotasRead), read)
        GET("/v1/quota-grants", "List what was granted to the company", .can(.quotasRead), grants)
    }

    static func list(_ call: Call, _ list: List<NoOrder>) async throws -> Page<QuotaState> {
        let company = try call.company
        try await lookOver(QuotaCatalogue.all, company, call)
        return try await call.page(
            list, "SELECT q.*, q.quota AS id FROM (\(fragment: select(QuotaCatalogue.all, company))) q")
    }

    struct NoOrder: ListFilter {
        static let sorts = ["quota"]
    }

    static func read(_ call: Call, _ name: Path<Text<60>>) async throws -> Single<QuotaState> {
        let company = try call.company
        guard let quota = QuotaCatalogue.named(name.text) else { throw Problem.notFound }
        try await lookOver([quota], company, call)
        return try Single(await call.db.query(select([quota], company)))
    }

    struct GrantFilter: ListFilter {
        let quota: Text<60>?
        static let sorts = ["-created_at", "priority"]
    }

    static func grants(_ call: Call, _ list: List<GrantFilter>) async throws -> Page<QuotaGrant> {
        try await call.page(list, QuotaGrant.select(call.company))
    }

    /// Counters nobody has asked for lately may stand in a period that is over.
    private static func lookOver(_ quotas: [Quota], _ company: UUID, _ call: Call) async throws {
        let fresh = try await call.db.query(
            "SELECT quota FROM quota_counters WHERE company_id = \(company) AND fresh_until > now()")
        let known = Set(try fresh.map { try $0.get("quota", as: String.self) })
        let stale = quotas.filter { !known.contains($0.name) }
        if stale.isEmpty { return }
        try await call.db.transaction { tx in
            // In one order everywhere, so that two who look over several counters do not wait for each other.
            for quota in stale.sorted(by: { $0.name < $1.name }) {
                _ = try await Quotas.standing(quota, company: company, in: tx)
            }
        }
    }

    static func select(_ quotas: [Quota], _ company: UUID) -> SQL {
        """
        SELECT d.quota, d.summary, d.unit, d.period, c.is_hard, c.ceiling AS "limit", c.used, c.reserved,
               greatest(c.ceiling - c.used - c.reserved, 0) AS remaining, c.carried AS carried_over,
               c.period_start AS period_started_at, c.period_end AS resets_at, c.alerted AS alerted_percent
          FROM unnest(\(quotas.map(\.name))::text[], \(quotas.map(\.summary))::text[], \(quotas.map(\.unit))::text[],
                      \(quotas.map(\.period.rawValue))::text[]) AS d (quota, summary, unit, period)
          JOIN quota_counters c ON c.company_id = \(company) AND c.quota = d.quota
        """
    }
}

struct QuotaState: Codable, Sendable, FieldNotes {
    let quota: String
    let summary: String
    let unit: String
    let period: Quota.Period
    let isHard: Bool
    let limit: Int64?
    let used: Int64
    let reserved: Int64
    let remaining: Int64?
    let carriedOver: Int64
    let periodStartedAt: Timestamp
    let resetsAt: Timestamp?
    let alertedPercent: Int

    static let fieldNotes = [
        "period": "When it is counted anew: `never` for what is held until it is deleted.",
        "is_hard": "A hard quota refuses what does not fit, a soft one only tells of it.",
        "limit":
            "All there is in this period: the plan's limit, what was carried over, what was granted. Null: no limit.",
        "reserved": "Set aside for work under way.",
        "carried_over": "What was left of the period before and counts on top.",
        "alerted_percent":
            "The highest share of the limit that was told of in this period: 0, 50, 80 or 100.",
    ]
}

extension Quota {
    static let featureFlags = Quota(
        "feature_flags", "Feature flags of the company's own", unit: "flags", limit: 200)
}
