import API
import Core
import Postgres
import Wire

/// Who may do what, and which rule says so.
enum AccessQuestions {
    @RouteList static var routes: [Route] {
        GET("/v1/permissions", "List every permission there is", .signedIn, catalogue).operation(
            "listPermissions")
        GET("/v1/me/permissions", "See what I may do in this company", .member, mine).operation(
            "getMyPermissions")
        POST("/v1/authz/check", "Ask whether somebody may do something, and why", .member, check).operation(
            "checkAccess"
        )
        .describe(
            "Without `member_id` one asks about oneself, which everybody may; about others with access:read. The "
                + "answer names the roles that allow it, or what is missing. It reads the rights as they stand now."
        )
        .idempotent(.none)
        GET("/v1/authz/subjects", "List who may do something", .can(.accessRead), subjects).operation(
            "listSubjects")
        GET(
            "/v1/members/{id}/access", "See what a member may do, and by which role", .can(.accessRead),
            ofMember)
    }

    struct PermissionEntry: Codable, Sendable {
        let name: String
        let summary: String
        let builtInRoles: [String]
    }

    struct PermissionList: Codable, Sendable {
        let permissions: [PermissionEntry]
    }

    static func catalogue(_ call: Call) -> Single<PermissionList> {
        let entries = PermissionCatalogue.all.sorted { $0.name < $1.name }.map { permission in
            PermissionEntry(
                name: permission.name, summary: permission.summary,
                builtInRoles: BuiltInRole.allCases.filter(permission.roles.contains).map(\.rawValue))
        }
        return Single(PermissionList(permissions: entries))
    }

    struct OwnRights: Codable, Sendable, FieldNotes {
        let companyId: UUID
        let memberId: UUID
        let roles: [RoleName]
        let permissions: [String]
        let viaCompanyId: UUID?

        static let fieldNotes = [
            "permissions":
                "What this very token or key may do: the roles' permissions, within a key's scopes."
        ]
    }

    static func mine(_ call: Call) async throws -> Single<OwnRights> {
        let (user, company) = (try call.user, try call.company)
        guard let access = try await load(user, company, call) else { throw Problem(.notAMember) }
        let within = access.permissions.intersection(call.principal?.permissions ?? PermissionSet())
        return Single(
            OwnRights(
                companyId: company, memberId: access.memberId, roles: access.roles.map(\.asName),
                permissions: within.names, viaCompanyId: access.viaCompanyId))
    }

    struct Question: Codable, Sendable, FieldNotes {
        let permission: Text<60>
        let memberId: UUID?
        let objectType: Text<40>?
        let objectId: UUID?

        static let fieldNotes = [
            "member_id": "Left out: the caller.", "object_type": "With `object_id`: asks about one thing.",
        ]
    }

    enum Rule: String, Codable, CaseIterable, Sendable {
        case role
        case noRole = "no_role"
        case keyScope = "key_scope"
        case grant
        case notActive = "not_active"
    }

    struct Answer: Codable, Sendable, FieldNotes {
        let isAllowed: Bool
        let permission: String
        let memberId: UUID?
        let rule: Rule
        let decidedBy: [RoleName]
        let wouldAllow: [RoleName]
        let explanation: String

        static let fieldNotes = [
            "rule":
                "role: a role allows it. grant: a role on this very thing allows it. no_role: none of the roles does. key_scope: the roles do, the API key's scopes "
                + "do not. not_active: the membership or the company is not active.",
            "decided_by": "The roles that allow it.",
            "would_allow": "When refused: the company's roles that would allow it.",
        ]

        /// The same question, allowed by a grant on the thing.
        var byGrant: Answer {
            Answer(
                isAllowed: true, permission: permission, memberId: memberId, rule: .grant, decidedBy: [],
                wouldAllow: [],
                explanation: "Allowed by a role given on this very thing.")
        }
    }

    static func check(_ call: Call, _ body: Body<Question>) async throws -> Single<Answer> {
        guard let permission = PermissionCatalogue.named(body.permission.text) else {
            throw Problem.unprocessable(
                "/permission", "unknown-permission", "is no permission; GET /v1/permissions lists them")
        }
        let company = try call.company
        let asked = try body.memberId ?? call.member
        let isSelf = try asked == call.member
        if !isSelf { try call.require(.accessRead) }
        let rows = try await call.db.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(asked)")
        guard let user = try rows.first?.get("user_id", as: UUID.self) else { throw Problem.notFound }
        let access = try await load(user, company, call)
        let scope = isSelf ? call.principal?.permissions : nil
        let byRole = try await answer(permission, asked, access, scope: scope, call)
        guard byRole.rule == .noRole, let type = body.objectType?.text, let id = body.objectId else {
            return Single(byRole)
        }
        let object = ObjectRef(type, id)
        let held = try await call.db.query(
            ObjectGrants.question(permission, on: object, member: asked, company: company))
        return Single(held.isEmpty ? byRole : byRole.byGrant)
    }

