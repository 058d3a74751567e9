import API
import Core
import Postgres
import Wire

/// Who works on a task, one person at a time; PATCH /v1/tasks/{id} replaces all of them.
enum TaskAssignees {
    @RouteList static var routes: [Route] {
        PUT("/v1/tasks/{id}/assignees/{member_id}", "Assign a member to a task", .can(.tasksRead), add)
            .ifMatch(.ignored)
            .operation("assignTask")
            .describe("Who is newly assigned is told. Assigning somebody again changes nothing.")
            .problems(.projectArchived, .tooManyAssignees).example(answer: TaskExamples.task)
        DELETE("/v1/tasks/{id}/assignees/{member_id}", "Take a member off a task", .can(.tasksRead), remove)
            .operation("unassignTask").problems(.projectArchived)
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ member: Path<UUID>) async throws -> Single<ProjectTask>
    {
        var change = TaskWriting.Change()
        change.addedAssignees = [member.value]
        _ = try await self.change(id.value, change, call)
        return try Single(await Tasks.rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ member: Path<UUID>) async throws -> NoContent {
        var change = TaskWriting.Change()
        change.removedAssignees = [member.value]
        let outcome = try await self.change(id.value, change, call)
        if outcome.changed.isEmpty { throw Problem.notFound }
        return NoContent()
    }

    private static func change(_ id: UUID, _ change: TaskWriting.Change, _ call: Call) async throws
        -> TaskWriting.Outcome
    {
        let company = try call.company
        return try await call.db.transaction { tx in
            _ = try await ProjectAccess.require(.contribute, onTask: id, call, tx)
            return try await TaskWriting.change([id], change, by: call.actor, company: company, in: tx)
        }
    }
}
