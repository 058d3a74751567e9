import API
import Core
import Postgres
import Wire

/// Invitations to people by their e-mail address.
enum Invitations {
    @RouteList static var routes: [Route] {
        GET("/v1/invitations", "List invitations", .can(.invitationsRead), list)
        POST("/v1/invitations", "Invite somebody", .can(.invitationsWrite), create).operation("inviteMember")
            .describe(
                "A pending invitation to the same address is superseded, and its link no longer works. Seats are "
                    + "counted when the invitation is accepted."
            )
            .problems(.grantExceedsOwnRights, .alreadyAMember, .memberIsSuspended, .tooManyInvitations)
        GET("/v1/invitations/{id}", "Read an invitation", .can(.invitationsRead), read)
        DELETE("/v1/invitations/{id}", "Revoke an invitation", .can(.invitationsWrite), revoke).operation(
            "revokeInvitation"
        )
        .problems(.invitationNotPending)
        POST("/v1/invitations/{id}/resending", "Mail an invitation again", .can(.invitationsWrite), resend)
            .operation("resendInvitation")
            .describe(
                "Makes a new link, good for as many days as a new invitation; the old link no longer works."
            )
            .problems(
                .invitationNotPending, .invitationMailsSpent, .grantExceedsOwnRights, .tooManyInvitations)
    }

    struct Filter: ListFilter {
        let state: [InvitationState]?
        let email: Email?
        let createdAt: Bounds<Timestamp>?

        static let sorts = ["-created_at", "email", "expires_at"]
        static let search = ["email", "name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Invitation> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Invitation> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewInvitation>) async throws -> Created<Invitation> {
        let id = try await call.underCompanyLock { tx, company in
            let inviter = try await Inviting.Inviter.of(call, company: company, in: tx)
            return try await Inviting.invite(body.value, by: inviter, at: "", in: tx)
        }
        return try Created(await rows(id, call))
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.underCompanyLock { tx, _ in
            let state = try await pending(id.value, company, in: tx)
            if state == .revoked { return }
            guard state == .pending else {
                throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
            }
            _ = try await tx.batch([
                """
                UPDATE invitations SET state = 'revoked', decided_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry("invitation.revoked", on: "invitation", id.value), by: call.actor,
                    company: company),
            ])
        }
        return NoContent()
    }

    static func resend(_ call: Call, _ id: Path<UUID>) async throws -> Single<Invitation> {
        let company = try call.company
        try await call.underCompanyLock { tx, locked in
            let state = try await pending(id.value, company, in: tx)
            guard state == .pending else {
                throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
            }
            let inviter = try await Inviting.Inviter.of(call, company: locked, in: tx)
            try await send(again: id.value, by: inviter, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    /// Whoever sends it again answers for it from then on, so his rights are looked at too.
    private static func send(again id: UUID, by inviter: Inviting.Inviter, in tx: Transaction) async throws {
        let company = inviter.company
        let rows = try await tx.query(
            """
            SELECT i.email, i.name, i.message, i.times_sent,
                   ARRAY(SELECT ir.role_id FROM invitation_roles ir
                          WHERE ir.company_id = i.company_id AND ir.invitation_id = i.id) AS role_ids
              FROM invitations i WHERE i.company_id = \(company) AND i.id = \(id)
            """)
        let row = rows[0]
        guard try row.get("times_sent", as: Int.self) < CompanyLimits.invitationMailsMax else {
            throw Problem(.invitationMailsSpent)
        }
        let roles = try await Granting.roles(row.get("role_ids"), of: company, pointer: "/role_ids", in: tx)
        try Granting.check(roles, within: inviter.ceiling)
        let token = CompanyToken.make(.invitation, company: company)
        let expires = Timestamp.now + .seconds(86_400 * CompanyLimits.invitationDays)
        _ = try await tx.batch([
            """
            UPDATE invitations
               SET token_sha256 = \(token.digest), expires_at = \(expires), invited_by = \(inviter.user),
                   times_sent = times_sent + 1, last_sent_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(
                Audit.Entry("invitation.resent", on: "invitation", id), by: inviter.actor, company: company),
            try Inviting.mail(
                to: row.get("email"), name: row.get("name"), message: row.get("message"),
                roles: roles.map(\.name),
                token, expires, inviter: inviter.name, company: inviter.companyName, tenant: company,
                links: inviter.links, in: tx),
        ])
    }

    private static func pending(_ id: UUID, _ company: UUID, in tx: Transaction) async throws
        -> InvitationState
    {
        let rows = try await tx.query(
            "SELECT state FROM invitations WHERE company_id = \(company) AND id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        return try row.get("state")
    }

    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND i.id = \(id)")
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT i.id, i.email, i.name, i.message,
               CASE WHEN i.state = 'pending' AND i.expires_at <= now() THEN 'expired' ELSE i.state END AS state,
               \(fragment: roles), \(fragment: teams), i.invited_by, u.name AS inviter_name, i.expires_at, i.times_sent,
               i.last_sent_at, i.opened_at, i.mismatched_at, r.email AS redirect_email, i.redirect_asked_at, i.decided_at,
               i.member_id, i.version, i.created_at
          FROM invitations i
          LEFT JOIN users u ON u.id = i.invited_by
          LEFT JOIN users r ON r.id = i.redirect_user_id
         WHERE i.company_id = \(company)
        """
    }

    static let roles: SQL = """
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) ORDER BY r.name), '[]')
           FROM invitation_roles ir
           JOIN roles r ON r.company_id = ir.company_id AND r.id = ir.role_id
          WHERE ir.company_id = i.company_id AND ir.invitation_id = i.id) AS roles
        """

    private static let teams: SQL = """
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY t.name), '[]')
           FROM invitation_teams it
           JOIN teams t ON t.company_id = it.company_id AND t.id = it.team_id
          WHERE it.company_id = i.company_id AND it.invitation_id = i.id) AS teams
        """
}
