import API
import Core
import Postgres
import Wire

/// Links that many people may join by, within limits; and the requests that such a link makes when it only asks.
enum JoinLinks {
    @RouteList static var routes: [Route] {
        GET("/v1/join-links", "List join links", .can(.invitationsRead), list)
        POST("/v1/join-links", "Make a join link", .can(.invitationsWrite), create)
            .describe("The answer is the only one that shows the link.")
            .problems(.grantExceedsOwnRights).secret
        DELETE("/v1/join-links/{id}", "Revoke a join link", .can(.invitationsWrite), revoke).operation(
            "revokeJoinLink")
        POST("/v1/join-links/use", "Join a company by a link", .signedIn, use).operation("joinByLink")
            .problems(
                .joinLinkUnknown, .joinLinkSpent, .joinLinkOtherDomain, .emailNotVerified, .seatLimitReached,
                .alreadyAMember, .memberIsSuspended, .inviterLostRights, .companyNotActive)
        GET("/v1/join-requests", "List requests to join", .can(.invitationsRead), requests)
        POST("/v1/join-requests/{id}/approval", "Let somebody in", .can(.invitationsWrite), approve)
            .operation("approveJoinRequest")
            .problems(
                .joinRequestDecided, .grantExceedsOwnRights, .seatLimitReached, .alreadyAMember,
                .memberIsSuspended)
        POST("/v1/join-requests/{id}/denial", "Turn somebody away", .can(.invitationsWrite), deny).operation(
            "denyJoinRequest"
        )
        .problems(.joinRequestDecided)
    }

    struct Filter: ListFilter {
        let needsApproval: Bool?

        static let sorts = ["-created_at", "name", "expires_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<JoinLink> {
        let company = try call.company
        return try await call.page(
            list,
            """
            SELECT l.id, l.name, jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) AS role,
                   CASE WHEN t.id IS NOT NULL THEN jsonb_build_object('id', t.id, 'name', t.name) END AS team,
                   l.email_domain, l.needs_approval, l.uses, l.uses_max, l.expires_at, l.revoked_at, l.created_by,
                   l.created_at
              FROM join_links l
              JOIN roles r ON r.company_id = l.company_id AND r.id = l.role_id
              LEFT JOIN teams t ON t.company_id = l.company_id AND t.id = l.team_id
             WHERE l.company_id = \(company)
            """)
    }

