import API
import Core
import Postgres
import Wire

/// One change made to many leads, each for itself.
enum LeadBulk {
    enum Action: String, Codable, CaseIterable, Sendable {
        case assign, archive, unarchive, delete, qualify, disqualify, tag, untag
    }

    struct Order: Codable, Sendable {
        let leadIds: UpTo<200, UUID>
        let action: Action
        let ownerId: UUID?
        let reason: Prose<2_000>?
        let tagIds: UpTo<30, UUID>?
    }

    struct Result: Codable, Sendable {
        let leadId: UUID
        let isChanged: Bool
        let code: String?
        let detail: String?
    }

    struct Answer: Codable, Sendable {
        let changed: Int
        let failed: Int
        let results: [Result]
    }

    static func change(_ call: Call, _ body: Body<Order>) async throws -> Single<Answer> {
        let order = body.value
        // In one order, so that two of these never wait for each other in a circle.
        let ids = Array(Set(order.leadIds.items)).sorted()
        if ids.isEmpty { throw Problem.unprocessable("/lead_ids", "required", "names no lead") }
        let results = try await call.db.transaction { tx in try await run(order, ids, call, tx) }
        let changed = results.count { $0.isChanged }
        return Single(Answer(changed: changed, failed: results.count - changed, results: results))
    }

    @inline(never)
    private static func run(_ order: Order, _ ids: [UUID], _ call: Call, _ tx: Transaction) async throws
        -> [Result]
    {
        let company = try call.company
        let tags = order.tagIds?.items ?? []
        if order.action == .tag { try await Tags.mustExist(tags, at: "/tag_ids", company: company, in: tx) }
        var results: [Result] = []
        for id in ids {
            do {
                try await tx.savepoint {
                    try await CRMAccess.require(.lead, id, call, tx)
                    try await one(id, order, call.actor, company, tx)
                }
                results.append(Result(leadId: id, isChanged: true, code: nil, detail: nil))
            } catch let problem as Problem {
                let detail = problem.faults.first?.detail ?? problem.detail ?? problem.code.title
                results.append(Result(leadId: id, isChanged: false, code: problem.code.name, detail: detail))
            }
        }
        return results
    }

    @inline(never)
    private static func one(
        _ id: UUID, _ order: Order, _ actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        switch order.action {
        case .assign: try await LeadMoves.give(id, to: order.ownerId, by: actor, company, tx)
        case .qualify: try await LeadMoves.set(.qualified, on: id, reason: nil, by: actor, company, tx)
        case .disqualify:
            try await LeadMoves.set(.disqualified, on: id, reason: order.reason?.text, by: actor, company, tx)
        case .delete:
            let head = try await LeadHead.lock(id, company, tx)
            try await LeadTrash.remove(head, by: actor, company, tx)
        case .archive, .unarchive:
            let at: SQL = order.action == .archive ? "coalesce(archived_at, now())" : "NULL"
            _ = try await tx.query(
                """
                UPDATE leads SET archived_at = \(fragment: at), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """)
            try await LeadMoves.tell(
                id, LeadEvents.updated, "lead.changed", changed: ["is_archived"], by: actor, company, tx)
        case .tag, .untag:
            let tags = order.tagIds?.items ?? []
            _ = try await tx.query(
                order.action == .tag
                    ? CRMDomain.leadTags.add(tags, to: [id], company: company)
                    : CRMDomain.leadTags.remove(tags, from: [id], company: company))
            try await LeadMoves.tell(
                id, LeadEvents.updated, "lead.changed", changed: ["tag_ids"], by: actor, company, tx)
        }
    }
}

/// Leads in numbers.
enum LeadStats {
    struct Stats: Codable, Sendable, FieldNotes {
        struct Share: Codable, Sendable {
            let key: String?
            let name: String?
            let count: Int
        }

        let total: Int
        let open: Int
        let unassigned: Int
        let breached: Int
        let byStatus: [Share]
        let bySource: [Share]
        let byOwner: [Share]
        let answered: Int
        let responseMinutesMedian: Double?
        let responseMinutesP90: Double?
        let answeredInTimePercent: Double?

        static let fieldNotes = ["answered_in_time_percent": "Of the answered leads that had a promise."]
    }

    struct Span: Codable, Sendable {
        let since: Timestamp?
        let until: Timestamp?
    }

    @inline(never)
    static func read(_ call: Call, _ span: Query<Span>) async throws -> Single<Stats> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rows = try await call.db.report(
            """
            WITH seen AS MATERIALIZED (
                SELECT l.status, l.source_id, l.owner_id, l.sla_due_at, l.sla_breached_at, l.first_response_at, l.created_at
                  FROM leads l
                 WHERE l.company_id = \(call.company) AND \(fragment: CRMAccess.visible(principal, "l"))
                   AND l.created_at >= coalesce(\(span.since)::timestamptz, '-infinity')
                   AND l.created_at < coalesce(\(span.until)::timestamptz, 'infinity'))
            SELECT (SELECT count(*)::integer FROM seen) AS total,
                   (SELECT count(*)::integer FROM seen WHERE status IN ('new', 'working', 'qualified')) AS open,
                   (SELECT count(*)::integer FROM seen WHERE owner_id IS NULL) AS unassigned,
                   (SELECT count(*)::integer FROM seen WHERE sla_breached_at IS NOT NULL) AS breached,
                   (SELECT coalesce(jsonb_agg(jsonb_build_object('key', g.status, 'name', g.status, 'count', g.n) ORDER BY g.n DESC), '[]')
                      FROM (SELECT status, count(*) AS n FROM seen GROUP BY status) g) AS by_status,
                   (SELECT coalesce(jsonb_agg(jsonb_build_object('key', g.source_id, 'name', s.name, 'count', g.n) ORDER BY g.n DESC), '[]')
                      FROM (SELECT source_id, count(*) AS n FROM seen GROUP BY source_id) g
                      LEFT JOIN lead_sources s ON s.company_id = \(call.company) AND s.id = g.source_id) AS by_source,
                   (SELECT coalesce(jsonb_agg(jsonb_build_object('key', g.owner_id, 'name', u.name, 'count', g.n) ORDER BY g.n DESC), '[]')
                      FROM (SELECT owner_id, count(*) AS n FROM seen GROUP BY owner_id) g
                      LEFT JOIN memberships m ON m.company_id = \(call.company) AND m.id = g.owner_id
                      LEFT JOIN users u ON u.id = m.user_id) AS by_owner,
                   times.answered, times.response_minutes_median, times.response_minutes_p90,
                   times.answered_in_time_percent
              FROM (SELECT count(*)::integer AS answered,
                           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_response_at - created_at) / 60)
                               AS response_minutes_median,
                           percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM first_response_at - created_at) / 60)
                               AS response_minutes_p90,
                           round(100.0 * count(*) FILTER (WHERE first_response_at <= sla_due_at)
                                 / nullif(count(*) FILTER (WHERE sla_due_at IS NOT NULL), 0), 1)::float8
                               AS answered_in_time_percent
                      FROM seen WHERE first_response_at IS NOT NULL) times
            """)
        return try Single(rows)
    }
}
