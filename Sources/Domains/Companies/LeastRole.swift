import API
import Core
import Postgres
import Wire

/// The smallest role that would do for what a member has really used.
enum LeastRole {
    @RouteList static var routes: [Route] {
        GET(
            "/v1/members/{id}/least-role", "See which smaller role would do for a member", .can(.accessRead),
            read
        ).describe(
            "Compares what the member's roles permit with what he has used in the last 90 days, and names the role of the "
                + "company that covers the use and permits least beyond it.")
    }

    struct Use: Codable, Sendable {
        let permission: String
        let lastOn: LocalDate
        let days: Int
    }

    struct Answer: Codable, Sendable, FieldNotes {
        let memberId: UUID
        let roles: [RoleName]
        let windowDays: Int
        let watchedSince: LocalDate?
        let isConclusive: Bool
        let used: [Use]
        let unused: [String]
        let suggestion: RoleName?
        let suggestionPermits: [String]

        static let fieldNotes = [
            "watched_since": "The first day on which the use of any permission in the company was noted.",
            "is_conclusive":
                "Whether use has been watched for the whole window, and the member was here all the while.",
            "unused": "What the present roles permit and was not used in the window.",
            "suggestion":
                "Null when nothing was used, or no role is smaller than the present ones and covers the use.",
            "suggestion_permits": "What the suggested role permits beyond the use.",
        ]
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Answer> {
        let company = try call.company
        let answers = try await call.db.batch([
            """
            SELECT m.joined_at <= now() - make_interval(days => \(windowDays)::int) AS is_old,
                   ARRAY(SELECT mr.role_id FROM member_roles mr
                          WHERE mr.company_id = m.company_id AND mr.member_id = m.id) AS role_ids,
                   (SELECT min(pu.first_on) FROM permission_uses pu WHERE pu.company_id = m.company_id) AS watched_since,
                   (SELECT min(pu.first_on) <= CURRENT_DATE - \(windowDays)::int FROM permission_uses pu
                     WHERE pu.company_id = m.company_id) AS is_watched
              FROM memberships m WHERE m.company_id = \(company) AND m.id = \(id)
            """,
            """
            SELECT permission, last_on, days FROM permission_uses
             WHERE company_id = \(company) AND member_id = \(id) AND last_on > CURRENT_DATE - \(windowDays)::int
             ORDER BY permission
            """,
            ReviewedRoles.sql(company),
        ])
        guard let row = answers[0].first else { throw Problem.notFound }
        let held = Set(try row.get("role_ids", as: [UUID].self))
        let all = try ReviewedRoles(answers[2]).roles
        let present = all.filter { held.contains($0.id) }
        let permitted = present.reduce(PermissionSet()) { $0.union($1.permissions) }
        let uses = try answers[1].map { row in
            Use(
                permission: try row.get("permission"), lastOn: try row.get("last_on"),
                days: try row.get("days"))
        }
        let used = PermissionSet(names: uses.map(\.permission)).intersection(permitted)
        let least = smallest(of: all, covering: used, below: permitted)
        return Single(
            Answer(
                memberId: id.value, roles: present.map(\.asName), windowDays: windowDays,
                watchedSince: try row.get("watched_since"),
                isConclusive: try row.get("is_old", as: Bool.self)
                    && row.get("is_watched", as: Bool?.self) ?? false,
                used: uses, unused: permitted.subtracting(used).names, suggestion: least?.asName,
                suggestionPermits: least?.permissions.subtracting(used).names ?? []))
    }

    static let windowDays = 90

    private static func smallest(
        of roles: [ReviewedRoles.Role], covering used: PermissionSet, below permitted: PermissionSet
    ) -> ReviewedRoles.Role? {
        guard !used.isEmpty else { return nil }
        let enough = roles.filter {
            used.isSubset(of: $0.permissions) && $0.permissions.isSubset(of: permitted)
        }
        let least = enough.min { $0.permissions.names.count < $1.permissions.names.count }
        return least?.permissions == permitted ? nil : least
    }
}
