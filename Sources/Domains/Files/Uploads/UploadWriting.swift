import API
import Core
import HTTP
import Postgres
import Wire

/// One request that adds to an upload. Only one writes at a time: it holds the row's `writer` until it is done, or until
/// it has not been heard of for a while.
struct UploadWriting: Sendable {
    private let row: UploadRow
    private let parts: FileParts
    private let database: Database
    private let tenant: Tenant
    private let actor: Audit.Actor
    private let me = UUID.v7()
    private let call: Call?

    init(_ row: UploadRow, _ call: Call) {
        self.init(row, call.files, call.db.database, by: call.actor, call)
    }

    init(
        _ row: UploadRow, _ parts: FileParts, _ database: Database, by actor: Audit.Actor, _ call: Call? = nil
    ) {
        self.row = row
        self.parts = parts
        self.database = database
        self.actor = actor
        self.call = call
        tenant = Tenant(company: row.company, user: nil)
    }

    /// Takes the body of the request. What has come is kept even when the rest does not; at the end it becomes a file.
    func append() async throws {
        guard let call else { preconditionFailure("bytes are added by a request") }
        let checksum = try TusChecksum(call)
        try await parts.slots.run(row.company) {
            try await parts.storing {
                try await claim()
                do {
                    guard row.storage == parts.storage.identity else { throw StorageError.elsewhere }
                    let intake = try await Intake(row.saved, row.key, parts)
                    try await take(call, into: intake, checksum)
                    if intake.length == row.length { try await finish(intake) } else { try await letGo() }
                } catch {
                    await end(after: error)
                    throw error is UploadTakenOver ? Problem(.uploadBusy) : error
                }
            }
        }
    }

    private func take(_ call: Call, into intake: Intake, _ checksum: TusChecksum?) async throws {
        var savedAt = intake.length
        var renewedAt = ContinuousClock.now
        var breach: (any Error)?
        do {
            while let piece = try await call.request.body.next() {
                guard intake.length + piece.count <= row.length else {
                    throw Problem(.fileTooLarge, "More bytes came than the upload has.").with(
                        "bytes_max", JSON(row.length))
                }
                checksum?.take(piece)
                try await intake.take(piece)
                // With a checksum nothing may count before all of it has come.
                if checksum == nil, intake.length - savedAt >= FileLimits.savedEachBytes {
                    try await save(intake)
                    savedAt = intake.length
                    renewedAt = .now
                } else if renewedAt.duration(to: .now) > FileLimits.writerRenewedEach {
                    try await renew()
                    renewedAt = .now
                }
            }
            try checksum?.check()
        } catch let error as BodyError {
            // The connection broke: what has come is worth keeping.
            if checksum != nil { throw error }
            breach = error
        }
        try await save(intake)
        if let breach { throw breach }
    }

    // MARK: the row

    private func claim() async throws {
        let rows = try await database.query(
            """
            UPDATE uploads SET writer = \(me), writer_until = now() + make_interval(secs => \(FileLimits.writerSeconds))
             WHERE company_id = \(row.company) AND id = \(row.id) AND state = 'open' AND offset_bytes = \(row.offset)
               AND (writer IS NULL OR writer_until < now())
            RETURNING id
            """, as: tenant)
        if rows.isEmpty { throw Problem(.uploadBusy).header("retry-after", "1") }
    }

    private func renew() async throws {
        try await update("writer_until = now() + make_interval(secs => \(FileLimits.writerSeconds))")
    }

    private func letGo() async throws { try await update("writer = NULL, writer_until = NULL") }

    /// The work goes on although the client, whose request this is, may be gone.
    private func save(_ intake: Intake) async throws {
        try await Task {
            let saved = try await intake.save()
            let storage = try JSON(encoding: saved.storage).description
            let expiresAt = Timestamp.now + .seconds(FileLimits.uploadHours * 3600)
            try await update(
                """
                offset_bytes = \(saved.length), head = \(saved.head), type = \(saved.type?.name),
                width = \(saved.imageSize?.width), height = \(saved.imageSize?.height), hash_state = \(saved.hash),
                storage_state = \(JSONText(storage))::jsonb, expires_at = \(expiresAt), updated_at = now(),
                writer_until = now() + make_interval(secs => \(FileLimits.writerSeconds))
                """, also: [FileDeadline.sql(.upload, row.id, at: expiresAt, company: row.company)])
        }.value
    }

    /// Changes the row if this request still holds it; another may have taken it for dead.
    private func update(_ changes: SQL, also statements: [SQL] = []) async throws {
        let rows = try await database.batch(
            [
                """
                UPDATE uploads SET \(fragment: changes)
                 WHERE company_id = \(row.company) AND id = \(row.id) AND writer = \(me) RETURNING id
                """
            ] + statements, as: tenant)
        if rows[0].isEmpty { throw Problem(.uploadBusy) }
    }

    // MARK: the end

    /// Makes the file of an upload whose bytes are all safe; also when a request before this one has begun to.
    func complete() async throws {
        try await parts.storing {
            try await claim()
            do {
                guard row.storage == parts.storage.identity else { throw StorageError.elsewhere }
                // It was made whole, and the row had not been told.
                let length = try await parts.storage.length(of: row.key)
                if length == row.length, let received = Intake.received(row.saved, row.key) {
                    try await record(received)
                } else {
                    let intake = try await Intake(row.saved, row.key, parts)
                    try await finish(intake)
                }
            } catch {
                await end(after: error)
                throw error
            }
        }
    }

    private func finish(_ intake: Intake) async throws {
        try await Task { try await record(intake.finish()) }.value
    }

    private func record(_ received: ReceivedFile) async throws {
        try await parts.record(row.file, received, by: actor, database, as: tenant) { tx in
            let rows = try await tx.query(
                """
                UPDATE uploads SET state = 'finished', writer = NULL, writer_until = NULL, head = '', updated_at = now()
                 WHERE company_id = \(row.company) AND id = \(row.id) AND state = 'open' AND writer = \(me) RETURNING id
                """)
            // Whoever took it over makes the file; the object is his.
            if rows.isEmpty { throw UploadTakenOver() }
        }
    }

    /// After a failure: what can never become a file is given up, anything else is left for the next request.
    private func end(after error: any Error) async {
        let isRefused = (error as? Problem)?.code == .fileTypeRefused
        await Task {
            if isRefused { try? await fail(ProblemCode.fileTypeRefused.title) } else { try? await letGo() }
        }.value
    }

    /// Ends the upload without a file.
    func giveUp(_ reason: String) async throws {
        try await claim()
        try await fail(reason)
    }

    private func fail(_ reason: String) async throws {
        try await database.transaction(as: tenant) { tx in
            let rows = try await tx.query(
                """
                UPDATE uploads SET state = 'failed', failure = \(reason), head = '', writer = NULL, writer_until = NULL,
                       updated_at = now()
                 WHERE company_id = \(row.company) AND id = \(row.id) AND state = 'open' AND writer = \(me) RETURNING id
                """)
            if rows.isEmpty { return }
            try await StorageQuota.take(-row.length, company: row.company, in: tx)
        }
        parts.figures.uploadsAbandoned.count()
        if row.storage == parts.storage.identity {
            try? await parts.storage.abandon(row.key, row.saved.storage)
        }
    }
}

/// Another request took the upload for abandoned and went on with it.
struct UploadTakenOver: Error {}
