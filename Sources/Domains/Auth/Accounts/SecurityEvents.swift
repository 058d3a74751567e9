import API
import Core
import Postgres
import Wire

/// One thing that happened around the account.
struct SecurityEvent: Codable, Sendable {
    let id: UUID
    let at: Timestamp
    let kind: AuthEvent
    let address: String
    let userAgent: String
    let sessionId: UUID?
    let companyId: UUID?
    let detail: JSON
}

enum SecurityEvents {
    struct Filter: ListFilter {
        let kind: [AuthEvent]?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    @RouteList static var routes: [Route] {
        GET(
            "/v1/auth/security-events", "List what happened around your account, newest first", .signedIn,
            list
        ).operation("listSecurityEvents")
            .problems(.sessionRequired)
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<SecurityEvent> {
        let user = try call.session.user
        return try await call.page(list, select(of: user))
    }

    static func select(of user: UUID) -> SQL {
        """
        SELECT id, at, kind, address, user_agent, session_id, company_id, detail
          FROM auth_events WHERE user_id = \(user)
        """
    }
}
