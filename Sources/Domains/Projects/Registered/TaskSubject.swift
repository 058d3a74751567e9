import API
import Core
import Postgres
import Wire

/// Tasks and projects as things that have comments, tags, fields of their own and saved views, and that are found.
extension ProjectsDomain {
    static let registeredSubjects = [taskSubject, projectSubject]
    static let registeredPersonalData: [PersonalData] = [.none("task_tags", "which task carries which tag")]

    static let taskTags = Tagging(table: "task_tags", column: "task_id")

    private static let taskSubject = Subject(
        "task", "Task", .tasksRead, tagging: taskTags,
        fields: CustomFieldHome(table: "tasks", scopeColumn: "project_id") { project, isChange, call in
            _ = try await ProjectAccess.require(isChange ? .manage : .see, in: project, call)
        },
        view: ViewShape(
            TaskFilter.self,
            columns: [
                "key", "title", "type", "state", "priority", "assignees", "reporter", "sprint", "points",
                "estimate_minutes",
                "start_on", "due_on", "tags", "created_at", "updated_at", "completed_at",
            ],
            groups: ["state", "category", "priority", "assignee", "sprint", "type"]),
        search: SubjectSearch { member, text, limit in
            let company = member.companyId ?? .zero
            return """
                SELECT t.id, t.title, p.key || '-' || t.number AS detail, '/tasks/' || p.key || '-' || t.number AS link,
                       (found.rank * CASE WHEN t.completed_at IS NULL THEN 1 ELSE 0.5 END / 10)::real AS rank, t.updated_at
                  FROM (\(fragment: TaskSearch.matching(text, company))) AS found
                  JOIN tasks t ON t.company_id = \(company) AND t.id = found.subject_id
                  JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
                 WHERE t.company_id = \(company) AND t.deleted_at IS NULL AND \(fragment: ProjectAccess.visible(member))
                 ORDER BY rank DESC, t.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in
            let from: SQL = """
                tasks t JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
                 WHERE t.company_id = \(try call.company) AND t.id = \(id) AND t.deleted_at IS NULL
                """
            let title: SQL = "p.key || '-' || t.number || ' ' || t.title"
            return try await head(title, link: "'/tasks/' || p.key || '-' || t.number", from, call)
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM tasks t JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
                     WHERE t.company_id = \(company) AND t.id = \(id) AND t.deleted_at IS NULL
                       AND \(fragment: isSeenByMember))
            """
        })

    private static let projectSubject = Subject(
        "project", "Project", .projectsRead,
        view: ViewShape(
            Projects.Filter.self,
            columns: ["key", "name", "status", "lead", "start_on", "due_on", "created_at"],
            groups: ["status", "lead"]),
        search: SubjectSearch { member, text, limit in
            """
            SELECT p.id, p.name AS title, p.key AS detail, '/projects/' || p.key AS link,
                   CASE WHEN p.archived_at IS NULL THEN 1.5 ELSE 0.5 END::real AS rank, p.updated_at
              FROM projects p
             WHERE p.company_id = \(member.companyId) AND \(fragment: ProjectAccess.visible(member))
               AND (p.name ILIKE \("%\(SQL.literalPattern(text))%") OR p.key ILIKE \("\(SQL.literalPattern(text))%"))
             ORDER BY rank DESC, p.updated_at DESC LIMIT \(limit)
            """
        },
        see: { call, id in
            let from: SQL = "projects p WHERE p.company_id = \(try call.company) AND p.id = \(id)"
            return try await head("p.key || ' ' || p.name", link: "'/projects/' || p.key", from, call)
        },
        visible: { company, id in
            """
            EXISTS (SELECT 1 FROM projects p
                     WHERE p.company_id = \(company) AND p.id = \(id) AND \(fragment: isSeenByMember))
            """
        })

    @inline(never)
    private static func head(_ title: SQL, link: SQL, _ from: SQL, _ call: Call) async throws -> SubjectHead?
    {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: title) AS title, \(fragment: link) AS link, p.status, \(fragment: try ProjectAccess.level(call)) AS level
              FROM \(fragment: from) AND \(fragment: try ProjectAccess.visible(call))
            """)
        guard let row = rows.first else { return nil }
        let right = ProjectRight(rawValue: try row.get("level")) ?? .see
        let status: ProjectStatus = try row.get("status")
        return SubjectHead(
            title: try row.get("title"), link: try row.get("link"),
            canComment: right >= .comment && status != .archived,
            canModerate: right >= .manage && status != .archived)
    }

    /// The rule of `ProjectAccess` for a row `m` of memberships and a row `p` of projects.
    static let isSeenByMember: SQL = """
        (p.deleted_at IS NULL AND (p.lead_id = m.id
         OR EXISTS (SELECT 1 FROM project_members place
                     WHERE place.company_id = p.company_id AND place.project_id = p.id AND place.member_id = m.id)
         OR \(fragment: Permission.projectsManage.isHeld())
         OR p.visibility = 'company' AND NOT (
            EXISTS (SELECT 1 FROM member_roles guest JOIN roles r ON r.company_id = guest.company_id AND r.id = guest.role_id
                     WHERE guest.company_id = m.company_id AND guest.member_id = m.id AND r.is_builtin AND r.key = 'client')
            AND NOT EXISTS (
                SELECT 1 FROM member_roles other JOIN roles r ON r.company_id = other.company_id AND r.id = other.role_id
                 WHERE other.company_id = m.company_id AND other.member_id = m.id AND r.is_builtin AND r.key <> 'client'))))
        """
}
