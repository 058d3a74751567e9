import API
import Core
import Postgres
import Wire

/// Nobody grants what he does not hold: the permissions of the roles given must all be the giver's own, by his roles
/// at this moment and, when a key acts for him, by the key's scopes too.
enum Granting {
    struct Role: Sendable {
        let id: UUID
        let key: String
        let name: String
        let permissions: PermissionSet
    }

    /// The company's roles of these ids; an id it does not have is a fault at `pointer`.
    static func roles(_ ids: [UUID], of company: UUID, pointer: String, in tx: Transaction) async throws
        -> [Role]
    {
        let rows = try await tx.query(
            """
            SELECT id, key, name, is_builtin, permissions FROM roles
             WHERE company_id = \(company) AND id = ANY(\(ids))
            """)
        let found = try rows.map { row in
            let key: String = try row.get("key")
            return Role(
                id: try row.get("id"), key: key, name: try row.get("name"),
                permissions: PermissionSet.ofRole(
                    key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions")))
        }
        let known = Set(found.map(\.id))
        let unknown = ids.enumerated().filter { !known.contains($0.element) }
        if !unknown.isEmpty {
            throw Problem.unprocessable(
                unknown.map { .at("\(pointer)/\($0.offset)", "unknown-role", "is no role of this company") })
        }
        return found
    }

    /// What the caller may hand on: the rights of his roles as they stand now, within what his token or key allows.
    static func ceiling(of call: Call, in tx: Transaction) async throws -> PermissionSet {
        guard let access = try await MemberAccess.load(user: call.user, company: call.company, in: tx) else {
            throw Problem(.notAMember, "You are no longer an active member of this company.")
        }
        return access.permissions.intersection(call.principal?.permissions ?? PermissionSet())
    }

    static func check(_ roles: [Role], within ceiling: PermissionSet) throws {
        for role in roles {
            let lacking = role.permissions.subtracting(ceiling)
            if !lacking.isEmpty {
                throw Problem(
                    .grantExceedsOwnRights,
                    "The role \(role.name) permits \(lacking.names.sorted().joined(separator: ", ")), "
                        + "which you do not hold yourself.")
            }
        }
    }
}
