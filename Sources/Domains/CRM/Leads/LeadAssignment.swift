import API
import Core
import Postgres
import Wire

/// Who gets a lead. The first active rule whose conditions hold decides; its row is locked while it deals, so that two
/// leads at once are dealt one after the other and nobody gets two in place of one.
enum LeadAssignment {
    enum Mode: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case roundRobin = "round_robin"
        case weighted, load, owner, territory
    }

    struct Rule: Sendable {
        let id: UUID
        let name: String
        let mode: Mode
        let conditions: [LeadCondition]
        let fallback: UUID?
    }

    /// The active rules in their order.
    @inline(never)
    static func rules(_ company: UUID, _ tx: Transaction) async throws -> [Rule] {
        let rows = try await tx.query(
            """
            SELECT id, name, mode, conditions::text AS conditions, fallback_id FROM assignment_rules
             WHERE company_id = \(company) AND is_active ORDER BY position, id
            """)
        return try rows.map { row in
            Rule(
                id: try row.get("id"), name: try row.get("name"), mode: try row.get("mode"),
                conditions: try .init(stored: row.get("conditions")), fallback: try row.get("fallback_id"))
        }
    }

    /// Gives the lead to somebody as the rules say; the member, or nil when no rule has anybody.
    @inline(never)
    static func assign(_ lead: UUID, _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        let rules = try await rules(company, tx)
        if rules.isEmpty { return nil }
        guard let facts = try await LeadFacts.load([lead], company, tx)[lead],
            let rule = rules.first(where: { facts.meets($0.conditions) }),
            let member = try await next(of: rule, country: facts["country"].first, company, tx)
        else { return nil }
        _ = try await tx.query(
            """
            UPDATE leads SET owner_id = \(member), rule_id = \(rule.id), assigned_at = now(), updated_at = now()
             WHERE company_id = \(company) AND id = \(lead)
            """)
        return member
    }

    @inline(never)
    private static func next(of rule: Rule, country: String?, _ company: UUID, _ tx: Transaction) async throws
        -> UUID?
    {
        // FOR UPDATE in a statement of its own: the next one sees what whoever held it before has done.
        _ = try await tx.query(
            "SELECT 1 FROM assignment_rules WHERE company_id = \(company) AND id = \(rule.id) FOR UPDATE")
        let free = try await candidates(of: rule, country: country, company, tx).filter(\.isFree)
        let chosen: UUID?
        switch rule.mode {
        case .owner: chosen = free.first?.member
        case .load: chosen = free.min { ($0.openLeads, $0.place) < ($1.openLeads, $1.place) }?.member
        case .roundRobin, .weighted, .territory: chosen = try await turn(among: free, of: rule, company, tx)
        }
        if let chosen { return chosen }
        guard let fallback = rule.fallback else { return nil }
        let there = try await tx.query(
            "SELECT id FROM memberships WHERE company_id = \(company) AND id = \(fallback) AND status = 'active'"
        )
        return try there.first?.get("id")
    }

    /// Smooth weighted turns: each who may take one moves up by his weight, the highest takes it and goes back by the sum.
    /// Equal weights are plain turns, and whoever was away has nothing to catch up with.
    @inline(never)
    private static func turn(among free: [Candidate], of rule: Rule, _ company: UUID, _ tx: Transaction)
        async throws -> UUID?
    {
        if free.isEmpty { return nil }
        let isWeighted = rule.mode == .weighted
        let members = free.map(\.member)
        let rows = try await tx.query(
            """
            WITH moved AS (
                SELECT member_id, turn + CASE WHEN \(isWeighted) THEN weight ELSE 1 END AS turn, position,
                       sum(CASE WHEN \(isWeighted) THEN weight ELSE 1 END) OVER () AS total
                  FROM assignment_members
                 WHERE company_id = \(company) AND rule_id = \(rule.id) AND member_id = ANY(\(members)::uuid[])),
            chosen AS (SELECT member_id FROM moved ORDER BY turn DESC, position, member_id LIMIT 1),
            written AS (
                UPDATE assignment_members a
                   SET turn = moved.turn - CASE WHEN a.member_id = (SELECT member_id FROM chosen) THEN moved.total ELSE 0 END
                  FROM moved
                 WHERE a.company_id = \(company) AND a.rule_id = \(rule.id) AND a.member_id = moved.member_id)
            SELECT member_id FROM chosen
            """)
        return try rows.first?.get("member_id")
    }

    struct Candidate: Sendable, Decodable {
        let memberId: UUID
        let position: Int
        let openLeads: Int
        let openLeadsMax: Int?
        let isActive: Bool
        let isAway: Bool
        let isAtWork: Bool
        let coversCountry: Bool

        var member: UUID { memberId }
        var isFree: Bool { whyNot == nil }
        var place: Int { position }

        /// Why he may not have one now.
        var whyNot: String? {
            if !isActive { return "is no active member" }
            if !coversCountry { return "has another territory" }
            if isAway { return "is away" }
            if !isAtWork { return "is not at work now" }
            if let openLeadsMax, openLeads >= openLeadsMax {
                return "has \(openLeads) open leads of \(openLeadsMax)"
            }
            return nil
        }
    }

    @inline(never)
    static func candidates(of rule: Rule, country: String?, _ company: UUID, _ tx: Transaction) async throws
        -> [Candidate]
    {
        let rows = try await tx.query(
            """
            SELECT a.member_id, a.position, m.status = 'active' AS is_active, v.open_leads_max,
                   (SELECT count(*)::integer FROM leads l
                     WHERE l.company_id = a.company_id AND l.owner_id = a.member_id AND l.deleted_at IS NULL
                       AND l.archived_at IS NULL AND l.status IN ('new', 'working', 'qualified')) AS open_leads,
                   coalesce(v.away_from <= now() AND (v.away_until IS NULL OR now() < v.away_until), false)
                       OR coalesce(v.away_from IS NULL AND now() < v.away_until, false) AS is_away,
                   coalesce(here.day = ANY(v.work_days) AND here.minute >= v.work_from AND here.minute < v.work_until, true)
                       AS is_at_work,
                   \(rule.mode != .territory) OR coalesce(\(country)::text = ANY(a.countries), false) AS covers_country
              FROM assignment_members a
              JOIN memberships m ON m.company_id = a.company_id AND m.id = a.member_id
              LEFT JOIN lead_availability v ON v.company_id = a.company_id AND v.member_id = a.member_id
             CROSS JOIN LATERAL (
                SELECT extract(isodow FROM now() AT TIME ZONE coalesce(v.time_zone, 'UTC'))::integer AS day,
                       (extract(hour FROM now() AT TIME ZONE coalesce(v.time_zone, 'UTC')) * 60
                        + extract(minute FROM now() AT TIME ZONE coalesce(v.time_zone, 'UTC')))::integer AS minute) here
             WHERE a.company_id = \(company) AND a.rule_id = \(rule.id)
             ORDER BY a.position, a.member_id
            """)
        return try rows.decode(Candidate.self)
    }
}
