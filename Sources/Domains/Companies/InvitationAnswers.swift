import API
import Core
import Postgres
import Wire

/// What the invited person does: looks at the invitation, accepts or declines it. The token goes in a body, never in
/// an address, so that no log keeps it; and only a POST decides, so that a mail scanner's visit does nothing.
enum InvitationAnswers {
    @RouteList static var routes: [Route] {
        POST("/v1/invitations/preview", "Look at an invitation by its token", .open, preview).operation(
            "previewInvitation"
        )
        .problems(.invitationUnknown).idempotent(.none).secret
        POST("/v1/invitations/acceptance", "Accept an invitation", .signedIn, accept).operation(
            "acceptInvitation"
        )
        .describe(
            "The signed-in, confirmed e-mail address must be the invited one. Who has no account yet signs up "
                + "with `invitation_token` instead. Accepting twice gives the same answer."
        )
        .problems(
            .invitationUnknown, .invitationNotPending, .invitationExpired, .invitationForAnother,
            .emailNotVerified,
            .seatLimitReached, .inviterLostRights, .invitationWithoutRoles, .alreadyAMember,
            .memberIsSuspended,
            .companyNotActive
        )
        .idempotent(.none)
        POST("/v1/invitations/refusal", "Decline an invitation", .open, decline).operation(
            "declineInvitation"
        )
        .problems(.invitationUnknown, .invitationNotPending)
    }

    static func preview(_ call: Call, _ body: Body<TokenInput>) async throws -> Single<InvitationPreview> {
        let token = try known(body)
        let rows = try await call.db.batch(
            [
                """
                UPDATE invitations SET opened_at = now()
                 WHERE company_id = \(token.company) AND token_sha256 = \(token.digest) AND opened_at IS NULL
                """,
                """
                SELECT c.id AS company_id, c.name AS company_name, c.logo_url AS company_logo_url, u.name AS inviter_name,
                       i.email, i.message, \(fragment: Invitations.roles),
                       CASE WHEN i.state = 'pending' AND i.expires_at <= now() THEN 'expired' ELSE i.state END AS state,
                       i.expires_at, EXISTS (SELECT 1 FROM users x WHERE x.email_norm = i.email_norm) AS has_account
                  FROM invitations i
                  JOIN companies c ON c.id = i.company_id
                  LEFT JOIN users u ON u.id = i.invited_by
                 WHERE i.company_id = \(token.company) AND i.token_sha256 = \(token.digest)
                """,
            ], as: Tenant(company: token.company))
        guard !rows[1].isEmpty else { throw Problem(.invitationUnknown) }
        return try Single(rows[1])
    }

    static func accept(_ call: Call, _ body: Body<TokenInput>) async throws -> Single<Joined> {
        let token = try known(body)
        let person = try await Acceptance.Person.of(call)
        let links = call.links
        do {
            let accepted = try await call.db.transaction(as: Tenant(company: token.company, user: person.id))
            {
                try await Acceptance.accept(token.text, as: person, by: call.actor, links: links, in: $0)
            }
            return Single(Joined(companyId: accepted.companyId, memberId: accepted.memberId))
        } catch let problem as Problem where problem.code == .invitationForAnother {
            try await tellOfMismatch(token, call)
            throw problem
        }
    }

    static func decline(_ call: Call, _ body: Body<TokenInput>) async throws -> NoContent {
        let token = try known(body)
        try await call.db.transaction(as: Tenant(company: token.company)) { tx in
            let rows = try await tx.query(
                """
                SELECT id, state FROM invitations
                 WHERE company_id = \(token.company) AND token_sha256 = \(token.digest) FOR UPDATE
                """)
            guard let row = rows.first else { throw Problem(.invitationUnknown) }
            let state: InvitationState = try row.get("state")
            if state == .declined { return }
            guard state == .pending else {
                throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
            }
            let id: UUID = try row.get("id")
            _ = try await tx.batch([
                """
                UPDATE invitations SET state = 'declined', decided_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(token.company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry("invitation.declined", on: "invitation", id), by: call.actor,
                    company: token.company),
            ])
        }
        return NoContent()
    }

    /// The inviter learns that the right person may have come by the wrong address; told once an invitation.
    private static func tellOfMismatch(_ token: CompanyToken, _ call: Call) async throws {
        let links = call.links
        try await call.db.transaction(as: Tenant(company: token.company)) { tx in
            let rows = try await tx.query(
                """
                UPDATE invitations i SET mismatched_at = now()
                  FROM companies c
                 WHERE i.company_id = \(token.company) AND i.token_sha256 = \(token.digest) AND c.id = i.company_id
                RETURNING i.id, i.email, i.invited_by, c.name
                """)
            guard let row = rows.first, let inviter = try await Recipient.of(row.get("invited_by"), in: tx)
            else { return }
            let context = [
                "company": try row.get("name", as: String.self),
                "invited_email": try row.get("email", as: String.self),
                "link": links.invitations,
            ]
            try await Mail.queue(
                inviter.mail(
                    .invitationMismatch, context, company: token.company,
                    once: "invitation-mismatch:\(try row.get("id", as: UUID.self))"),
                in: tx)
        }
    }

    private static func known(_ body: Body<TokenInput>) throws -> CompanyToken {
        guard let token = CompanyToken(body.token.text, .invitation) else {
            throw Problem(.invitationUnknown)
        }
        return token
    }
}

extension Acceptance.Person {
    /// The caller, with the address as it is confirmed at this moment.
    static func of(_ call: Call) async throws -> Acceptance.Person {
        let user = try call.user
        let rows = try await call.db.query(
            "SELECT email_norm, email_verified_at IS NOT NULL AS is_verified FROM users WHERE id = \(user)")
        guard let row = rows.first, let email = try row.get("email_norm", as: String?.self) else {
            throw Problem.unauthorized
        }
        return Acceptance.Person(id: user, emailNorm: email, isVerified: try row.get("is_verified"))
    }
}
