import Core
import Postgres
import Wire

/// A task as it stands when a change begins, with its row locked; and as it will stand.
struct TaskSnapshot: Decodable, Sendable {
    let id: UUID
    var projectId: UUID
    var projectKey: String
    var number: Int
    var type: TaskType
    var title: String
    var description: String?
    var stateId: UUID
    var stateName: String
    var category: StateCategory
    var priority: TaskPriority
    var parentId: UUID?
    var sprintId: UUID?
    var reporterId: UUID?
    var assigneeIds: [UUID]
    var tagIds: [UUID]
    var pointsHundredths: Int?
    var estimateMinutes: Int?
    var startOn: LocalDate?
    var dueOn: LocalDate?
    var dueTime: String?
    var custom: JSON
    var isArchived: Bool
    var deletedWith: UUID?
    let version: Int64
    /// Its place in the project it moves to.
    var newRank: Rank?

    private enum CodingKeys: CodingKey {
        case id, projectId, projectKey, number, type, title, description, stateId, stateName, category,
            priority
        case parentId, sprintId, reporterId, assigneeIds, tagIds, pointsHundredths, estimateMinutes, startOn,
            dueOn, dueTime
        case custom, isArchived, deletedWith, version
    }

    var key: String { "\(projectKey)-\(number)" }
    var isDeleted: Bool { deletedWith != nil }
    /// Members whom it concerns.
    var people: [UUID] { (assigneeIds + [reporterId].compactMap { $0 }).unique }

    var image: TaskImage {
        TaskImage(
            id: id, projectId: projectId, stateId: stateId, category: category, sprintId: sprintId,
            pointsHundredths: pointsHundredths, estimateMinutes: estimateMinutes, isDeleted: isDeleted)
    }

    /// Two statements, to be sent together: the first waits for the rows' locks in the order of their ids, the second
    /// reads what is there once they are held.
    static func locked(_ ids: [UUID], _ company: UUID) -> [SQL] {
        [
            """
            SELECT 1 FROM tasks WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) ORDER BY id FOR NO KEY UPDATE
            """,
            """
            SELECT t.id, t.project_id, p.key AS project_key, t.number, t.type, t.title, t.description, t.state_id,
                   s.name AS state_name, t.category, t.priority, t.parent_id, t.sprint_id, t.reporter_id,
                   t.assignee_ids,
                   \(fragment: ProjectsDomain.taskTags.ids(of: "t.id", company: company)) AS tag_ids,
                   (t.points * 100)::integer AS points_hundredths, t.estimate_minutes, t.start_on, t.due_on,
                   to_char(t.due_time, 'HH24:MI') AS due_time, t.custom, t.archived_at IS NOT NULL AS is_archived,
                   t.deleted_with, t.version
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
              JOIN project_states s ON s.company_id = t.company_id AND s.id = t.state_id
             WHERE t.company_id = \(company) AND t.id = ANY(\(ids)::uuid[])
             ORDER BY t.id
            """,
        ]
    }

    /// The fields as the history keeps them.
    private var fields: [(TaskField, JSON)] {
        [
            (.project, .string(projectId.description)), (.key, .string(key)), (.title, .string(title)),
            (.description, .optional(description)), (.type, .string(type.rawValue)),
            (.state, .string(stateId.description)), (.priority, .string(priority.rawValue)),
            (.parent, .id(parentId)), (.sprint, .id(sprintId)), (.reporter, .id(reporterId)),
            (.assignees, .array(assigneeIds.map { .string($0.description) })),
            (.tags, .array(tagIds.map { .string($0.description) })),
            (.points, pointsHundredths.flatMap { JSON.Number(Double($0) / 100) }.map(JSON.number) ?? .null),
            (.estimateMinutes, estimateMinutes.map { JSON($0) } ?? .null),
            (.startOn, .optional(startOn?.description)), (.dueOn, .optional(dueOn?.description)),
            (.dueTime, .optional(dueTime)), (.custom, custom), (.archived, .bool(isArchived)),
            (.deleted, .bool(isDeleted)),
        ]
    }

    /// What a later snapshot has otherwise, field by field.
    func differences(to after: TaskSnapshot) -> [TaskFieldChange] {
        zip(fields, after.fields).flatMap { old, new -> [TaskFieldChange] in
            guard old.1 != new.1 else { return [] }
            if old.0 == .custom { return Self.customChanges(old.1, new.1) }
            return [TaskFieldChange(field: old.0, before: old.1, after: new.1)]
        }
    }

    /// Each custom value is a field of its own.
    private static func customChanges(_ old: JSON, _ new: JSON) -> [TaskFieldChange] {
        let keys = (old.objectValue?.members ?? []).map(\.key) + (new.objectValue?.members ?? []).map(\.key)
        var seen: Set<String> = []
        return keys.filter { seen.insert($0).inserted && old[$0] != new[$0] }.map { key in
            TaskFieldChange(
                field: .custom, customKey: key, before: old[key] ?? .null, after: new[key] ?? .null)
        }
    }
}

/// What of a task can change.
enum TaskField: String, Sendable {
    case project, key, title, description, type, state, priority, parent, sprint, reporter, assignees, tags,
        points
    case estimateMinutes = "estimate_minutes"
    case startOn = "start_on"
    case dueOn = "due_on"
    case dueTime = "due_time"
    case custom, archived, deleted
}

struct TaskFieldChange: Sendable {
    let field: TaskField
    var customKey: String?
    let before: JSON
    let after: JSON

    /// As history and events call it.
    var name: String { customKey.map { "custom.\($0)" } ?? field.rawValue }
}
