import Core
import Postgres
import Wire

/// Tells people that a task of theirs is due soon, and once more when it is overdue: once for each due moment.
enum TaskReminders {
    static func run(_ company: UUID, _ db: Database) async throws {
        for kind in Kind.allCases {
            var told = TaskLimits.toldAtOnce
            while told == TaskLimits.toldAtOnce {
                told = try await db.transaction(as: Tenant(company: company)) { tx in
                    try await tell(kind, company, tx)
                }
            }
        }
    }

    private enum Kind: CaseIterable {
        case dueSoon, overdue

        var type: NotificationType {
            switch self {
            case .dueSoon: TaskNews.dueSoon
            case .overdue: TaskNews.overdue
            }
        }

        var column: String {
            switch self {
            case .dueSoon: "due_soon_told_at"
            case .overdue: "overdue_told_at"
            }
        }

        /// What has been overdue for long, or came so from elsewhere, is no news.
        var isDue: SQL {
            switch self {
            case .dueSoon:
                "t.due_at > now() AND t.due_at <= now() + make_interval(hours => \(TaskLimits.dueSoonHours))"
            case .overdue: "t.due_at <= now() AND t.due_at > now() - interval '7 days'"
            }
        }
    }

    @inline(never)
    private static func tell(_ kind: Kind, _ company: UUID, _ tx: Transaction) async throws -> Int {
        let rows = try await tx.query(
            """
            SELECT t.id, p.key || '-' || t.number AS key, t.title, t.reporter_id, t.due_at::text AS moment,
                   t.due_on || coalesce(' ' || to_char(t.due_time, 'HH24:MI'), '') AS due,
                   ARRAY(SELECT a.member_id FROM task_assignees a
                          WHERE a.company_id = t.company_id AND a.task_id = t.id) AS assignee_ids
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(company) AND t.deleted_at IS NULL AND t.archived_at IS NULL
               AND t.category IN ('backlog', 'unstarted', 'started') AND \(fragment: kind.isDue)
               AND t.\(unescaped: kind.column) IS DISTINCT FROM t.due_at
               AND p.deleted_at IS NULL AND p.status <> 'archived'
             ORDER BY t.due_at, t.id LIMIT \(TaskLimits.toldAtOnce) FOR NO KEY UPDATE OF t SKIP LOCKED
            """)
        if rows.isEmpty { return 0 }
        let people = try rows.flatMap { row in
            try row.get("assignee_ids", as: [UUID].self)
                + [try row.get("reporter_id", as: UUID?.self)].compactMap { $0 }
        }
        let users = try await TaskNews.users(of: people.unique, company, tx)
        for row in rows { try await tell(row, kind, users, company, tx) }
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        _ = try await tx.query(
            """
            UPDATE tasks SET \(unescaped: kind.column) = due_at WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
            """)
        return rows.count
    }

    @inline(never)
    private static func tell(
        _ row: Row, _ kind: Kind, _ users: [UUID: UUID], _ company: UUID, _ tx: Transaction
    ) async throws {
        let id: UUID = try row.get("id")
        let assignees = try row.get("assignee_ids", as: [UUID].self).compactMap { users[$0] }
        let reporter = try row.get("reporter_id", as: UUID?.self).flatMap { users[$0] }
        // What nobody works on concerns who wanted it.
        let audience =
            assignees.isEmpty
            ? Notify.Audience.users([reporter].compactMap { $0 }, as: "reporter")
            : Notify.Audience.users(assignees, as: "assignee")
        let moment: String = try row.get("moment")
        let news = News(
            kind.type, about: .init("task", id),
            values: [
                "key": .string(try row.get("key")), "title": .string(try row.get("title")),
                "due": .string(try row.get("due")),
            ], dedupeKey: "\(id) \(moment)", by: .system)
        try await Notify.record(news, to: audience, company: company, in: tx)
    }
}
