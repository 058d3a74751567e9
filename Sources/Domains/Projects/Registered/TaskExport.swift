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
                let conditions = try await list.filter.conditions(
                    company: member.companyId ?? .zero, member: member.memberId,
                    fields: environment[CustomFields.self])
                return TaskExport.base(member, custom.map(\.key)) + conditions
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

    static func base(_ member: Principal, _ custom: [String]) -> SQL {
        let company = member.companyId ?? .zero
        let own = custom.map { key -> SQL in
            // Keys are of small letters, digits and _.
            ", t.custom -> \(key)::text AS \(unescaped: "\"custom.\(key)\"")"
        }
        let columns: SQL = """
            \(fragment: TaskRows.summary), t.description, \(fragment: TaskRows.sorts), own.name AS project, state.name AS state,
            \(fragment: names(isAssigned)) AS assignees,
            \(fragment: names("m.id = t.reporter_id")) AS reporter,
            (SELECT sp.name FROM sprints sp WHERE sp.company_id = t.company_id AND sp.id = t.sprint_id) AS sprint,
            (SELECT own.key || '-' || above.number FROM tasks above
              WHERE above.company_id = t.company_id AND above.id = t.parent_id) AS parent,
            (SELECT string_agg(tag.name, ', ' ORDER BY lower(tag.name)) FROM task_tags tagged
               JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
              WHERE tagged.company_id = t.company_id AND tagged.task_id = t.id) AS tags
            \(fragment: own.joined(separator: ""))
            """
        return TaskRows.select(columns, company: company, visible: ProjectAccess.visible(member))
    }

    private static let isAssigned: SQL = "m.id = ANY(t.assignee_ids)"

    private static func names(_ condition: SQL) -> SQL {
        """
        (SELECT string_agg(u.name, ', ' ORDER BY u.name) FROM memberships m JOIN users u ON u.id = m.user_id
          WHERE m.company_id = t.company_id AND \(fragment: condition))
        """
    }
}
