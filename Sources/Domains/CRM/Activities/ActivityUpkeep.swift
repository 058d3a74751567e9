import API
import Core
import Postgres
import Wire

/// What the clock brings: reminders, what is overdue, the steps of sequences, and the end of what lies in the trash.
///
/// Row-level security hides one company from another, so a list that belongs to none says in which something is next due.
enum ActivityUpkeep {
    /// No company is left alone for longer: what a writer and a round could not see of each other is found by then.
    private static let restMinutes = 15

    static let worker = Worker("activity-upkeep", every: .seconds(10)) { work in
        guard let company = try await claim(work.database) else { return .idle }
        try await run(company, work.database)
        try await SequenceRun.run(company, work.database, work.environment)
        try await rest(company, work.database)
        return .more
    }

    static func run(_ company: UUID, _ db: Database) async throws {
        try await rounds {
            try await db.transaction(as: Tenant(company: company)) { try await remind(company, $0) }
        }
        try await rounds {
            try await db.transaction(as: Tenant(company: company)) { try await tellOverdue(company, $0) }
        }
        try await rounds {
            try await db.transaction(as: Tenant(company: company)) { try await purge(company, $0) }
        }
    }

    private static func rounds(_ round: () async throws -> Int) async throws {
        while true {
            let done = try await round()
            if done < ActivityLimits.toldAtOnce { return }
        }
    }

    /// Lists the company, to be looked at by then; a moment that is null lists nothing.
    static func expect(_ company: UUID, at moment: SQL = "now()") -> SQL {
        // What is soon enough already is not locked: writers would wait for each other.
        """
        INSERT INTO activity_upkeep (company_id, due_at)
        SELECT \(company)::uuid, wanted.at FROM (SELECT (\(fragment: moment))::timestamptz AS at) AS wanted
         WHERE wanted.at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM activity_upkeep u WHERE u.company_id = \(company) AND u.due_at <= wanted.at)
        ON CONFLICT (company_id) DO UPDATE SET due_at = least(activity_upkeep.due_at, excluded.due_at)
        """
    }

    /// A company in which something is due: two instances never take the same, and one that dies is followed by another.
    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE activity_upkeep SET due_at = now() + make_interval(mins => \(restMinutes))
             WHERE company_id = (SELECT company_id FROM activity_upkeep WHERE due_at <= now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        return try rows.first?.get("company_id")
    }

    /// Lists it for what is due next, unless that is later than it rests anyway.
    private static func rest(_ company: UUID, _ db: Database) async throws {
        let rows = try await db.query(
            """
            SELECT least(
                (SELECT min(remind_at) FROM activities
                  WHERE company_id = \(company) AND remind_at > now() AND completed_at IS NULL AND deleted_at IS NULL),
                (SELECT min(due_at) FROM activities
                  WHERE company_id = \(company) AND due_at > now() AND completed_at IS NULL AND deleted_at IS NULL),
                (SELECT min(due_at) FROM sequence_enrolments
                  WHERE company_id = \(company) AND due_at > now() AND state = 'active')) AS at
            """, as: Tenant(company: company))
        guard let next = try rows[0].get("at", as: Timestamp?.self) else { return }
        _ = try await db.query(
            """
            UPDATE activity_upkeep SET due_at = least(due_at, greatest(\(next), now() + interval '1 second'))
             WHERE company_id = \(company)
            """)
    }

    private static func remind(_ company: UUID, _ tx: Transaction) async throws -> Int {
        try await tell(
            ActivityNews.due, moment: "remind_at", told: "reminded_for", since: "a.remind_at <= now()",
            company, tx)
    }

    /// What has been overdue for long, or came so from elsewhere, is no news.
    private static func tellOverdue(_ company: UUID, _ tx: Transaction) async throws -> Int {
        try await tell(
            ActivityNews.overdue, moment: "due_at", told: "overdue_told_for",
            since:
                "coalesce(a.ends_at, a.due_at) <= now() AND a.due_at > now() - make_interval(days => \(ActivityLimits.overdueDaysMax))",
            company, tx)
    }

    @inline(never)
    private static func tell(
        _ type: NotificationType, moment: String, told: String, since: SQL, _ company: UUID, _ tx: Transaction
    ) async throws -> Int {
        let rows = try await tx.query(
            """
            SELECT a.id, a.title, a.\(unescaped: moment)::text AS moment,
                   to_char(a.due_at AT TIME ZONE c.time_zone, 'YYYY-MM-DD HH24:MI') AS due, m.user_id
              FROM activities a
              JOIN companies c ON c.id = a.company_id
              LEFT JOIN memberships m ON m.company_id = a.company_id AND m.id = a.owner_id AND m.status = 'active'
             WHERE a.company_id = \(company) AND a.completed_at IS NULL AND a.deleted_at IS NULL AND \(fragment: since)
               AND a.\(unescaped: told) IS DISTINCT FROM a.\(unescaped: moment)
             ORDER BY a.\(unescaped: moment) LIMIT \(ActivityLimits.toldAtOnce) FOR NO KEY UPDATE OF a SKIP LOCKED
            """)
        for row in rows {
            guard let user = try row.get("user_id", as: UUID?.self) else { continue }
            let id: UUID = try row.get("id")
            let values: JSON = [
                "title": .string(try row.get("title")),
                "due": .string(try row.get("due", as: String?.self) ?? ""),
            ]
            try await Notify.record(
                type, to: [user], about: .init("activity", id), values: values,
                dedupeKey: "\(id) \(try row.get("moment", as: String.self))", by: .system, company: company,
                in: tx)
        }
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        _ = try await tx.query(
            """
            UPDATE activities SET \(unescaped: told) = \(unescaped: moment)
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
            """)
        return rows.count
    }

    @inline(never)
    private static func purge(_ company: UUID, _ tx: Transaction) async throws -> Int {
        let rows = try await tx.query(
            """
            DELETE FROM activities
             WHERE company_id = \(company) AND id IN (
                SELECT id FROM activities
                 WHERE company_id = \(company) AND deleted_at < now() - make_interval(days => \(ActivityLimits.trashDays))
                 ORDER BY deleted_at LIMIT \(ActivityLimits.sweptAtOnce))
            RETURNING id
            """)
        return rows.count
    }
}
