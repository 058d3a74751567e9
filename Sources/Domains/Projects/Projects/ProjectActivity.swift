import API
import Postgres
import Wire

/// What was done in a project, newest first.
enum ProjectActivity {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/activity", "List what was done in a project", .can(.projectsRead), list)
            .describe(
                """
                The acts on the project itself and on its sprints, and every change of a field of its tasks. \
                Acts about money and requests are shown to those who manage it.
                """)
    }

    struct Entry: Codable, Sendable, FieldNotes {
        let id: UUID
        let at: Timestamp
        let actorName: String?
        let action: String
        let subjectType: String
        let subjectId: UUID
        let subjectKey: String?
        let before: JSON?
        let after: JSON?

        static let fieldNotes = [
            "actor_name": "Null for what the program did by itself.",
            "action": "`task.created`, `task.state` and so on: the field of the task that changed.",
            "subject_key": "`WEB-142` for a task; else the project's key.",
        ]
    }

    struct Filter: ListFilter {
        let action: [Text<80>]?
        let subjectType: [Text<40>]?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Entry> {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        let company = try call.company
        return try await call.page(
            list,
            "\(fragment: acts(head, company)) UNION ALL \(fragment: changes(head.id, company))")
    }

    /// Money, and what others have asked for, are for those who manage the project.
    private static let ofManagers = [
        "project.budget_changed", "project.cost_added", "project.cost_deleted", "project.request_made",
        "project.request_accepted", "project.request_declined", "project.request_snoozed",
        "project.request_duplicate",
    ]

    private static func acts(_ head: ProjectHead, _ company: UUID) -> SQL {
        let hidden = head.right == .manage ? [] : ofManagers
        let project = head.id
        return """
            SELECT a.id, a.at, u.name AS actor_name, a.action, a.target_type AS subject_type, a.target_id AS subject_id,
                   p.key AS subject_key, a.before, a.after
              FROM audit_log a
              JOIN projects p ON p.company_id = a.company_id AND p.id = \(project)
              LEFT JOIN users u ON u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
             WHERE a.company_id = \(company) AND NOT a.action = ANY(\(hidden))
               AND (a.target_type = 'project' AND a.target_id = p.id
                    OR a.target_type = 'sprint' AND a.target_id IN (
                       SELECT s.id FROM sprints s WHERE s.company_id = \(company) AND s.project_id = \(project)))
            """
    }

    private static func changes(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT h.id, h.at, u.name, 'task.' || h.field, 'task', h.task_id, p.key || '-' || t.number,
               CASE WHEN h.before IS NOT NULL THEN jsonb_build_object(h.field, h.before) END,
               CASE WHEN h.after IS NOT NULL THEN jsonb_build_object(h.field, h.after) END
          FROM tasks t
          JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
          JOIN task_history h ON h.company_id = t.company_id AND h.task_id = t.id
          LEFT JOIN memberships m ON m.company_id = h.company_id AND m.id = h.member_id
          LEFT JOIN users u ON u.id = m.user_id
         WHERE t.company_id = \(company) AND t.project_id = \(project) AND t.deleted_at IS NULL
        """
    }
}