    static func create(_ call: Call, _ body: Body<NewJoinLink>) async throws -> Created<NewJoinLinkSecret> {
        let company = try call.company
        let id = UUID.v7()
        let token = CompanyToken.make(.joinLink, company: company)
        let expires =
            Timestamp.now + .seconds(86_400 * (body.expiresInDays?.value ?? CompanyLimits.invitationDays))
        try await call.underCompanyLock { tx, locked in
            let inviter = try await Inviting.Inviter.of(call, company: locked, mails: 0, in: tx)
            let roles = try await Granting.roles(
                [body.roleId ?? inviter.defaultRole], of: company, pointer: "/role_id", in: tx)
            try Granting.check(roles, within: inviter.ceiling)
            try await Inviting.mustKnow(teams: body.teamId.map { [$0] } ?? [], company, "/team_id", in: tx)
            let live = try await tx.query(
                """
                SELECT count(*) AS count FROM join_links
                 WHERE company_id = \(company) AND revoked_at IS NULL AND expires_at > now()
                """)
            guard try live[0].get("count", as: Int.self) < CompanyLimits.joinLinksMax else {
                throw Problem(.tooManyJoinLinks)
            }
            _ = try await tx.batch([
                """
                INSERT INTO join_links (company_id, id, name, token_sha256, role_id, team_id, email_domain, needs_approval,
                                        uses_max, expires_at, created_by)
                VALUES (\(company), \(id), \(body.name), \(token.digest), \(roles[0].id), \(body.teamId),
                        \(body.emailDomain), \(body.needsApproval ?? false), \(body.usesMax?.value), \(expires),
                        \(inviter.user))
                """,
                Audit.sql(
                    Audit.Entry(
                        "join_link.created", on: "join_link", id,
                        after: ["name": .string(body.name.text), "role": .string(roles[0].key)]),
                    by: call.actor, company: company),
            ])
        }
        return Created(
            NewJoinLinkSecret(
                id: id, token: token.text, url: call.links.joinLink(token.text), expiresAt: expires),
            at: "/v1/join-links/\(id)")
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE join_links SET revoked_at = coalesce(revoked_at, now()), version = version + 1
                 WHERE company_id = \(company) AND id = \(id) RETURNING id
                """)
            if rows.isEmpty { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry("join_link.revoked", on: "join_link", id.value), by: call.actor, company: company,
                in: tx)
        }
        return NoContent()
    }

    struct RequestFilter: ListFilter {
        let state: [JoinRequestState]?

        static let sorts = ["-created_at"]
        static let search = ["name", "email"]
    }

    static func requests(_ call: Call, _ list: List<RequestFilter>) async throws -> Page<JoinRequest> {
        let company = try call.company
        return try await call.page(
            list,
            """
            SELECT q.id, q.user_id, u.name, u.email, q.link_id, l.name AS link_name, d.domain, q.state, q.decided_by, q.decided_at,
                   q.created_at
              FROM join_requests q
              LEFT JOIN join_links l ON l.company_id = q.company_id AND l.id = q.link_id
              LEFT JOIN company_domains d ON d.company_id = q.company_id AND d.id = q.domain_id
              JOIN users u ON u.id = q.user_id
             WHERE q.company_id = \(company)
            """)
    }

    static func approve(_ call: Call, _ id: Path<UUID>) async throws -> Single<Joined> {
        let company = try call.company
        let member = try await call.underCompanyLock { tx, locked in
            let request = try await pending(id.value, company, in: tx)
            let roles = try await Granting.roles([request.roleId], of: company, pointer: "/role_id", in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try Granting.check(roles, within: ceiling)
            let member = try await Joining.admit(
                request.userId, to: company, locked, roles: [request.roleId], grantedBy: try call.user,
                by: call.actor, in: tx)
            try await Joining.put(member, into: request.teamId, of: company, in: tx)
            try await decide(id.value, .approved, company, call, in: tx)
            if let person = try await Recipient.of(request.userId, in: tx) {
                let context = ["company": locked.name, "link": call.links.company]
                try await Mail.queue(person.mail(.joinRequestApproved, context, company: company), in: tx)
            }
            return member
        }
        return Single(Joined(companyId: company, memberId: member))
    }

    static func deny(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.underCompanyLock { tx, _ in
            _ = try await pending(id.value, company, in: tx)
            try await decide(id.value, .denied, company, call, in: tx)
        }
        return NoContent()
    }

    private struct Pending: Decodable {
        let userId: UUID
        let state: JoinRequestState
        let roleId: UUID
        let teamId: UUID?
    }

    private static func pending(_ id: UUID, _ company: UUID, in tx: Transaction) async throws -> Pending {
        let rows = try await tx.query(
            """
            SELECT q.user_id, q.state, coalesce(l.role_id, d.role_id, m.id) AS role_id, l.team_id
              FROM join_requests q
              JOIN roles m ON m.company_id = q.company_id AND m.key = 'member'
              LEFT JOIN join_links l ON l.company_id = q.company_id AND l.id = q.link_id
              LEFT JOIN company_domains d ON d.company_id = q.company_id AND d.id = q.domain_id
             WHERE q.company_id = \(company) AND q.id = \(id)
            """)
        guard let request = try rows.first?.decode(Pending.self) else { throw Problem.notFound }
        guard request.state == .pending else {
            throw Problem(.joinRequestDecided, "It is \(request.state.rawValue).")
        }
        return request
    }

    private static func decide(
        _ id: UUID, _ state: JoinRequestState, _ company: UUID, _ call: Call, in tx: Transaction
    ) async throws {
        _ = try await tx.batch([
            """
            UPDATE join_requests SET state = \(state), decided_by = \(try call.user), decided_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(
                Audit.Entry("join_request.\(state.rawValue)", on: "join_request", id), by: call.actor,
                company: company),
        ])
    }
}
