import Core
import Postgres
import Wire

/// Deletes what has been kept long enough: once a day for each company, by its own choices, and for what belongs to no
/// company by the product's rule.
enum RetentionSweep {
    struct Arguments: Codable, Sendable {}

    static let kind = JobKind<Arguments>(
        "privacy.retention", queue: "privacy", attemptsMax: 3, leaseSeconds: 60)

    static let handler = JobHandler(kind) { _, job in
        let classes = job.work.environment[Declarations.self].retention
        let owner = try await able(job.work.environment.find(OwnerDatabase.self))
        while !job.isStopping, let company = try await claim(job.work.database) {
            try await sweep(company, classes, job.work.database, owner: owner)
        }
        try await sweepCommon(classes, job.work.database, owner: owner)
        return .done
    }

    static let cron = Cron("privacy-retention", "*/15 * * * *", kind, Arguments())

    /// The owner's way to the database, if it is one: some installations keep it from the process that serves.
    private static func able(_ owner: OwnerDatabase?) async throws -> OwnerDatabase? {
        guard let owner else { return nil }
        let rows = try await owner.database.query(
            "SELECT has_table_privilege('audit_log', 'DELETE') AS is_able")
        return try rows[0].get("is_able", as: Bool.self) ? owner : nil
    }

    /// A company that is due, which is then due again tomorrow: two instances never take the same.
    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE company_upkeep SET retention_due_at = now() + interval '1 day'
             WHERE company_id = (SELECT company_id FROM company_upkeep WHERE retention_due_at <= now()
                                  ORDER BY retention_due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        return try rows.first?.get("company_id")
    }

    static func chosen(_ company: UUID, _ db: Database) async throws -> [String: Int] {
        let rows = try await db.query(
            "SELECT class, days FROM retention_policies WHERE company_id = \(company)",
            as: Tenant(company: company))
        var days: [String: Int] = [:]
        for row in rows { days[try row.get("class", as: String.self)] = try row.get("days", as: Int.self) }
        return days
    }

    static func condition(_ one: RetentionClass, days: Int, company: UUID?) -> SQL {
        var all: [SQL] = ["t.\(unescaped: one.since) < now() - make_interval(days => \(days)::integer)"]
        if let company { all.insert("t.company_id = \(company)", at: 0) }
        if let condition = one.condition { all.append("(\(fragment: condition))") }
        return all.joined(separator: " AND ")
    }

    /// One company, class by class; what one deletes is recorded in the same transaction.
    static func sweep(_ company: UUID, _ classes: [RetentionClass], _ db: Database, owner: OwnerDatabase?)
        async throws
    {
        if try await LegalHolds.isHeld(company, db) { return }
        let chosen = try await chosen(company, db)
        for one in classes where one.choice != nil && !one.isSweptElsewhere {
            let days = chosen[one.name] ?? one.days
            if one.needsOwner {
                if let owner, let cut = one.cut { try await cut(company, days, owner.database) }
                continue
            }
            try await db.transaction(as: Tenant(company: company), deadline: PrivacyLimits.stepSeconds) {
                tx in
                let gone = try await tx.query(
                    "DELETE FROM \(unescaped: one.table) t WHERE \(fragment: condition(one, days: days, company: company))"
                )
                if gone.affected == 0 { return }
                try await Audit.record(
                    Audit.Entry(
                        "retention.deleted", on: "retention_policy", nil,
                        after: ["name": .string(one.name), "days": JSON(days), "rows": JSON(gone.affected)]),
                    by: .system, company: company, in: tx)
            }
        }
    }

    /// What belongs to no company.
    static func sweepCommon(_ classes: [RetentionClass], _ db: Database, owner: OwnerDatabase?) async throws {
        for one in classes where one.choice == nil && !one.isSweptElsewhere {
            guard let database = one.needsOwner ? owner?.database : db else { continue }
            _ = try await database.transaction(deadline: PrivacyLimits.stepSeconds) { tx in
                try await tx.query(
                    "DELETE FROM \(unescaped: one.table) t WHERE \(fragment: condition(one, days: one.days, company: nil))"
                )
            }
        }
    }
}
