import API
import Postgres
import Wire

/// Who is part of whom, and who blocks whom: neither ever leads back to where it began.
enum TaskGraph {
    /// Held while a company's graph is read to decide on a change of it: two changes that are sound by themselves may
    /// close a circle together.
    static func lock(_ company: UUID) -> SQL {
        "SELECT pg_advisory_xact_lock(hashtextextended(\("task graph \(company)"), 0))"
    }

    /// The problem of hanging `task` under `parent`, when there is one. The graph must be locked.
    @inline(never)
    static func checkParent(
        _ parent: UUID, of task: UUID, in project: UUID, _ company: UUID, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            WITH RECURSIVE up AS (
                SELECT t.id, t.parent_id, 1 AS level FROM tasks t
                 WHERE t.company_id = \(company) AND t.id = \(parent) AND t.project_id = \(project) AND t.deleted_at IS NULL
                UNION ALL
                SELECT t.id, t.parent_id, up.level + 1 FROM up
                  JOIN tasks t ON t.company_id = \(company) AND t.id = up.parent_id
                 WHERE up.level < 50),
            down AS (
                SELECT \(task)::uuid AS id, 1 AS level
                UNION ALL
                SELECT t.id, down.level + 1 FROM down
                  JOIN tasks t ON t.company_id = \(company) AND t.parent_id = down.id AND t.deleted_at IS NULL
                 WHERE down.level < 50)
            SELECT (SELECT max(level) FROM up) AS above, (SELECT max(level) FROM down) AS below,
                   EXISTS (SELECT 1 FROM up WHERE id = \(task)) AS is_circle,
                   (SELECT count(*) FROM tasks WHERE company_id = \(company) AND parent_id = \(parent)
                                                 AND deleted_at IS NULL) AS siblings
            """)
        let row = rows[0]
        guard let above = try row.get("above", as: Int?.self) else {
            throw Problem.unprocessable("/parent_id", "not-found", "is no task of this project")
        }
        if try row.get("is_circle") { throw Problem(.taskCircle) }
        if try above + row.get("below", as: Int.self) > TaskLimits.depthMax {
            throw Problem(.taskTooDeep, "Sub-tasks go \(TaskLimits.depthMax) levels deep.")
        }
        if try row.get("siblings", as: Int.self) >= TaskLimits.subtasksMax { throw Problem(.tooManySubtasks) }
    }
}

extension TaskGraph {
    /// Throws when `to` blocks `from` already, over however many others. The graph must be locked.
    @inline(never)
    static func checkBlocking(_ from: UUID, _ to: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            WITH RECURSIVE behind AS (
                SELECT r.to_id AS id FROM task_relations r
                 WHERE r.company_id = \(company) AND r.kind = 'blocks' AND r.from_id = \(to)
                UNION
                SELECT r.to_id FROM behind
                  JOIN task_relations r ON r.company_id = \(company) AND r.kind = 'blocks' AND r.from_id = behind.id)
            SELECT 1 FROM behind WHERE id = \(from)
            """)
        if !rows.isEmpty { throw Problem(.taskCircle) }
    }
}
