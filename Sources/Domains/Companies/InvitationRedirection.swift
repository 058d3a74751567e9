import API
import Core
import Postgres
import Wire

/// An invitation is for the address it was sent to. Who has the account at another address asks to be invited there, and
/// somebody who may invite agrees: then a new invitation goes to that address, and the first one is void.
enum InvitationRedirection {
    @RouteList static var routes: [Route] {
        POST("/v1/invitations/redirection", "Ask to be invited at your own address", .signedIn, ask)
            .operation("askInvitationRedirection")
            .describe(
                "For who holds the link of an invitation that was sent to another address. Whoever invited is told the name "
                    + "and the address of the account, and decides. Asking twice is asking once."
            )
            .problems(.invitationUnknown, .invitationNotPending, .invitationExpired, .emailNotVerified)
            .idempotent(.none)
        POST(
            "/v1/invitations/{id}/redirection", "Invite the address that asks for it",
            .can(.invitationsWrite), approve
        )
        .operation("redirectInvitation")
        .describe("With the same roles and teams. The former invitation is superseded.")
        .problems(
            .invitationNotPending, .redirectionNotAsked, .grantExceedsOwnRights, .alreadyAMember,
            .memberIsSuspended, .tooManyInvitations)
    }

    static func ask(_ call: Call, _ body: Body<TokenInput>) async throws -> NoContent {
        guard let token = CompanyToken(body.token.text, .invitation) else {
            throw Problem(.invitationUnknown)
        }
        let person = try await Acceptance.Person.of(call)
        guard person.isVerified else { throw Problem(.emailNotVerified) }
        let actor = call.actor
        try await call.db.transaction(as: Tenant(company: token.company, user: person.id)) { tx in
            try await note(token, person, actor, in: tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func note(
        _ token: CompanyToken, _ person: Acceptance.Person, _ actor: Audit.Actor, in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT i.id, i.email_norm, i.state, i.expires_at <= now() AS is_expired, i.invited_by, i.redirect_user_id,
                   c.name AS company, u.name AS person, u.email AS address
              FROM invitations i
              JOIN companies c ON c.id = i.company_id
              JOIN users u ON u.id = \(person.id)
             WHERE i.company_id = \(token.company) AND i.token_sha256 = \(token.digest) FOR UPDATE OF i
            """)
        guard let row = rows.first else { throw Problem(.invitationUnknown) }
        let state: InvitationState = try row.get("state")
        guard state == .pending else {
            throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
        }
        if try row.get("is_expired", as: Bool.self) { throw Problem(.invitationExpired) }
        guard try row.get("email_norm", as: String.self) != person.emailNorm else {
            throw Problem.unprocessable(
                "/token", "own-address", "is of an invitation to your own address: accept it")
        }
        if try row.get("redirect_user_id", as: UUID?.self) == person.id { return }
        let id: UUID = try row.get("id")
        _ = try await tx.batch([
            """
            UPDATE invitations SET redirect_user_id = \(person.id), redirect_asked_at = now(), version = version + 1,
                                   updated_at = now()
             WHERE company_id = \(token.company) AND id = \(id)
            """,
            Audit.sql(
                Audit.Entry("invitation.redirect_asked", on: "invitation", id), by: actor,
                company: token.company),
        ])
        let values: JSON = [
            "person": .string(try row.get("person")), "address": .string(try row.get("address")),
            "company": .string(try row.get("company")),
        ]
        try await Notify.record(
            CompanyNews.redirectAsked, to: [row.get("invited_by")], about: .init("invitation", id),
            values: values, dedupeKey: "\(id) \(person.id)", by: actor, company: token.company, in: tx)
    }

    static func approve(_ call: Call, _ id: Path<UUID>) async throws -> Created<Invitation> {
        let company = try call.company
        let new = try await call.underCompanyLock { tx, locked in
            let wanted = try await wanted(id.value, company, in: tx)
            let inviter = try await Inviting.Inviter.of(call, company: locked, in: tx)
            let new = try await Inviting.invite(wanted, by: inviter, at: "", in: tx)
            _ = try await tx.batch([
                """
                UPDATE invitations SET state = 'superseded', decided_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry(
                        "invitation.redirected", on: "invitation", id.value,
                        after: [
                            "email": .string(wanted.email.text), "invitation_id": .string(new.description),
                        ]),
                    by: call.actor, company: company),
            ])
            return new
        }
        return try Created(await Invitations.rows(new, call), at: "/v1/invitations/\(new)")
    }

    /// The same invitation, to the address that asks for it as it is confirmed at this moment.
    @inline(never)
    private static func wanted(_ id: UUID, _ company: UUID, in tx: Transaction) async throws -> NewInvitation
    {
        let rows = try await tx.query(
            """
            SELECT i.state, i.name, i.message, u.email,
                   ARRAY(SELECT ir.role_id FROM invitation_roles ir
                          WHERE ir.company_id = i.company_id AND ir.invitation_id = i.id) AS role_ids,
                   ARRAY(SELECT it.team_id FROM invitation_teams it
                          WHERE it.company_id = i.company_id AND it.invitation_id = i.id) AS team_ids
              FROM invitations i
              LEFT JOIN users u ON u.id = i.redirect_user_id AND u.status = 'active' AND u.email_verified_at IS NOT NULL
             WHERE i.company_id = \(company) AND i.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let state: InvitationState = try row.get("state")
        guard state == .pending else {
            throw Problem(.invitationNotPending, "This invitation is \(state.rawValue).")
        }
        guard let email = try row.get("email", as: String?.self).flatMap({ Email($0) }) else {
            throw Problem(.redirectionNotAsked)
        }
        return NewInvitation(
            email: email, name: try row.get("name", as: String?.self).flatMap { Text<120>($0) },
            roleIds: UpTo(try row.get("role_ids")), teamIds: UpTo(try row.get("team_ids")),
            message: try row.get("message", as: String?.self).flatMap { Prose<500>($0) }, expiresInDays: nil)
    }
}
