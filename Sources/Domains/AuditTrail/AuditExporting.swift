import Core
import Postgres
import Wire

/// Makes the file of an export, as a job, and takes it away again when its time is over. An attempt that was broken off
/// leaves nothing behind, and the next begins anew.
enum AuditExporting {
    struct Arguments: Codable, Sendable {
        let company: UUID
        let export: UUID
    }

    static let kind = JobKind<Arguments>(
        "audit.export", queue: "audit", attemptsMax: 5, leaseSeconds: 60, perCompanyMax: 2)
    static let ending = JobKind<Arguments>("audit.export-end", queue: "audit")

    static let handlers = [
        JobHandler(kind) { arguments, job in try await run(arguments, job) },
        JobHandler(ending) { arguments, job in try await end(arguments, job) },
    ]

    private static func run(_ arguments: Arguments, _ job: Job) async throws -> JobOutcome {
        let (company, db) = (arguments.company, job.work.database)
        let rows = try await db.query(
            """
            UPDATE audit_exports SET state = 'running', version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(arguments.export) AND state IN ('queued', 'running')
            RETURNING format, selection::text AS selection, requested_by
            """, as: Tenant(company: company))
        guard let row = rows.first else { return .cancelled("the export is gone") }
        let requester = try row.get("requested_by", as: UUID?.self)
        do {
            let made = try await file(
                row.get("format"), AuditSelection(stored: row.get("selection")), arguments, job)
            try await finish(arguments, requester, made, job)
            return .done
        } catch {
            if job.attempt == job.attemptsMax { try await fail(arguments, requester, db) }
            throw error
        }
    }

    private struct Made {
        var events = 0
        var bytes = 0
    }

    private static func file(
        _ file: AuditFile, _ selection: AuditSelection, _ arguments: Arguments, _ job: Job
    ) async throws -> Made {
        let db = job.work.database
        let conditions = try selection.conditions()
        let whole = try await db.query(
            "SELECT greatest(max(seq), 1) AS count FROM audit_seals WHERE company_id = \(arguments.company)",
            as: Tenant(company: arguments.company))
        let most = try whole[0].get("count", as: Int.self)
        let writer = try await job.work.environment[Vault.self].write(arguments.export)
        do {
            var (made, pieces) = (Made(), 0)
            made.events = try await file.write(arguments.company, conditions, db) { piece in
                try await writer.write(piece)
                made.bytes += piece.count
                pieces += 1
                try await job.progress(
                    min(95, pieces * AuditLimits.rowsAtOnce * 95 / most), "\(made.bytes) bytes")
            }
            try await writer.finish()
            return made
        } catch {
            await writer.abandon()
            throw error
        }
    }

    private static func finish(_ arguments: Arguments, _ requester: UUID?, _ made: Made, _ job: Job)
        async throws
    {
        let (company, expiresAt) = (arguments.company, Timestamp.now + AuditLimits.exportLife)
        try await job.work.database.transaction(as: Tenant(company: company)) { tx in
            _ = try await tx.query(
                """
                UPDATE audit_exports
                   SET state = 'done', events = \(made.events), bytes = \(made.bytes), finished_at = now(),
                       expires_at = \(expiresAt), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(arguments.export)
                """)
            // Nobody's job: it outlives the company, whose jobs go with it.
            try await Jobs.enqueue(ending, arguments, company: nil, at: expiresAt, in: tx)
            if let requester {
                try await Notify.record(
                    AuditNews.exportReady, to: [requester], about: .init("audit_export", arguments.export),
                    values: ["events": JSON(made.events), "expires_at": .string(expiresAt.description)],
                    dedupeKey: arguments.export.description, by: .system, company: company, in: tx)
            }
            try await job.finish(in: tx)
        }
    }

    private static func fail(_ arguments: Arguments, _ requester: UUID?, _ db: Database) async throws {
        let company = arguments.company
        try await db.transaction(as: Tenant(company: company)) { tx in
            _ = try await tx.query(
                """
                UPDATE audit_exports SET state = 'failed', finished_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(arguments.export)
                """)
            guard let requester else { return }
            try await Notify.record(
                AuditNews.exportFailed, to: [requester], about: .init("audit_export", arguments.export),
                dedupeKey: arguments.export.description, by: .system, company: company, in: tx)
        }
    }

    /// The file first, then the row: what fails in between is tried again.
    private static func end(_ arguments: Arguments, _ job: Job) async throws -> JobOutcome {
        try await job.work.environment[Vault.self].delete([arguments.export])
        _ = try await job.work.database.query(
            """
            UPDATE audit_exports SET state = 'expired', version = version + 1, updated_at = now()
             WHERE company_id = \(arguments.company) AND id = \(arguments.export) AND state = 'done'
            """, as: Tenant(company: arguments.company))
        return .done
    }
}
