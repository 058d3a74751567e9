import API
import Core
import Postgres
import Wire

/// The trash of tasks: what is in it can be taken back for some weeks, then it is gone.
enum TaskTrash {
    /// Puts tasks and all their sub-tasks into the trash.
    @inline(never)
    static func delete(
        _ tasks: [UUID], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction,
        allows: (Int64) throws -> Void = { _ in }
    ) async throws {
        _ = try await tx.query(TaskGraph.lock(company))
        let rows = try await tx.query(
            """
            WITH RECURSIVE part AS (
                SELECT t.id, t.id AS root FROM tasks t
                 WHERE t.company_id = \(company) AND t.id = ANY(\(tasks)::uuid[]) AND t.deleted_at IS NULL
                UNION ALL
                SELECT t.id, part.root FROM part
                  JOIN tasks t ON t.company_id = \(company) AND t.parent_id = part.id AND t.deleted_at IS NULL)
            SELECT id, min(root::text) AS root FROM part GROUP BY id
            """)
        var roots: [UUID: UUID] = [:]
        for row in rows { roots[try row.get("id")] = UUID(try row.get("root", as: String.self)) }
        guard Set(tasks).isSubset(of: roots.keys) else { throw Problem.notFound }
        if roots.count > TaskLimits.bulkMax * 2 { throw Problem(.tooManyMoved) }
        let before = try await TaskWriting.snapshots(Array(roots.keys), company, tx)
        for task in before where tasks.contains(task.id) { try allows(task.version) }
        let after = before.map { task in
            var gone = task
            gone.deletedWith = roots[task.id] ?? task.id
            return gone
        }
        _ = try await TaskWriting.write(before, after, by: actor, company, tx)
        _ = try await tx.batch(
            before.filter { tasks.contains($0.id) }.map { task in
                Audit.sql(
                    Audit.Entry("task.deleted", on: "task", task.id, before: ["key": .string(task.key)]),
                    by: actor,
                    company: company)
            })
    }

    /// Takes a task out of the trash, with the sub-tasks that went there along with it. Where its parent is gone it is
    /// part of none.
    @inline(never)
    static func restore(_ task: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction) async throws
    {
        _ = try await tx.query(TaskGraph.lock(company))
        let rows = try await tx.query(
            """
            SELECT t.id, t.parent_id IS NOT NULL AND t.id = \(task) AND (parent.deleted_at IS NOT NULL) AS is_orphan
              FROM tasks t
              LEFT JOIN tasks parent ON parent.company_id = t.company_id AND parent.id = t.parent_id
             WHERE t.company_id = \(company) AND t.deleted_at IS NOT NULL
               AND (t.id = \(task) OR t.deleted_with = \(task))
            """)
        if rows.isEmpty { throw Problem(.taskNotInTrash) }
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        let isOrphan = try rows.contains { try $0.get("is_orphan", as: Bool?.self) ?? false }
        let before = try await TaskWriting.snapshots(ids, company, tx)
        let after = before.map { one in
            var back = one
            back.deletedWith = nil
            if one.id == task, isOrphan { back.parentId = nil }
            return back
        }
        _ = try await TaskWriting.write(before, after, by: actor, company, tx)
        try await Audit.record(
            Audit.Entry("task.restored", on: "task", task), by: actor, company: company, in: tx)
    }
}
