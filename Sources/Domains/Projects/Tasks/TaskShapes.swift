import API
import Postgres
import Wire

enum TaskType: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case task, story, bug, epic
}

enum TaskPriority: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case none, low, medium, high, urgent
}

/// A task as lists and boards show it.
struct TaskSummary: Codable, Sendable {
    let id: UUID
    let key: String
    let projectId: UUID
    let number: Int
    let type: TaskType
    let title: String
    let stateId: UUID
    let stateName: String
    let category: StateCategory
    let priority: TaskPriority
    let rank: String
    let parentId: UUID?
    let sprintId: UUID?
    let reporterId: UUID?
    let assigneeIds: [UUID]
    let tagIds: [UUID]
    let points: Double?
    let estimateMinutes: Int?
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let dueTime: String?
    let dueAt: Timestamp?
    let isOverdue: Bool
    let isBlocked: Bool
    let subtaskCount: Int
    let subtaskDoneCount: Int
    let custom: JSON
    let completedAt: Timestamp?
    let archivedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let project: Expanded<ProjectBrief>?
    let reporter: Expanded<PersonBrief>?
    let assignees: Expanded<[PersonBrief]>?
    let sprint: Expanded<SprintBrief>?
    let parent: Expanded<TaskReference>?

    struct ProjectBrief: Codable, Sendable {
        let id: UUID
        let key: String
        let name: String
    }

    /// A member, by his membership.
    struct PersonBrief: Codable, Sendable {
        let id: UUID
        let name: String
    }

    struct SprintBrief: Codable, Sendable {
        let id: UUID
        let name: String
        let status: String
    }
}

extension TaskSummary: Expandable {
    static func expansion(_ name: String, company: UUID) -> SQL {
        switch name {
        case "project":
            """
            SELECT jsonb_build_object('id', x.id, 'key', x.key, 'name', x.name) FROM projects x
             WHERE x.company_id = \(company) AND x.id = row.project_id
            """
        case "reporter":
            """
            SELECT jsonb_build_object('id', m.id, 'name', u.name) FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND m.id = row.reporter_id
            """
        case "assignees":
            """
            SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'name', u.name) ORDER BY u.name, m.id), '[]')
              FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND m.id = ANY(row.assignee_ids)
            """
        case "sprint":
            """
            SELECT jsonb_build_object('id', x.id, 'name', x.name, 'status', x.status) FROM sprints x
             WHERE x.company_id = \(company) AND x.id = row.sprint_id
            """
        default:
            """
            SELECT jsonb_build_object('id', x.id, 'key', xp.key || '-' || x.number, 'title', x.title, 'category', x.category)
              FROM tasks x JOIN projects xp ON xp.company_id = x.company_id AND xp.id = x.project_id
             WHERE x.company_id = \(company) AND x.id = row.parent_id
            """
        }
    }
}

extension TaskSummary: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "key": "The project's key and the number: what people call it by.",
            "rank": "Its place in the project's order; compare as bytes.",
            "due_time": "As HH:MM in the project's time zone; null for the end of the day.",
            "due_at": "The moment by which it is due.",
            "is_blocked": "Another task, which is still open, blocks it.",
            "points": "With at most two decimals.",
            "subtask_count": "Sub-tasks that are not cancelled.",
        ]
    }
}

/// A task with all there is to it.
struct ProjectTask: Codable, Sendable {
    let id: UUID
    let key: String
    let projectId: UUID
    let number: Int
    let type: TaskType
    let title: String
    let description: String?
    let stateId: UUID
    let stateName: String
    let category: StateCategory
    let priority: TaskPriority
    let rank: String
    let parentId: UUID?
    let sprintId: UUID?
    let reporterId: UUID?
    let assigneeIds: [UUID]
    let tagIds: [UUID]
    let points: Double?
    let estimateMinutes: Int?
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let dueTime: String?
    let dueAt: Timestamp?
    let isOverdue: Bool
    let isBlocked: Bool
    let subtaskCount: Int
    let subtaskDoneCount: Int
    let checklistCount: Int
    let checklistDoneCount: Int
    let blockedBy: [TaskReference]
    let blocks: [TaskReference]
    let custom: JSON
    let completedAt: Timestamp?
    let archivedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension ProjectTask: FieldNotes {
    static var fieldNotes: [String: String] { TaskSummary.fieldNotes }
}

/// Another task, named.
struct TaskReference: Codable, Sendable {
    let id: UUID
    let key: String
    let title: String
    let category: StateCategory
}

struct NewTask: Codable, Sendable {
    let projectId: UUID
    let title: Text<250>
    let description: Prose<20_000>?
    let type: TaskType?
    let stateId: UUID?
    let priority: TaskPriority?
    let parentId: UUID?
    let sprintId: UUID?
    let reporterId: UUID?
    let assigneeIds: UpTo<20, UUID>?
    let points: Points?
    let estimateMinutes: Minutes?
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let dueTime: DayTime?
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?
}

extension NewTask: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "state_id": "A state of the project; its initial one when absent.",
            "reporter_id": "The caller when absent.",
            "due_time":
                "As HH:MM in the project's time zone; without it the task is due at the end of `due_on`.",
        ]
    }
}

struct TaskChange: Codable, Sendable {
    let title: Text<250>?
    let description: Clearable<Prose<20_000>>
    let type: TaskType?
    let priority: TaskPriority?
    let parentId: Clearable<UUID>
    let sprintId: Clearable<UUID>
    let reporterId: Clearable<UUID>
    let assigneeIds: UpTo<20, UUID>?
    let points: Clearable<Points>
    let estimateMinutes: Clearable<Minutes>
    let startOn: Clearable<LocalDate>
    let dueOn: Clearable<LocalDate>
    let dueTime: Clearable<DayTime>
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?
}

extension TaskChange: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "custom": "Merged into the values there are; null takes a value away.",
            "assignee_ids": "All of them: who is not named is assigned no longer.",
            "tag_ids": "All of them: those not named are taken off.",
            "due_on": "Null takes the time along.",
        ]
    }
}

/// An estimate of size, with at most two decimals.
struct Points: NumberValue, SQLBindable {
    let value: Double
    init(unchecked value: Double) { self.value = value }

    static var schema: Schema {
        Schema(.number(minimum: 0, maximum: 9999), note: "With at most two decimals.", example: 5)
    }
    static var sample: Points { Points(unchecked: 5) }

    var hundredths: Int { Int((value * 100).rounded()) }
}

/// A span of work, up to some years of one person.
typealias Minutes = Whole<0, 1_000_000>

/// A time of day as `17:30`.
struct DayTime: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 5...5, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$") { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
                let minute = Int(parts[1]), (0...23).contains(hour), (0...59).contains(minute)
            else { return "is no time of day like 17:30" }
            return nil
        }
    }
    static var exampleText: String { "17:30" }

    var minutes: Int { Int(text.prefix(2))! * 60 + Int(text.suffix(2))! }
}
