import API
import Core
import HTTP
import Postgres
import Wire

/// Tasks: made, found, changed and put into the trash.
enum Tasks {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks", "List tasks", .can(.tasksRead), list)
            .describe(
                "Of all projects one may see. Archived tasks are left out unless `archived` asks for them. `q` finds words "
                    + "of title and description whole, by their beginning or with a slip, and a task by its key. `sort=rank` is the order of a "
                    + "project."
            )
            .example(answer: TaskExamples.summary)
        POST("/v1/tasks", "Create a task", .can(.tasksRead), create)
            .describe("Takes the right to contribute to the project. It comes last in the project's order.")
            .problems(
                .projectArchived, .taskSprintClosed, .taskTooDeep, .tooManySubtasks, .taskCircle,
                .tooManyAssignees
            )
            .example(body: TaskExamples.newTask, answer: TaskExamples.task)
        GET("/v1/tasks/{id}", "Read a task", .can(.tasksRead), read).example(answer: TaskExamples.task)
        GET("/v1/tasks/by-key/{key}", "Read a task by its key", .can(.tasksRead), readByKey)
            .describe("Also by a key it had in a project it was moved out of.")
            .example(answer: TaskExamples.task)
        PATCH("/v1/tasks/{id}", "Change a task", .can(.tasksRead), change).ifMatch(.required)
            .describe(
                "Takes the right to contribute to the project, and the version one has seen: of two who edit at once the "
                    + "second is told so."
            )
            .problems(
                .projectArchived, .taskSprintClosed, .taskTooDeep, .tooManySubtasks, .taskCircle,
                .tooManyAssignees,
                .tooManyTaskParts
            )
            .example(
                body: ["title": "Write the launch page", "due_on": "2026-12-04", "points": 3],
                answer: TaskExamples.task)
        DELETE("/v1/tasks/{id}", "Put a task into the trash", .can(.tasksRead), delete).ifMatch(.accepted)
            .describe(
                "With its sub-tasks. POST /v1/tasks/{id}/restore takes them out again for \(TaskLimits.trashDays) days."
            )
            .problems(.projectArchived, .tooManyMoved)
    }

    static func list(_ call: Call, _ list: List<TaskFilter>) async throws -> Page<TaskSummary> {
        let assignee = try list.filter.onlyAssignee(me: call.member)
        let base = try TaskRows.select(
            "\(fragment: TaskRows.summary), \(fragment: TaskRows.sorts)", call, assignee: assignee)
        let conditions = try await list.filter.conditions(
            company: call.company, member: call.member, fields: call.environment[CustomFields.self],
            isAssigned: assignee != nil)
        return try await call.page(list, base + conditions)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ProjectTask> {
        try whole(await rows(id.value, call))
    }

    /// What hangs on a task changes without its version.
    private static func whole(_ rows: Rows) throws -> Single<ProjectTask> {
        try Single(rows, versionIsWhole: false)
    }

    static func readByKey(_ call: Call, _ key: Path<TaskKey>) async throws -> Single<ProjectTask> {
        let sql = try TaskRows.selectDetail(call)
        return try whole(
            await call.db.query(
                "\(fragment: sql) AND t.id = (\(fragment: key.value.lookUp(try call.company)))"))
    }

    static func create(_ call: Call, _ body: Body<NewTask>) async throws -> Created<ProjectTask> {
        let company = try call.company
        let draft = try await draft(body.value, call)
        try await call.db.transaction { tx in try await make(draft, call, company, tx) }
        return try Created(await rows(draft.id, call))
    }

    @inline(never)
    private static func make(_ draft: TaskWriting.Draft, _ call: Call, _ company: UUID, _ tx: Transaction)
        async throws
    {
        _ = try await ProjectAccess.require(.contribute, in: draft.project, call, tx)
        try await TaskWriting.create([draft], by: call.actor, company: company, in: tx)
    }

    private static func draft(_ body: NewTask, _ call: Call) async throws -> TaskWriting.Draft {
        var draft = TaskWriting.Draft(project: body.projectId, title: body.title.text)
        draft.description = body.description?.text
        draft.type = body.type ?? .task
        draft.state = body.stateId
        draft.priority = body.priority ?? .none
        draft.parent = body.parentId
        draft.sprint = body.sprintId
        draft.reporter = try body.reporterId ?? call.member
        draft.assignees = (body.assigneeIds?.items ?? []).unique
        draft.pointsHundredths = body.points?.hundredths
        draft.estimateMinutes = body.estimateMinutes?.value
        draft.startOn = body.startOn
        draft.dueOn = body.dueOn
        draft.dueTime = body.dueTime
        draft.tags = (body.tagIds?.items ?? []).unique
        draft.custom = try await custom(body.custom ?? [:], isNew: true, in: body.projectId, call)
        return draft
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TaskChange>) async throws -> Single<
        ProjectTask
    > {
        let company = try call.company
        let head = try await ProjectAccess.require(.contribute, onTask: id.value, call)
        let change = try await change(body.value, project: head.id, call)
        _ = try await call.db.transaction { tx in
            try await TaskWriting.change([id.value], change, by: call.actor, company: company, in: tx) {
                version in
                try call.requireVersion(version)
            }
        }
        return try Single(await rows(id.value, call))
    }

    private static func change(_ body: TaskChange, project: UUID, _ call: Call) async throws
        -> TaskWriting.Change
    {
        var change = TaskWriting.Change()
        change.title = body.title?.text
        change.description = body.description.map { $0?.text }
        change.type = body.type
        change.priority = body.priority
        change.parent = body.parentId
        change.sprint = body.sprintId
        change.reporter = body.reporterId
        change.assignees = body.assigneeIds?.items
        change.pointsHundredths = body.points.map { $0?.hundredths }
        change.estimateMinutes = body.estimateMinutes.map { $0?.value }
        change.startOn = body.startOn
        change.dueOn = body.dueOn
        change.dueTime = body.dueTime
        change.tags = body.tagIds?.items
        if let custom = body.custom {
            change.custom = try await self.custom(custom, isNew: false, in: project, call)
        }
        return change
    }

    private static func custom(_ values: [String: JSON], isNew: Bool, in project: UUID, _ call: Call)
        async throws
        -> JSON
    {
        try await call.environment[CustomFields.self].sent(
            values, isNew: isNew, upTo: TaskLimits.customBytesMax, of: "task", scope: project,
            company: call.company)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            _ = try await ProjectAccess.require(.contribute, onTask: id.value, call, tx)
            try await TaskTrash.delete([id.value], by: call.actor, company, tx) {
                try call.requireVersion($0)
            }
        }
        return NoContent()
    }

    /// The task in full, as this caller sees it.
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        let sql = try TaskRows.selectDetail(call)
        return try await call.db.query("\(fragment: sql) AND t.id = \(id)")
    }
}
