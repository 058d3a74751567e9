import API
import Core
import Postgres
import Wire

/// What the clock brings: reminders, recurring tasks, and the end of what lies in the trash.
///
/// Row-level security hides one company from another, so a list that belongs to none says in which something is next due.
enum TaskUpkeep {
    /// No company is left alone for longer: what a writer and a round could not see of each other is found by then.
    private static let restMinutes = 15

    static let worker = Worker("task-upkeep", every: .seconds(20)) { work in
        guard let company = try await claim(work.database) else { return .idle }
        try await RecurringRun.run(company, work.database)
        try await TaskReminders.run(company, work.database)
        try await TaskPurge.sweep(company, work.environment.find(FileKeeping.self), work.database)
        try await rest(company, work.database)
        return .more
    }

    /// Lists the company, to be looked at by then.
    static func expect(_ company: UUID, at moment: SQL = "now()") -> SQL {
        // What is soon enough already is not locked: writers would wait for each other.
        """
        INSERT INTO task_upkeep (company_id, due_at)
        SELECT \(company)::uuid, wanted.at FROM (SELECT \(fragment: moment)::timestamptz AS at) AS wanted
         WHERE wanted.at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM task_upkeep u WHERE u.company_id = \(company) AND u.due_at <= wanted.at)
        ON CONFLICT (company_id) DO UPDATE SET due_at = least(task_upkeep.due_at, excluded.due_at)
        """
    }

    /// Lists the company if it is not listed at all.
    static func list(_ company: UUID) -> SQL {
        """
        INSERT INTO task_upkeep (company_id, due_at)
        SELECT \(company)::uuid, now() WHERE NOT EXISTS (SELECT 1 FROM task_upkeep u WHERE u.company_id = \(company))
        ON CONFLICT DO NOTHING
        """
    }

    /// A company in which something is due: two instances never take the same, and one that dies is followed by another.
    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE task_upkeep SET due_at = now() + make_interval(mins => \(restMinutes))
             WHERE company_id = (SELECT company_id FROM task_upkeep WHERE due_at <= now()
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
                (SELECT min(due_at) FROM tasks
                  WHERE company_id = \(company) AND due_at > now() AND deleted_at IS NULL
                    AND category IN ('backlog', 'unstarted', 'started')),
                (SELECT min(due_at) - make_interval(hours => \(TaskLimits.dueSoonHours)) FROM tasks
                  WHERE company_id = \(company) AND due_at > now() + make_interval(hours => \(TaskLimits.dueSoonHours))
                    AND deleted_at IS NULL AND category IN ('backlog', 'unstarted', 'started')),
                (SELECT min(next_at) FROM recurring_tasks WHERE company_id = \(company) AND paused_at IS NULL)) AS at
            """, as: Tenant(company: company))
        guard let next = try rows[0].get("at", as: Timestamp?.self) else { return }
        _ = try await db.query(
            "UPDATE task_upkeep SET due_at = least(due_at, greatest(\(next), now() + interval '1 second')) WHERE company_id = \(company)"
        )
    }
}
