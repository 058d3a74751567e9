import API
import Core
import Postgres
import Wire

extension ClientAccess {
    /// Lets a member of the agency into a client with roles of that client. The giver's own rights there are the
    /// ceiling: whoever has none there cannot let anybody in.
    static func grant(
        _ wanted: ClientAccessGrant, to client: UUID, from agency: UUID, by call: Call, in tx: Transaction
    ) async throws {
        let giver = try call.user
        let user = try await activeMember(wanted.memberId, of: agency, in: tx)
        try await tx.become(client)
        guard let locked = try await Headcount.lock(client, in: tx), locked.status == "active",
            let own = try await MemberAccess.load(user: giver, company: client, in: tx)
        else { throw Problem(.notAMember, "You have no entry to this client company yourself.") }
        let roles = try await roles(wanted.roleKeys.items.map(\.text), of: client, in: tx)
        try Granting.check(roles, within: own.permissions)
        let member = try await admit(user, to: client, from: agency, ceiling: own.permissions, in: tx)
        _ = try await tx.batch([
            "DELETE FROM member_roles WHERE company_id = \(client) AND member_id = \(member)",
            """
            INSERT INTO member_roles (company_id, member_id, role_id, granted_by)
            SELECT \(client), \(member), role_id, \(giver) FROM unnest(\(roles.map(\.id))::uuid[]) AS given (role_id)
            """,
            Headcount.recount(client),
            Audit.sql(
                Audit.Entry(
                    "member.agency_access_granted", on: "member", member,
                    after: ["roles": .array(roles.map { .string($0.key) })]),
                by: call.actor, company: client),
        ])
        try await AccessChange.record(user: user, company: client, in: tx)
        if user != giver, let person = try await Recipient.of(user, in: tx) {
            let context = ["company": locked.name, "link": call.links.company]
            try await Mail.queue(person.mail(.clientAccessGranted, context, company: client), in: tx)
        }
        try await tx.become(agency)
        _ = try await tx.batch([
            ClientCompanies.insert(
                agency: agency, client: client, member: wanted.memberId, clientMember: member, by: giver),
            Audit.sql(
                Audit.Entry(
                    "client_company.access_granted", on: "company", client,
                    after: ["member_id": .string(wanted.memberId.description)]),
                by: call.actor, company: agency),
        ])
    }

    private static func activeMember(_ member: UUID, of agency: UUID, in tx: Transaction) async throws -> UUID
    {
        let rows = try await tx.query(
            "SELECT user_id, status FROM memberships WHERE company_id = \(agency) AND id = \(member)")
        guard let row = rows.first else { throw Problem.notFound }
        guard try row.get("status", as: MemberStatus.self) == .active else { throw Problem(.memberNotActive) }
        return try row.get("user_id")
    }

    private static func roles(_ keys: [String], of client: UUID, in tx: Transaction) async throws -> [Granting
        .Role]
    {
        let rows = try await tx.query(
            "SELECT id, key FROM roles WHERE company_id = \(client) AND key = ANY(\(keys))")
        let known = Set(try rows.map { try $0.get("key", as: String.self) })
        let faults = keys.enumerated().filter { !known.contains($0.element) }.map {
            Fault.at("/role_keys/\($0.offset)", "unknown-role", "is no role of that client company")
        }
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
        guard !keys.isEmpty else {
            throw Problem.unprocessable("/role_keys", "required", "at least one role is needed")
        }
        return try await Granting.roles(
            rows.map { try $0.get("id", as: UUID.self) }, of: client, pointer: "/role_keys", in: tx)
    }

    /// The membership in the client. One that exists by other means than this agency is left alone.
    private static func admit(
        _ user: UUID, to client: UUID, from agency: UUID, ceiling: PermissionSet, in tx: Transaction
    ) async throws -> UUID {
        let rows = try await tx.query(
            "SELECT id, status, via_company_id FROM memberships WHERE company_id = \(client) AND user_id = \(user)"
        )
        if let row = rows.first, try row.get("status", as: MemberStatus.self) != .removed {
            guard try row.get("via_company_id", as: UUID?.self) == agency else {
                throw Problem(.alreadyAMember)
            }
            let present = try await MemberAccess.load(user: user, company: client, in: tx)
            guard present?.permissions.isSubset(of: ceiling) ?? true else {
                throw Problem(.memberOutranksYou)
            }
            return try row.get("id")
        }
        let id = try rows.first?.get("id", as: UUID.self) ?? UUID.v7()
        _ = try await tx.query(
            """
            INSERT INTO memberships (company_id, id, user_id, via_company_id) VALUES (\(client), \(id), \(user), \(agency))
            ON CONFLICT (company_id, user_id) DO UPDATE
               SET status = 'active', via_company_id = excluded.via_company_id, joined_at = now(), removed_at = NULL,
                   suspended_at = NULL, version = memberships.version + 1, updated_at = now()
            """)
        return id
    }
}
