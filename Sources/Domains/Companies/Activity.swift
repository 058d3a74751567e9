import API
import Core
import Postgres
import Wire

/// The record of who did what in the company.
enum Activity {
    @RouteList static var routes: [Route] {
        GET("/v1/activity", "List what was done in the company", .can(.activityRead), list)
        GET("/v1/members/{id}/activity", "List what a member did", .can(.activityRead), ofMember)
        GET("/v1/me/activity", "List what I did in this company", .member, mine).operation("listMyActivity")
    }

    enum ActorKind: String, Codable, CaseIterable, Sendable {
        case user
        case apiKey = "api_key"
        case system
    }

    struct Entry: Codable, Sendable, FieldNotes {
        let id: UUID
        let at: Timestamp
        let actorKind: ActorKind
        let actorId: UUID?
        let actorName: String?
        let behindId: UUID?
        let action: String
        let targetType: String
        let targetId: UUID?
        let before: JSON?
        let after: JSON?
        let address: String?
        let requestId: String?

        static let fieldNotes = [
            "actor_id": "The user, or the API key that acted.",
            "behind_id": "The person behind it: whose key it is, or who acted in the user's name.",
            "before": "The fields that changed, as they were.",
            "after": "The fields that changed, as they are now.",
        ]
    }

    struct Filter: ListFilter {
        let action: [Text<80>]?
        let actorId: UUID?
        let targetType: [Text<40>]?
        let targetId: UUID?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Entry> {
        try await call.page(list, select(call.company))
    }

    static func ofMember(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Entry> {
        let company = try call.company
        let rows = try await call.db.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(id)")
        guard let user = try rows.first?.get("user_id", as: UUID.self) else { throw Problem.notFound }
        return try await call.page(list, "\(fragment: select(company)) AND (\(fragment: by(user)))")
    }

    static func mine(_ call: Call, _ list: List<Filter>) async throws -> Page<Entry> {
        let (company, user) = (try call.company, try call.user)
        return try await call.page(list, "\(fragment: select(company)) AND (\(fragment: by(user)))")
    }

    private static func by(_ user: UUID) -> SQL {
        "a.actor_id = \(user) OR a.actor_kind = 'api_key' AND a.behind_id = \(user)"
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT a.id, a.at, a.actor_kind, a.actor_id, u.name AS actor_name, a.behind_id, a.action, a.target_type,
               a.target_id, a.before, a.after, a.address, a.request_id
          FROM audit_log a
          LEFT JOIN users u ON u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
         WHERE a.company_id = \(company)
        """
    }
}
