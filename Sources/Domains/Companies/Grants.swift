import API
import Core
import Postgres
import Wire

/// A role on a single thing.
struct Grant: Codable, Sendable, FieldNotes {
    let id: UUID
    let objectType: String
    let objectId: UUID
    let memberId: UUID?
    let teamId: UUID?
    let holderName: String
    let role: RoleName
    let grantedBy: UUID
    let expiresAt: Timestamp?
    let createdAt: Timestamp

    static let fieldNotes = ["team_id": "Everybody in the team holds it."]
}

struct NewGrant: Codable, Sendable, FieldNotes {
    let objectType: Text<40>
    let objectId: UUID
    let memberId: UUID?
    let teamId: UUID?
    let roleId: UUID
    let expiresAt: Timestamp?

    static let fieldNotes = [
        "object_type": "One of GET /v1/grantable-objects.", "member_id": "Either this or `team_id`.",
    ]
}

/// Roles given on single things instead of in the whole company.
enum Grants {
    @RouteList static var routes: [Route] {
        GET("/v1/grantable-objects", "List the kinds of things a role can be given on", .member, kinds)
            .operation("listGrantableObjects")
        GET("/v1/grants", "List roles given on single things", .can(.accessRead), list)
        POST("/v1/grants", "Give a role on one thing", .can(.rolesAssign), create)
            .describe("You can give no role whose permissions you do not hold yourself.")
            .problems(.grantExceedsOwnRights, .memberNotActive, .grantExists, .tooManyGrants)
            .example(body: [
                "object_type": "team", "object_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10",
                "member_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a11",
                "role_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a12",
            ])
        DELETE("/v1/grants/{id}", "Take a role on one thing away", .can(.rolesAssign), remove)
            .describe("Holds from the next request on.")
    }

    struct Kind: Codable, Sendable {
        let type: String
        let summary: String
    }

    struct Kinds: Codable, Sendable {
        let objects: [Kind]
    }

    static func kinds(_ call: Call) -> Single<Kinds> {
        let all = call.environment[GrantableObjects.self].all
        return Single(Kinds(objects: all.map { Kind(type: $0.type, summary: $0.summary) }))
    }

    struct Filter: ListFilter {
        let objectType: [Text<40>]?
        let objectId: UUID?
        let memberId: UUID?
        let teamId: UUID?

        static let sorts = ["-created_at"]
        static let search = ["holder_name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Grant> {
        try await call.page(list, select(call.company))
    }

    static func create(_ call: Call, _ body: Body<NewGrant>) async throws -> Created<Grant> {
        let (company, user) = (try call.company, try call.user)
        let id = UUID.v7()
        guard (body.memberId == nil) != (body.teamId == nil) else {
            throw Problem.unprocessable("", "one-of", "must have either member_id or team_id")
        }
        if let expires = body.expiresAt, expires <= call.now {
            throw Problem.unprocessable("/expires_at", "in-the-past", "must lie in the future")
        }
        guard let kind = call.environment[GrantableObjects.self].named(body.objectType.text) else {
            throw Problem.unprocessable(
                "/object_type", "unknown-type", "is none of GET /v1/grantable-objects")
        }
        let wanted = body.value
        let ceiling = call.principal?.permissions ?? PermissionSet()
        let actor = call.actor
        try await call.underCompanyLock { tx, _ in
            try await give(wanted, id, kind, by: user, ceiling, actor, company, in: tx)
        }
        let rows = try await call.db.query("\(fragment: select(company)) AND g.id = \(id)")
        return try Created(rows, at: "/v1/grants/\(id)")
    }

    @inline(never)
    private static func give(
        _ wanted: NewGrant, _ id: UUID, _ kind: GrantableObject, by user: UUID, _ within: PermissionSet,
        _ actor: Audit.Actor, _ company: UUID, in tx: Transaction
    ) async throws {
        let known = try await tx.query(kind.exists(company, wanted.objectId))
        if known.isEmpty {
            throw Problem.unprocessable("/object_id", "unknown-object", "is no \(kind.type) of this company")
        }
        try await mustBeHere(wanted, company, in: tx)
        let roles = try await Granting.roles([wanted.roleId], of: company, pointer: "/role_id", in: tx)
        let own = try await MemberAccess.load(user: user, company: company, in: tx)
        let ceiling = own.map { $0.permissions.intersection(within) } ?? PermissionSet()
        try Granting.check(roles, within: ceiling)
        let count = try await tx.query(
            "SELECT count(*) AS count FROM object_grants WHERE company_id = \(company)")
        guard try count[0].get("count", as: Int.self) < CompanyLimits.grantsMax else {
            throw Problem(.tooManyGrants)
        }
        let after: JSON = [
            "role": .string(roles[0].key),
            "member_id": wanted.memberId.map { .string($0.description) } ?? .null,
            "team_id": wanted.teamId.map { .string($0.description) } ?? .null,
        ]
        let insert: SQL = """
            INSERT INTO object_grants (company_id, id, object_type, object_id, member_id, team_id, role_id, granted_by,
                                       expires_at)
            VALUES (\(company), \(id), \(kind.type), \(wanted.objectId), \(wanted.memberId), \(wanted.teamId),
                    \(wanted.roleId), \(user), \(wanted.expiresAt))
            """
        let entry = Audit.Entry("grant.created", on: kind.type, wanted.objectId, after: after)
        _ = try await tx.batch([insert, Audit.sql(entry, by: actor, company: company)])
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                DELETE FROM object_grants WHERE company_id = \(company) AND id = \(id)
                RETURNING object_type, object_id, role_id
                """)
            guard let row = rows.first else { throw Problem.notFound }
            // Whoever could not have given it cannot take it away either.
            let roles = try await Granting.roles([row.get("role_id")], of: company, pointer: "", in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try Granting.check(roles, within: ceiling)
            try await Audit.record(
                Audit.Entry(
                    "grant.removed", on: try row.get("object_type"), try row.get("object_id", as: UUID.self),
                    before: ["role": .string(roles[0].key)]),
                by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    private static func mustBeHere(_ wanted: NewGrant, _ company: UUID, in tx: Transaction) async throws {
        if let team = wanted.teamId {
            try await Inviting.mustKnow(teams: [team], company, "/team_id", in: tx)
        }
        guard let member = wanted.memberId else { return }
        let rows = try await tx.query(
            "SELECT status FROM memberships WHERE company_id = \(company) AND id = \(member)")
        guard let row = rows.first else {
            throw Problem.unprocessable("/member_id", "unknown-member", "is no member of this company")
        }
        guard try row.get("status", as: MemberStatus.self) == .active else { throw Problem(.memberNotActive) }
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT g.id, g.object_type, g.object_id, g.member_id, g.team_id, coalesce(u.name, t.name) AS holder_name,
               jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) AS role, g.granted_by, g.expires_at,
               g.created_at
          FROM object_grants g
          JOIN roles r ON r.company_id = g.company_id AND r.id = g.role_id
          LEFT JOIN memberships m ON m.company_id = g.company_id AND m.id = g.member_id
          LEFT JOIN users u ON u.id = m.user_id
          LEFT JOIN teams t ON t.company_id = g.company_id AND t.id = g.team_id
         WHERE g.company_id = \(company)
        """
    }
}

extension ObjectRef {
    static func team(_ id: UUID) -> ObjectRef { ObjectRef("team", id) }
}

extension GrantableObject {
    static let team = GrantableObject("team", "A team: who may change it and put people into it.") {
        company, id in
        "SELECT 1 FROM teams WHERE company_id = \(company) AND id = \(id)"
    }
}
