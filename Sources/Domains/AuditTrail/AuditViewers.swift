import API
import Core
import Crypto
import Postgres
import Wire

/// Links for those who are to read a part of the record without an account, as an outside auditor: signed by being
/// unguessable, ending by themselves, revoked at any time, and each use recorded.
enum AuditViewers {
    @RouteList static var routes: [Route] {
        GET("/v1/audit-viewers", "List links to the record", .can(.auditExport), list)
        POST("/v1/audit-viewers", "Make a link to a part of the record", .can(.auditExport), create)
            .describe(
                "Whoever has it reads the changes of `selection`, checks them and takes them away, until `expires_at` "
                    + "(\(AuditLimits.viewerDays) days unless given). The link is shown this once."
            )
            .secret.problems(.tooManyAuditViewers)
            .example(body: ["name": "Auditor of 2026", "selection": ["q": "action:member.*"]])
        GET("/v1/audit-viewers/{id}", "Read a link to the record", .can(.auditExport), read)
        DELETE("/v1/audit-viewers/{id}", "Revoke a link to the record", .can(.auditExport), revoke)
            .describe("It opens nothing from now on; that it existed and was used stays to be read.")
    }

    struct NewViewer: Codable, Sendable {
        let name: Text<120>
        let selection: AuditSelection?
        let expiresAt: Timestamp?
    }

    struct AuditViewer: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let selection: JSON
        let expiresAt: Timestamp
        let revokedAt: Timestamp?
        let uses: Int64
        let lastUsedAt: Timestamp?
        let lastUsedFrom: String?
        let createdBy: UUID?
        let version: Int64
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "uses": "Requests made with it. The record itself notes its use once an hour, as `audit.viewed`."
        ]
    }

    struct NewLink: Codable, Sendable, FieldNotes {
        let id: UUID
        let url: String
        let expiresAt: Timestamp

        static let fieldNotes = [
            "url": "Shown this once. `/events`, `/events.ndjson` and `/verification` follow it."
        ]
    }

    struct Filter: ListFilter {
        static let sorts = ["-created_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AuditViewer> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AuditViewer> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func create(_ call: Call, _ body: Body<NewViewer>) async throws -> Created<NewLink> {
        let (company, id) = (try call.company, UUID.v7())
        let selection = body.value.selection ?? .everything
        _ = try selection.conditions()
        let latest = call.now + .seconds(AuditLimits.viewerDaysMax * 86_400)
        let expiresAt = body.value.expiresAt ?? call.now + .seconds(AuditLimits.viewerDays * 86_400)
        guard expiresAt > call.now, expiresAt <= latest else {
            throw Problem.unprocessable(
                "/expires_at", "out-of-range", "must lie ahead, by at most \(AuditLimits.viewerDaysMax) days")
        }
        let token = AuditViewToken.make(for: company)
        let stored = try selection.stored
        let entry = Audit.Entry(
            "audit.viewer_made", on: "audit_viewer", id,
            after: [
                "name": .string(body.name.text), "selection": stored,
                "expires_at": .string(expiresAt.description),
            ])
        _ = try await call.create(
            """
            INSERT INTO audit_viewers (company_id, id, name, selection, token_sha256, expires_at, created_by)
            SELECT \(company), \(id), \(body.name), \(JSONText(stored)), \(token.digest), \(expiresAt),
                   \(call.actor.person)
             WHERE \(fragment: .below(
                AuditLimits.viewersMax,
                "SELECT count(*) FROM audit_viewers WHERE company_id = \(company) AND revoked_at IS NULL AND expires_at > now()",
                else: .tooManyAuditViewers))
            RETURNING id
            """, also: [Audit.sql(entry, by: call.actor, company: company)])
        let address = call.environment[PublicAddress.self].url
        return Created(
            NewLink(id: id, url: "\(address)/v1/public/audit-views/\(token.text)", expiresAt: expiresAt),
            at: "/v1/audit-viewers/\(id)")
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE audit_viewers SET revoked_at = coalesce(revoked_at, now()), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) RETURNING revoked_at = now() AS is_new
                """)
            guard let row = rows.first else { throw Problem.notFound }
            guard try row.get("is_new", as: Bool.self) else { return }
            try await Audit.record(
                Audit.Entry("audit.viewer_revoked", on: "audit_viewer", id.value), by: call.actor,
                company: company,
                in: tx)
        }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT id, name, selection, expires_at, revoked_at, uses, last_used_at, last_used_from, created_by, version,
               created_at, updated_at
          FROM audit_viewers WHERE company_id = \(company)
        """
    }
}

/// The text of such a link: the company it is for, and a secret of which the digest is kept.
struct AuditViewToken {
    let text: String
    let company: UUID

    var digest: [UInt8] { OpaqueToken.digest(text).bytes }

    static func make(for company: UUID) -> AuditViewToken {
        AuditViewToken(text: "\(Base64.encode(company.bytes, .url)).\(OpaqueToken.make())", company: company)
    }

    private init(text: String, company: UUID) { (self.text, self.company) = (text, company) }

    /// Nil for what was never made here.
    init?(_ text: String) {
        guard text.utf8.count < 200, let part = text.split(separator: ".").first,
            let bytes = Base64.decode(part, .url), let company = bytes.withUnsafeBytes({ UUID(bytes: $0) })
        else { return nil }
        self.init(text: text, company: company)
    }
}
