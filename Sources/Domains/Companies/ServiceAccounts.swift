import API
import Core
import Postgres
import Wire

extension Permission {
    public static let serviceAccountsRead = Permission(
        "service_accounts:read", "See the company's service accounts", [.owner, .admin])
    public static let serviceAccountsWrite = Permission(
        "service_accounts:write", "Make, change and remove service accounts", [.owner, .admin])
}

/// Principals of the company that are no person: they hold roles as members do, act by API keys, take no seat, and go
/// on working when whoever made them leaves.
enum ServiceAccounts {
    @RouteList static var routes: [Route] {
        GET("/v1/service-accounts", "List service accounts", .can(.serviceAccountsRead), list)
        POST("/v1/service-accounts", "Make a service account", .can(.serviceAccountsWrite), create)
            .describe("Give it a key with POST /v1/api-keys and `service_account_id`.")
            .problems(.grantExceedsOwnRights, .serviceAccountLimitReached)
        GET("/v1/service-accounts/{id}", "Read a service account", .can(.serviceAccountsRead), read)
        PATCH("/v1/service-accounts/{id}", "Change a service account", .can(.serviceAccountsWrite), change)
            .describe("Roles are replaced. Disabled, its keys are refused from the next request on.")
            .problems(.grantExceedsOwnRights, .memberOutranksYou)
        DELETE("/v1/service-accounts/{id}", "Remove a service account", .can(.serviceAccountsWrite), remove)
            .describe("Its keys stop with the next request; what it made stays.").problems(.memberOutranksYou)
    }

    struct Filter: ListFilter {
        let isEnabled: Bool?

