import API
import Core
import Postgres
import Wire

/// Tasks as a table that goes out, with names in place of ids.
extension ProjectsDomain {
    static let registeredExports = [
        ExportKind(
            "task", "Tasks", .tasksRead, filter: TaskFilter.self,
            columns: { member, environment in
                let custom = try await TaskExport.customKeys(member, environment)
                return TaskExport.columns + custom.map { .init("custom.\($0.key)", $0.name) }
            },
            base: { list, member, environment in
                let custom = try await TaskExport.customKeys(member, environment)
                return try TaskExport.base(list, member, custom.map(\.key))
            })
    ]
}

enum TaskExport {
    static let columns: [ExportKind.Column] = [
        .init("key", "Key"), .init("title", "Title"), .init("description", "Description"),
        .init("project", "Project"),
        .init("type", "Type"), .init("state", "State"), .init("category", "Category"),
        .init("priority", "Priority"),
        .init("assignees", "Assignees"), .init("reporter", "Reporter"), .init("sprint", "Sprint"),
        .init("parent", "Parent"),
        .init("tags", "Tags"), .init("points", "Points"), .init("estimate_minutes", "Estimate (minutes)"),
        .init("start_on", "Start"), .init("due_on", "Due"), .init("due_time", "Due time"),
        .init("completed_at", "Completed"), .init("created_at", "Created"), .init("updated_at", "Updated"),
    ]

    /// Fields of one key in several projects are one column.
    @inline(never)
    static func customKeys(_ member: Principal, _ environment: Environment) async throws -> [(
        key: String, name: String
    )] {
        let fields = try await environment[CustomFields.self].everyField(
            of: "task", company: member.companyId ?? .zero)
        var found: [(key: String, name: String)] = []
        for field in fields where !found.contains(where: { $0.key == field.key }) {
            found.append((field.key, field.name))
        }
        return found
    }

    static func base(_ list: List<TaskFilter>, _ member: Principal, _ custom: [String]) throws -> SQL {
        let company = member.companyId ?? .zero
        let own = custom.map { key -> SQL in
            // Keys are of small letters, digits and _.
            ", t.custom -> \(key)::text AS \(unescaped: "\"custom.\(key)\"")"
        }
        return """
            SELECT \(fragment: TaskRows.summary), t.description, t.priority_rank,
                   coalesce(t.due_at, timestamptz '9999-12-31 00:00:00+00') AS due, p.name AS project, s.name AS state,
                   \(fragment: names(isAssigned)) AS assignees,
                   \(fragment: names("m.id = t.reporter_id")) AS reporter,
                   (SELECT sp.name FROM sprints sp WHERE sp.company_id = t.company_id AND sp.id = t.sprint_id) AS sprint,
                   (SELECT p.key || '-' || above.number FROM tasks above
                     WHERE above.company_id = t.company_id AND above.id = t.parent_id) AS parent,
                   (SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) FROM task_tags tagged
                      JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
                     WHERE tagged.company_id = t.company_id AND tagged.task_id = t.id) AS tags
                   \(fragment: own.joined(separator: ""))
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
              JOIN project_states s ON s.company_id = t.company_id AND s.id = t.state_id
             WHERE t.company_id = \(company) AND t.deleted_at IS NULL AND \(fragment: ProjectAccess.visible(member))
                   \(fragment: list.filter.conditions(of: member))
            """
    }

    private static let isAssigned: SQL = """
        m.id IN (SELECT a.member_id FROM task_assignees a WHERE a.company_id = t.company_id AND a.task_id = t.id)
        """

    private static func names(_ condition: SQL) -> SQL {
        """
        (SELECT string_agg(u.name, ', ' ORDER BY u.name) FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.company_id = t.company_id AND \(fragment: condition))
        """
    }
}

extension TaskFilter {
    /// `conditions` for somebody who is not there: each begins with AND.
    func conditions(of member: Principal) -> SQL {
        let company = member.companyId ?? .zero
        var all: [SQL] = []
        if let projectId { all.append("t.project_id = ANY(\(projectId)::uuid[])") }
        if let assignee {
            let ids = assignee.compactMap { $0.text == "me" ? member.memberId : UUID($0.text) }
            let theirs: SQL =
                "EXISTS (SELECT 1 FROM task_assignees a WHERE a.company_id = t.company_id AND a.task_id = t.id"
            let nobody: SQL = assignee.contains(where: \.isNone) ? "NOT \(fragment: theirs))" : "FALSE"
            all.append("(\(fragment: nobody) OR \(fragment: theirs) AND a.member_id = ANY(\(ids)::uuid[])))")
        }
        for (choices, column) in [(sprint, "t.sprint_id"), (parent.map { [$0] }, "t.parent_id")] {
            guard let choices else { continue }
            let isNone: SQL = choices.contains { $0.id == nil } ? "\(unescaped: column) IS NULL" : "FALSE"
            all.append(
                "(\(fragment: isNone) OR \(unescaped: column) = ANY(\(choices.compactMap(\.id))::uuid[]))")
        }
        if let isOverdue { all.append("coalesce(\(fragment: TaskRows.isOverdue), false) = \(isOverdue)") }
        for (bounds, column) in [(createdAt, "t.created_at"), (updatedAt, "t.updated_at")] {
            if let least = bounds?.gte { all.append("\(unescaped: column) >= \(least)") }
            if let least = bounds?.gt { all.append("\(unescaped: column) > \(least)") }
            if let most = bounds?.lte { all.append("\(unescaped: column) <= \(most)") }
            if let most = bounds?.lt { all.append("\(unescaped: column) < \(most)") }
        }
        switch archived ?? .no {
        case .no: all.append("t.archived_at IS NULL")
        case .yes: all.append("t.archived_at IS NOT NULL")
        case .any: break
        }
        if let q { all.append(TaskSearch.condition(q.text, company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }
}
