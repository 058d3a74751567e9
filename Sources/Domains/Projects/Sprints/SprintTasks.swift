import API
import Core
import Postgres
import Wire

/// What is in a sprint, and how it comes in and goes out.
enum SprintTasks {
    @RouteList static var routes: [Route] {
        GET("/v1/sprints/{id}/tasks", "List the tasks of a sprint", .can(.tasksRead), list)
            .example(answer: TaskExamples.summary)
        POST("/v1/sprints/{id}/tasks", "Put tasks into a sprint", .can(.tasksRead), add).operation(
            "addSprintTasks"
        )
        .describe(
            "Takes the right to contribute to the project. All of them or none; a task is in one sprint at a time, so it "
                + "leaves the one it was in."
        )
        .problems(.projectArchived, .sprintClosed, .sprintFull)
        .example(body: ["task_ids": [TaskExamples.id]], answer: SprintExamples.moved)
        POST("/v1/sprints/{id}/tasks/remove", "Take tasks out of a sprint", .can(.tasksRead), removeAll)
            .operation("removeSprintTasks")
            .describe("Those that are not in it are passed over.").problems(.projectArchived)
            .example(body: ["task_ids": [TaskExamples.id]], answer: SprintExamples.moved)
        DELETE("/v1/sprints/{id}/tasks/{task_id}", "Take a task out of a sprint", .can(.tasksRead), remove)
            .operation("removeSprintTask").problems(.projectArchived)
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<TaskFilter>) async throws -> Page<
        TaskSummary
    > {
        _ = try await ProjectAccess.require(.see, onSprint: id.value, call)
        let base = try TaskRows.select("\(fragment: TaskRows.summary), \(fragment: TaskRows.sorts)", call)
        let conditions = try await list.filter.conditions(
            company: call.company, member: call.member, fields: call.environment[CustomFields.self])
        return try await call.page(list, "\(fragment: base) AND t.sprint_id = \(id)" + conditions)
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<SprintTaskIds>) async throws -> Single<
        SprintTasksMoved
    > {
        let tasks = body.taskIds.items
        let moved = try await call.db.transaction { tx in try await put(tasks, into: id.value, call, tx) }
        return Single(SprintTasksMoved(sprintId: id.value, moved: moved))
    }

    @inline(never)
    private static func put(_ tasks: [UUID], into id: UUID, _ call: Call, _ tx: Transaction) async throws
        -> Int
    {
        let company = try call.company
        let head = try await ProjectAccess.require(.contribute, onSprint: id, call, tx)
        // FOR SHARE: it is not closed while tasks go in.
        let sprint = try await tx.query(
            "SELECT status FROM sprints WHERE company_id = \(company) AND id = \(id) FOR SHARE")
        guard let row = sprint.first else { throw Problem.notFound }
        if try row.get("status", as: SprintStatus.self) == .closed { throw Problem(.sprintClosed) }
        let known = try await tx.query(
            """
            SELECT count(*) FILTER (WHERE t.id = ANY(\(tasks))) AS known,
                   count(*) FILTER (WHERE t.sprint_id = \(id) AND t.id <> ALL(\(tasks))) AS held
              FROM tasks t
             WHERE t.company_id = \(company) AND t.project_id = \(head.id) AND t.deleted_at IS NULL
               AND (t.id = ANY(\(tasks)) OR t.sprint_id = \(id))
            """)
        let wanted = Set(tasks).count
        if try known[0].get("known", as: Int.self) != wanted {
            throw Problem.notFound("A task is not in this project.")
        }
        if try known[0].get("held", as: Int.self) + wanted > SprintLimits.tasksMax {
            throw Problem(.sprintFull)
        }
        return try await move(tasks, to: id, by: call.actor, company, tx)
    }

    static func removeAll(
        _ call: Call, _ id: Path<UUID>, _ body: Body<SprintTaskIds>
    ) async throws -> Single<SprintTasksMoved> {
        let tasks = body.taskIds.items
        let moved = try await call.db.transaction { tx in try await take(tasks, outOf: id.value, call, tx) }
        return Single(SprintTasksMoved(sprintId: id.value, moved: moved))
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ task: Path<UUID>) async throws -> NoContent {
        let moved = try await call.db.transaction { tx in
            try await take([task.value], outOf: id.value, call, tx)
        }
        if moved == 0 { throw Problem.notFound }
        return NoContent()
    }

    @inline(never)
    private static func take(_ tasks: [UUID], outOf id: UUID, _ call: Call, _ tx: Transaction) async throws
        -> Int
    {
        let company = try call.company
        _ = try await ProjectAccess.require(.contribute, onSprint: id, call, tx)
        let held = try await tx.query(
            """
            SELECT id FROM tasks WHERE company_id = \(company) AND sprint_id = \(id) AND id = ANY(\(tasks))
               AND deleted_at IS NULL
            """)
        return try await move(try held.map { try $0.get("id") }, to: nil, by: call.actor, company, tx)
    }

    /// All that is in a sprint goes back to the backlog.
    @inline(never)
    static func moveOut(of id: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction) async throws {
        let held = try await tx.query(
            "SELECT id FROM tasks WHERE company_id = \(company) AND sprint_id = \(id) AND deleted_at IS NULL")
        try await move(try held.map { try $0.get("id") }, to: nil, by: actor, company, tx)
    }

    /// Puts tasks of one project into a sprint or, with nil, into none; gives how many were not there before.
    @inline(never) @discardableResult
    static func move(
        _ tasks: [UUID], to sprint: UUID?, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws -> Int {
        if tasks.isEmpty { return 0 }
        var change = TaskWriting.Change()
        change.sprint = .some(sprint)
        let outcome = try await TaskWriting.change(tasks, change, by: actor, company: company, in: tx)
        return outcome.changed.count
    }
}
