import API
import Core
import Postgres
import Wire

/// A task's way through the states of its project, and its place in the project's order.
enum TaskStates {
    @RouteList static var routes: [Route] {
        PUT("/v1/tasks/{id}/state", "Put a task into another state", .can(.tasksRead), change).ifMatch(
            .accepted
        )
        .describe(
            "A task that waits for others neither starts nor ends, and a state that is full takes no more where the "
                + "project has it so, unless `force` is sent; `warnings` says what was passed over. With `before` or "
                + "`after` it also takes its place in the order."
        )
        .operation("changeTaskState")
        .problems(.projectArchived, .taskBlocked, .wipLimitReached)
        .example(
            body: ["state_id": TaskExamples.state, "force": false],
            answer: ["task": TaskExamples.task, "warnings": ["wip_limit_exceeded"]])
        PUT("/v1/tasks/{id}/rank", "Give a task its place in the order", .can(.tasksRead), rank).ifMatch(
            .ignored
        )
        .describe(
            "Before or after another task of the project. However many do so at once, there is one order."
        )
        .operation("rankTask")
        .problems(.projectArchived)
        .example(body: ["after": TaskExamples.other], answer: TaskExamples.task)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTaskState>) async throws -> Single<
        TaskStateAnswer
    > {
        let company = try call.company
        let spot = try RankSpot(before: body.before, after: body.after)
        let warnings = try await call.db.transaction { tx in
            try await change(id.value, body.value, spot, call, company, tx)
        }
        guard let row = try await Tasks.rows(id.value, call).first else { throw Problem.notFound }
        let task = try row.decode(ProjectTask.self)
        return Single(TaskStateAnswer(task: task, warnings: warnings), version: Int64(task.version))
    }

    @inline(never)
    private static func change(
        _ id: UUID, _ body: NewTaskState, _ spot: RankSpot?, _ call: Call, _ company: UUID,
        _ tx: Transaction
    ) async throws -> [TaskWarning] {
        let head = try await ProjectAccess.require(.contribute, onTask: id, call, tx)
        // The project's lock comes before the task's.
        if spot != nil { _ = try await tx.query(TaskRanking.lock(head.id, company)) }
        var change = TaskWriting.Change()
        change.state = body.stateId
        change.force = body.force ?? false
        let outcome = try await TaskWriting.change([id], change, by: call.actor, company: company, in: tx) {
            version in
            try call.requireVersion(version)
        }
        if let spot { try await TaskRanking.place(id, spot, in: head.id, by: call.actor, company, tx) }
        return outcome.warnings
    }

    static func rank(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTaskRank>) async throws -> Single<
        ProjectTask
    > {
        let company = try call.company
        guard let spot = try RankSpot(before: body.before, after: body.after) else {
            throw Problem.unprocessable(
                "/after", "required", "name the task before or after which it belongs")
        }
        try await call.db.transaction { tx in
            let head = try await ProjectAccess.require(.contribute, onTask: id.value, call, tx)
            try await TaskRanking.place(id.value, spot, in: head.id, by: call.actor, company, tx)
        }
        return try Single(await Tasks.rows(id.value, call))
    }
}

struct NewTaskState: Codable, Sendable {
    let stateId: UUID
    let force: Bool?
    let before: UUID?
    let after: UUID?
}

struct NewTaskRank: Codable, Sendable {
    let before: UUID?
    let after: UUID?
}

struct TaskStateAnswer: Codable, Sendable {
    let task: ProjectTask
    let warnings: [TaskWarning]
}
