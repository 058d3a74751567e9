import API
import Core
import Postgres
import Wire

/// How files end: into the trash, out of it again, and for good. All of it in the caller's transaction.
enum FileEnd {
    /// Puts files into the trash; tells for each why it was not done, or nil.
    /// - Parameter onlyOf: whoever may delete only what he uploaded himself.
    static func delete(
        _ ids: [UUID], onlyOf owner: UUID?, _ parts: FileParts, by actor: Audit.Actor, company: UUID,
        in tx: Transaction
    ) async throws -> [UUID: String?] {
        let rows = try await tx.query(
            """
            SELECT f.id, f.name, f.state, f.uploaded_by, f.expires_at,
                   EXISTS (SELECT 1 FROM file_refs r WHERE r.company_id = f.company_id AND r.file_id = f.id) AS is_used
              FROM files f
             WHERE f.company_id = \(company) AND f.id = ANY(\(ids)) AND f.state <> 'deleted'
             ORDER BY f.id FOR UPDATE OF f
            """)
        var results: [UUID: String?] = [:]
        var statements: [SQL] = []
        let trashEnd = Timestamp.now + .seconds(parts.rules.trashDays * 86_400)
        for row in rows {
            let id = try row.get("id", as: UUID.self)
            if let owner, try row.get("uploaded_by", as: UUID?.self) != owner {
                results[id] = ProblemCode.forbidden.name
            } else if try row.get("is_used", as: Bool.self) {
                results[id] = ProblemCode.fileInUse.name
            } else {
                results[id] = .some(nil)
                let end = try min(row.get("expires_at", as: Timestamp?.self) ?? trashEnd, trashEnd)
                statements += try deletion(of: row, id, end, by: actor, company: company)
            }
        }
        _ = try await tx.batch(statements)
        return results
    }

    private static func deletion(
        of row: Row, _ id: UUID, _ end: Timestamp, by actor: Audit.Actor, company: UUID
    ) throws -> [SQL] {
        let name = try row.get("name", as: String.self)
        let isRejected = try row.get("state", as: FileState.self) == .rejected
        return try [
            // Of a refused file there is nothing left to be restored.
            isRejected
                ? "DELETE FROM files WHERE company_id = \(company) AND id = \(id)"
                : """
                UPDATE files SET state = 'deleted', deleted_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
            isRejected
                ? FileDeadline.cancel(.file, [id]) : FileDeadline.sql(.file, id, at: end, company: company),
            Audit.sql(
                Audit.Entry("file.deleted", on: "file", id, before: ["name": .string(name)]), by: actor,
                company: company),
            Events.sql(
                FileEvents.deleted, FileEvents.Deleted(id: id, name: name), on: "file", id, by: actor,
                company: company),
        ]
    }

    /// Takes files out of the trash; gives back those that were in it.
    static func restore(
        _ ids: [UUID], _ parts: FileParts, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> Set<UUID> {
        let scans = parts.scanner != nil
        let rows = try await tx.query(
            """
            UPDATE files f
               SET state = CASE WHEN \(scans) AND b.scanned_at IS NULL THEN 'pending' ELSE 'ready' END,
                   deleted_at = NULL, version = f.version + 1, updated_at = now()
              FROM file_blobs b
             WHERE f.company_id = \(company) AND f.id = ANY(\(ids)) AND f.state = 'deleted'
               AND b.company_id = f.company_id AND b.id = f.blob_id
            RETURNING f.id, f.name, f.state, f.blob_id, f.expires_at
            """)
        var statements: [SQL] = []
        for row in rows {
            let id = try row.get("id", as: UUID.self)
            if let end = try row.get("expires_at", as: Timestamp?.self) {
                statements.append(FileDeadline.sql(.file, id, at: end, company: company))
            } else {
                statements.append(FileDeadline.cancel(.file, [id]))
            }
            statements.append(
                Audit.sql(
                    Audit.Entry(
                        "file.restored", on: "file", id, after: ["name": .string(try row.get("name"))]),
                    by: actor,
                    company: company))
            if try row.get("state", as: FileState.self) == .pending {
                try await FileScan.enqueue(blob: row.get("blob_id"), company: company, in: tx)
            }
        }
        _ = try await tx.batch(statements)
        return Set(try rows.map { try $0.get("id", as: UUID.self) })
    }

    /// Takes files away for good, with what uses them. Gives the objects that nothing shows any more: they are to be
    /// removed from the storage once the transaction has been committed.
    static func purge(_ ids: [UUID], company: UUID, in tx: Transaction) async throws -> [StorageKey] {
        let rows = try await tx.query(
            """
            WITH unused AS (DELETE FROM file_refs WHERE company_id = \(company) AND file_id = ANY(\(ids)))
            SELECT f.id, f.blob_id FROM files f WHERE f.company_id = \(company) AND f.id = ANY(\(ids))
             ORDER BY f.id FOR UPDATE
            """)
        _ = try await tx.batch([
            "DELETE FROM files WHERE company_id = \(company) AND id = ANY(\(ids))",
            FileDeadline.cancel(.file, ids),
        ])
        let blobs = try rows.compactMap { try $0.get("blob_id", as: UUID?.self) }
        return try await release(blobs, company: company, in: tx)
    }

    /// Lets go of contents, once for each time they are named.
    static func release(_ blobs: [UUID], company: UUID, in tx: Transaction) async throws -> [StorageKey] {
        var objects: [StorageKey] = []
        var bytes = 0
        // In one order everywhere, so that two of these never wait for each other.
        for blob in blobs.sorted() {
            let last = try await tx.query(
                """
                DELETE FROM file_blobs WHERE company_id = \(company) AND id = \(blob) AND refs = 1
                RETURNING object_id, size_bytes
                """)
            if let row = last.first {
                objects.append(StorageKey(company: company, id: try row.get("object_id")))
                bytes += try row.get("size_bytes", as: Int.self)
            } else {
                _ = try await tx.query(
                    "UPDATE file_blobs SET refs = refs - 1 WHERE company_id = \(company) AND id = \(blob)")
            }
        }
        if bytes > 0 { try await StorageQuota.take(-bytes, company: company, in: tx) }
        return objects
    }
}
