import Core
import Postgres
import Wire

/// Tasks that go for good, with all that hangs on them.
enum TaskPurge {
    /// Deletes the tasks of which a condition on `t` holds; those that are part of them must be among them.
    @inline(never)
    static func purge(where condition: SQL, _ files: FileKeeping?, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let found = try await tx.batch([
            """
            SELECT a.id FROM task_attachments a
              JOIN tasks t ON t.company_id = a.company_id AND t.id = a.task_id
             WHERE a.company_id = \(company) AND \(fragment: condition)
            """,
            "SELECT t.id FROM tasks t WHERE t.company_id = \(company) AND \(fragment: condition) ORDER BY t.id FOR UPDATE",
        ])
        for row in found[0] {
            try await files?.detach(TaskAttachments.subject(row.get("id")), company, tx)
        }
        let ids = try found[1].map { try $0.get("id", as: UUID.self) }
        _ = try await tx.batch(
            SubjectLeftovers.sql("task", ids, company: company) + TaskSearch.removed(ids, company)
                + ["DELETE FROM tasks WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])"])
    }

    /// All of a project's tasks, and its rules for new ones.
    static func purge(project: UUID, _ files: FileKeeping?, _ company: UUID, _ tx: Transaction) async throws {
        try await purge(where: "t.project_id = \(project)", files, company, tx)
        _ = try await tx.query(
            "DELETE FROM recurring_tasks WHERE company_id = \(company) AND project_id = \(project)")
    }

    /// Empties the trash of what has lain there for its time, oldest first: what is part of a task has gone there with it
    /// or before it.
    static func sweep(_ company: UUID, _ files: FileKeeping?, _ db: Database) async throws {
        var isMore = true
        while isMore {
            isMore = try await db.transaction(as: Tenant(company: company)) { tx in
                let roots = try await tx.query(
                    """
                    SELECT t.deleted_with FROM tasks t
                     WHERE t.company_id = \(company)
                       AND t.deleted_at < now() - make_interval(days => \(TaskLimits.trashDays))
                     GROUP BY t.deleted_with ORDER BY min(t.deleted_at) LIMIT \(TaskLimits.sweptAtOnce)
                    """)
                if roots.isEmpty { return false }
                let ids = try roots.map { try $0.get("deleted_with", as: UUID.self) }
                try await purge(
                    where: "t.deleted_at IS NOT NULL AND t.deleted_with = ANY(\(ids)::uuid[])", files,
                    company, tx)
                return roots.count == TaskLimits.sweptAtOnce
            }
        }
    }
}
