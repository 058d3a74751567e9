import Core
import HTTP
import Postgres
import Wire

/// The contents of uploaded files that belong into an archive, each under its file's id.
struct ExportedFiles: Sendable {
    let company: UUID
    let folder: String
    /// Which of the company's files; the table is called `f`.
    let condition: SQL

    static func all(of company: UUID) -> ExportedFiles {
        ExportedFiles(company: company, folder: "files/", condition: "true")
    }

    /// - Parameter asksHerself: then only where she is still a member: who has left takes her data along, and not the
    ///   company's documents.
    static func uploaded(by user: UUID, in company: UUID, asksHerself: Bool) -> ExportedFiles {
        let isMember: SQL = """
            EXISTS (SELECT 1 FROM memberships m
                     WHERE m.company_id = f.company_id AND m.user_id = \(user) AND m.status = 'active')
            """
        return ExportedFiles(
            company: company, folder: "companies/\(company)/files/",
            condition: "f.uploaded_by = \(user) AND \(fragment: asksHerself ? isMember : "true")")
    }

    /// What the manifest says of them.
    struct Copied: Codable, Sendable {
        let folder: String
        var files = 0
        /// Files whose contents the storage has lost.
        var lost: [UUID] = []
    }

    private struct Entry {
        let id: UUID
        let name: String
        let type: String
        let madeAt: Timestamp

        /// Pictures, films and archives are packed already.
        var isText: Bool { type.hasPrefix("text/") || type.hasSuffix("json") || type.hasSuffix("xml") }
    }

    /// Writes them into the archive, and hands on what it made of each piece.
    func copy(
        into zip: ZipWriter, _ keeping: FileKeeping, _ db: Database, flush: () async throws -> Void
    ) async throws -> Copied {
        var copied = Copied(folder: folder)
        var last: UUID?
        while true {
            let entries = try await entries(after: last, db)
            for entry in entries {
                if try await copy(entry, into: zip, keeping, flush) {
                    copied.files += 1
                } else {
                    copied.lost.append(entry.id)
                }
            }
            guard entries.count == PrivacyLimits.rowsAtOnce else { return copied }
            last = entries.last?.id
        }
    }

    private func entries(after last: UUID?, _ db: Database) async throws -> [Entry] {
        let rows = try await db.query(
            """
            SELECT f.id, f.name, f.type, f.created_at FROM files f
             WHERE f.company_id = \(company) AND f.state = 'ready' AND \(fragment: condition)
               AND (\(last)::uuid IS NULL OR f.id > \(last)::uuid)
             ORDER BY f.id LIMIT \(PrivacyLimits.rowsAtOnce)
            """, as: Tenant(company: company))
        return try rows.map {
            Entry(
                id: try $0.get("id"), name: try $0.get("name"), type: try $0.get("type"),
                madeAt: try $0.get("created_at"))
        }
    }

    /// False when the content cannot be had any more: the rest of the archive is owed all the same.
    private func copy(
        _ entry: Entry, into zip: ZipWriter, _ keeping: FileKeeping, _ flush: () async throws -> Void
    ) async throws -> Bool {
        var hasBegun = false
        let begin = {
            zip.begin("\(folder)\(entry.id)/\(entry.name)", modified: entry.madeAt, compresses: entry.isText)
            hasBegun = true
        }
        let isThere: Bool
        do {
            isThere = try await keeping.read(entry.id, company) { piece in
                if !hasBegun { begin() }
                zip.write(piece)
                try await flush()
            }
        } catch StorageError.missing {
            isThere = false
        }
        if isThere && !hasBegun { begin() }
        if hasBegun { zip.end() }
        return isThere
    }
}
