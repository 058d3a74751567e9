import API
import Core
import Postgres
import Wire

/// Ends what has come to its time: uploads nobody finished, files in the trash, files kept for a while. Runs on every
/// instance; each takes what no other has in hand.
enum FileSweep {
    static let worker = Worker("file-sweep", every: .seconds(60)) { work in
        try await round(work.environment[FileParts.self], work.database) ? .more : .idle
    }

    private struct Due {
        let company: UUID
        let kind: FileDeadline
        let subject: UUID
    }

    /// One batch; false when nothing was due.
    static func round(_ parts: FileParts, _ database: Database) async throws -> Bool {
        let rows = try await database.query(
            """
            SELECT company_id, kind, subject_id FROM file_deadlines WHERE due_at <= now()
             ORDER BY due_at LIMIT \(FileLimits.sweptAtOnce)
            """)
        for row in rows {
            let due = try Due(
                company: row.get("company_id"), kind: row.get("kind"), subject: row.get("subject_id"))
            switch due.kind {
            case .file: try await endFile(due, parts, database)
            case .upload: try await endUpload(due, parts, database)
            }
        }
        return rows.count == FileLimits.sweptAtOnce
    }

    private static func endFile(_ due: Due, _ parts: FileParts, _ database: Database) async throws {
        let objects = try await database.transaction(as: Tenant(company: due.company, user: nil)) { tx in
            guard try await take(due, in: tx) else { return [StorageKey]() }
            let objects = try await FileEnd.purge([due.subject], company: due.company, in: tx)
            try await Audit.record(
                Audit.Entry("file.purged", on: "file", due.subject), by: .system, company: due.company, in: tx
            )
            return objects
        }
        parts.figures.filesPurged.count()
        try? await parts.storage.delete(objects)
    }

    private static func endUpload(_ due: Due, _ parts: FileParts, _ database: Database) async throws {
        let tenant = Tenant(company: due.company, user: nil)
        let rows = try await database.query(
            """
            SELECT \(fragment: UploadRow.columns) FROM uploads
             WHERE company_id = \(due.company) AND id = \(due.subject) AND expires_at <= now()
            """, as: tenant)
        if let row = try rows.first.map(UploadRow.init), row.state == .open {
            let writing = UploadWriting(row, parts, database, by: .system)
            do {
                if row.offset == row.length {
                    try await writing.complete()
                } else {
                    try await writing.giveUp("It was not finished in time.")
                }
            } catch let problem as Problem where problem.code == .uploadBusy {
                return
            }
        }
        // What has ended is forgotten a day after its last request.
        try await database.transaction(as: tenant) { tx in
            guard try await take(due, in: tx) else { return }
            _ = try await tx.query(
                "DELETE FROM uploads WHERE company_id = \(due.company) AND id = \(due.subject)")
        }
    }

    /// False when another instance has it in hand, or it is not due any more.
    private static func take(_ due: Due, in tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            """
            DELETE FROM file_deadlines
             WHERE (kind, subject_id) IN (
                   SELECT kind, subject_id FROM file_deadlines
                    WHERE kind = \(due.kind) AND subject_id = \(due.subject) AND due_at <= now() FOR UPDATE SKIP LOCKED)
            RETURNING subject_id
            """)
        return !rows.isEmpty
    }
}
