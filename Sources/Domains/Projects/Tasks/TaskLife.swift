import API
import Core
import Postgres
import Wire

/// What becomes of tasks: another kind of thing, put aside, taken back.
enum TaskLife {
    @RouteList static var routes: [Route] {
        POST("/v1/tasks/{id}/convert", "Make a task another kind of thing", .can(.tasksRead), convert)
            .ifMatch(.accepted)
            .describe("`subtask` makes it part of `parent_id`; any other type makes it stand by itself.")
            .problems(.projectArchived, .taskCircle, .taskTooDeep, .tooManySubtasks)
            .example(body: ["to": "subtask", "parent_id": TaskExamples.other], answer: TaskExamples.task)
        POST("/v1/tasks/{id}/archive", "Archive a task", .can(.tasksRead), archive).ifMatch(.accepted)
            .describe("Lists and boards leave it out; it can still be read and found.")
            .problems(.projectArchived).example(answer: TaskExamples.task)
        POST(
            "/v1/tasks/{id}/restore", "Take a task out of the trash or the archive", .can(.tasksRead), restore
        )
        .describe("Out of the trash it brings the sub-tasks that went there along with it.")
        .problems(.projectArchived, .taskNotInTrash).example(answer: TaskExamples.task)
        GET("/v1/tasks/trash", "List the tasks in the trash", .can(.tasksRead), trash)
            .describe("Those that were deleted themselves; their sub-tasks come back with them.")
    }

    static func convert(_ call: Call, _ id: Path<UUID>, _ body: Body<TaskConversion>) async throws -> Single<
        ProjectTask
    > {
        var change = TaskWriting.Change()
        switch body.to {
        case .subtask:
            guard let parent = body.parentId else {
                throw Problem.unprocessable("/parent_id", "required", "names the task it becomes part of")
            }
            change.parent = .some(parent)
        case .task, .story, .bug, .epic:
            if body.parentId != nil {
                throw Problem.unprocessable("/parent_id", "not-allowed", "is for sub-tasks")
            }
            change.type = TaskType(rawValue: body.to.rawValue)
            change.parent = .some(nil)
        }
        return try await self.change(id.value, change, call)
    }

    static func archive(_ call: Call, _ id: Path<UUID>) async throws -> Single<ProjectTask> {
        var change = TaskWriting.Change()
        change.isArchived = true
        return try await self.change(id.value, change, call)
    }

    private static func change(_ id: UUID, _ change: TaskWriting.Change, _ call: Call) async throws -> Single<
        ProjectTask
    > {
        let company = try call.company
        _ = try await call.db.transaction { tx in
            _ = try await ProjectAccess.require(.contribute, onTask: id, call, tx)
            return try await TaskWriting.change([id], change, by: call.actor, company: company, in: tx) {
                version in
                try call.requireVersion(version)
            }
        }
        return try Single(await Tasks.rows(id, call))
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<ProjectTask> {
        let company = try call.company
        try await call.db.transaction { tx in try await restore(id.value, call, company, tx) }
        return try Single(await Tasks.rows(id.value, call))
    }

    @inline(never)
    private static func restore(_ id: UUID, _ call: Call, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT project_id, deleted_at IS NOT NULL AS is_deleted, archived_at IS NOT NULL AS is_archived
              FROM tasks WHERE company_id = \(company) AND id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        _ = try await ProjectAccess.require(.contribute, in: row.get("project_id"), call, tx)
        if try row.get("is_deleted") { return try await TaskTrash.restore(id, by: call.actor, company, tx) }
        guard try row.get("is_archived") else { throw Problem(.taskNotInTrash) }
        var change = TaskWriting.Change()
        change.isArchived = false
        try await TaskWriting.change([id], change, by: call.actor, company: company, in: tx)
    }

    struct TrashFilter: ListFilter {
        let projectId: UUID?

        static let sorts = ["-deleted_at", "title"]
        static let search = ["title", "key"]
    }

    static func trash(_ call: Call, _ list: List<TrashFilter>) async throws -> Page<DeletedTask> {
        try await call.page(
            list,
            """
            SELECT t.id, p.key || '-' || t.number AS key, t.project_id, t.title, t.type, t.deleted_at,
                   t.deleted_at + make_interval(days => \(TaskLimits.trashDays)) AS kept_until,
                   (SELECT count(*) FROM tasks part
                     WHERE part.company_id = t.company_id AND part.deleted_with = t.id AND part.deleted_at IS NOT NULL
                       AND part.id <> t.id) AS subtask_count
              FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(try call.company) AND t.deleted_at IS NOT NULL AND t.deleted_with = t.id
               AND \(fragment: try ProjectAccess.permits(.contribute, call))
            """)
    }
}

enum ConversionTarget: String, Codable, CaseIterable, Sendable { case task, story, bug, epic, subtask }

struct TaskConversion: Codable, Sendable {
    let to: ConversionTarget
    let parentId: UUID?
}

/// A task in the trash.
struct DeletedTask: Codable, Sendable {
    let id: UUID
    let key: String
    let projectId: UUID
    let title: String
    let type: TaskType
    let deletedAt: Timestamp
    let keptUntil: Timestamp
    let subtaskCount: Int
}
