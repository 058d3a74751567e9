import API
import Core
import Postgres
import Wire

/// The one order of a project's tasks.
enum TaskRanking {
    static let order = RankedList(
        "tasks", by: "project_id", thing: "task", place: "of the same project",
        lengthMax: TaskLimits.rankLengthMax)

    /// Whoever ranks tasks of a project waits here for the one before him.
    static func lock(_ project: UUID, _ company: UUID) -> SQL {
        "SELECT 1 FROM projects WHERE company_id = \(company) AND id = \(project) FOR NO KEY UPDATE"
    }

    @inline(never)
    static func place(
        _ task: UUID, _ spot: RankSpot, in project: UUID, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        _ = try await tx.query(lock(project, company))
        let gap = try await order.gap(spot, in: project, for: [task], leavingOut: task, company, tx)
        let rank = Rank.between(gap.low, gap.high)
        let rows = try await tx.query(
            """
            UPDATE tasks t SET rank = \(rank.text), version = t.version + 1, updated_at = now()
              FROM projects p
             WHERE t.company_id = \(company) AND t.id = \(task) AND t.project_id = \(project) AND t.deleted_at IS NULL
               AND p.company_id = t.company_id AND p.id = t.project_id
            RETURNING p.key || '-' || t.number AS key
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let data = TaskEvents.UpdateData(
            taskId: task, projectId: project, key: try row.get("key"), changed: ["rank"])
        try await Events.record(
            TaskEvents.updated, data, on: "task", task, by: actor, company: company, in: tx)
    }
}
