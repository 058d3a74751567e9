import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// Makes the archive of an export, as a job: one JSON file per table, the contents of uploaded files, and a manifest that
/// says what each holds. An
/// attempt that was broken off leaves nothing behind, and the next begins anew.
struct Exporting {
    struct Arguments: Codable, Sendable { let request: UUID }

    static let kind = JobKind<Arguments>("privacy.export", queue: "privacy", attemptsMax: 5, leaseSeconds: 60)

    static let handler = JobHandler(kind) { arguments, job in
        try await Exporting(id: arguments.request, job: job).run()
    }

    /// Takes away the files whose time is over.
    static let worker = Worker.single("privacy-exports-end", every: .seconds(600)) { work in
        try await expire(work.database, work.environment[Vault.self]) ? .more : .idle
    }

    let id: UUID
    let job: Job

    private var db: Database { job.work.database }

    /// A table to be copied, seen from one company or from none.
    struct Part: Sendable {
        let file: String
        let what: String
        let select: SQL
    }

    private struct Copied: Codable, Sendable {
        let file: String
        let what: String
        let rows: Int
    }

    private struct Manifest: Codable, Sendable {
        let requestId: UUID
        let subject: PrivacySubject
        let madeAt: Timestamp
        let files: [Copied]
        let contents: [ExportedFiles.Copied]
        let leftOut: String
    }

    private struct Request: Sendable {
        let subject: PrivacySubject
        let person: PersonalData.Subject
        let requestedBy: UUID
        let askedIn: UUID?
        let askedAt: Timestamp
    }

    func run() async throws -> JobOutcome {
        guard let request = try await begin() else { return .cancelled("the request is gone") }
        do {
            let bytes = try await archive(request.subject, request.person)
            try await finish(request, bytes)
            return .done
        } catch {
            if job.attempt == job.attemptsMax { try await fail(request) }
            throw error
        }
    }

    private func begin() async throws -> Request? {
        let rows = try await db.query(
            """
            UPDATE privacy_requests SET state = 'running', started_at = now(), version = version + 1, updated_at = now()
             WHERE id = \(id) AND kind = 'export' AND state IN ('queued', 'running')
            RETURNING subject, company_id, user_id, email_sealed, requested_by, asked_in, created_at
            """)
        guard let row = rows.first else { return nil }
        let company = try row.get("company_id", as: UUID?.self)
        let email = try PrivacyRequests.open(
            try row.get("email_sealed"), id, job.work.environment[KeyRing.self])
        var user = try row.get("user_id", as: UUID?.self)
        if let company, let email { user = try await member(of: company, email) }
        return Request(
            subject: try row.get("subject"),
            person: PersonalData.Subject(user: user, email: email, company: company),
            requestedBy: try row.get("requested_by"), askedIn: try row.get("asked_in"),
            askedAt: try row.get("created_at"))
    }

    /// Whom the company knows under the address as one of its own people: most tables tell of them by their id.
    private func member(of company: UUID, _ email: String) async throws -> UUID? {
        let rows = try await db.query(
            """
            SELECT u.id FROM users u JOIN memberships m ON m.company_id = \(company) AND m.user_id = u.id
             WHERE u.email_norm = \(email) LIMIT 1
            """, as: Tenant(company: company))
        return try rows.first?.get("id")
    }

    /// Writes the archive into the vault; gives how long it is.
    private func archive(_ subject: PrivacySubject, _ person: PersonalData.Subject) async throws -> Int {
        let writer = try await job.work.environment[Vault.self].write(id)
        do {
            let zip = ZipWriter()
            var (copied, bytes): ([Copied], Int) = ([], 0)
            let groups = try await ExportParts.make(
                subject, person, job.work.environment[Declarations.self], db)
            var contents: [ExportedFiles.Copied] = []
            for (n, group) in groups.enumerated() {
                copied += try await copy(group, into: zip, writer, &bytes)
                try await job.progress((n + 1) * 50 / groups.count, "\(copied.count) tables")
            }
            for (n, group) in groups.enumerated() {
                guard let files = group.contents else { continue }
                let told = try await copy(files, into: zip, writer, &bytes)
                if told.files + told.lost.count > 0 { contents.append(told) }
                try await job.progress(50 + (n + 1) * 45 / groups.count, "\(told.files) files")
            }
            let manifest = Manifest(
                requestId: id, subject: subject, madeAt: .now, files: copied, contents: contents,
                leftOut:
                    "Digests of secrets and sealed secrets: they mean nothing outside, and could do harm.")
            let text = ByteWriter(capacity: 4096)
            try text.writeJSON(manifest)
            zip.add("manifest.json", text.array, modified: .now)
            zip.finish()
            try await flush(zip, writer, &bytes)
            try await writer.finish()
            return bytes
        } catch {
            await writer.abandon()
            throw error
        }
    }

