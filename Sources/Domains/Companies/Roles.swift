import API
import Core
import Postgres
import Wire

/// Roles of a company: the six it is born with, and its own.
enum Roles {
    @RouteList static var routes: [Route] {
        GET("/v1/roles", "List roles", .can(.rolesRead), list)
        POST("/v1/roles", "Make a custom role", .can(.rolesWrite), create)
            .problems(.grantExceedsOwnRights, .roleNameTaken, .tooManyRoles)
        GET("/v1/roles/{id}", "Read a role", .can(.rolesRead), read)
        PATCH("/v1/roles/{id}", "Change a custom role", .can(.rolesWrite), change)
            .describe("Takes effect for everybody who holds the role with their very next request.")
            .problems(.grantExceedsOwnRights, .roleIsBuiltIn, .roleNameTaken)
        DELETE("/v1/roles/{id}", "Delete a custom role nobody holds", .can(.rolesWrite), delete)
            .problems(.roleIsBuiltIn, .roleInUse)
        POST("/v1/roles/{id}/copies", "Copy a role under another name", .can(.rolesWrite), copy).operation(
            "copyRole"
        )
        .describe("The copy is a custom role with the same permissions, as far as you hold them.")
        .problems(.grantExceedsOwnRights, .roleNameTaken, .tooManyRoles)
        GET("/v1/roles/{id}/members", "List who holds a role", .can(.membersRead), members)
    }

    struct Filter: ListFilter {
        let isBuiltin: Bool?

