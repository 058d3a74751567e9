import API
import Core
import Postgres
import Wire

/// The tasks that a milestone or a goal is reached by.
enum PlanLinks: String, Sendable {
    case milestone, goal

    /// Of the plan's own table.
    var table: String { "project_\(rawValue)s" }

    /// One row: how many of the linked tasks there are and how many are done. On the plan's row under `alias`.
    func counts(_ alias: String) -> SQL {
        """
        SELECT count(*) FILTER (WHERE t.category <> 'cancelled') AS tasks,
               count(*) FILTER (WHERE t.category = 'completed') AS tasks_done
          FROM \(unescaped: rawValue)_tasks link
          JOIN tasks t ON t.company_id = link.company_id AND t.id = link.task_id AND t.deleted_at IS NULL
                      AND t.project_id = \(unescaped: alias).project_id
         WHERE link.company_id = \(unescaped: alias).company_id AND link.\(unescaped: rawValue)_id = \(unescaped: alias).id
        """
    }

    @Sendable func link(_ call: Call, _ id: Path<UUID>, _ plan: Path<UUID>, _ task: Path<UUID>) async throws
        -> NoContent
    {
        try await call.db.transaction { tx in
            try await set(task.value, of: plan.value, in: id.value, isLinked: true, call, tx)
        }
        return NoContent()
    }

    @Sendable func unlink(_ call: Call, _ id: Path<UUID>, _ plan: Path<UUID>, _ task: Path<UUID>) async throws
        -> NoContent
    {
        try await call.db.transaction { tx in
            try await set(task.value, of: plan.value, in: id.value, isLinked: false, call, tx)
        }
        return NoContent()
    }

    /// Linking what is linked, or taking away what is not, changes nothing.
    @inline(never)
    private func set(
        _ task: UUID, of plan: UUID, in project: UUID, isLinked: Bool, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.contribute, in: project, call, tx, locking: true)
        let known = try await tx.query(
            """
            SELECT 1 FROM \(unescaped: table) plan
              JOIN tasks t ON t.company_id = plan.company_id AND t.project_id = plan.project_id AND t.id = \(task)
             WHERE plan.company_id = \(company) AND plan.project_id = \(project) AND plan.id = \(plan)
               AND t.deleted_at IS NULL
            """)
        if known.isEmpty { throw Problem.notFound }
        let written = try await tx.query(isLinked ? insert(task, plan, company) : remove(task, plan, company))
        if written.affected == 0 { return }
        let after: JSON = ["\(rawValue)_id": .string(plan.description), "task_id": .string(task.description)]
        let action = "project.\(rawValue)_task_\(isLinked ? "added" : "removed")"
        _ = try await tx.query(
            Audit.sql(
                Audit.Entry(action, on: "project", head.id, after: after), by: call.actor, company: company))
    }

    private func insert(_ task: UUID, _ plan: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO \(unescaped: rawValue)_tasks (company_id, \(unescaped: rawValue)_id, task_id)
        VALUES (\(company), \(plan), \(task)) ON CONFLICT DO NOTHING
        """
    }

    private func remove(_ task: UUID, _ plan: UUID, _ company: UUID) -> SQL {
        """
        DELETE FROM \(unescaped: rawValue)_tasks
         WHERE company_id = \(company) AND \(unescaped: rawValue)_id = \(plan) AND task_id = \(task)
        """
    }
}
