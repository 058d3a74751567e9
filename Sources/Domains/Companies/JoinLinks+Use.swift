import API
import Core
import Postgres
import Wire

extension JoinLinks {
    /// What a link permits, as it stands under the lock of the company's row.
    private struct Live: Decodable {
        let id: UUID
        let roleId: UUID
        let teamId: UUID?
        let emailDomain: String?
        let needsApproval: Bool
        let isSpent: Bool
        let createdBy: UUID
    }

    static func use(_ call: Call, _ body: Body<TokenInput>) async throws -> Single<JoinResult> {
        guard let token = CompanyToken(body.token.text, .joinLink) else { throw Problem(.joinLinkUnknown) }
        let person = try await Acceptance.Person.of(call)
        let actor = call.actor
        let links = call.links
        let result = try await call.db.transaction(as: Tenant(company: token.company, user: person.id)) {
            tx in
            try await use(token, as: person, by: actor, links, in: tx)
        }
        return Single(result)
    }

    private static func use(
        _ token: CompanyToken, as person: Acceptance.Person, by actor: Audit.Actor, _ links: Links,
        in tx: Transaction
    ) async throws -> JoinResult {
        let company = token.company
        guard let locked = try await Headcount.lock(company, in: tx), let link = try await live(token, in: tx)
        else {
            throw Problem(.joinLinkUnknown)
        }
        if link.isSpent { throw Problem(.joinLinkSpent) }
        guard locked.status == "active" else { throw Problem(.companyNotActive) }
        guard person.isVerified else { throw Problem(.emailNotVerified) }
        if let domain = link.emailDomain, !person.emailNorm.hasSuffix("@\(domain)") {
            throw Problem(.joinLinkOtherDomain, "It is for addresses at \(domain).")
        }
        let role = try await Granting.roles([link.roleId], of: company, pointer: "/role_id", in: tx)[0]
        let maker = try await MemberAccess.load(user: link.createdBy, company: company, in: tx)
        guard let maker, maker.permissions.contains(.invitationsWrite),
            role.permissions.isSubset(of: maker.permissions)
        else { throw Problem(.inviterLostRights) }
        if link.needsApproval {
            return try await JoinAsking.ask(
                by: .link(link.id, maker: link.createdBy), person, locked, by: actor, company, links, in: tx)
        }
        let member = try await Joining.admit(
            person.id, to: company, locked, roles: [link.roleId], grantedBy: link.createdBy, by: actor, in: tx
        )
        try await Joining.put(member, into: link.teamId, of: company, in: tx)
        _ = try await tx.batch([
            "UPDATE join_links SET uses = uses + 1 WHERE company_id = \(company) AND id = \(link.id)",
            Audit.sql(
                Audit.Entry(
                    "member.joined_by_link", on: "member", member,
                    after: ["link_id": .string(link.id.description)]),
                by: actor, company: company),
        ])
        return JoinResult(outcome: .joined, companyId: company, memberId: member, requestId: nil)
    }

    private static func live(_ token: CompanyToken, in tx: Transaction) async throws -> Live? {
        try await tx.query(
            """
            SELECT id, role_id, team_id, email_domain, needs_approval, created_by,
                   (revoked_at IS NOT NULL OR expires_at <= now() OR uses_max IS NOT NULL AND uses >= uses_max) AS is_spent
              FROM join_links
             WHERE company_id = \(token.company) AND token_sha256 = \(token.digest)
            """
        ).first?.decode(Live.self)
    }
}
