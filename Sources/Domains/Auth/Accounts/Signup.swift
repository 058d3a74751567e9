import API
import Core
import Crypto
import Postgres
import Wire

/// Asking for an account. It comes to be when the address is proven, with exactly what this request said; until then
/// there is nothing anybody could sign in to.
enum Signup {
    struct Request: Codable, Sendable {
        let email: Email
        let password: Password
        let name: Text<120>
        /// Founded together with the account.
        let companyName: Text<120>?
        let locale: LocaleName?
        let timeZone: TimeZoneName?
        /// From an invitation's mail: the account exists at once, and is a member of that company.
        let invitationToken: Text<200>?
    }

    /// The same whether or not the address has an account.
    struct Answer: Codable, Sendable {
        let email: String
        let status: Status
    }

    enum Status: String, Codable, CaseIterable, Sendable {
        /// A mail with a link and a code is on its way.
        case confirmationSent = "confirmation_sent"
        /// The invitation has proven the address: sign in.
        case ready
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/signup", "Sign up", .open, signUp).operation("signUp")
            .describe(
                "Sends a mail with a link and a six-digit code; the account exists once it is confirmed. The answer is "
                    + "the same when the address has an account already, whose owner is then told so by mail."
            )
            .rate(.login).idempotent(.none)
            .example(body: [
                "email": "ada@example.com", "password": "correct-horse-battery", "name": "Ada Lovelace",
                "company_name": "Analytical Engines",
            ])
    }

    static func signUp(_ call: Call, _ body: Body<Request>) async throws -> Accepted<Answer> {
        let names = [body.name.text] + (body.companyName.map { [$0.text] } ?? [])
        let person = PasswordRules.Person(email: body.email.text, names: names)
        let faults = PasswordRules.faults(in: body.password.text, of: person, at: "/password")
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        try await call.auth.refuseLeaked(body.password.text, at: "/password")
        let hash = try await call.auth.passwords.hash(body.password.text)
        // Who was forgotten and does not want to be known again; the answer tells nobody.
        if try await call.environment[ErasedAddresses.self].isBlocked(body.email.normalized, call.auth.db) {
            await call.answerUniformly()
            return Accepted(Answer(email: body.email.text, status: .confirmationSent))
        }
        var status = Status.confirmationSent
        if let token = body.invitationToken?.text {
            if try await join(call, body.value, hash, token) { status = .ready }
        } else {
            try await ask(call, body.value, hash)
        }
        await call.answerUniformly()
        return Accepted(Answer(email: body.email.text, status: status))
    }

    private static func ask(_ call: Call, _ asked: Request, _ hash: String) async throws {
        let parts = call.auth
        let now = call.now
        let email = asked.email.normalized
        try await parts.db.transaction { tx in
            let rows = try await tx.batch([
                "SELECT id, name, locale FROM users WHERE email_norm = \(email)",
                """
                SELECT coalesce(sum(times_sent), 0) AS sent FROM signups
                 WHERE email_norm = \(email) AND created_at > \(now - .seconds(3600))
                """,
            ])
            if let row = rows[0].first {
                try await tellOwner(row, asked.email.text, parts, at: now, in: tx)
            } else if try rows[1][0].get("sent", as: Int.self) < AuthLimits.mailsPerHour {
                let signup = PendingSignup(asked, hash, life: parts.choices.confirmationLife, parts, at: now)
                _ = try await tx.batch(try signup.statements(parts))
            }
        }
    }

    private static func tellOwner(
        _ row: Row, _ email: String, _ parts: AuthParts, at now: Timestamp, in tx: Transaction
    ) async throws {
        let id: UUID = try row.get("id")
        try await Mail.queue(
            Mail.Message(
                .accountExists, to: email, name: try row.get("name"), locale: try row.get("locale"),
                context: [
                    "link": parts.choices.publicURL + "/account/login",
                    "reset_link": parts.choices.publicURL + "/account/reset-password",
                ],
                // Once an hour at most, however often somebody tries.
                onceKey: "account-exists:\(id):\(now.seconds / 3600)"), in: tx)
    }

    /// Makes the account of somebody who was invited. False when the address has one: it is then told by mail as
    /// ever, and its owner accepts the invitation after signing in.
    private static func join(_ call: Call, _ asked: Request, _ hash: String, _ token: String) async throws
        -> Bool
    {
        let acceptance = call.environment[InvitationAcceptance.self]
        guard let company = acceptance.companyOfToken(token) else { throw Problem(.tokenInvalid) }
        let id = UUID.v7()
        let visit = Visit(call)
        let now = call.now
        let actor = Audit.Actor(.user, id: id, address: visit.place, requestId: visit.requestId)
        return try await call.auth.db.transaction(as: Tenant(company: company, user: id)) { tx in
            let taken = try await tx.query(
                "SELECT id, name, locale FROM users WHERE email_norm = \(asked.email.normalized)")
            if let row = taken.first {
                try await tellOwner(row, asked.email.text, call.auth, at: now, in: tx)
                return false
            }
            let account = NewAccount(
                id: id, email: asked.email.text, name: asked.name.text, passwordHash: hash,
                locale: asked.locale?.text ?? "en", timeZone: asked.timeZone?.text ?? "UTC")
            _ = try await tx.batch([account.sql(at: now), AuthEvent.signedUp.sql(user: id, visit)])
            _ = try await acceptance.accept(token, id, asked.email.normalized, true, actor, tx)
            return true
        }
    }
}

/// An account about to be made.
struct NewAccount: Sendable {
    let id: UUID
    let email: String
    let name: String
    /// Nil for who came by a provider and has never set a password.
    let passwordHash: String?
    let locale: String
    let timeZone: String

    func sql(at now: Timestamp) -> SQL {
        """
        INSERT INTO users (id, email, email_norm, name, password_hash, password_changed_at, email_verified_at, locale,
                           time_zone, created_at, updated_at)
        VALUES (\(id), \(email), \(email.lowercased()), \(name), \(passwordHash),
                CASE WHEN \(passwordHash)::text IS NOT NULL THEN \(now)::timestamptz END, \(now), \(locale),
                \(timeZone), \(now), \(now))
        """
    }
}
