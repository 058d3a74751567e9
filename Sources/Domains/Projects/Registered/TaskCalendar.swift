import API
import Core
import Postgres
import Wire

/// What is due of tasks and projects.
extension ProjectsDomain {
    static let registeredCalendar = [
        CalendarSource("task", "Tasks", .tasksRead) { member, from, to, isMine in
            """
            SELECT t.id, p.key || '-' || t.number || ' ' || t.title AS title, t.description,
                   '/tasks/' || p.key || '-' || t.number AS link,
                   CASE WHEN t.due_time IS NULL THEN t.due_on END AS starts_on,
                   CASE WHEN t.due_time IS NULL THEN t.due_on END AS ends_on,
                   CASE WHEN t.due_time IS NOT NULL THEN t.due_at END AS starts_at, NULL::timestamptz AS ends_at,
                   t.category = 'completed' AS is_done, t.version, t.created_at, t.updated_at
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(member.companyId) AND t.deleted_at IS NULL AND t.archived_at IS NULL
               AND t.category <> 'cancelled' AND t.due_at >= \(from) AND t.due_at <= \(to)
               AND \(fragment: ProjectAccess.visible(member))
               AND (\(!isMine) OR EXISTS (
                   SELECT 1 FROM task_assignees a
                    WHERE a.company_id = t.company_id AND a.task_id = t.id AND a.member_id = \(member.memberId)))
            """
        },
        CalendarSource("project", "Projects", .projectsRead) { member, from, to, isMine in
            """
            SELECT p.id, p.key || ' ' || p.name AS title, p.description, '/projects/' || p.key AS link,
                   p.due_on AS starts_on, p.due_on AS ends_on, NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at,
                   p.completed_at IS NOT NULL AS is_done, p.version, p.created_at, p.updated_at
              FROM projects p
             WHERE p.company_id = \(member.companyId) AND p.archived_at IS NULL
               AND p.due_on >= (\(from)::timestamptz AT TIME ZONE p.time_zone)::date
               AND p.due_on <= (\(to)::timestamptz AT TIME ZONE p.time_zone)::date
               AND \(fragment: ProjectAccess.visible(member)) AND (\(!isMine) OR p.lead_id = \(member.memberId))
            """
        },
    ]
}
