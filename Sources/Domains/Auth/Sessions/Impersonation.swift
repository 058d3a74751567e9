import API
import Core
import Postgres
import Wire

extension Permission {
    public static let membersImpersonate = Permission(
        "members:impersonate", "Work in another member's name, to help him", [.owner])
}

/// Working in another member's name, to see what he sees. He is told by mail, every act names who is behind it, and
/// what concerns his account itself (password, address, factors, keys) stays closed.
enum Impersonation {
    struct Request: Codable, Sendable {
        let memberId: UUID
        /// Told to the member, and kept.
        let reason: Text<200>
    }

    struct Answer: Codable, Sendable {
        let accessToken: String
        let tokenType: String
        let expiresIn: Int64
        let sessionId: UUID
        let userId: UUID
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/impersonation", "Work in another member's name", .can(.membersImpersonate), begin)
            .operation("impersonateMember")
            .describe(
                "The answer's token does what the member may, as far as you may yourself, for a quarter of an hour. He is "
                    + "told by mail with the reason. POST /v1/auth/logout with that token ends it."
            )
            .secret.problems(.sessionRequired, .impersonationRefused, .notFound)
            .example(body: [
                "member_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10",
                "reason": "To see why the board stays empty",
            ])
    }

    /// In whose name, where, why, and who it is that asks.
    struct Wanted: Sendable {
        let user: UUID
        let company: UUID
        let reason: String
        let by: (user: UUID, id: UUID)
    }

    /// Whom the mail goes to, and what it says.
    struct Person: Sendable {
        let memberId: UUID
        let email: String
        let name: String
        let locale: String
        let company: String
        let actor: String

        init(_ row: Row) throws {
            memberId = try row.get("member_id")
            email = try row.get("email")
            name = try row.get("name")
            locale = try row.get("locale")
            company = try row.get("company")
            actor = try row.get("actor")
        }
    }

    static func begin(_ call: Call, _ body: Body<Request>) async throws -> Single<Answer> {
        let own = try call.session
        let company = try call.company
        let ceiling = call.principal?.permissions ?? PermissionSet()
        return try await call.db.transaction { tx in
            let (user, person) = try await member(
                body.memberId, of: company, for: own.user, within: ceiling, tx)
            let wanted = Wanted(user: user, company: company, reason: body.reason.text, by: own)
            return try await open(wanted, person, call, in: tx)
        }
    }

    @inline(never)
    private static func member(
        _ id: UUID, of company: UUID, for own: UUID, within ceiling: PermissionSet, _ tx: Transaction
    ) async throws -> (user: UUID, Person) {
        let rows = try await tx.query(
            """
            SELECT m.user_id, m.id AS member_id, c.allows_impersonation, c.name AS company, u.email, u.name, u.locale,
                   i.name AS actor
              FROM memberships m
              JOIN companies c ON c.id = m.company_id
              JOIN users u ON u.id = m.user_id AND u.status = 'active' AND u.kind = 'person'
              JOIN users i ON i.id = \(own)
             WHERE m.company_id = \(company) AND m.id = \(id) AND m.status = 'active'
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let user: UUID = try row.get("user_id")
        let access = try await MemberAccess.load(user: user, company: company, in: tx)
        guard try row.get("allows_impersonation", as: Bool.self) else {
            throw Problem(.impersonationRefused, "The company's settings do not allow it.")
        }
        guard user != own, let access, access.permissions.isSubset(of: ceiling) else {
            throw Problem(.impersonationRefused, "The member may do what you may not, or is you.")
        }
        return (user, try Person(row))
    }

    /// Opens the session, tells the person, and notes it in the company's record and her own. The transaction runs as
    /// the company's.
    static func open(_ wanted: Wanted, _ person: Person, _ call: Call, in tx: Transaction) async throws
        -> Single<
            Answer
        >
    {
        let (parts, now, visit) = (call.auth, call.now, Visit(call))
        let (user, company, own) = (wanted.user, wanted.company, wanted.by)
        let ends = now + parts.choices.accessTokenLife
        let id = UUID.v7()
        let reason = JSON.string(wanted.reason)
        _ = try await tx.batch([
            """
            INSERT INTO sessions (id, user_id, company_id, assurance, methods, device, user_agent, address,
                                  authenticated_at, last_used_at, idle_expires_at, expires_at, created_at,
                                  impersonator_id, impersonation_reason)
            SELECT \(id)::uuid, \(user)::uuid, \(company)::uuid, s.assurance, s.methods, \(visit.device)::text,
                   \(visit.userAgent)::text, \(visit.place)::text, 'epoch', \(now)::timestamptz,
                   \(ends)::timestamptz, \(ends)::timestamptz, \(now)::timestamptz, \(own.user)::uuid,
                   \(wanted.reason)::text
              FROM sessions s WHERE s.id = \(own.id)
            """,
            AuthEvent.impersonated.sql(
                user: user, session: id, company: company, visit,
                ["by": .string(own.user.description), "reason": reason]),
            Audit.sql(
                Audit.Entry("member.impersonated", on: "member", person.memberId, after: ["reason": reason]),
                by: call.actor, company: company),
            try Mail.sql(
                Mail.Message(
                    .impersonated, to: person.email, name: person.name, locale: person.locale,
                    context: [
                        "actor": person.actor, "company": person.company, "reason": wanted.reason,
                        "at": now.description,
                    ], company: company)),
        ])
        let access = try parts.tokens.make(
            user: user, session: id, company: company, actor: own.user, at: now)
        return Single(
            Answer(
                accessToken: access, tokenType: "Bearer",
                expiresIn: parts.choices.accessTokenLife.components.seconds, sessionId: id, userId: user))
    }
}
