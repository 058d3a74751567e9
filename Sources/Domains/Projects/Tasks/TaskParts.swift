import Core
import Postgres
import Wire

/// What all that hangs on a task has in common: it leaves a line in the task's history and an event.
enum TaskParts {
    /// Locks the task and gives its head: those who add at once wait for each other, so that limits hold.
    static func lock(_ task: UUID, _ company: UUID) -> SQL {
        """
        SELECT t.project_id, p.key || '-' || t.number AS key FROM tasks t
          JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
         WHERE t.company_id = \(company) AND t.id = \(task) AND t.deleted_at IS NULL FOR NO KEY UPDATE OF t
        """
    }

    static func note(
        _ task: UUID, _ head: Row, _ field: String, before: JSON = .null, after: JSON = .null,
        by actor: Audit.Actor,
        _ company: UUID
    ) throws -> [SQL] {
        let data = TaskEvents.UpdateData(
            taskId: task, projectId: try head.get("project_id"), key: try head.get("key"), changed: [field])
        return [
            TaskWriting.history([(task, field, before, after)], by: actor, company),
            try Events.sql(TaskEvents.updated, data, on: "task", task, by: actor, company: company),
            // It changed, though not in what its version counts: nobody who edits the task itself is in the way.
            "UPDATE tasks SET updated_at = now() WHERE company_id = \(company) AND id = \(task)",
        ]
    }
}
