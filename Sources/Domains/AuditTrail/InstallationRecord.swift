import API
import Core
import Postgres
import Wire

/// The record of what operators change for the whole installation: its own chain, under the company that is nobody's.
enum InstallationRecord {
    @RouteList static var routes: [Route] {
        GET("/v1/system/audit-events", "Search the record of changes to the installation", .operator, list)
            .describe(
                "Flags, settings and limits of the product, queues, schedules and reactions. "
                    + AuditQuery.grammar)
        GET("/v1/system/audit-events/{id}", "Read one change to the installation", .operator, read)
        GET(
            "/v1/system/audit-events/verify", "Check that the installation's record is whole", .operator,
            verify
        )
        .operation("verifySystemAuditEvents")
        GET("/v1/system/audit-events.ndjson", "Take the installation's record away", .operator, lines)
            .operation("exportSystemAuditEvents").secret.media("application/x-ndjson")
    }

    private static let tenant = Tenant(company: Audit.installation)

    static func list(_ call: Call, _ list: List<AuditEvents.Filter>) async throws -> Page<AuditEvent> {
        let base = AuditEvents.select(Audit.installation)
        return try await call.page(list, "\(fragment: base)\(fragment: list.filter.conditions())", as: tenant)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<SealedAuditEvent> {
        let rows = try await call.db.query(AuditEvents.one(id.value, of: Audit.installation), as: tenant)
        return try Single(rows)
    }

    static func verify(_ call: Call, _ question: Query<Verification.Question>) async throws -> Single<
        AuditVerdict
    > {
        try await Verification.verdict(question.value, on: Audit.installation, call)
    }

    static func lines(_ call: Call, _ filter: Query<AuditDownload.Filter>) async throws -> Raw {
        try await AuditDownload.file(.ndjson, filter.value, of: Audit.installation, call)
    }
}
