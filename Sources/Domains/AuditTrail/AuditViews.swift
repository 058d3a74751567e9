import API
import Core
import Postgres
import Wire

/// The record as somebody with a link to it sees it.
enum AuditViews {
    @RouteList static var routes: [Route] {
        GET("/v1/public/audit-views/{token}", "See what a link to a record shows", .open, show)
            .operation("readAuditView").problems(.auditViewInvalid)
        GET("/v1/public/audit-views/{token}/events", "Search a record by a link", .open, events)
            .operation("listAuditViewEvents").describe("Within what the link shows. " + AuditQuery.grammar)
            .problems(.auditViewInvalid)
        GET("/v1/public/audit-views/{token}/events.ndjson", "Take a record away by a link", .open, lines)
            .operation("exportAuditView").media("application/x-ndjson").problems(.auditViewInvalid)
        GET("/v1/public/audit-views/{token}/verification", "Check a record by a link", .open, verify)
            .operation("verifyAuditView")
            .describe(
                "The whole chain, also where the link shows a part of it: of the rest only hashes are told."
            )
            .problems(.auditViewInvalid)
    }

    struct AuditView: Codable, Sendable {
        let company: String
        let name: String
        let selection: JSON
        let expiresAt: Timestamp
    }

    static func show(_ call: Call, _ token: Path<String>) async throws -> Single<AuditView> {
        let link = try await open(token.value, call)
        let rows = try await call.db.query(
            """
            SELECT (SELECT name FROM companies c WHERE c.id = v.company_id) AS company, v.name, v.selection, v.expires_at
              FROM audit_viewers v WHERE v.company_id = \(link.company) AND v.id = \(link.id)
            """, as: Tenant(company: link.company))
        return try Single(rows)
    }

    static func events(
        _ call: Call, _ token: Path<String>, _ list: List<AuditEvents.Filter>
    ) async throws -> Page<AuditEvent> {
        let link = try await open(token.value, call)
        let asked = try list.filter.conditions()
        let base: SQL =
            "\(fragment: AuditEvents.select(link.company))\(fragment: link.conditions)\(fragment: asked)"
        return try await call.page(list, base, as: Tenant(company: link.company))
    }

    static func lines(_ call: Call, _ token: Path<String>) async throws -> Raw {
        let link = try await open(token.value, call)
        return AuditDownload.stream(.ndjson, link.conditions, of: link.company, call)
    }

    static func verify(
        _ call: Call, _ token: Path<String>, _ question: Query<Verification.Question>
    ) async throws -> Single<AuditVerdict> {
        let link = try await open(token.value, call)
        return try await Verification.verdict(question.value, on: link.company, call)
    }

    private struct Link {
        let company: UUID
        let id: UUID
        let conditions: SQL
    }

    /// What the token opens, counted and recorded; the revocation counts from the very next request.
    private static func open(_ text: String, _ call: Call) async throws -> Link {
        guard let token = AuditViewToken(text) else { throw Problem(.auditViewInvalid) }
        let company = token.company
        let address = call.request.clientAddress.description
        let rows = try await call.db.query(
            """
            WITH link AS (
                SELECT id, last_used_at FROM audit_viewers
                 WHERE company_id = \(company) AND token_sha256 = \(token.digest) AND revoked_at IS NULL
                   AND expires_at > now() FOR UPDATE)
            UPDATE audit_viewers v
               SET uses = uses + 1, last_used_at = now(), last_used_from = \(address)
              FROM link WHERE v.company_id = \(company) AND v.id = link.id
            RETURNING v.id, v.selection::text AS selection,
                      coalesce(link.last_used_at < now() - make_interval(secs => \(AuditLimits.viewerRecordSeconds)), true)
                          AS is_worth_a_record
            """, as: Tenant(company: company))
        guard let row = rows.first else { throw Problem(.auditViewInvalid) }
        let id = try row.get("id", as: UUID.self)
        if try row.get("is_worth_a_record") {
            let visitor = Audit.Actor(.system, id: nil, address: address, requestId: call.requestId)
            _ = try await call.db.query(
                Audit.sql(Audit.Entry("audit.viewed", on: "audit_viewer", id), by: visitor, company: company),
                as: Tenant(company: company))
        }
        let selection = try AuditSelection(stored: row.get("selection"))
        return Link(company: company, id: id, conditions: try selection.conditions())
    }
}
