import API
import Postgres
import Wire

/// How a project stands, in one look.
enum ProjectSummary {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/summary", "See how a project stands", .can(.projectsRead), read)
            .describe("Counted at the moment of asking, without tasks in the archive or the trash.")
    }

    struct Summary: Codable, Sendable, FieldNotes {
        let projectId: UUID
        let status: ProjectStatus
        let tasks: Int
        let backlog: Int
        let unstarted: Int
        let started: Int
        let completed: Int
        let cancelled: Int
        let overdue: Int
        let dueThisWeek: Int
        let unassigned: Int
        let pointsTotal: Double
        let pointsDone: Double
        let estimateMinutes: Int
        let spentMinutes: Int
        let budgetPercent: Double?
        let progressPercent: Double?
        let members: Int
        let activeSprint: String?
        let daysLeft: Int?

        static let fieldNotes = [
            "overdue": "Open tasks whose due moment is over.",
            "due_this_week": "Open tasks that are due within seven days.",
            "unassigned": "Open tasks that are nobody's.",
            "spent_minutes": "All time entered in the project.",
            "budget_percent":
                "Used of the budget; null without one, and for those who do not manage the project.",
            "progress_percent": "Completed tasks among those not cancelled; null while there are none.",
            "days_left": "Until the project is due, in its own time zone; negative when it is over.",
        ]
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Summary> {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        return try Single(await call.db.query(select(head, call.company)))
    }

    private static let isOpen = "t.category IN ('backlog', 'unstarted', 'started')"

    private static func select(_ head: ProjectHead, _ company: UUID) -> SQL {
        let budget: SQL =
            head.right == .manage
            ? "(SELECT f.percent FROM (\(fragment: Budgets.figures(head.id, company))) f)" : "NULL::float8"
        return """
            SELECT p.id AS project_id, p.status, c.tasks, c.backlog, c.unstarted, c.started, c.completed, c.cancelled,
                   c.overdue, c.due_this_week, c.unassigned, c.points_total, c.points_done, c.estimate_minutes,
                   (SELECT coalesce(sum(e.minutes), 0)::bigint FROM time_entries e
                     WHERE e.company_id = p.company_id AND e.project_id = p.id) AS spent_minutes,
                   \(fragment: budget) AS budget_percent,
                   round(100.0 * c.completed / nullif(c.tasks - c.cancelled, 0), 1)::float8 AS progress_percent,
                   (SELECT count(*) FROM project_members place
                     WHERE place.company_id = p.company_id AND place.project_id = p.id) AS members,
                   (SELECT s.name FROM sprints s
                     WHERE s.company_id = p.company_id AND s.project_id = p.id AND s.status = 'active'
                     ORDER BY s.starts_on LIMIT 1) AS active_sprint,
                   p.due_on - (now() AT TIME ZONE p.time_zone)::date AS days_left
              FROM projects p
             CROSS JOIN LATERAL (
                   SELECT count(*) AS tasks,
                          count(*) FILTER (WHERE t.category = 'backlog') AS backlog,
                          count(*) FILTER (WHERE t.category = 'unstarted') AS unstarted,
                          count(*) FILTER (WHERE t.category = 'started') AS started,
                          count(*) FILTER (WHERE t.category = 'completed') AS completed,
                          count(*) FILTER (WHERE t.category = 'cancelled') AS cancelled,
                          count(*) FILTER (WHERE \(unescaped: isOpen) AND t.due_at < now()) AS overdue,
                          count(*) FILTER (WHERE \(unescaped: isOpen) AND t.due_at >= now()
                                             AND t.due_at < now() + interval '7 days') AS due_this_week,
                          count(*) FILTER (WHERE \(unescaped: isOpen) AND NOT EXISTS (
                              SELECT 1 FROM task_assignees a
                               WHERE a.company_id = t.company_id AND a.task_id = t.id)) AS unassigned,
                          coalesce(sum(t.points) FILTER (WHERE t.category <> 'cancelled'), 0)::float8 AS points_total,
                          coalesce(sum(t.points) FILTER (WHERE t.category = 'completed'), 0)::float8 AS points_done,
                          coalesce(sum(t.estimate_minutes) FILTER (WHERE t.category <> 'cancelled'), 0)::bigint
                              AS estimate_minutes
                     FROM tasks t
                    WHERE t.company_id = p.company_id AND t.project_id = p.id AND t.deleted_at IS NULL
                      AND t.archived_at IS NULL) c
             WHERE p.company_id = \(company) AND p.id = \(head.id)
            """
    }
}
