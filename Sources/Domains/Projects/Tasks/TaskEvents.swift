import Core
import Postgres
import Wire

/// What others may react to, recorded in the transaction of the change.
enum TaskEvents {
    static let all = [
        created.erased, updated.erased, stateChanged.erased, assigned.erased, completed.erased, moved.erased,
        deleted.erased, restored.erased,
    ]

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20")!
    private static let project = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a21")!
    private static let state = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a22")!
    private static let other = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a23")!

    struct TaskData: Codable, Sendable {
        let taskId: UUID
        let projectId: UUID
        let key: String
        let title: String
    }

    private static let task = TaskData(
        taskId: id, projectId: project, key: "WEB-142", title: "Write the launch page")
    static let created = EventType("task.created", "A task was made.", example: task)
    static let completed = EventType("task.completed", "A task was done.", example: task)
    static let deleted = EventType("task.deleted", "A task was put into the trash.", example: task)
    static let restored = EventType("task.restored", "A task was taken out of the trash.", example: task)

    struct UpdateData: Codable, Sendable {
        let taskId: UUID
        let projectId: UUID
        let key: String
        let changed: [String]
    }

    static let updated = EventType(
        "task.updated", "A task changed: `changed` names the fields.",
        example: UpdateData(taskId: id, projectId: project, key: "WEB-142", changed: ["title", "due_on"]))

    struct StateData: Codable, Sendable {
        let taskId: UUID
        let projectId: UUID
        let key: String
        let fromStateId: UUID
        let toStateId: UUID
        let fromCategory: StateCategory
        let toCategory: StateCategory
    }

    static let stateChanged = EventType(
        "task.state_changed", "A task is in another state.",
        example: StateData(
            taskId: id, projectId: project, key: "WEB-142", fromStateId: state, toStateId: other,
            fromCategory: .unstarted, toCategory: .started))

    struct AssignmentData: Codable, Sendable {
        let taskId: UUID
        let projectId: UUID
        let key: String
        let added: [UUID]
        let removed: [UUID]
    }

    static let assigned = EventType(
        "task.assigned", "Other members are assigned to a task.",
        example: AssignmentData(taskId: id, projectId: project, key: "WEB-142", added: [other], removed: []))

    struct MoveData: Codable, Sendable {
        let taskId: UUID
        let fromProjectId: UUID
        let toProjectId: UUID
        let oldKey: String
        let key: String
    }

    static let moved = EventType(
        "task.moved", "A task went to another project.",
        example: MoveData(
            taskId: id, fromProjectId: project, toProjectId: other, oldKey: "WEB-142", key: "APP-7"))

    static func created(
        _ drafts: [TaskWriting.Draft], _ made: [TaskWriting.CreatedTask], _ images: [TaskImage],
        by actor: Audit.Actor,
        company: UUID
    ) throws -> [SQL] {
        var events: [SQL] = []
        for ((draft, task), image) in zip(zip(drafts, made), images) {
            let data = TaskData(taskId: task.id, projectId: draft.project, key: task.key, title: draft.title)
            events.append(try Events.sql(created, data, on: "task", task.id, by: actor, company: company))
            if image.category == .completed {
                events.append(
                    try Events.sql(completed, data, on: "task", task.id, by: actor, company: company))
            }
            if !draft.assignees.isEmpty {
                let assignment = AssignmentData(
                    taskId: task.id, projectId: draft.project, key: task.key, added: draft.assignees,
                    removed: [])
                events.append(
                    try Events.sql(assigned, assignment, on: "task", task.id, by: actor, company: company))
            }
        }
        return events
    }

    static func changed(_ change: TaskWriting.Changed, by actor: Audit.Actor, _ company: UUID) throws -> [SQL]
    {
        let (old, new) = (change.before, change.after)
        let data = TaskData(taskId: new.id, projectId: new.projectId, key: new.key, title: new.title)
        func event<Data>(_ type: EventType<Data>, _ data: Data) throws -> SQL {
            try Events.sql(type, data, on: "task", new.id, by: actor, company: company)
        }
        if old.isDeleted != new.isDeleted { return [try event(new.isDeleted ? deleted : restored, data)] }
        var events = [
            try event(
                updated,
                UpdateData(taskId: new.id, projectId: new.projectId, key: new.key, changed: change.names))
        ]
        if old.projectId != new.projectId {
            events.append(
                try event(
                    moved,
                    MoveData(
                        taskId: new.id, fromProjectId: old.projectId, toProjectId: new.projectId,
                        oldKey: old.key,
                        key: new.key)))
        }
        if old.stateId != new.stateId {
            events.append(
                try event(
                    stateChanged,
                    StateData(
                        taskId: new.id, projectId: new.projectId, key: new.key, fromStateId: old.stateId,
                        toStateId: new.stateId, fromCategory: old.category, toCategory: new.category)))
        }
        if old.category != .completed, new.category == .completed {
            events.append(try event(completed, data))
        }
        let added = new.assigneeIds.filter { !old.assigneeIds.contains($0) }
        let removed = old.assigneeIds.filter { !new.assigneeIds.contains($0) }
        if !added.isEmpty || !removed.isEmpty {
            events.append(
                try event(
                    assigned,
                    AssignmentData(
                        taskId: new.id, projectId: new.projectId, key: new.key, added: added, removed: removed
                    )))
        }
        return events
    }
}
