import API
import Core
import Postgres
import Wire

/// What a task is made of.
enum Subtasks {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/subtasks", "List a task's sub-tasks", .can(.tasksRead), list)
            .describe("The next level alone; archived ones too.")
        POST("/v1/tasks/{id}/subtasks", "Create a sub-task", .can(.tasksRead), create)
            .operation("createSubtask")
            .problems(
                .projectArchived, .taskSprintClosed, .taskTooDeep, .tooManySubtasks, .tooManyAssignees,
                .taskCircle
            )
            .example(body: ["title": "Choose the pictures", "points": 1], answer: TaskExamples.task)
        GET("/v1/tasks/{id}/progress", "Sum up what a task is made of", .can(.tasksRead), progress)
            .operation("showTaskProgress")
            .describe("Over all levels of sub-tasks, without the task itself and without cancelled ones.")
            .example(
                answer: [
                    "task_count": 8, "done_count": 5, "points": 21, "points_done": 13,
                    "estimate_minutes": 960,
                    "percent": 62,
                ])
    }

    struct Filter: ListFilter {
        let category: [StateCategory]?

        static let sorts = ["rank", "-created_at", "priority_rank"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<TaskSummary> {
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        let base = try TaskRows.select("\(fragment: TaskRows.summary), t.priority_rank", call)
        return try await call.page(list, "\(fragment: base) AND t.parent_id = \(id)")
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewSubtask>) async throws -> Created<
        ProjectTask
    > {
        let company = try call.company
        let head = try await ProjectAccess.require(.contribute, onTask: id.value, call)
        var draft = TaskWriting.Draft(project: head.id, title: body.title.text)
        draft.parent = id.value
        draft.description = body.value.description?.text
        draft.type = body.type ?? .task
        draft.state = body.stateId
        draft.priority = body.priority ?? .none
        draft.reporter = try call.member
        draft.assignees = (body.assigneeIds?.items ?? []).unique
        draft.pointsHundredths = body.points?.hundredths
        draft.estimateMinutes = body.estimateMinutes?.value
        draft.dueOn = body.dueOn
        let made = draft
        _ = try await call.db.transaction { tx in
            try await TaskWriting.create([made], by: call.actor, company: company, in: tx)
        }
        return try Created(await Tasks.rows(made.id, call), at: "/v1/tasks/\(made.id)")
    }

    static func progress(_ call: Call, _ id: Path<UUID>) async throws -> Single<TaskProgress> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        return try Single(
            await call.db.query(
                """
                WITH RECURSIVE part AS (
                    SELECT t.id, t.category, t.points, t.estimate_minutes, 1 AS level FROM tasks t
                     WHERE t.company_id = \(company) AND t.parent_id = \(id) AND t.deleted_at IS NULL
                    UNION ALL
                    SELECT t.id, t.category, t.points, t.estimate_minutes, part.level + 1 FROM part
                      JOIN tasks t ON t.company_id = \(company) AND t.parent_id = part.id AND t.deleted_at IS NULL
                     WHERE part.level < 50)
                SELECT count(*) AS task_count, count(*) FILTER (WHERE category = 'completed') AS done_count,
                       trim_scale(coalesce(sum(points), 0)) AS points,
                       trim_scale(coalesce(sum(points) FILTER (WHERE category = 'completed'), 0)) AS points_done,
                       coalesce(sum(estimate_minutes), 0) AS estimate_minutes,
                       coalesce(100 * count(*) FILTER (WHERE category = 'completed') / nullif(count(*), 0), 0) AS percent
                  FROM part WHERE category <> 'cancelled'
                """))
    }
}

struct NewSubtask: Codable, Sendable {
    let title: Text<250>
    let description: Prose<20_000>?
    let type: TaskType?
    let stateId: UUID?
    let priority: TaskPriority?
    let assigneeIds: UpTo<20, UUID>?
    let points: Points?
    let estimateMinutes: Minutes?
    let dueOn: LocalDate?
}

struct TaskProgress: Codable, Sendable {
    let taskCount: Int
    let doneCount: Int
    let points: Double
    let pointsDone: Double
    let estimateMinutes: Int
    let percent: Int
}
