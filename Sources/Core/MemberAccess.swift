import API
import Postgres
import Wire

/// What a user may do in a company at this moment: the roles of an active membership in an active company.
public struct MemberAccess: Sendable {
    /// One role a member holds, with what it permits.
    public struct Role: Sendable {
        public let id: UUID
        public let key: String
        public let name: String
        public let permissions: PermissionSet
    }

    public let memberId: UUID
    /// The agency whose staff this member belongs to.
    public let viaCompanyId: UUID?
    public let roles: [Role]
    /// The plan the company is on.
    public let plan: String

    public var permissions: PermissionSet { roles.reduce(PermissionSet()) { $0.union($1.permissions) } }
    public var isOwner: Bool { roles.contains { $0.key == BuiltInRole.owner.rawValue } }

    public var standing: Principal.Standing { standing(notedIn: nil) }

    /// - Parameter uses: where it is noted what the member uses.
    public func standing(notedIn uses: PermissionUses?) -> Principal.Standing {
        Principal.Standing(plan: plan, roleKeys: roles.map(\.key), uses: uses)
    }

    /// Nil when there is no active membership, or the company is not active.
    public static func load(user: UUID, company: UUID, _ db: Database) async throws -> MemberAccess? {
        try MemberAccess(
            rows: await db.query(sql(user: user, company: company), as: Tenant(company: company, user: user)))
    }

    /// The same inside a transaction that runs as the company's.
    public static func load(user: UUID, company: UUID, in tx: Transaction) async throws -> MemberAccess? {
        try MemberAccess(rows: await tx.query(sql(user: user, company: company)))
    }

    /// One row a role; run it as `Tenant(company:user:)` and read it with `init(rows:)`.
    public static func sql(user: UUID, company: UUID) -> SQL {
        """
        SELECT m.id AS member_id, m.via_company_id, r.id AS role_id, r.key, r.name, r.is_builtin, r.permissions,
               coalesce(p.plan, \(Plans.standard)) AS plan
          FROM memberships m
          JOIN companies c ON c.id = m.company_id AND c.status = 'active'
          LEFT JOIN company_plans p ON p.company_id = m.company_id
          LEFT JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
          LEFT JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
         WHERE m.company_id = \(company) AND m.user_id = \(user) AND m.status = 'active'
        """
    }

    public init?(rows: Rows) throws {
        guard let first = rows.first else { return nil }
        memberId = try first.get("member_id")
        viaCompanyId = try first.get("via_company_id")
        plan = try first.get("plan")
        roles = try rows.compactMap { row in
            guard let id = try row.get("role_id", as: UUID?.self) else { return nil }
            let key: String = try row.get("key")
            return Role(
                id: id, key: key, name: try row.get("name"),
                permissions: PermissionSet.ofRole(
                    key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions")))
        }
    }
}
