import API
import Core
import Postgres
import Wire

/// An operator works in somebody's name, to see what that person sees: with a recent proof of who he is, a reason, a mail
/// to the person, both names in the company's record, for a quarter of an hour. A company may opt out.
enum Support {
    struct Request: Codable, Sendable, FieldNotes {
        let companyId: UUID
        let reason: Text<200>

        static let fieldNotes = ["reason": "Told to the person, and kept."]
    }

    @RouteList static var routes: [Route] {
        POST("/v1/admin/users/{id}/impersonation", "Work in somebody's name", .operator, begin)
            .operation("impersonateUser")
            .describe(
                "The answer's token does what the person may do in that company, but for what gives power away: keys, "
                    + "sign-in rules, deletion, ownership. The person is told by mail. A company that does not allow it "
                    + "(`allows_impersonation`) is closed to it at once, also when it is under way."
            )
            .secret.problems(
                .sessionRequired, .reauthenticationRequired, .impersonationRefused, .operatorIsYou,
                .noSuchCompany
            )
            .example(body: [
                "company_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10",
                "reason": "Ticket 4711: the board stays empty",
            ])
        GET("/v1/admin/impersonations", "List who worked in whose name, newest first", .operator, list)
        DELETE("/v1/admin/impersonations/{id}", "End the work in somebody's name", .operator, end)
            .operation("endImpersonation")
    }

    /// What gives power away, or takes it from its owner, is not for support.
    static let closed = PermissionSet(names: [
        "company:delete", "ownership:write", "security:write", "members:impersonate", "api_keys:write",
        "sso:write",
        "service_accounts:write",
    ])

    static func begin(_ call: Call, _ id: Path<UUID>, _ body: Body<Request>) async throws -> Single<
        Impersonation.Answer
    > {
        try await call.requireRecentProof()
        let own = try call.session
        if own.user == id.value { throw Problem(.operatorIsYou) }
        let company = body.companyId
        let wanted = Impersonation.Wanted(user: id.value, company: company, reason: body.reason.text, by: own)
        return try await call.auth.db.transaction(as: Tenant(company: company, user: id.value)) { tx in
            let person = try await person(id.value, in: company, for: own.user, tx)
            return try await Impersonation.open(wanted, person, call, in: tx)
        }
    }

    @inline(never)
    private static func person(_ user: UUID, in company: UUID, for operatorId: UUID, _ tx: Transaction)
        async throws
        -> Impersonation.Person
    {
        let rows = try await tx.query(
            """
            SELECT m.id AS member_id, c.allows_impersonation, c.name AS company, u.email, u.name, u.locale,
                   i.name AS actor, EXISTS (SELECT 1 FROM operators o WHERE o.user_id = u.id) AS is_operator
              FROM users u
              JOIN users i ON i.id = \(operatorId)
              LEFT JOIN memberships m ON m.user_id = u.id AND m.company_id = \(company) AND m.status = 'active'
              LEFT JOIN companies c ON c.id = m.company_id AND c.status = 'active'
             WHERE u.id = \(user) AND u.kind = 'person' AND u.status = 'active'
            """)
        guard let row = rows.first else { throw Problem.notFound }
        guard let allows = try row.get("allows_impersonation", as: Bool?.self) else {
            throw Problem(.noSuchCompany)
        }
        guard allows else { throw Problem(.impersonationRefused, "The company's settings do not allow it.") }
        if try row.get("is_operator", as: Bool.self) {
            throw Problem(.impersonationRefused, "Nobody works in another operator's name.")
        }
        return try Impersonation.Person(row)
    }

    /// Somebody worked in another's name.
    struct Entry: Codable, Sendable, FieldNotes {
        let id: UUID
        let userId: UUID
        let userName: String
        let impersonatorId: UUID
        let impersonatorName: String
        let isBySupport: Bool
        let companyId: UUID?
        let reason: String
        let address: String
        let isUnderWay: Bool
        let createdAt: Timestamp
        let expiresAt: Timestamp
        let endedAt: Timestamp?

        static let fieldNotes = [
            "id": "The session's.",
            "is_by_support": "By an operator; else by a member of the company who may.",
        ]
    }

    struct Filter: ListFilter {
        let userId: UUID?
        let impersonatorId: UUID?
        let companyId: UUID?
        let isUnderWay: Bool?
        let createdAt: Bounds<Timestamp>?

        static let sorts = ["-created_at"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Entry> {
        try await call.page(
            list,
            """
            SELECT s.id, s.user_id, u.name AS user_name, s.impersonator_id, i.name AS impersonator_name,
                   EXISTS (SELECT 1 FROM operators o WHERE o.user_id = i.id) AS is_by_support, s.company_id,
                   s.impersonation_reason AS reason, s.address,
                   s.revoked_at IS NULL AND s.expires_at > \(call.now) AS is_under_way, s.created_at, s.expires_at,
                   s.revoked_at AS ended_at
              FROM sessions s
              JOIN users u ON u.id = s.user_id
              JOIN users i ON i.id = s.impersonator_id
             WHERE s.impersonator_id IS NOT NULL
            """)
    }

    static func end(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let by = try call.session.user
        let (visit, now) = (Visit(call), call.now)
        try await call.auth.db.transaction { tx in
            let rows = try await tx.query(
                "SELECT user_id FROM sessions WHERE id = \(id) AND impersonator_id IS NOT NULL")
            guard let user = try rows.first?.get("user_id", as: UUID.self) else { throw Problem.notFound }
            let ended = try await tx.batch(Sessions.end(id.value, of: user, reason: "revoked", at: now))[0]
            if ended.isEmpty { return }
            _ = try await tx.query(
                AuthEvent.sessionRevoked.sql(
                    user: user, session: id.value, visit, ["by_operator": .string(by.description)]))
            try await AccessChange.record(user: user, company: nil, in: tx)
        }
        return NoContent()
    }
}