    /// The tables of one company, or of none, as they were at one moment.
    private func copy(
        _ group: ExportParts.Group, into zip: ZipWriter, _ writer: any StorageWriter, _ bytes: inout Int
    ) async throws -> [Copied] {
        var (copied, total): ([Copied], Int) = ([], bytes)
        try await db.transaction(as: group.tenant, isolation: .readOnlySnapshot, deadline: .seconds(600)) {
            tx in
            for part in group.parts {
                _ = try await tx.query("DECLARE part NO SCROLL CURSOR FOR \(fragment: part.select)")
                var rows = try await fetch(tx)
                if !rows.isEmpty {
                    zip.begin(part.file, modified: .now)
                    zip.write(Array("[".utf8))
                    var count = 0
                    while !rows.isEmpty {
                        zip.write(Self.text(rows, after: count))
                        count += rows.count
                        try await flush(zip, writer, &total)
                        rows = try await fetch(tx)
                    }
                    zip.write(Array("\n]\n".utf8))
                    zip.end()
                    copied.append(Copied(file: part.file, what: part.what, rows: count))
                }
                _ = try await tx.query("CLOSE part")
            }
        }
        bytes = total
        return copied
    }

    private func copy(
        _ files: ExportedFiles, into zip: ZipWriter, _ writer: any StorageWriter, _ bytes: inout Int
    ) async throws -> ExportedFiles.Copied {
        var total = bytes
        defer { bytes = total }
        return try await files.copy(into: zip, job.work.environment[FileKeeping.self], db) {
            try await flush(zip, writer, &total)
        }
    }

    private func fetch(_ tx: Transaction) async throws -> Rows {
        try await tx.query("FETCH FORWARD \(unescaped: String(PrivacyLimits.rowsAtOnce)) FROM part")
    }

    private static func text(_ rows: Rows, after count: Int) -> [UInt8] {
        let out = ByteWriter(capacity: 64 << 10)
        for index in 0..<rows.count {
            out.write(count + index == 0 ? "\n" : ",\n")
            rows.writeJSON(row: index, into: out)
        }
        return out.array
    }

    private func flush(_ zip: ZipWriter, _ writer: any StorageWriter, _ bytes: inout Int) async throws {
        let piece = zip.take()
        if piece.isEmpty { return }
        try await writer.write(piece)
        bytes += piece.count
    }

    private func finish(_ request: Request, _ bytes: Int) async throws {
        let expiresAt = Timestamp.now + PrivacyLimits.exportLife
        try await db.transaction { tx in
            _ = try await tx.query(
                """
                UPDATE privacy_requests
                   SET state = 'done', finished_at = now(), file_bytes = \(bytes), expires_at = \(expiresAt),
                       email_sealed = NULL, version = version + 1, updated_at = now()
                 WHERE id = \(id)
                """)
            try await PrivacyNews.mail(
                to: request.requestedBy, about: id, askedAt: request.askedAt, expiresAt: expiresAt, tx)
            try await PrivacyNews.tell(
                PrivacyNews.exportReady, ["expires_at": .string(expiresAt.description)], about: id,
                to: request.requestedBy, in: request.askedIn, tx)
            try await job.finish(in: tx)
        }
    }

    private func fail(_ request: Request) async throws {
        try await db.transaction { tx in
            _ = try await tx.query(
                """
                UPDATE privacy_requests
                   SET state = 'failed', finished_at = now(), email_sealed = NULL,
                       error = 'The copy could not be made.', version = version + 1, updated_at = now()
                 WHERE id = \(id)
                """)
            try await PrivacyNews.mail(
                to: request.requestedBy, about: id, askedAt: request.askedAt, expiresAt: nil, tx)
            try await PrivacyNews.tell(
                PrivacyNews.exportFailed, about: id, to: request.requestedBy, in: request.askedIn, tx)
        }
    }

    /// The file first, then the row: what fails in between is tried again.
    static func expire(_ db: Database, _ vault: Vault) async throws -> Bool {
        let rows = try await db.query(
            """
            SELECT id FROM privacy_requests WHERE kind = 'export' AND state = 'done' AND expires_at <= now() LIMIT 100
            """)
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        if ids.isEmpty { return false }
        try await vault.delete(ids)
        _ = try await db.query(
            """
            UPDATE privacy_requests SET state = 'expired', version = version + 1, updated_at = now() WHERE id = ANY(\(ids))
            """)
        return ids.count == 100
    }
}
