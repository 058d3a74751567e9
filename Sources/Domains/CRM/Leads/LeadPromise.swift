import API
import Core
import Postgres
import Wire

/// By when a lead is to be answered: the first active policy whose conditions hold says so, counted in its hours from the
/// moment somebody has the lead.
enum LeadPromise {
    struct Policy: Sendable {
        let id: UUID
        let conditions: [LeadCondition]
    }

    /// Sets or moves the promise of a lead that nobody has answered; a lead without an owner has none.
    @inline(never)
    static func make(for lead: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT id, conditions::text AS conditions FROM sla_policies
             WHERE company_id = \(company) AND is_active ORDER BY position, id
            """)
        if rows.isEmpty { return }
        guard let facts = try await LeadFacts.load([lead], company, tx)[lead], !facts["owner_id"].isEmpty
        else { return }
        for row in rows {
            let conditions = try [LeadCondition](stored: row.get("conditions"))
            guard facts.meets(conditions) else { continue }
            let policy: UUID = try row.get("id")
            _ = try await tx.query(set(policy, on: lead, company))
            return
        }
    }

    private static func set(_ policy: UUID, on lead: UUID, _ company: UUID) -> SQL {
        """
        UPDATE leads l SET sla_policy_id = p.id, sla_breached_at = NULL,
               sla_due_at = coalesce((\(fragment: due)), l.assigned_at + make_interval(mins => p.respond_minutes))
          FROM sla_policies p
         WHERE l.company_id = \(company) AND l.id = \(lead) AND p.company_id = l.company_id AND p.id = \(policy)
           AND l.first_response_at IS NULL AND l.status IN ('new', 'working') AND l.assigned_at IS NOT NULL
        """
    }

    /// The moment at which the policy's hours after `l.assigned_at` add up to its minutes.
    private static let due: SQL = """
        SELECT span.closes - (span.total - make_interval(mins => p.respond_minutes))
          FROM (SELECT day.closes, sum(day.closes - day.opens) OVER (ORDER BY day.opens) AS total
                  FROM (SELECT greatest((d + make_interval(mins => p.work_from)) AT TIME ZONE p.time_zone, l.assigned_at) AS opens,
                               (d + make_interval(mins => p.work_until)) AT TIME ZONE p.time_zone AS closes
                          FROM generate_series(
                                   date_trunc('day', l.assigned_at AT TIME ZONE p.time_zone),
                                   date_trunc('day', l.assigned_at AT TIME ZONE p.time_zone)
                                       + make_interval(days => \(LeadLimits.workDaysAhead)),
                                   interval '1 day') AS d
                         WHERE extract(isodow FROM d)::integer = ANY(p.work_days)) AS day
                 WHERE day.closes > day.opens) AS span
         WHERE span.total >= make_interval(mins => p.respond_minutes)
         ORDER BY span.closes LIMIT 1
        """

    /// What is broken by now in a company: told, recorded, escalated. True when there may be more.
    @inline(never)
    static func sweep(_ company: UUID, _ tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            """
            SELECT \(fragment: LeadHead.columns), l.sla_policy_id, p.escalate_to, coalesce(p.reassigns, false) AS reassigns
              FROM leads l
              LEFT JOIN sla_policies p ON p.company_id = l.company_id AND p.id = l.sla_policy_id
             WHERE l.company_id = \(company) AND l.sla_due_at <= now() AND l.first_response_at IS NULL
               AND l.sla_breached_at IS NULL AND l.deleted_at IS NULL AND l.status IN ('new', 'working')
             ORDER BY l.sla_due_at LIMIT \(LeadLimits.dueAtOnce) FOR UPDATE OF l SKIP LOCKED
            """)
        for row in rows {
            let head = try row.decode(LeadHead.self)
            try await breach(
                head, policy: row.get("sla_policy_id"), escalateTo: row.get("escalate_to"),
                reassigns: row.get("reassigns"),
                company, tx)
        }
        return rows.count == LeadLimits.dueAtOnce
    }

    @inline(never)
    private static func breach(
        _ head: LeadHead, policy: UUID?, escalateTo: UUID?, reassigns: Bool, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let moves = reassigns && escalateTo != nil && escalateTo != head.ownerId
        var after = head
        if moves { after.ownerId = escalateTo }
        var statements: [SQL] = [
            """
            INSERT INTO sla_breaches (company_id, id, lead_id, policy_id, owner_id, due_at, escalated_to, reassigned)
            VALUES (\(company), \(UUID.v7()), \(head.id), \(policy), \(head.ownerId), \(head.slaDueAt), \(escalateTo), \(moves))
            ON CONFLICT DO NOTHING
            """,
            """
            UPDATE leads SET sla_breached_at = now(), owner_id = \(after.ownerId)::uuid,
                   escalated_at = CASE WHEN \(escalateTo)::uuid IS NOT NULL THEN now() END,
                   assigned_at = CASE WHEN \(moves) THEN now() ELSE assigned_at END,
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(head.id)
            """,
        ]
        statements += try LeadEvents.story(
            LeadEvents.breached, "lead.sla_breached", after, by: .system, company)
        if moves {
            statements += try LeadEvents.story(
                LeadEvents.assigned, "lead.assigned", after, by: .system, company)
        }
        _ = try await tx.batch(statements)
        let told = Array(Set([head.ownerId, escalateTo].compactMap { $0 }))
        try await LeadNews.tell(
            LeadNews.breached, told, of: head.id, ["title": .string(head.title)], by: .system, company, tx)
    }
}
