import API
import Core
import Crypto
import Postgres
import Wire

/// Keys by which a company's own servers hand leads over, as landing pages do.
enum CaptureKeys {
    @RouteList static var routes: [Route] {
        GET("/v1/capture-keys", "List capture keys", .can(.crmManage), list)
        POST("/v1/capture-keys", "Create a capture key", .can(.crmManage), create)
            .problems(.tooManyCaptureKeys).secret
            .describe("The key is shown once. POST what came in to /v1/p/capture/{key}.")
            .example(body: ["name": "Landing pages", "attach_days": 14])
        DELETE("/v1/capture-keys/{id}", "Revoke a capture key", .can(.crmManage), revoke)
            .describe("At once and for good; what came in by it stays.")
    }

    struct CaptureKey: Codable, Sendable {
        let id: UUID
        let name: String
        let hint: String
        let sourceId: UUID?
        let ownerId: UUID?
        let attachDays: Int
        let lastUsedAt: Timestamp?
        let revokedAt: Timestamp?
        let createdAt: Timestamp
    }

    struct FreshKey: Codable, Sendable {
        let id: UUID
        let name: String
        let key: String
    }

    struct NewKey: Codable, Sendable {
        let name: Text<120>
        let sourceId: UUID?
        let ownerId: UUID?
        let attachDays: Whole<0, 365>?
    }

    struct Filter: ListFilter {
        static let sorts = ["-created_at", "name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<CaptureKey> {
        try await call.page(
            list,
            """
            SELECT k.id, k.name, k.hint, k.source_id, k.owner_id, k.attach_days, k.last_used_at, k.revoked_at, k.created_at
              FROM capture_keys k WHERE k.company_id = \(call.company)
            """)
    }

    static func create(_ call: Call, _ body: Body<NewKey>) async throws -> Created<FreshKey> {
        let (draft, id, company) = (body.value, UUID.v7(), try call.company)
        let key = PublicToken.make(company)
        try await call.db.transaction { tx in try await insert(draft, id, key, call, tx) }
        return Created(FreshKey(id: id, name: draft.name.text, key: key), at: "/v1/capture-keys/\(id)")
    }

    @inline(never)
    private static func insert(_ draft: NewKey, _ id: UUID, _ key: String, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        try await LeadChecks.all(owner: draft.ownerId, source: draft.sourceId, company, tx)
        let isBelow = SQL.below(
            LeadLimits.captureKeysMax, "SELECT count(*) FROM capture_keys WHERE company_id = \(company)",
            else: .tooManyCaptureKeys)
        _ = try await tx.query(
            """
            INSERT INTO capture_keys (company_id, id, name, key_sha256, hint, source_id, owner_id, attach_days)
            SELECT \(company), \(id), \(draft.name), \(SHA256.digest(key).bytes), \(String(key.suffix(4))),
                   \(draft.sourceId)::uuid, \(draft.ownerId)::uuid, \(draft.attachDays?.value ?? 30)::integer
             WHERE \(fragment: isBelow)
            """)
        let entry = Audit.Entry(
            "capture_key.created", on: "capture_key", id, after: ["name": .string(draft.name.text)])
        try await Audit.record(entry, by: call.actor, company: company, in: tx)
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE capture_keys SET revoked_at = coalesce(revoked_at, now())
                 WHERE company_id = \(company) AND id = \(id) RETURNING id
                """)
            if rows.isEmpty { throw Problem.notFound }
            let entry = Audit.Entry("capture_key.revoked", on: "capture_key", id.value)
            try await Audit.record(entry, by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }
}
