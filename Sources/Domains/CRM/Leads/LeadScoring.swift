import API
import Core
import Postgres
import Wire

/// How much a lead is worth looking at: the sum of the points of the company's active model. What a lead is counts whole;
/// what somebody did is worth half after each half-life.
enum LeadScoring {
    struct Model: Sendable {
        let id: UUID
        let halfLifeDays: Int?
        let hotAt: Int
        var rules: [Rule] = []
    }

    struct Rule: Sendable {
        let id: UUID
        let points: Int
        let event: String?
        let conditions: [LeadCondition]
    }

    @inline(never)
    static func model(_ company: UUID, _ tx: Transaction) async throws -> Model? {
        let rows = try await tx.query(
            """
            SELECT m.id, m.half_life_days, m.hot_at, r.id AS rule, r.points, r.event, r.conditions::text AS conditions
              FROM scoring_models m
              LEFT JOIN scoring_rules r ON r.company_id = m.company_id AND r.model_id = m.id
             WHERE m.company_id = \(company) AND m.is_active ORDER BY r.position, r.id
            """)
        guard let first = rows.first else { return nil }
        var model = Model(
            id: try first.get("id"), halfLifeDays: try first.get("half_life_days"),
            hotAt: try first.get("hot_at"))
        for row in rows {
            guard let rule = try row.get("rule", as: UUID?.self) else { continue }
            model.rules.append(
                Rule(
                    id: rule, points: try row.get("points"), event: try row.get("event"),
                    conditions: try .init(stored: row.get("conditions"))))
        }
        return model
    }

    /// What one point of a row `p` of lead_points is worth now.
    static func worth(_ halfLifeDays: Int?) -> SQL {
        guard let halfLifeDays else { return "p.points::double precision" }
        return """
            (p.points * CASE WHEN p.decays
                             THEN power(0.5, greatest(extract(epoch FROM now() - p.at), 0) / 86400 / \(halfLifeDays)::float8)
                             ELSE 1 END)
            """
    }

    /// Asks anew what these leads are, and writes their scores with the caller's transaction.
    @inline(never) @discardableResult
    static func refresh(_ leads: [UUID], _ company: UUID, _ tx: Transaction) async throws -> Int {
        guard let model = try await model(company, tx), !leads.isEmpty else { return 0 }
        let facts = try await LeadFacts.load(leads, company, tx)
        var (given, rules, points): ([UUID], [UUID], [Int]) = ([], [], [])
        for (lead, facts) in facts {
            for rule in model.rules where rule.event == nil && facts.meets(rule.conditions) {
                given.append(lead)
                rules.append(rule.id)
                points.append(rule.points)
            }
        }
        let own = model.rules.map(\.id)
        _ = try await tx.batch([
            """
            DELETE FROM lead_points p
             WHERE p.company_id = \(company) AND p.lead_id = ANY(\(leads)::uuid[])
               AND (p.rule_id <> ALL(\(own)::uuid[])
                    OR NOT p.decays AND NOT EXISTS (
                        SELECT 1 FROM unnest(\(given)::uuid[], \(rules)::uuid[]) AS kept (lead, rule)
                         WHERE kept.lead = p.lead_id AND kept.rule = p.rule_id))
            """,
            """
            INSERT INTO lead_points AS p (company_id, lead_id, rule_id, cause, points, decays)
            SELECT \(company)::uuid, given.lead, given.rule, given.lead, given.points, false
              FROM unnest(\(given)::uuid[], \(rules)::uuid[], \(points)::bigint[]) AS given (lead, rule, points)
            ON CONFLICT ON CONSTRAINT lead_points_pkey DO UPDATE SET points = excluded.points
             WHERE p.points <> excluded.points
            """,
        ])
        return try await write(leads, model, company, tx)
    }

    /// Counts what somebody did for leads of his. The same event counts once.
    @inline(never)
    static func count(
        _ event: String, _ cause: UUID, facts extra: LeadFacts, for leads: [UUID], _ company: UUID,
        _ tx: Transaction
    ) async throws {
        guard let model = try await model(company, tx), !leads.isEmpty else { return }
        let counted = model.rules.filter { $0.event == event }
        if counted.isEmpty { return }
        let facts = try await LeadFacts.load(leads, company, tx)
        var statements: [SQL] = []
        for (lead, own) in facts {
            var known = own
            known.values.merge(extra.values) { _, told in told }
            for rule in counted where known.meets(rule.conditions) {
                statements.append(
                    """
                    INSERT INTO lead_points (company_id, lead_id, rule_id, cause, points, decays)
                    VALUES (\(company), \(lead), \(rule.id), \(cause), \(rule.points), true) ON CONFLICT DO NOTHING
                    """)
            }
        }
        if statements.isEmpty { return }
        _ = try await tx.batch(statements)
        try await write(leads, model, company, tx)
    }

    /// Writes the sums, and tells where one has crossed the threshold. Gives how many scores changed.
    @inline(never) @discardableResult
    static func write(_ leads: [UUID], _ model: Model?, _ company: UUID, _ tx: Transaction) async throws
        -> Int
    {
        let most = LeadLimits.scoreMax
        let rows = try await tx.query(
            """
            WITH sums AS (
                SELECT l.id, l.score AS before,
                       least(greatest(coalesce((SELECT round(sum(\(fragment: worth(model?.halfLifeDays))))
                          FROM lead_points p WHERE p.company_id = l.company_id AND p.lead_id = l.id), 0),
                          \(-most)), \(most))::integer AS score
                  FROM leads l WHERE l.company_id = \(company) AND l.id = ANY(\(leads)::uuid[]) ORDER BY l.id FOR UPDATE)
            UPDATE leads l SET score = sums.score
              FROM sums WHERE l.company_id = \(company) AND l.id = sums.id AND sums.score <> sums.before
            RETURNING \(fragment: LeadHead.columns), sums.before
            """)
        guard let model else { return rows.count }
        for row in rows {
            let (head, before) = (try row.decode(LeadHead.self), try row.get("before", as: Int.self))
            guard (before >= model.hotAt) != (head.score >= model.hotAt) else { continue }
            let story = try LeadEvents.story(
                LeadEvents.scoreChanged, "lead.score_changed", head, changed: ["score"],
                before: ["score": JSON(before)],
                after: ["score": JSON(head.score)], by: .system, company)
            _ = try await tx.batch(story)
            if head.score >= model.hotAt, let owner = head.ownerId {
                try await LeadNews.tell(
                    LeadNews.hot, [owner], of: head.id,
                    ["title": .string(head.title), "score": JSON(head.score)], by: .system,
                    company, tx)
            }
        }
        return rows.count
    }
}
