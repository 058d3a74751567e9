import API
import Core
import Postgres
import Wire

/// A file about to be recorded: what its maker says of it.
struct NewFile: Sendable {
    var id = UUID.v7()
    var name: FileName
    var declaredType: String?
    var purpose = FilePurpose.general
    var tags: [FileTag] = []
    var uploadedBy: UUID?
    /// Kept until then only.
    var expiresAt: Timestamp?
    /// Room in the company's storage that was set aside for it.
    var reservedBytes = 0

    /// Puts the file on record: its content, counted against the company's room unless it has it already, and the file
    /// itself. Returns whether the object just written is the one that is used.
    func record(
        _ received: ReceivedFile, _ parts: FileParts, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> Bool {
        let blob = UUID.v7()
        let rows = try await tx.query(
            """
            INSERT INTO file_blobs AS b (company_id, id, sha256, size_bytes, object_id)
            VALUES (\(company), \(blob), \(received.sha256), \(received.length), \(received.key.id))
            ON CONFLICT (company_id, sha256) DO UPDATE
               SET refs = b.refs + 1, missing_since = NULL,
                   object_id = CASE WHEN b.missing_since IS NULL THEN b.object_id ELSE excluded.object_id END
            RETURNING b.id, b.object_id, b.scanned_at IS NOT NULL AS is_scanned
            """)
        let kept = try rows[0].get("id", as: UUID.self)
        let isNew = kept == blob
        try await StorageQuota.take((isNew ? received.length : 0) - reservedBytes, company: company, in: tx)
        let isScanned = try parts.scanner == nil || rows[0].get("is_scanned", as: Bool.self)
        try await insert(
            received, blob: kept, isScanned ? .ready : .pending, by: actor, company: company, in: tx)
        if !isScanned { try await FileScan.enqueue(blob: kept, company: company, in: tx) }
        parts.figures.filesKept.count()
        if !isNew { parts.figures.filesDeduplicated.count() }
        return try rows[0].get("object_id", as: UUID.self) == received.key.id
    }

    private func insert(
        _ received: ReceivedFile, blob: UUID, _ state: FileState, by actor: Audit.Actor, company: UUID,
        in tx: Transaction
    ) async throws {
        let type = received.type
        var statements: [SQL] = [
            """
            INSERT INTO files (company_id, id, blob_id, name, type, declared_type, kind, size_bytes, sha256, width, height,
                               purpose, tags, state, uploaded_by, expires_at)
            VALUES (\(company), \(id), \(blob), \(name), \(type.name), \(declaredType), \(type.kind), \(received.length),
                    \(received.sha256), \(received.imageSize?.width), \(received.imageSize?.height), \(purpose),
                    \(FileTag.distinct(tags)), \(state), \(uploadedBy), \(expiresAt))
            """,
            Audit.sql(
                Audit.Entry(
                    "file.uploaded", on: "file", id,
                    after: [
                        "name": .string(name.text), "type": .string(type.name),
                        "size_bytes": JSON(received.length),
                        "purpose": .string(purpose.text),
                    ]),
                by: actor, company: company),
            try Events.sql(
                FileEvents.uploaded,
                FileEvents.File(
                    id: id, name: name.text, type: type.name, sizeBytes: received.length,
                    purpose: purpose.text,
                    state: state),
                on: "file", id, by: actor, company: company),
        ]
        if let expiresAt { statements.append(FileDeadline.sql(.file, id, at: expiresAt, company: company)) }
        _ = try await tx.batch(statements)
    }
}

/// When something of this domain ends, for the sweeper of all companies.
enum FileDeadline: String, SQLBindable, RowValue {
    case upload, file

    static func sql(_ kind: FileDeadline, _ subject: UUID, at time: Timestamp, company: UUID) -> SQL {
        """
        INSERT INTO file_deadlines (company_id, kind, subject_id, due_at)
        VALUES (\(company), \(kind), \(subject), \(time))
        ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = excluded.due_at
        """
    }

    static func cancel(_ kind: FileDeadline, _ subjects: [UUID]) -> SQL {
        "DELETE FROM file_deadlines WHERE kind = \(kind) AND subject_id = ANY(\(subjects))"
    }
}
