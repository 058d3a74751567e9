import Core
import Postgres
import Wire

/// Has new contents looked through for malware before anybody can download them. One look serves all files of the company
/// that show the content.
enum FileScan {
    struct Arguments: Codable, Sendable {
        let company: UUID
        let blob: UUID
    }

    /// clamd may be away for hours, when its signatures are renewed or its machine is.
    static let kind = JobKind<Arguments>(
        "files.scan", queue: "file-scans", attemptsMax: 30, leaseSeconds: 300, perCompanyMax: 4)
    static let queue = JobQueue("file-scans", concurrency: 4)
    static let handler = JobHandler(kind) { arguments, job in
        try await scan(arguments, job.work.environment[FileParts.self], job.work.database)
        return .done
    }

    static func enqueue(blob: UUID, company: UUID, in tx: Transaction) async throws {
        try await Jobs.enqueue(
            kind, Arguments(company: company, blob: blob), company: company, uniqueKey: blob.description,
            in: tx)
    }

    private static func scan(_ arguments: Arguments, _ parts: FileParts, _ database: Database) async throws {
        let (company, tenant) = (arguments.company, Tenant(company: arguments.company, user: nil))
        let rows = try await database.query(
            "SELECT object_id FROM file_blobs WHERE company_id = \(company) AND id = \(arguments.blob)",
            as: tenant)
        guard let row = rows.first else { return }
        let key = StorageKey(company: company, id: try row.get("object_id"))
        // Turned off since the file came: nobody will ever say that it is clean.
        var verdict = Clamd.Verdict.clean
        if let scanner = parts.scanner {
            verdict = try await scanner.scan { take in try await parts.storage.read(key, take) }
        }
        let objects = try await database.transaction(as: tenant) { tx in
            try await settle(verdict, arguments, in: tx)
        }
        if verdict != .clean { parts.figures.filesRejected.count() }
        try? await parts.storage.delete(objects)
    }

    /// Gives the objects that nothing shows any more.
    private static func settle(
        _ verdict: Clamd.Verdict, _ arguments: Arguments, in tx: Transaction
    ) async throws -> [StorageKey] {
        let (company, blob) = (arguments.company, arguments.blob)
        // New files that show the content wait until this is decided.
        let locked = try await tx.query(
            "SELECT refs FROM file_blobs WHERE company_id = \(company) AND id = \(blob) FOR UPDATE")
        guard !locked.isEmpty else { return [] }
        let rows: Rows
        switch verdict {
        case .clean:
            rows = try await tx.batch([
                "UPDATE file_blobs SET scanned_at = now() WHERE company_id = \(company) AND id = \(blob)",
                """
                UPDATE files SET state = 'ready', version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND blob_id = \(blob) AND state = 'pending'
                RETURNING id, name, state, rejection
                """,
            ])[1]
        case .found(let name):
            // Also out of the trash: from there it could be taken back.
            rows = try await tx.query(
                """
                UPDATE files SET state = 'rejected', rejection = \(name), blob_id = NULL, deleted_at = NULL,
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND blob_id = \(blob) RETURNING id, name, state, rejection
                """)
        }
        for row in rows { try await tell(row, company, in: tx) }
        guard verdict != .clean else { return [] }
        return try await FileEnd.release(rows.map { _ in blob }, company: company, in: tx)
    }

    private static func tell(_ row: Row, _ company: UUID, in tx: Transaction) async throws {
        let verdict = FileEvents.Verdict(
            id: try row.get("id"), name: try row.get("name"), state: try row.get("state"),
            rejection: try row.get("rejection", as: String?.self))
        try await Events.record(
            FileEvents.scanned, verdict, on: "file", verdict.id, by: .system, company: company, in: tx)
        guard verdict.state == .rejected else { return }
        try await Audit.record(
            Audit.Entry(
                "file.rejected", on: "file", verdict.id,
                after: ["rejection": .string(verdict.rejection ?? "")]),
            by: .system, company: company, in: tx)
    }
}
