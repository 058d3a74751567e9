import API
import Core
import Postgres
import Wire

/// Handing a company to another owner: asked for by an owner, confirmed by the mail that only he gets.
enum Ownership {
    @RouteList static var routes: [Route] {
        GET("/v1/company/ownership-transfer", "Read the transfer under way", .can(.ownershipWrite), read)
            .operation("getOwnershipTransfer")
            .problems(.notFound)
        POST("/v1/company/ownership-transfer", "Begin to hand the company over", .can(.ownershipWrite), begin)
            .operation("beginOwnershipTransfer")
            .describe(
                "Needs a recent proof of who you are. Nothing changes until the caller confirms by the mail he is sent; the "
                    + "confirmation is good for a day."
            )
            .problems(.transferPending, .memberNotActive, .reauthenticationRequired, .sessionRequired)
            .rate(.mail)
        POST(
            "/v1/company/ownership-transfer/confirmation", "Confirm the handing over", .can(.ownershipWrite),
            confirm
        ).operation("confirmOwnershipTransfer")
            .describe("The new owner gets the role owner; the caller becomes an administrator.")
            .problems(.transferUnknown, .memberNotActive)
        DELETE("/v1/company/ownership-transfer", "Call the transfer off", .can(.ownershipWrite), cancel)
            .operation("cancelOwnershipTransfer")
            .problems(.notFound)
    }

    static func read(_ call: Call) async throws -> Single<OwnershipTransfer> {
        try Single(await call.db.query(select(call.company)))
    }

    static func begin(_ call: Call, _ body: Body<NewOwnershipTransfer>) async throws -> Accepted<
        OwnershipTransfer
    > {
        try await call.environment[RecentProof.self].require(call)
        let (company, user, member) = (try call.company, try call.user, try call.member)
        guard body.memberId != member else {
            throw Problem.unprocessable("/member_id", "invalid", "must be another member than yourself")
        }
        let token = CompanyToken.make(.transfer, company: company)
        let expires = Timestamp.now + .seconds(3600 * CompanyLimits.transferHours)
        let rows = try await call.underCompanyLock { tx, locked in
            let heir = try await activeMember(body.memberId, of: company, in: tx)
            let id = UUID.v7()
            guard let owner = try await Recipient.of(user, in: tx) else { throw Problem.unauthorized }
            _ = try await tx.batch([
                """
                UPDATE ownership_transfers SET state = 'cancelled', decided_at = now()
                 WHERE company_id = \(company) AND state = 'pending' AND expires_at <= now()
                """,
                """
                INSERT INTO ownership_transfers (company_id, id, from_member_id, to_member_id, token_sha256, expires_at)
                VALUES (\(company), \(id), \(member), \(body.memberId), \(token.digest), \(expires))
                """,
                Audit.sql(
                    Audit.Entry(
                        "ownership.transfer_asked", on: "company", company,
                        after: ["to_member_id": .string(body.memberId.description)]),
                    by: call.actor, company: company),
                try Mail.sql(
                    owner.mail(
                        .ownershipTransfer,
                        [
                            "company": locked.name, "new_owner": heir.name,
                            "link": call.links.transfer(token.text),
                            "expires_at": expires.description,
                        ], company: company)),
            ])
            return try await tx.query(select(company))
        }
        return try Accepted(rows, at: "/v1/company/ownership-transfer")
    }

    static func confirm(_ call: Call, _ body: Body<TokenInput>) async throws -> NoContent {
        let company = try call.company
        guard let token = CompanyToken(body.token.text, .transfer), token.company == company else {
            throw Problem(.transferUnknown)
        }
        try await call.underCompanyLock { tx, locked in
            let rows = try await tx.query(
                """
                UPDATE ownership_transfers SET state = 'completed', decided_at = now()
                 WHERE company_id = \(company) AND token_sha256 = \(token.digest) AND state = 'pending'
                   AND expires_at > now() AND from_member_id = \(call.member)
                RETURNING to_member_id
                """)
            guard let row = rows.first else { throw Problem(.transferUnknown) }
            let heirMember: UUID = try row.get("to_member_id")
            let heir = try await activeMember(heirMember, of: company, in: tx)
            try await swap(from: call, to: heirMember, heir, of: company, named: locked.name, in: tx)
        }
        return NoContent()
    }

    private static func swap(
        from call: Call, to heirMember: UUID, _ heir: Recipient, of company: UUID, named name: String,
        in tx: Transaction
    ) async throws {
        let (user, member) = (try call.user, try call.member)
        var statements: [SQL] = [
            give(role: "owner", to: heirMember, of: company, by: user),
            give(role: "admin", to: member, of: company, by: user),
            """
            DELETE FROM member_roles mr USING roles r
             WHERE mr.company_id = \(company) AND mr.member_id = \(member)
               AND r.company_id = mr.company_id AND r.id = mr.role_id AND r.key = 'owner'
            """,
            Headcount.recount(company),
            Audit.sql(
                Audit.Entry(
                    "ownership.transferred", on: "company", company,
                    before: ["owner": .string(member.description)],
                    after: ["owner": .string(heirMember.description)]),
                by: call.actor, company: company),
            try Events.sql(
                CompanyEvents.ownershipTransferred, .init(fromMemberId: member, toMemberId: heirMember),
                on: "company", company, by: call.actor, company: company),
        ]
        let former = try await Recipient.of(user, in: tx)
        for person in [former, heir].compactMap({ $0 }) {
            let context = ["company": name, "new_owner": heir.name]
            statements.append(try Mail.sql(person.mail(.ownershipTransferred, context, company: company)))
        }
        _ = try await tx.batch(statements)
        try await AccessChange.record(user: user, company: company, in: tx)
        try await AccessChange.record(user: heir.id, company: company, in: tx)
    }

    private static func give(role key: String, to member: UUID, of company: UUID, by user: UUID) -> SQL {
        """
        INSERT INTO member_roles (company_id, member_id, role_id, granted_by)
        SELECT r.company_id, \(member), r.id, \(user) FROM roles r WHERE r.company_id = \(company) AND r.key = \(key)
        ON CONFLICT DO NOTHING
        """
    }

    static func cancel(_ call: Call) async throws -> NoContent {
        let company = try call.company
        try await call.underCompanyLock { tx, _ in
            let rows = try await tx.query(
                """
                UPDATE ownership_transfers SET state = 'cancelled', decided_at = now()
                 WHERE company_id = \(company) AND state = 'pending' RETURNING id
                """)
            if rows.isEmpty { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry("ownership.transfer_cancelled", on: "company", company), by: call.actor,
                company: company,
                in: tx)
        }
        return NoContent()
    }

    private static func activeMember(_ member: UUID, of company: UUID, in tx: Transaction) async throws
        -> Recipient
    {
        let rows = try await tx.query(
            "SELECT user_id, status, via_company_id FROM memberships WHERE company_id = \(company) AND id = \(member)"
        )
        guard let row = rows.first else {
            throw Problem.unprocessable("/member_id", "unknown-member", "is no member of this company")
        }
        guard try row.get("status", as: MemberStatus.self) == .active,
            let person = try await Recipient.of(row.get("user_id"), in: tx)
        else { throw Problem(.memberNotActive) }
        return person
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT t.id, t.from_member_id, t.to_member_id, u.name AS to_name, t.state, t.expires_at, t.created_at
          FROM ownership_transfers t
          JOIN memberships m ON m.company_id = t.company_id AND m.id = t.to_member_id
          JOIN users u ON u.id = m.user_id
         WHERE t.company_id = \(company) AND t.state = 'pending' AND t.expires_at > now()
        """
    }
}
