import API
import Core
import Postgres
import Wire

/// What a company must keep for a dispute or an authority: while a hold stands, nothing of it is deleted by retention
/// or by requests to be forgotten.
enum LegalHolds {
    struct Hold: Codable, Sendable {
        let id: UUID
        let reason: String
        let placedBy: UUID
        let placedAt: Timestamp
        let releasedBy: UUID?
        let releasedAt: Timestamp?
    }

    struct NewHold: Codable, Sendable { let reason: Prose<500> }

    struct Filter: ListFilter {
        let placedAt: Bounds<Timestamp>?

        static let sorts = ["-placed_at"]
    }

    @RouteList static var routes: [Route] {
        GET("/v1/legal-holds", "List legal holds", .can(.privacyRead), list)
        POST("/v1/legal-holds", "Keep everything for now", .can(.privacyWrite), place)
            .describe(
                "While it stands, nothing of the company is deleted by retention or by requests to be forgotten."
            )
        GET("/v1/legal-holds/{id}", "Read a legal hold", .can(.privacyRead), read)
        DELETE("/v1/legal-holds/{id}", "Release a legal hold", .can(.privacyWrite), release)
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Hold> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Hold> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func place(_ call: Call, _ body: Body<NewHold>) async throws -> Created<Hold> {
        let (company, user, id) = (try call.company, try call.user, UUID.v7())
        let entry = Audit.Entry(
            "legal_hold.placed", on: "legal_hold", id, after: ["reason": .string(body.reason.text)])
        let rows = try await call.create(
            """
            INSERT INTO legal_holds (company_id, id, reason, placed_by)
            VALUES (\(company), \(id), \(body.reason), \(user))
            RETURNING \(fragment: columns)
            """, also: [Audit.sql(entry, by: call.actor, company: company)])
        return try Created(rows)
    }

    static func release(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let (company, user) = (try call.company, try call.user)
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE legal_holds SET released_by = \(user), released_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND released_at IS NULL RETURNING reason
                """)
            guard let row = rows.first else { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry(
                    "legal_hold.released", on: "legal_hold", id.value,
                    before: ["reason": .string(row.get("reason"))]),
                by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    static func isHeld(_ company: UUID, _ db: Database) async throws -> Bool {
        let rows = try await db.query(standing(company), as: Tenant(company: company))
        return !rows.isEmpty
    }

    /// In a transaction that sees the company's rows.
    static func isHeld(_ company: UUID, in tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(standing(company))
        return !rows.isEmpty
    }

    private static func standing(_ company: UUID) -> SQL {
        "SELECT 1 AS one FROM legal_holds WHERE company_id = \(company) AND released_at IS NULL LIMIT 1"
    }

    private static let columns: SQL = "id, reason, placed_by, placed_at, released_by, released_at"

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM legal_holds WHERE company_id = \(company)"
    }
}
