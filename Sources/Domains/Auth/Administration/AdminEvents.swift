import API
import Core
import Wire

/// What happened around all accounts, for those who look after the installation: who fails to sign in, from where, and what
/// was done about it.
enum AdminEvents {
    /// One thing that happened around somebody's account.
    struct Entry: Codable, Sendable {
        let id: UUID
        let at: Timestamp
        let userId: UUID
        let userName: String?
        let userEmail: String?
        let kind: AuthEvent
        let address: String
        let userAgent: String
        let sessionId: UUID?
        let companyId: UUID?
        let detail: JSON
        let requestId: String?
    }

    struct Filter: ListFilter {
        let userId: UUID?
        let companyId: UUID?
        let kind: [AuthEvent]?
        let address: Text<60>?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    @RouteList static var routes: [Route] {
        GET(
            "/v1/admin/security-events", "List what happened around all accounts, newest first", .operator,
            list
        )
        .describe(
            "Failed sign-ins of addresses that have no account are in no list: they are counted in the metrics alone."
        )
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Entry> {
        try await call.page(
            list,
            """
            SELECT e.id, e.at, e.user_id, u.name AS user_name, u.email AS user_email, e.kind, e.address, e.user_agent,
                   e.session_id, e.company_id, e.detail, e.request_id
              FROM auth_events e LEFT JOIN users u ON u.id = e.user_id
            """)
    }
}