    private static func answer(
        _ permission: Permission, _ member: UUID, _ access: MemberAccess?, scope: PermissionSet?, _ call: Call
    ) async throws -> Answer {
        let allowing = access?.roles.filter { $0.permissions.contains(permission) }.map(\.asName) ?? []
        let (rule, explanation): (Rule, String) =
            if access == nil {
                (.notActive, "The membership or the company is not active, so nothing is allowed.")
            } else if allowing.isEmpty {
                (.noRole, "None of the member's roles has the permission \(permission.name).")
            } else if let scope, !scope.contains(permission) {
                (.keyScope, "A role has the permission, but the API key in use is not meant for it.")
            } else {
                (.role, "Allowed by \(allowing.map(\.name).joined(separator: ", ")).")
            }
        let others = rule == .noRole ? try await roles(with: permission, call) : []
        return Answer(
            isAllowed: rule == .role, permission: permission.name, memberId: member, rule: rule,
            decidedBy: allowing,
            wouldAllow: others, explanation: explanation)
    }

    struct SubjectQuery: Codable, Sendable {
        let permission: Text<60>
    }

    struct Subject: Codable, Sendable {
        let memberId: UUID
        let userId: UUID
        let name: String
        let email: String?
        let roles: [RoleName]
    }

    struct Subjects: Codable, Sendable {
        let permission: String
        let members: [Subject]
    }

    static func subjects(_ call: Call, _ query: Query<SubjectQuery>) async throws -> Single<Subjects> {
        guard let permission = PermissionCatalogue.named(query.permission.text) else {
            throw Problem.unprocessable([
                .parameter(
                    "permission", "unknown-permission", "is no permission; GET /v1/permissions lists them")
            ])
        }
        let company = try call.company
        let allowing = try await roles(with: permission, call)
        let rows = try await call.db.query(
            """
            SELECT m.id AS member_id, m.user_id, u.name, u.email,
                   jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) ORDER BY r.name)::text AS roles
              FROM memberships m
              JOIN users u ON u.id = m.user_id
              JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
              JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
             WHERE m.company_id = \(company) AND m.status = 'active' AND r.id = ANY(\(allowing.map(\.id)))
             GROUP BY m.id, m.user_id, u.name, u.email
             ORDER BY u.name, m.id
             LIMIT 1000
            """)
        let members = try rows.map { row in
            Subject(
                memberId: try row.get("member_id"), userId: try row.get("user_id"), name: try row.get("name"),
                email: try row.get("email"), roles: try JSON.parse(row.get("roles", as: String.self)).decode()
            )
        }
        return Single(Subjects(permission: permission.name, members: members))
    }

    struct MemberRights: Codable, Sendable {
        struct Held: Codable, Sendable {
            let permission: String
            let roles: [RoleName]
        }

        let memberId: UUID
        let isActive: Bool
        let roles: [RoleName]
        let permissions: [Held]
    }

    static func ofMember(_ call: Call, _ id: Path<UUID>) async throws -> Single<MemberRights> {
        let company = try call.company
        let rows = try await call.db.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(id)")
        guard let user = try rows.first?.get("user_id", as: UUID.self) else { throw Problem.notFound }
        let access = try await load(user, company, call)
        let held = (access?.permissions.names ?? []).map { name in
            MemberRights.Held(
                permission: name,
                roles: access?.roles.filter { $0.permissions.names.contains(name) }.map(\.asName) ?? [])
        }
        return Single(
            MemberRights(
                memberId: id.value, isActive: access != nil, roles: access?.roles.map(\.asName) ?? [],
                permissions: held))
    }

    private static func load(_ user: UUID, _ company: UUID, _ call: Call) async throws -> MemberAccess? {
        try MemberAccess(rows: await call.db.query(MemberAccess.sql(user: user, company: company)))
    }

    private static func roles(with permission: Permission, _ call: Call) async throws -> [RoleName] {
        let builtIn = BuiltInRole.allCases.filter(permission.roles.contains).map(\.rawValue)
        let rows = try await call.db.query(
            """
            SELECT id, key, name FROM roles
             WHERE company_id = \(call.company)
               AND (is_builtin AND key = ANY(\(builtIn)) OR NOT is_builtin AND \(permission.name) = ANY(permissions))
             ORDER BY name
            """)
        return try rows.map { try $0.decode(RoleName.self) }
    }
}

extension MemberAccess.Role {
    var asName: RoleName { RoleName(id: id, key: key, name: name) }
}
