import API
import Core
import Crypto
import Postgres
import Wire

/// Where the record of changes is sent as it grows.
enum AuditStreams {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-streams", "List audit streams", .can(.auditRead), list)
        POST("/v1/audit-streams", "Send the record to a collector of logs", .can(.auditExport), create)
            .describe(
                "Sealed changes are posted in batches, in the order of the chain, within seconds, at least once each: as "
                    + "lines of JSON (`ndjson`, as in the export) or as OTLP logs in JSON (`otlp`). It begins after "
                    + "`after_seq`: 0 sends all there is, without it what comes from now on. What the receiver does not "
                    + "take is sent again with growing pauses; after a day without success, or at a 410, the stream is "
                    + "paused and the owners are told."
            )
            .problems(.tooManyAuditStreams, .auditStreamURLNotAllowed)
            .example(body: [
                "name": "SIEM", "url": "https://collector.example.com/v1/logs", "format": "otlp",
                "headers": [["name": "Authorization", "value": "Bearer 7f3e9c"]],
            ])
        GET("/v1/audit-streams/{id}", "Read an audit stream", .can(.auditRead), read)
        PATCH("/v1/audit-streams/{id}", "Change an audit stream", .can(.auditExport), change)
            .describe(
                "`headers` replaces all of them. Paused by `is_active`, it goes on later where it stopped; `after_seq` "
                    + "sends again what came after that seal."
            )
            .problems(.auditStreamURLNotAllowed).example(body: ["is_active": false])
        DELETE("/v1/audit-streams/{id}", "Delete an audit stream", .can(.auditExport), delete)
        POST("/v1/audit-streams/{id}/test", "Send a sample to an audit stream", .can(.auditExport), test)
            .operation("testAuditStream").idempotent(.none)
            .describe(
                "One made-up change named `audit.test`, at once; the answer says what the receiver said.")
    }

    struct NewStream: Codable, Sendable {
        let name: Text<120>
        let url: WebURL
        let format: AuditStreamFormat
        let headers: UpTo<10, HeaderField>?
        let afterSeq: Int64?
    }

    struct StreamChange: Codable, Sendable {
        let name: Text<120>?
        let url: WebURL?
        let format: AuditStreamFormat?
        let headers: UpTo<10, HeaderField>?
        let isActive: Bool?
        let afterSeq: Int64?
    }

    enum PausedReason: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case manual, failing, gone
    }

    struct AuditStream: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let url: String
        let format: AuditStreamFormat
        let headerNames: [String]
        let isActive: Bool
        let pausedReason: PausedReason?
        let sentSeq: Int64
        let headSeq: Int64
        let lastSentAt: Timestamp?
        let failures: Int
        let firstFailureAt: Timestamp?
        let lastError: String?
        let version: Int64
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "header_names": "The stream's own header fields; their values are not shown again.",
            "sent_seq": "The last seal the receiver has taken.", "head_seq": "The newest seal there is.",
            "failures": "Since the last success.",
        ]
    }

    static func list(_ call: Call) async throws -> Page<AuditStream> {
        Page(all: try await call.db.query("\(fragment: select(call.company)) ORDER BY created_at, id"))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AuditStream> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func create(_ call: Call, _ body: Body<NewStream>) async throws -> Created<AuditStream> {
        let (company, id) = (try call.company, UUID.v7())
        let parts = call.environment[AuditStreamParts.self]
        try check(body.url, parts)
        let headers = parts.sealed(body.headers?.items ?? [], of: id)
        let after = try afterSeq(body.value.afterSeq)
        let entry = Audit.Entry(
            "audit_stream.created", on: "audit_stream", id,
            after: ["name": .string(body.name.text), "url": .string(body.url.text)])
        _ = try await call.create(
            """
            INSERT INTO audit_streams (company_id, id, name, url, format, header_names, headers_sealed, sent_seq, created_by)
            SELECT \(company), \(id), \(body.name), \(body.url), \(body.format), \(headers.names), \(headers.sealed)::bytea,
                   coalesce(\(after)::bigint, (SELECT max(seq) FROM audit_seals WHERE company_id = \(company)), 0),
                   \(call.actor.person)
             WHERE \(fragment: .below(
                AuditLimits.streamsMax, "SELECT count(*) FROM audit_streams WHERE company_id = \(company)",
                else: .tooManyAuditStreams))
            RETURNING id
            """,
            also: [
                AuditStreamLanes.open(id, company), Audit.sql(entry, by: call.actor, company: company),
            ])
        return try Created(await call.db.query("\(fragment: select(company)) AND id = \(id)"))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<StreamChange>) async throws -> Single<
        AuditStream
    > {
        let company = try call.company
        let parts = call.environment[AuditStreamParts.self]
        var changes = Changes()
        changes.set("name", body.name)
        if let url = body.url {
            try check(url, parts)
            changes.set("url", url)
        }
        changes.set("format", body.format)
        if let headers = body.headers {
            let headers = parts.sealed(headers.items, of: id.value)
            changes.set("header_names", headers.names)
            changes.set("headers_sealed", to: "\(headers.sealed)")
        }
        if let after = try afterSeq(body.afterSeq) { changes.set("sent_seq", after) }
        if let isActive = body.isActive {
            changes.set("is_active", isActive)
            changes.set("paused_reason", to: isActive ? "NULL" : "coalesce(paused_reason, 'manual')")
            // A new beginning: what failed before says nothing about now.
            if isActive { changes.set("failures", 0) }
            if isActive { changes.set("first_failure_at", to: "NULL") }
        }
        let assignments = changes.sql
        try await call.db.transaction { tx in
            try await change(id.value, assignments, company, call, in: tx)
        }
        return try await read(call, id)
    }

    private static func change(
        _ id: UUID, _ assignments: SQL, _ company: UUID, _ call: Call, in tx: Transaction
    ) async throws {
        let before = try await tx.query(
            "SELECT \(fragment: told) FROM audit_streams WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
        )
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let after = try await tx.query(
            """
            UPDATE audit_streams SET \(fragment: assignments) WHERE company_id = \(company) AND id = \(id)
            RETURNING \(fragment: told)
            """)
        let changed = Audit.changed(try JSON(row: row), try JSON(row: after[0]))
        let isActive = try after[0].get("is_active", as: Bool.self)
        _ = try await tx.batch([
            isActive ? AuditStreamLanes.open(id, company) : AuditStreamLanes.close(id),
            Audit.sql(
                Audit.Entry(
                    "audit_stream.changed", on: "audit_stream", id, before: changed.before,
                    after: changed.after),
                by: call.actor, company: company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM audit_streams WHERE company_id = \(company) AND id = \(id) RETURNING name, url")
            guard let row = gone.first else { throw Problem.notFound }
            _ = try await tx.batch([
                AuditStreamLanes.close(id.value),
                Audit.sql(
                    Audit.Entry(
                        "audit_stream.deleted", on: "audit_stream", id.value, before: try JSON(row: row)),
                    by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    struct Trial: Codable, Sendable, FieldNotes {
        let isTaken: Bool
        let status: Int?
        let error: String?
        let milliseconds: Int

        static let fieldNotes = ["is_taken": "The receiver answered with 2xx."]
    }

    static func test(_ call: Call, _ id: Path<UUID>) async throws -> Single<Trial> {
        let company = try call.company
        let parts = call.environment[AuditStreamParts.self]
        let rows = try await call.db.query(AuditStreamTarget.select(id.value, company))
        guard let row = rows.first else { throw Problem.notFound }
        let target = try AuditStreamTarget(row, of: id.value, parts)
        let begun = call.now
        let outcome = await parts.post(target.format.sample(company, at: begun), to: target)
        let took = Int((Timestamp.now - begun) / .milliseconds(1))
        _ = try await call.db.query(
            Audit.sql(
                Audit.Entry("audit_stream.tested", on: "audit_stream", id.value), by: call.actor,
                company: company))
        return Single(
            Trial(
                isTaken: outcome.error == nil, status: outcome.status, error: outcome.error,
                milliseconds: took))
    }

    private static func check(_ url: WebURL, _ parts: AuditStreamParts) throws(Problem) {
        guard parts.allowsHTTP || url.text.lowercased().hasPrefix("https://") else {
            throw Problem(.auditStreamURLNotAllowed, "It must begin with https://.")
        }
        if let fault = parts.client.refusal(of: url.text) { throw Problem(.auditStreamURLNotAllowed, fault) }
    }

    private static func afterSeq(_ given: Int64?) throws(Problem) -> Int64? {
        if let given, given < 0 {
            throw Problem.unprocessable("/after_seq", "out-of-range", "must be at least 0")
        }
        return given
    }

    /// What the record tells of a change.
    private static let told: SQL =
        "name, url, format, header_names, is_active, paused_reason, sent_seq, version"

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT id, name, url, format, header_names, is_active, paused_reason, sent_seq,
               coalesce((SELECT max(seq) FROM audit_seals s WHERE s.company_id = \(company)), 0) AS head_seq,
               last_sent_at, failures, first_failure_at, last_error, version, created_at, updated_at
          FROM audit_streams WHERE company_id = \(company)
        """
    }
}
