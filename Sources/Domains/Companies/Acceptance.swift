import API
import Core
import Postgres
import Wire

/// How an invitation becomes a membership: one transaction that looks at everything again, under the lock of the
/// company's row.
enum Acceptance {
    static func port(_ links: Links) -> InvitationAcceptance {
        InvitationAcceptance(
            companyOfToken: { CompanyToken($0, .invitation)?.company },
            accept: { token, user, email, isVerified, actor, tx in
                let person = Person(id: user, emailNorm: email, isVerified: isVerified)
                return try await accept(token, as: person, by: actor, links: links, in: tx)
            })
    }

    struct Person: Sendable {
        let id: UUID
        let emailNorm: String
        let isVerified: Bool
    }

    struct Invitation: Decodable, Sendable {
        let id: UUID
        let emailNorm: String
        let state: String
        let invitedBy: UUID
        let isExpired: Bool
        let memberUserId: UUID?
        let memberId: UUID?
    }

    static func accept(
        _ text: String, as person: Person, by actor: Audit.Actor, links: Links, in tx: Transaction
    ) async throws -> InvitationAcceptance.Accepted {
        guard let token = CompanyToken(text, .invitation) else { throw Problem(.invitationUnknown) }
        // The company first, then the invitation: the order every change of members locks in.
        guard let company = try await Headcount.lock(token.company, in: tx) else {
            throw Problem(.invitationUnknown)
        }
        guard let invitation = try await find(token, in: tx) else { throw Problem(.invitationUnknown) }
        if let member = invitation.memberId, invitation.memberUserId == person.id,
            invitation.state == "accepted"
        {
            return .init(companyId: token.company, memberId: member)
        }
        try check(invitation, for: person)
        guard company.status == "active" else { throw Problem(.companyNotActive) }
        let roles = try await invitedRoles(invitation, company: token.company, in: tx)
        try await checkInviter(invitation, grants: roles, company: token.company, in: tx)
        let member = try await Joining.admit(
            person.id, to: token.company, company, roles: roles.map(\.id), grantedBy: invitation.invitedBy,
            by: actor, in: tx)
        _ = try await tx.batch([
            Roster.add(
                """
                SELECT company_id, team_id, \(member), FALSE FROM invitation_teams
                 WHERE company_id = \(token.company) AND invitation_id = \(invitation.id)
                """, token.company),
            """
            UPDATE invitations SET state = 'accepted', decided_at = now(), member_id = \(member),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(token.company) AND id = \(invitation.id)
            """,
            Audit.sql(
                Audit.Entry(
                    "invitation.accepted", on: "invitation", invitation.id,
                    after: [
                        "member_id": .string(member.description),
                        "roles": .array(roles.map { .string($0.key) }),
                    ]),
                by: actor, company: token.company),
        ])
        try await tellInviter(
            invitation, company: company.name, member: person, by: actor, tenant: token.company, links, in: tx
        )
        return .init(companyId: token.company, memberId: member)
    }

    private static func find(_ token: CompanyToken, in tx: Transaction) async throws -> Invitation? {
        try await tx.query(
            """
            SELECT i.id, i.email_norm, i.state, i.invited_by, i.expires_at <= now() AS is_expired, i.member_id,
                   m.user_id AS member_user_id
              FROM invitations i
              LEFT JOIN memberships m ON m.company_id = i.company_id AND m.id = i.member_id
             WHERE i.company_id = \(token.company) AND i.token_sha256 = \(token.digest)
            """
        ).first?.decode(Invitation.self)
    }

    static func check(_ invitation: Invitation, for person: Person) throws {
        guard invitation.state == "pending" else {
            throw Problem(.invitationNotPending, "This invitation is \(invitation.state).")
        }
        if invitation.isExpired { throw Problem(.invitationExpired) }
        // The address first: whoever holds a foreign token learns nothing by verifying an address of his own.
        guard invitation.emailNorm == person.emailNorm else { throw Problem(.invitationForAnother) }
        guard person.isVerified else { throw Problem(.emailNotVerified) }
    }

    private static func invitedRoles(
        _ invitation: Invitation, company: UUID, in tx: Transaction
    ) async throws -> [Granting.Role] {
        let rows = try await tx.query(
            """
            SELECT role_id FROM invitation_roles WHERE company_id = \(company) AND invitation_id = \(invitation.id)
            """)
        let ids = try rows.map { try $0.get("role_id", as: UUID.self) }
        // A role deleted in the meantime takes its invitation's right with it; nobody comes in without any.
        guard !ids.isEmpty else { throw Problem(.invitationWithoutRoles) }
        return try await Granting.roles(ids, of: company, pointer: "/roles", in: tx)
    }

    /// The inviter must still hold what he gave, at this moment: rights lost since then are not handed on.
    private static func checkInviter(
        _ invitation: Invitation, grants roles: [Granting.Role], company: UUID, in tx: Transaction
    ) async throws {
        let inviter = try await MemberAccess.load(user: invitation.invitedBy, company: company, in: tx)
        guard let inviter, inviter.permissions.contains(.invitationsWrite),
            roles.allSatisfy({ $0.permissions.isSubset(of: inviter.permissions) })
        else { throw Problem(.inviterLostRights) }
    }

    private static func tellInviter(
        _ invitation: Invitation, company: String, member: Person, by actor: Audit.Actor, tenant: UUID,
        _ links: Links, in tx: Transaction
    ) async throws {
        guard let inviter = try await Recipient.of(invitation.invitedBy, in: tx),
            let joined = try await Recipient.of(member.id, in: tx)
        else { return }
        try await Mail.queue(
            inviter.mail(
                .invitationAccepted, ["member": joined.name, "company": company, "link": links.members],
                company: tenant, once: "invitation-accepted:\(invitation.id)"),
            in: tx)
        try await Notify.record(
            CompanyNews.invitationAccepted, to: [inviter.id], about: .init("invitation", invitation.id),
            values: ["member": .string(joined.name), "company": .string(company)], link: links.members,
            dedupeKey: invitation.id.description, by: actor, company: tenant, in: tx)
    }
}
