import API
import Core
import Crypto
import Postgres
import Wire

/// How an invitation is made and mailed. The caller's rights are looked at here, and again when it is accepted.
enum Inviting {
    /// What is the same for all invitations of one request.
    struct Inviter: Sendable {
        let user: UUID
        let name: String
        let company: UUID
        let companyName: String
        let ceiling: PermissionSet
        let actor: Audit.Actor
        let links: Links
        let defaultRole: UUID

        /// - Parameter mails: how many mails the request is about to cause.
        static func of(
            _ call: Call, company locked: Headcount.Locked, mails: Int = 1, in tx: Transaction
        ) async throws -> Inviter {
            let company = try call.company
            try await mustHaveMailsLeft(mails, company, in: tx)
            let user = try call.user
            let role = try await tx.query(
                "SELECT id FROM roles WHERE company_id = \(company) AND key = 'member'")
            // One await a statement: awaiting in the middle of an argument list that can throw corrupts the task's
            // stack in Swift 6.3, and with it the process.
            let person = try await Recipient.of(user, in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            return Inviter(
                user: user, name: person?.name ?? locked.name, company: company, companyName: locked.name,
                ceiling: ceiling, actor: call.actor, links: call.links, defaultRole: try role[0].get("id"))
        }
    }

    /// What strangers are mailed in a company's name has a bound, so that nobody signs up in order to send.
    private static func mustHaveMailsLeft(_ mails: Int, _ company: UUID, in tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT coalesce(sum(times_sent), 0)::bigint AS sent FROM invitations
             WHERE company_id = \(company) AND last_sent_at > now() - interval '1 day'
            """)
        guard try rows[0].get("sent", as: Int.self) + mails <= CompanyLimits.invitationMailsPerDay else {
            throw Problem(
                .tooManyInvitations,
                "A company may mail \(CompanyLimits.invitationMailsPerDay) invitations a day."
            ).header("retry-after", "3600")
        }
    }

    /// Writes one invitation and its mail. A pending one to the same address is superseded, its link dead.
    static func invite(_ wanted: NewInvitation, by inviter: Inviter, at pointer: String, in tx: Transaction)
        async throws -> UUID
    {
        let company = inviter.company
        let email = wanted.email
        try await mustBeNew(email, company, in: tx)
        let roles = try await Granting.roles(
            wanted.roleIds?.items ?? [inviter.defaultRole], of: company, pointer: "\(pointer)/role_ids",
            in: tx)
        guard !roles.isEmpty else {
            throw Problem.unprocessable("\(pointer)/role_ids", "required", "at least one role is needed")
        }
        try Granting.check(roles, within: inviter.ceiling)
        try await mustKnow(teams: wanted.teamIds?.items ?? [], company, "\(pointer)/team_ids", in: tx)
        let id = UUID.v7()
        let token = CompanyToken.make(.invitation, company: company)
        let expires =
            Timestamp.now + .seconds(86_400 * (wanted.expiresInDays?.value ?? CompanyLimits.invitationDays))
        _ = try await tx.batch([
            """
            UPDATE invitations SET state = 'superseded', decided_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND email_norm = \(email.normalized) AND state = 'pending'
            """,
            """
            INSERT INTO invitations (company_id, id, email, email_norm, name, message, token_sha256, invited_by, expires_at)
            VALUES (\(company), \(id), \(email), \(email.normalized), \(wanted.name), \(wanted.message),
                    \(token.digest), \(inviter.user), \(expires))
            """,
            """
            INSERT INTO invitation_roles (company_id, invitation_id, role_id)
            SELECT \(company), \(id), role_id FROM unnest(\(roles.map(\.id))::uuid[]) AS given (role_id)
            """,
            """
            INSERT INTO invitation_teams (company_id, invitation_id, team_id)
            SELECT DISTINCT \(company)::uuid, \(id)::uuid, team_id FROM unnest(\(wanted.teamIds?.items ?? [])::uuid[]) AS given (team_id)
            """,
            Audit.sql(
                Audit.Entry(
                    "invitation.sent", on: "invitation", id,
                    after: ["email": .string(email.text), "roles": .array(roles.map { .string($0.key) })]),
                by: inviter.actor, company: company),
            try Events.sql(
                CompanyEvents.memberInvited,
                .init(invitationId: id, email: email.text, roles: roles.map(\.key)), on: "invitation", id,
                by: inviter.actor, company: company),
            try mail(
                to: email.text, name: wanted.name?.text, message: wanted.message?.text,
                roles: roles.map(\.name), token,
                expires, inviter: inviter.name, company: inviter.companyName, tenant: company,
                links: inviter.links,
                in: tx),
        ])
        return id
    }

    static func mail(
        to address: String, name: String?, message: String?, roles: [String], _ token: CompanyToken,
        _ expires: Timestamp, inviter: String, company: String, tenant: UUID, links: Links, in tx: Transaction
    ) throws -> SQL {
        var context = [
            "inviter": inviter, "company": company, "roles": roles.joined(separator: ", "),
            "link": links.invitation(token.text), "expires_at": expires.description,
        ]
        if let message, !message.isEmpty { context["message"] = message }
        return try Mail.sql(
            Mail.Message(.invitation, to: address, name: name, context: context, company: tenant))
    }

    private static func mustBeNew(_ email: Email, _ company: UUID, in tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT m.status FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND u.email_norm = \(email.normalized) AND m.status <> 'removed'
            """)
        switch try rows.first?.get("status", as: MemberStatus.self) {
        case .active: throw Problem(.alreadyAMember)
        case .suspended: throw Problem(.memberIsSuspended)
        case .removed, nil: break
        }
    }

    static func mustKnow(teams ids: [UUID], _ company: UUID, _ pointer: String, in tx: Transaction)
        async throws
    {
        guard !ids.isEmpty else { return }
        let rows = try await tx.query(
            "SELECT id FROM teams WHERE company_id = \(company) AND id = ANY(\(ids))")
        let known = Set(try rows.map { try $0.get("id", as: UUID.self) })
        let faults = ids.enumerated().filter { !known.contains($0.element) }.map {
            Fault.at("\(pointer)/\($0.offset)", "unknown-team", "is no team of this company")
        }
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
    }
}