        static let sorts = ["name", "-created_at"]
        static let search = ["name", "description"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<ServiceAccount> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ServiceAccount> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewServiceAccount>) async throws -> Created<ServiceAccount>
    {
        let company = try call.company
        let id = UUID.v7()
        let user = call.environment[ServiceUsers.self].make(body.name.text, company)
        try await call.underCompanyLock { tx, _ in
            let count = try await tx.query(
                """
                SELECT count(*) AS count FROM memberships m JOIN users u ON u.id = m.user_id AND u.kind = 'service'
                 WHERE m.company_id = \(company) AND m.status <> 'removed'
                """)
            guard try count[0].get("count", as: Int.self) < CompanyLimits.serviceAccountsMax else {
                throw Problem(.serviceAccountLimitReached)
            }
            let roles = try await roles(body.roleIds.items, call, in: tx)
            _ = try await tx.batch([
                user.sql,
                """
                INSERT INTO memberships (company_id, id, user_id, title)
                VALUES (\(company), \(id), \(user.id), \(body.value.description))
                """,
                give(roles, to: id, of: company, by: try call.user),
                Audit.sql(
                    Audit.Entry(
                        "service_account.created", on: "service_account", id,
                        after: [
                            "name": .string(body.name.text), "roles": .array(roles.map { .string($0.key) }),
                        ]),
                    by: call.actor, company: company),
                event(CompanyEvents.serviceAccountCreated, id, body.name.text, call.actor, company),
            ])
        }
        return try Created(await rows(id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ServiceAccountChange>) async throws
        -> Single<ServiceAccount>
    {
        let company = try call.company
        let users = call.environment[ServiceUsers.self]
        try await call.underCompanyLock { tx, _ in
            let target = try await target(id.value, call, in: tx)
            try call.requireVersion(target.version)
            var changes = Changes()
            changes.set("title", body.value.description)
            if let isEnabled = body.isEnabled {
                changes.set("status", isEnabled ? "active" : "suspended")
                changes.set("suspended_at", to: isEnabled ? "NULL" : "now()")
            }
            var statements: [SQL] = [
                "UPDATE memberships SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
            ]
            if let name = body.name { statements.append(users.rename(target.userId, name.text)) }
            if let ids = body.roleIds?.items {
                let roles = try await roles(ids, call, in: tx)
                statements += [
                    "DELETE FROM member_roles WHERE company_id = \(company) AND member_id = \(id)",
                    give(roles, to: id.value, of: company, by: try call.user),
                ]
            }
            statements.append(
                Audit.sql(
                    Audit.Entry(
                        "service_account.changed", on: "service_account", id.value,
                        after: try JSON(encoding: body.value)),
                    by: call.actor, company: company))
            _ = try await tx.batch(statements)
            try await AccessChange.record(user: target.userId, company: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let users = call.environment[ServiceUsers.self]
        try await call.underCompanyLock { tx, _ in
            let target = try await target(id.value, call, in: tx)
            _ = try await tx.batch(
                [users.retire([target.userId])] + Leaving.removal(of: id.value, from: company) + [
                    Audit.sql(
                        Audit.Entry("service_account.removed", on: "service_account", id.value),
                        by: call.actor,
                        company: company),
                    event(CompanyEvents.serviceAccountRemoved, id.value, target.name, call.actor, company),
                ])
            try await AccessChange.record(user: target.userId, company: company, in: tx)
        }
        return NoContent()
    }

    private static func event(
        _ type: EventType<CompanyEvents.ServiceAccountData>, _ id: UUID, _ name: String, _ actor: Audit.Actor,
        _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type, .init(serviceAccountId: id, name: name), on: "service_account", id, by: actor,
            company: company)
    }

    /// Removed ones are gone; a person is none.
    private static func target(_ id: UUID, _ call: Call, in tx: Transaction) async throws -> Members.Target {
        let target = try await Members.Target.of(id, call, kind: "service", in: tx)
        if target.status == .removed { throw Problem.notFound }
        return target
    }

    private static func roles(_ ids: [UUID], _ call: Call, in tx: Transaction) async throws -> [Granting.Role]
    {
        guard !ids.isEmpty else {
            throw Problem.unprocessable("/role_ids", "required", "at least one role is needed")
        }
        let roles = try await Granting.roles(ids, of: try call.company, pointer: "/role_ids", in: tx)
        if let owner = roles.firstIndex(where: { $0.key == "owner" }) {
            throw Problem.unprocessable(
                "/role_ids/\(owner)", "owner-must-be-a-person",
                "is for people: a company is owned by somebody")
        }
        let ceiling = try await Granting.ceiling(of: call, in: tx)
        try Granting.check(roles, within: ceiling)
        return roles
    }

    private static func give(_ roles: [Granting.Role], to member: UUID, of company: UUID, by user: UUID)
        -> SQL
    {
        """
        INSERT INTO member_roles (company_id, member_id, role_id, granted_by)
        SELECT \(company)::uuid, \(member)::uuid, role_id, \(user)::uuid
          FROM unnest(\(roles.map(\.id))::uuid[]) AS given (role_id)
        """
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND m.id = \(id)")
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT m.id, u.name, m.title AS description, m.status = 'active' AS is_enabled,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) ORDER BY r.name),
                                '[]')
                  FROM member_roles mr
                  JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                 WHERE mr.company_id = m.company_id AND mr.member_id = m.id) AS roles,
               (SELECT count(*) FROM api_keys k
                 WHERE k.company_id = m.company_id AND k.service_account_id = m.id AND k.revoked_at IS NULL) AS key_count,
               (SELECT max(k.last_used_at) FROM api_keys k
                 WHERE k.company_id = m.company_id AND k.service_account_id = m.id) AS last_used_at,
               m.version, m.created_at, m.updated_at
          FROM memberships m
          JOIN users u ON u.id = m.user_id AND u.kind = 'service'
         WHERE m.company_id = \(company) AND m.status <> 'removed'
        """
    }
}

/// A principal of the company that is no person.
struct ServiceAccount: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let description: String?
    let isEnabled: Bool
    let roles: [RoleName]
    let keyCount: Int
    let lastUsedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = ["key_count": "How many of its API keys are not revoked."]
}

struct NewServiceAccount: Codable, Sendable, FieldNotes {
    let name: Text<80>
    let description: Text<120>?
    let roleIds: UpTo<20, UUID>

    static let fieldNotes = ["role_ids": "Roles whose permissions you hold yourself; not that of an owner."]
}

struct ServiceAccountChange: Codable, Sendable {
    let name: Text<80>?
    let description: Clearable<Text<120>>
    let roleIds: UpTo<20, UUID>?
    let isEnabled: Bool?
}
