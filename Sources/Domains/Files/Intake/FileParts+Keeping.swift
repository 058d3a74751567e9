import API
import Core
import Postgres
import Wire

extension FileParts {
    /// The port by which other domains keep and use files.
    func keeping(_ database: Database) -> FileKeeping {
        FileKeeping(
            keep: { draft, produce in try await keep(draft, database, produce) },
            read: { file, company, take in
                let rows = try await database.query(
                    "\(fragment: FileDelivery.select(company)) AND f.id = \(file) AND f.state = 'ready'",
                    as: Tenant(company: company, user: nil))
                guard let row = rows.first else { return false }
                let key = try FileDelivery(row, company: company).key
                try await storage.read(key, take)
                return true
            },
            link: { file, company, life in try await link(to: file, company, life, database) },
            attach: { file, subject, company, tx in try await Self.attach(file, to: subject, company, in: tx)
            },
            detach: { subject, company, tx in
                _ = try await tx.query(
                    """
                    DELETE FROM file_refs
                     WHERE company_id = \(company) AND subject_type = \(subject.type) AND subject_id = \(subject.id)
                    """)
            },
            publicLink: { file, company in
                links.url(FileLinkSeal.Link(company: company, file: file, manner: .inline, expiresAt: nil))
            },
            companyOfLink: { url in url.split(separator: "/").last.flatMap { links.open(String($0)) }?.company
            })
    }

    private func keep(
        _ draft: FileKeeping.Draft, _ database: Database,
        _ produce: @Sendable (any FileKeeping.Sink) async throws -> Void
    ) async throws -> FileKeeping.Kept {
        let intake = Intake(StorageKey(company: draft.company, id: .v7()), self)
        var file = NewFile(name: FileName(from: draft.name))
        file.purpose = FilePurpose(draft.purpose) ?? .general
        file.uploadedBy = draft.actor.kind == .user ? draft.actor.id : draft.actor.behind
        file.expiresAt = draft.keptFor.map { Timestamp.now + $0 }
        let received: ReceivedFile
        do {
            try await produce(KeptFileSink(intake: intake))
            received = try await intake.finish()
        } catch {
            await intake.abandon()
            throw error
        }
        try await record(
            file, received, by: draft.actor, database, as: Tenant(company: draft.company, user: nil))
        let expiresAt = Timestamp(seconds: Timestamp.now.seconds) + .seconds(FileLimits.linkSecondsMax)
        return FileKeeping.Kept(
            id: file.id, sizeBytes: received.length, sha256: received.sha256,
            url: links.url(
                .init(company: draft.company, file: file.id, manner: .attachment, expiresAt: expiresAt)),
            linkExpiresAt: expiresAt)
    }

    /// Records a content that lies in the storage; when it is not used after all it is removed.
    func record(
        _ file: NewFile, _ received: ReceivedFile, by actor: Audit.Actor, _ database: Database,
        as tenant: Tenant,
        also work: (Transaction) async throws -> Void = { _ in }
    ) async throws {
        let company = received.key.company
        do {
            let isUsed = try await database.transaction(as: tenant) { tx in
                try await work(tx)
                return try await file.record(received, self, by: actor, company: company, in: tx)
            }
            if !isUsed { try? await storage.delete(received.key) }
        } catch let problem as Problem {
            // Certainly not committed. Of other failures that is not sure, and the object is left to the sweep.
            try? await storage.delete(received.key)
            throw problem
        }
    }

    private func link(to file: UUID, _ company: UUID, _ life: Duration, _ database: Database) async throws
        -> String?
    {
        let rows = try await database.query(
            "SELECT 1 FROM files WHERE company_id = \(company) AND id = \(file) AND state = 'ready'",
            as: Tenant(company: company, user: nil))
        if rows.isEmpty { return nil }
        let end = Timestamp(seconds: (Timestamp.now + life).seconds)
        return links.url(FileLinkSeal.Link(company: company, file: file, manner: .attachment, expiresAt: end))
    }

    private static func attach(
        _ file: UUID, to subject: (type: String, id: UUID), _ company: UUID, in tx: Transaction
    ) async throws -> AttachedFile {
        // The lock keeps the file from being deleted before this is committed.
        let rows = try await tx.query(
            """
            SELECT type, size_bytes, state FROM files
             WHERE company_id = \(company) AND id = \(file) AND state <> 'deleted' FOR UPDATE
            """)
        guard let row = rows.first else {
            throw Problem.unprocessable("/file_id", "not-found", "names no file of the company")
        }
        guard try row.get("state", as: FileState.self) == .ready else { throw Problem(.fileNotReady) }
        _ = try await tx.query(
            """
            INSERT INTO file_refs (company_id, file_id, subject_type, subject_id)
            VALUES (\(company), \(file), \(subject.type), \(subject.id)) ON CONFLICT DO NOTHING
            """)
        let type = ContentType(name: try row.get("type"))
        return AttachedFile(
            type: type.name, sizeBytes: try row.get("size_bytes"),
            isPicture: type.kind == .image && type.isHarmless)
    }
}

private struct KeptFileSink: FileKeeping.Sink {
    let intake: Intake
    func write(_ bytes: [UInt8]) async throws { try await intake.take(bytes) }
}
