import API
import Core
import Postgres
import Wire

/// Files of the record made in the background.
enum AuditExports {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-exports", "List files made of the record", .can(.auditExport), list)
        POST("/v1/audit-exports", "Make a file of the record", .can(.auditExport), ask)
            .describe(
                "In the background, for records too long to be waited for. `ndjson` holds the seals, `csv` is for "
                    + "spreadsheets. Whoever asks is told when it is ready; the file is deleted after a week."
            )
            .problems(.tooManyAuditExports)
            .example(body: [
                "format": "ndjson", "selection": ["q": "action:member.*", "from": "2026-01-01T00:00:00Z"],
            ])
        GET("/v1/audit-exports/{id}", "Read how far a file is", .can(.auditExport), read)
        POST(
            "/v1/audit-exports/{id}/download-url", "Make a link to a file of the record", .can(.auditExport),
            link
        )
        .operation("linkAuditExport").secret.describe("Good for a quarter of an hour, without a token.")
        .problems(.auditExportNotReady)
    }

    enum State: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case queued, running, done, failed, expired
    }

    struct NewExport: Codable, Sendable, FieldNotes {
        let format: AuditFile
        let selection: AuditSelection?

        static let fieldNotes = ["selection": "Without it, everything."]
    }

    struct AuditExport: Codable, Sendable, FieldNotes {
        let id: UUID
        let format: AuditFile
        let selection: JSON
        let state: State
        let events: Int64
        let bytes: Int64
        let requestedBy: UUID?
        let createdAt: Timestamp
        let finishedAt: Timestamp?
        let expiresAt: Timestamp?
        let version: Int64

        static let fieldNotes = ["expires_at": "Then the file is deleted."]
    }

    struct Link: Codable, Sendable {
        let url: String
        let expiresAt: Timestamp
    }

    struct Filter: ListFilter {
        let state: [State]?
        static let sorts = ["-created_at"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AuditExport> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AuditExport> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func ask(_ call: Call, _ body: Body<NewExport>) async throws -> Accepted<AuditExport> {
        let (company, id, format) = (try call.company, UUID.v7(), body.format)
        let selection = body.value.selection ?? .everything
        // What cannot be asked is said now, not by the job.
        _ = try selection.conditions()
        let stored = try selection.stored
        try await call.db.transaction { tx in
            let made = try await tx.query(
                """
                INSERT INTO audit_exports (company_id, id, format, selection, requested_by)
                SELECT \(company)::uuid, \(id)::uuid, \(format)::text, \(JSONText(stored))::jsonb, \(call.actor.person)::uuid
                 WHERE (SELECT count(*) FROM audit_exports
                         WHERE company_id = \(company) AND state IN ('queued', 'running')) < \(AuditLimits.exportsAtOnce)
                RETURNING id
                """)
            if made.isEmpty { throw Problem(.tooManyAuditExports) }
            try await Audit.record(
                Audit.Entry(
                    "audit.export_asked", on: "audit_export", id,
                    after: ["format": .string(format.rawValue), "selection": stored]),
                by: call.actor, company: company, in: tx)
            try await Jobs.enqueue(
                AuditExporting.kind, .init(company: company, export: id), company: company, in: tx)
        }
        return try Accepted(
            await call.db.query("\(fragment: select(company)) AND id = \(id)"), at: "/v1/audit-exports/\(id)")
    }

    static func link(_ call: Call, _ id: Path<UUID>) async throws -> Single<Link> {
        let company = try call.company
        let rows = try await call.db.query(
            "SELECT state, format, bytes, expires_at FROM audit_exports WHERE company_id = \(company) AND id = \(id)"
        )
        guard let row = rows.first else { throw Problem.notFound }
        guard try row.get("state", as: State.self) == .done,
            try row.get("expires_at", as: Timestamp.self) > call.now
        else { throw Problem(.auditExportNotReady) }
        let expiresAt = call.now + .seconds(AuditLimits.linkSeconds)
        let link = Vault.Link(
            id.value, name: try row.get("format", as: AuditFile.self).name, bytes: try row.get("bytes"),
            expiresAt: expiresAt)
        let url = try call.environment[Vault.self].url(link)
        _ = try await call.db.query(
            Audit.sql(
                Audit.Entry("audit.export_opened", on: "audit_export", id.value), by: call.actor,
                company: company))
        return Single(Link(url: url, expiresAt: expiresAt))
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT id, format, selection, state, events, bytes, requested_by, created_at, finished_at, expires_at, version
          FROM audit_exports WHERE company_id = \(company)
        """
    }
}
