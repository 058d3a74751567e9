import API
import Core
import Crypto
import Postgres
import Wire

/// Puts the companies of a demo world into the database. A company that is there already is left as it is.
public enum CompaniesSeed {
    /// The people of the world must be there already.
    public static func plant(_ world: DemoWorld, _ db: Database) async throws {
        let rows = try await db.query(
            "SELECT id, email_norm FROM users WHERE email_norm = ANY(\(world.people.map(\.email)))")
        var people: [String: UUID] = [:]
        for row in rows { people[try row.get("email_norm")] = try row.get("id", as: UUID.self) }
        try await plant(world.agency, at: nil, people, db)
        for client in world.clients { try await plant(client, at: world.agency, people, db) }
    }

    private static func plant(
        _ company: DemoWorld.Company, at agency: DemoWorld.Company?, _ people: [String: UUID], _ db: Database
    ) async throws {
        guard let founder = people[company.members[0].email] else { return }
        try await db.transaction(as: Tenant(company: company.id, user: founder)) { tx in
            let known = try await tx.query("SELECT 1 FROM companies WHERE id = \(company.id)")
            guard known.isEmpty else { return }
            let founded = try await Founding.found(
                CompanyFounding.NewCompany(
                    id: company.id, name: company.name, founder: founder, timeZone: company.timeZone,
                    locale: company.locale, parent: agency?.id),
                by: .system, in: tx)
            var members = [company.members[0].email: founded.memberId]
            for member in company.members.dropFirst() {
                guard let user = people[member.email] else { continue }
                members[member.email] = try await join(user, member, company.id, via: nil, in: tx)
            }
            for team in company.teams { try await make(team, company.id, members, in: tx) }
            for invitation in company.invitations {
                try await invite(invitation, company.id, by: founder, in: tx)
            }
            if let agency {
                try await letIn(company.staff ?? [], to: company.id, from: agency.id, people, in: tx)
            }
            _ = try await tx.query(Headcount.recount(company.id))
        }
    }

    private static func join(
        _ user: UUID, _ member: DemoWorld.Membership, _ company: UUID, via agency: UUID?, in tx: Transaction
    ) async throws -> UUID {
        let id = UUID.v7()
        _ = try await tx.batch([
            """
            INSERT INTO memberships (company_id, id, user_id, via_company_id, title)
            VALUES (\(company), \(id), \(user), \(agency), \(member.title))
            """,
            """
            INSERT INTO member_roles (company_id, member_id, role_id)
            SELECT company_id, \(id), id FROM roles WHERE company_id = \(company) AND key = ANY(\(member.roles))
            """,
        ])
        return id
    }

    private static func make(
        _ team: DemoWorld.Team, _ company: UUID, _ members: [String: UUID], in tx: Transaction
    ) async throws {
        let id = UUID.v7()
        _ = try await tx.query(
            "INSERT INTO teams (company_id, id, name) VALUES (\(company), \(id), \(team.name))")
        for email in team.members {
            guard let member = members[email] else { continue }
            _ = try await tx.query(
                Roster.add("SELECT \(company), \(id), \(member), \(email == team.lead)", company))
        }
    }

    /// Pending, and without a mail: the addresses are made up.
    private static func invite(
        _ invitation: DemoWorld.Membership, _ company: UUID, by founder: UUID, in tx: Transaction
    ) async throws {
        let id = UUID.v7()
        let expires = Timestamp.now + .seconds(86_400 * CompanyLimits.invitationDaysMax)
        _ = try await tx.batch([
            """
            INSERT INTO invitations (company_id, id, email, email_norm, token_sha256, invited_by, expires_at)
            VALUES (\(company), \(id), \(invitation.email), \(invitation.email),
                    \(CompanyToken.make(.invitation, company: company).digest), \(founder), \(expires))
            """,
            """
            INSERT INTO invitation_roles (company_id, invitation_id, role_id)
            SELECT company_id, \(id), id FROM roles WHERE company_id = \(company) AND key = ANY(\(invitation.roles))
            """,
        ])
    }

    private static func letIn(
        _ staff: [DemoWorld.Membership], to client: UUID, from agency: UUID, _ people: [String: UUID],
        in tx: Transaction
    ) async throws {
        for member in staff {
            guard let user = people[member.email] else { continue }
            let clientMember = try await join(user, member, client, via: agency, in: tx)
            try await tx.become(agency)
            let rows = try await tx.query(
                "SELECT id FROM memberships WHERE company_id = \(agency) AND user_id = \(user)")
            if let own = try rows.first?.get("id", as: UUID.self) {
                _ = try await tx.query(
                    ClientCompanies.insert(
                        agency: agency, client: client, member: own, clientMember: clientMember, by: nil))
            }
            try await tx.become(client)
        }
    }
}
