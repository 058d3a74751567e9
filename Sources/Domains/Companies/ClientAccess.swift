import API
import Core
import Postgres
import Wire

/// The entry of an agency's people to its client companies: a grant on the agency's side and a membership on the
/// client's, written and withdrawn together. Nothing follows from being an agency's owner.
enum ClientAccess {
    /// Ends every entry a member of the agency has. Runs as the agency and comes back as it.
    static func withdraw(
        member: UUID, user: UUID, from agency: UUID, only child: UUID? = nil, by actor: Audit.Actor,
        in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            DELETE FROM client_access
             WHERE company_id = \(agency) AND member_id = \(member)
               AND (\(child)::uuid IS NULL OR child_company_id = \(child))
            RETURNING child_company_id, child_member_id
            """)
        for row in rows {
            let client: UUID = try row.get("child_company_id")
            let clientMember: UUID = try row.get("child_member_id")
            try await tx.become(client)
            _ = try await Headcount.lock(client, in: tx)
            _ = try await tx.batch(
                Leaving.removal(of: clientMember, from: client, via: agency) + [
                    Headcount.recount(client),
                    Audit.sql(
                        Audit.Entry("member.agency_access_withdrawn", on: "member", clientMember), by: actor,
                        company: client),
                ])
            try await AccessChange.record(user: user, company: client, in: tx)
        }
        if !rows.isEmpty { try await tx.become(agency) }
    }

    /// The client's side ends an entry, or all of them: the agency's grant goes with it. Runs as the client and comes
    /// back as it.
    static func forget(
        clientMember: UUID? = nil, of client: UUID, at agency: UUID, in tx: Transaction
    ) async throws {
        try await tx.become(agency)
        _ = try await tx.query(
            """
            DELETE FROM client_access
             WHERE company_id = \(agency) AND child_company_id = \(client)
               AND (\(clientMember)::uuid IS NULL OR child_member_id = \(clientMember))
            """)
        try await tx.become(client)
    }
}
