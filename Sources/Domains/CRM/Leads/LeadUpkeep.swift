import API
import Core
import Postgres
import Wire

/// What the clock brings: broken promises and the end of what lies in the trash.
///
/// Row-level security hides one company from another, so a list that belongs to none says in which something is next due.
enum LeadUpkeep {
    /// No company is left alone for longer.
    private static let restMinutes = 15

    static let worker = Worker("lead-upkeep", every: .seconds(10)) { work in
        guard let company = try await claim(work.database) else { return .idle }
        var isMore = true
        while isMore && !work.isStopping {
            isMore = try await work.database.transaction(as: Tenant(company: company)) { tx in
                try await LeadPromise.sweep(company, tx)
            }
        }
        try await LeadTrash.sweep(company, work.database)
        try await rest(company, work.database)
        return .more
    }

    /// Lists the company for its next promise.
    static func expect(_ company: UUID) -> SQL {
        """
        INSERT INTO lead_upkeep (company_id, due_at)
        SELECT \(company)::uuid, wanted.at
          FROM (SELECT coalesce(min(sla_due_at), now() + make_interval(mins => \(restMinutes))) AS at FROM leads
                 WHERE company_id = \(company) AND sla_due_at IS NOT NULL AND first_response_at IS NULL
                   AND sla_breached_at IS NULL AND deleted_at IS NULL) AS wanted
         WHERE NOT EXISTS (SELECT 1 FROM lead_upkeep u WHERE u.company_id = \(company) AND u.due_at <= wanted.at)
        ON CONFLICT (company_id) DO UPDATE SET due_at = least(lead_upkeep.due_at, excluded.due_at)
        """
    }

    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE lead_upkeep SET due_at = now() + make_interval(mins => \(restMinutes))
             WHERE company_id = (SELECT company_id FROM lead_upkeep WHERE due_at <= now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        return try rows.first?.get("company_id")
    }

    private static func rest(_ company: UUID, _ db: Database) async throws {
        let rows = try await db.query(
            """
            SELECT min(sla_due_at) AS at FROM leads
             WHERE company_id = \(company) AND sla_due_at > now() AND first_response_at IS NULL
               AND sla_breached_at IS NULL AND deleted_at IS NULL
            """, as: Tenant(company: company))
        guard let next = try rows[0].get("at", as: Timestamp?.self) else { return }
        _ = try await db.query(
            "UPDATE lead_upkeep SET due_at = least(due_at, greatest(\(next), now() + interval '1 second')) WHERE company_id = \(company)"
        )
    }

    struct NoArguments: Codable, Sendable {}

    /// Every night the scores of the day before are worth a little less.
    static let decay = JobKind<NoArguments>("crm.decay-scores", attemptsMax: 5, leaseSeconds: 300)

    static let handler = JobHandler(decay) { _, job in
        let companies = try await job.work.database.query(
            "SELECT company_id FROM lead_upkeep ORDER BY company_id")
        for row in companies {
            if job.isStopping { return .again(at: .now) }
            try await decay(row.get("company_id"), job.work.database)
        }
        return .done
    }

    /// Set by set, in the order of ids: each set is a transaction of its own.
    @inline(never)
    static func decay(_ company: UUID, _ db: Database) async throws {
        var last: UUID? = .zero
        while let after = last {
            last = try await db.transaction(as: Tenant(company: company)) { tx in
                try await decayed(after: after, company, tx)
            }
        }
    }

    @inline(never)
    private static func decayed(after: UUID, _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        guard let model = try await LeadScoring.model(company, tx), model.halfLifeDays != nil else {
            return nil
        }
        let rows = try await tx.query(
            """
            SELECT DISTINCT p.lead_id FROM lead_points p
             WHERE p.company_id = \(company) AND p.decays AND p.lead_id > \(after)
             ORDER BY p.lead_id LIMIT \(LeadLimits.scoredAtOnce)
            """)
        let ids = try rows.map { try $0.get("lead_id", as: UUID.self) }
        _ = try await LeadScoring.write(ids, model, company, tx)
        return ids.count == LeadLimits.scoredAtOnce ? ids.last : nil
    }
}
