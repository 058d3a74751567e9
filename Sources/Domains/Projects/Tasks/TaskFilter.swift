import API
import Core
import Postgres
import Wire

/// Which tasks are wanted; values of one property are alternatives, properties go together.
struct TaskFilter: ListFilter {
    let projectId: [UUID]?
    let stateId: [UUID]?
    let category: [StateCategory]?
    let assignee: [AssigneeChoice]?
    let reporterId: [UUID]?
    let priority: [TaskPriority]?
    let type: [TaskType]?
    let sprint: [IdOrNone]?
    let parent: IdOrNone?
    let milestone: [IdOrNone]?
    let dueOn: Bounds<LocalDate>?
    let isOverdue: Bool?
    let isBlocked: Bool?
    let archived: ArchivedChoice?
    let createdAt: Bounds<Timestamp>?
    let updatedAt: Bounds<Timestamp>?
    let completedAt: Bounds<Timestamp>?
    let tag: [UUID]?
    let custom: CustomFilter?
    let q: Text<200>?

    static let sorts = ["-created_at", "rank", "priority_rank", "due", "updated_at", "number"]
    static let ownFields: Set<String> = [
        "project_id", "assignee", "sprint", "parent", "milestone", "is_overdue", "archived", "created_at",
        "updated_at", "tag", "custom", "q",
    ]

    /// The one member whose tasks are wanted, if it is one.
    func onlyAssignee(me: UUID?) -> UUID? {
        assignee?.count == 1 ? assignee?[0].member(me: me) : nil
    }

    /// What the columns of a list do not say by themselves; each begins with AND.
    /// - Parameter isAssigned: the rows are one assignee's already.
    func conditions(
        company: UUID, member: UUID?, fields: CustomFields, isAssigned: Bool = false
    ) async throws -> SQL {
        var all: [SQL] = []
        if let projectId {
            // One project is compared as such, so that its order can be read from the index.
            all.append(
                projectId.count == 1
                    ? "t.project_id = \(projectId[0])" : "t.project_id = ANY(\(projectId)::uuid[])")
        }
        if let assignee, !isAssigned { all.append(Self.assigned(to: assignee, company, me: member)) }
        if let sprint { all.append(Self.oneOf(sprint, "t.sprint_id")) }
        if let parent { all.append(Self.oneOf([parent], "t.parent_id")) }
        if let milestone { all.append(Self.reached(milestone, company)) }
        if let isOverdue {
            all.append(
                isOverdue ? TaskRows.isOverdue : "NOT coalesce(\(fragment: TaskRows.isOverdue), false)")
        }
        if let createdAt { all += Self.within(createdAt, "t.created_at") }
        if let updatedAt { all += Self.within(updatedAt, "t.updated_at") }
        switch archived ?? .no {
        case .no: all.append("t.archived_at IS NULL")
        case .yes: all.append("t.archived_at IS NOT NULL")
        case .any: break
        }
        if let tag { all.append(ProjectsDomain.taskTags.hasAny(tag, of: "t.id", company: company)) }
        if let custom {
            let scope = projectId?.count == 1 ? projectId?.first : nil
            all.append(
                try await fields.condition(custom, on: "t.custom", of: "task", scope: scope, company: company)
            )
        }
        if let q { all.append(TaskSearch.condition(q.text, company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }

    static func assigned(to choices: [AssigneeChoice], _ company: UUID, me: UUID?) -> SQL {
        let members = choices.compactMap { $0.member(me: me) }
        var terms: [SQL] = []
        if !members.isEmpty {
            terms.append(
                """
                t.id IN (SELECT a.task_id FROM task_assignees a
                          WHERE a.company_id = \(company) AND a.member_id = ANY(\(members)::uuid[]))
                """)
        }
        if choices.contains(where: \.isNone) {
            terms.append("t.assignee_ids = '{}'")
        }
        // An empty choice (`sprint=`) is nobody's.
        return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
    }

    /// Part of one of these milestones, or of none.
    private static func reached(_ choices: [IdOrNone], _ company: UUID) -> SQL {
        let linked: SQL = "SELECT link.task_id FROM milestone_tasks link WHERE link.company_id = \(company)"
        let ids = choices.compactMap(\.id)
        var terms: [SQL] = []
        if !ids.isEmpty {
            terms.append("t.id IN (\(fragment: linked) AND link.milestone_id = ANY(\(ids)::uuid[]))")
        }
        if choices.contains(where: { $0.id == nil }) {
            terms.append("NOT EXISTS (\(fragment: linked) AND link.task_id = t.id)")
        }
        return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
    }

    static func oneOf(_ choices: [IdOrNone], _ column: String) -> SQL {
        let ids = choices.compactMap(\.id)
        var terms: [SQL] = []
        if !ids.isEmpty { terms.append("\(unescaped: column) = ANY(\(ids)::uuid[])") }
        if choices.contains(where: { $0.id == nil }) { terms.append("\(unescaped: column) IS NULL") }
        // An empty choice (`sprint=`) is nobody's.
        return terms.isEmpty ? "FALSE" : "(\(fragment: terms.joined(separator: " OR ")))"
    }

    private static func within(_ bounds: Bounds<Timestamp>, _ column: String) -> [SQL] {
        [(">=", bounds.gte), (">", bounds.gt), ("<=", bounds.lte), ("<", bounds.lt)].compactMap {
            sign, value in
            value.map { "\(unescaped: "\(column) \(sign) ")\($0)" }
        }
    }
}

extension TaskFilter: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "assignee": "Members by id, `me`, or `none` for tasks that nobody is assigned to.",
            "sprint": "Sprints by id, or `none` for tasks that are in no sprint.",
            "parent": "The sub-tasks of a task, or `none` for tasks that are part of no other.",
            "milestone": "Milestones by id, or `none` for tasks that are part of none.",
            "q":
                "Words of title and description, or their beginnings, or a key. A slip in a longer word is forgiven.",
        ]
    }
}

enum ArchivedChoice: String, Codable, CaseIterable, Sendable { case no, yes, any }

private let idPattern = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

/// `me`, `none`, or the id of a member.
struct AssigneeChoice: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 2...36, pattern: "^(me|none|\(idPattern))$") { text in
            text == "me" || text == "none" || UUID(text) != nil
                ? nil : "must be me, none or the id of a member"
        }
    }
    static var exampleText: String { "me" }

    var isNone: Bool { text == "none" }

    func member(me: UUID?) -> UUID? { text == "me" ? me : UUID(text) }
}

/// An id, or `none`.
struct IdOrNone: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 4...36, pattern: "^(none|\(idPattern))$") { text in
            text == "none" || UUID(text) != nil ? nil : "must be an id, or none"
        }
    }
    static var exampleText: String { "none" }

    var id: UUID? { UUID(text) }
}
