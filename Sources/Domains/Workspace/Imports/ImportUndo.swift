import Core
import Postgres
import Wire

/// Takes an import back, the last rows first, some at a time; what it has done is noted in the same transaction.
struct ImportUndo: Sendable {
    let pass: ImportPass

    @inline(never)
    func go(_ job: Job) async throws -> JobOutcome {
        while try await step() {
            if job.isStopping { return .again(at: .now) }
        }
        return .done
    }

    /// False when nothing is left.
    @inline(never)
    private func step() async throws -> Bool {
        try await pass.database.transaction(
            as: pass.run.member.tenant, deadline: WorkspaceNumbers.batchDeadline
        ) { tx in
            try await undoSome(tx)
        }
    }

    @inline(never)
    private func undoSome(_ tx: Transaction) async throws -> Bool {
        let (company, id) = (pass.company, pass.id)
        // Whoever else works on it waits here.
        let held = try await tx.query(
            "SELECT 1 FROM imports WHERE \(fragment: ImportPass.isInHand(pass.work, company)) FOR UPDATE")
        if held.isEmpty { return false }
        let rows = try await tx.query(
            """
            SELECT n, entity_id, entity_version, before::text AS before FROM import_rows
             WHERE company_id = \(company) AND import_id = \(id) AND NOT is_dry AND state IN ('created', 'changed')
             ORDER BY n DESC LIMIT \(WorkspaceNumbers.rowsAtOnce)
            """)
        if rows.isEmpty {
            try await ImportEvents.tellUndone(pass, in: tx)
            return false
        }
        let things = try rows.map { row -> ImportedThing in
            let before = try row.get("before", as: String?.self)
            return ImportedThing(
                id: try row.get("entity_id"), version: try row.get("entity_version"),
                before: try before.map { try JSON.parse($0) })
        }
        let gone = try await pass.kind.undo(things, pass.run, tx)
        _ = try await tx.batch([
            """
            UPDATE import_rows SET state = CASE WHEN entity_id = ANY(\(gone)::uuid[]) THEN 'undone' ELSE 'kept' END
             WHERE company_id = \(company) AND import_id = \(id) AND NOT is_dry
               AND n = ANY(\(try rows.map { try $0.get("n", as: Int.self) })::integer[])
            """,
            """
            UPDATE imports SET undone_count = undone_count + \(gone.count), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
        ])
        return true
    }
}
