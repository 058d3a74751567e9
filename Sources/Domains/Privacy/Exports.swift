import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// A copy of everything: about oneself, about somebody a company knows by an address, or of a whole company.
enum Exports {
    @RouteList static var routes: [Route] {
        GET("/v1/privacy/exports", "List copies of data that were asked for", .signedIn, list)
            .describe("Your own, and with `privacy:read` those of the company.")
        POST("/v1/privacy/exports", "Ask for a copy of all data", .signedIn, ask)
            .describe(
                "A zip archive of JSON files and of the contents of uploaded files, made in the background; you are "
                    + "told by mail and in your inbox when it is ready. `me`: what is known about you, in every "
                    + "company. `person`: what this company knows about an address; `company`: all of its data; both "
                    + "take `privacy:write`. Needs a recent proof of who you are."
            )
            .problems(.tooManyPrivacyRequests, .reauthenticationRequired, .sessionRequired)
            .example(body: ["subject": "me"])
        GET("/v1/privacy/exports/{id}", "Read how far a copy is", .signedIn, read)
        POST("/v1/privacy/exports/{id}/download-url", "Make a link to a copy", .signedIn, link)
            .operation("linkPrivacyExport").secret
            .describe("Good for a quarter of an hour, without a token. Needs a recent proof of who you are.")
            .problems(.exportNotReady, .reauthenticationRequired, .sessionRequired)
        GET("/v1/public/exports/{token}", "Download an export by its link", .open, open)
            .operation("downloadExport").media("*/*").problems(.exportLinkInvalid)
    }

    struct NewExport: Codable, Sendable, FieldNotes {
        let subject: PrivacySubject
        let email: Email?

        static let fieldNotes = ["email": "For `person` alone."]
    }

    struct Export: Codable, Sendable, FieldNotes {
        let id: UUID
        let subject: PrivacySubject
        let state: PrivacyState
        let requestedBy: UUID
        let bytes: Int64?
        let error: String?
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
        let state: [PrivacyState]?
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Export> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Export> {
        try Single(await call.db.query("\(fragment: select(call)) AND p.id = \(id)"))
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT p.id, p.subject, p.state, p.requested_by, p.file_bytes AS bytes, p.error, p.created_at, p.finished_at,
               p.expires_at, p.version
          FROM privacy_requests p
         WHERE \(fragment: try PrivacyRequests.visible(to: call, kind: "export"))
        """
    }

    static func ask(_ call: Call, _ body: Body<NewExport>) async throws -> Accepted<Export> {
        let subject = body.subject
        let company = try PrivacyRequests.company(for: subject, call)
        try await call.environment[RecentProof.self].require(call)
        let email = try await PrivacyRequests.email(for: subject, body.value.email, call)
        let (user, id) = (try call.user, UUID.v7())
        let sealed = PrivacyRequests.seal(email, id, call.environment[KeyRing.self])
        let of = subject == .me ? user : nil
        let askedIn = call.principal?.companyId
        try await call.db.transaction { tx in
            let made = try await tx.query(
                """
                INSERT INTO privacy_requests (id, kind, subject, company_id, user_id, email_sealed, requested_by, asked_in,
                                              state)
                SELECT \(id)::uuid, 'export', \(subject)::text, \(company)::uuid, \(of)::uuid, \(sealed)::bytea,
                       \(user)::uuid, \(askedIn)::uuid, 'queued'
                 WHERE NOT EXISTS (
                    SELECT 1 FROM privacy_requests p
                     WHERE p.kind = 'export' AND p.state IN ('queued', 'running') AND p.requested_by = \(user)
                       AND p.subject = \(subject) AND p.company_id IS NOT DISTINCT FROM \(company)::uuid)
                RETURNING id
                """)
            if made.isEmpty { throw Problem(.tooManyPrivacyRequests) }
            if let company {
                try await Audit.record(
                    Audit.Entry(
                        "privacy.export_asked", on: "privacy_request", id,
                        after: ["subject": .string(subject.rawValue)]),
                    by: call.actor, company: company, in: tx)
            }
            try await Jobs.enqueue(Exporting.kind, Exporting.Arguments(request: id), company: company, in: tx)
        }
        return try Accepted(
            await call.db.query("\(fragment: select(call)) AND p.id = \(id)"), at: "/v1/privacy/exports/\(id)"
        )
    }

    static func link(_ call: Call, _ id: Path<UUID>) async throws -> Single<Link> {
        let rows = try await call.db.query(
            """
            SELECT p.state, p.subject, p.company_id, p.file_bytes, p.expires_at FROM privacy_requests p
             WHERE \(fragment: try PrivacyRequests.visible(to: call, kind: "export")) AND p.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let company = try row.get("company_id", as: UUID?.self)
        if company != nil { try call.require(.privacyWrite) }
        try await call.environment[RecentProof.self].require(call)
        guard try row.get("state", as: PrivacyState.self) == .done,
            try row.get("expires_at", as: Timestamp.self) > call.now
        else { throw Problem(.exportNotReady) }
        let expiresAt = call.now + .seconds(PrivacyLimits.downloadSeconds)
        let bytes = try row.get("file_bytes", as: Int.self)
        let url = try call.environment[Vault.self].url(
            Vault.Link(id.value, name: "infinity-data.zip", bytes: bytes, expiresAt: expiresAt))
        if let company {
            _ = try await call.db.query(
                Audit.sql(
                    Audit.Entry("privacy.export_opened", on: "privacy_request", id.value), by: call.actor,
                    company: company))
        }
        return Single(Link(url: url, expiresAt: expiresAt))
    }

    static func open(_ call: Call, _ token: Path<String>) async throws -> Raw {
        let vault = call.environment[Vault.self]
        guard let link = vault.open(token.value), link.expiresAt > call.now,
            let body = try await vault.body(link)
        else {
            throw Problem(.exportLinkInvalid)
        }
        var response: Response
        switch body {
        case .file(let file): response = Response(status: 200, body: .file(file))
        case .stream(let produce): response = Response.stream(length: link.bytes, produce)
        }
        response.headers.add(
            "content-type", link.name.hasSuffix(".zip") ? "application/zip" : "application/octet-stream")
        response.headers.add("content-disposition", "attachment; filename=\"\(link.name)\"")
        response.headers.add("cache-control", "no-store")
        return Raw(response)
    }
}