        static let sorts = ["name", "-created_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Role> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Role> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewRole>) async throws -> Created<Role> {
        let permissions = try known(body.permissions.items)
        let id = try await make(call, body.name, body.value.description, permissions)
        return try Created(await rows(id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<RoleChange>) async throws -> Single<Role>
    {
        let company = try call.company
        let wanted = try body.permissions.map { try known($0.items) }
        try await call.db.transaction { tx in
            let role = try await custom(id.value, company, in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            // Both what the role permitted and what it will: nobody reshapes a role that stands above him.
            try Granting.check([role.asGrant], within: ceiling)
            if let wanted { try Granting.check([role.asGrant(with: wanted)], within: ceiling) }
            try call.requireVersion(role.version)
            var changes = Changes()
            changes.set("name", body.name)
            changes.set("description", body.value.description)
            changes.set("permissions", wanted?.names)
            let (before, after) = role.difference(to: body.name?.text, wanted?.names)
            _ = try await tx.batch([
                "UPDATE roles SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry("role.changed", on: "role", id.value, before: before, after: after),
                    by: call.actor, company: company),
                event(
                    id.value, body.name?.text ?? role.name, wanted?.names ?? role.permissions, call, company),
            ])
            try await AccessChange.record(user: nil, company: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let role = try await custom(id.value, company, in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try Granting.check([role.asGrant], within: ceiling)
            _ = try await tx.batch([
                // What those who left once held is history, and no reason to keep a role.
                """
                DELETE FROM join_links
                 WHERE company_id = \(company) AND role_id = \(id) AND (revoked_at IS NOT NULL OR expires_at <= now())
                   AND NOT EXISTS (SELECT 1 FROM join_requests q
                                    WHERE q.company_id = join_links.company_id AND q.link_id = join_links.id)
                """,
                "DELETE FROM roles WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry("role.deleted", on: "role", id.value, before: ["name": .string(role.name)]),
                    by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    static func copy(_ call: Call, _ id: Path<UUID>, _ body: Body<RoleCopy>) async throws -> Created<Role> {
        let company = try call.company
        let found = try await call.db.query(
            "SELECT key, is_builtin, permissions, description FROM roles WHERE company_id = \(company) AND id = \(id)"
        )
        guard let row = found.first else { throw Problem.notFound }
        let permissions = PermissionSet.ofRole(
            key: try row.get("key"), isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions"))
        let description = try row.get("description", as: String?.self).flatMap { Prose<500>($0) }
        let copy = try await make(call, body.name, description, permissions)
        return try Created(await rows(copy, call), at: "/v1/roles/\(copy)")
    }

    private static func make(
        _ call: Call, _ name: Text<60>, _ description: Prose<500>?, _ permissions: PermissionSet
    ) async throws -> UUID {
        let company = try call.company
        let id = UUID.v7()
        try await call.underCompanyLock { tx, _ in
            let role = Granting.Role(id: id, key: "", name: name.text, permissions: permissions)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try Granting.check([role], within: ceiling)
            let count = try await tx.query(
                "SELECT count(*) AS count FROM roles WHERE company_id = \(company) AND NOT is_builtin")
            guard try count[0].get("count", as: Int.self) < CompanyLimits.customRolesMax else {
                throw Problem(.tooManyRoles)
            }
            _ = try await tx.batch([
                """
                INSERT INTO roles (company_id, id, key, name, description, permissions)
                VALUES (\(company), \(id), \("custom-" + CompanySlug.of(name.text)), \(name), \(description), \(permissions.names))
                """,
                Audit.sql(
                    Audit.Entry(
                        "role.created", on: "role", id,
                        after: [
                            "name": .string(name.text),
                            "permissions": .array(permissions.names.map(JSON.string)),
                        ]),
                    by: call.actor, company: company),
                event(id, name.text, permissions.names, call, company),
            ])
        }
        return id
    }

    private static func event(
        _ id: UUID, _ name: String, _ permissions: [String], _ call: Call, _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            CompanyEvents.roleChanged, .init(roleId: id, name: name, permissions: permissions), on: "role",
            id,
            by: call.actor, company: company)
    }

    struct MemberFilter: ListFilter {
        let status: [MemberStatus]?

        static let sorts = ["name", "-joined_at"]
        static let search = ["name", "email"]
    }

    static func members(_ call: Call, _ id: Path<UUID>, _ list: List<MemberFilter>) async throws -> Page<
        Member
    > {
        let company = try call.company
        let held: SQL = """
            AND EXISTS (SELECT 1 FROM member_roles held
                         WHERE held.company_id = m.company_id AND held.member_id = m.id AND held.role_id = \(id))
            """
        let known = try await call.db.query(
            "SELECT 1 FROM roles WHERE company_id = \(company) AND id = \(id)")
        if known.isEmpty { throw Problem.notFound }
        return try await call.page(list, "\(fragment: Members.select(company)) \(fragment: held)")
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND r.id = \(id)")
    }

    /// Built-in roles have their permissions from the code: they are handed to the statement, so that one printed row
    /// is whole.
    private static func select(_ company: UUID) -> SQL {
        let builtIn = BuiltInRole.allCases.map { role in
            "WHEN \(role.rawValue) THEN \(PermissionCatalogue.held(by: role).names)" as SQL
        }
        return """
            SELECT r.id, r.key, r.name, r.description, r.is_builtin,
                   CASE r.key \(fragment: builtIn.joined(separator: " ")) ELSE r.permissions END AS permissions,
                   (SELECT count(*) FROM member_roles mr
                      JOIN memberships m ON m.company_id = mr.company_id AND m.id = mr.member_id AND m.status = 'active'
                     WHERE mr.company_id = r.company_id AND mr.role_id = r.id) AS member_count,
                   r.version, r.created_at, r.updated_at
              FROM roles r
             WHERE r.company_id = \(company)
            """
    }

    /// The permissions of these names; each unknown one is a fault of its own.
    private static func known(_ names: [String]) throws -> PermissionSet {
        let faults = names.enumerated().compactMap { at, name in
            PermissionCatalogue.named(name) == nil
                ? Fault.at(
                    "/permissions/\(at)", "unknown-permission",
                    "is no permission; GET /v1/permissions lists them")
                : nil
        }
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
        return PermissionSet(names: names)
    }

    private static func custom(_ id: UUID, _ company: UUID, in tx: Transaction) async throws -> StoredRole {
        let rows = try await tx.query(
            """
            SELECT id, key, name, is_builtin, permissions, version FROM roles
             WHERE company_id = \(company) AND id = \(id) FOR UPDATE
            """)
        guard let role = try rows.first?.decode(StoredRole.self) else { throw Problem.notFound }
        if role.isBuiltin { throw Problem(.roleIsBuiltIn) }
        return role
    }
}

/// A custom role as we decide on it.
private struct StoredRole: Decodable {
    let id: UUID
    let key: String
    let name: String
    let isBuiltin: Bool
    let permissions: [String]
    let version: Int64

    var asGrant: Granting.Role { asGrant(with: PermissionSet(names: permissions)) }

    func asGrant(with permissions: PermissionSet) -> Granting.Role {
        Granting.Role(id: id, key: key, name: name, permissions: permissions)
    }

    func difference(to name: String?, _ permissions: [String]?) -> (before: JSON, after: JSON) {
        Audit.changed(
            ["name": .string(self.name), "permissions": .array(self.permissions.map(JSON.string))],
            [
                "name": .string(name ?? self.name),
                "permissions": .array((permissions ?? self.permissions).map(JSON.string)),
            ])
    }
}
