import API
import Core
import Crypto
import Postgres
import Wire

/// Proving the address of a sign-up: by the link's token, or by the code with the address.
enum EmailVerification {
    struct Request: Codable, Sendable {
        let email: Email
    }

    /// `token`, or `email` and `code`.
    struct Proof: Codable, Sendable {
        let token: Text<100>?
        let email: Email?
        let code: Text<10>?
    }

    struct Answer: Codable, Sendable {
        let userId: UUID
        let email: String
        /// The company founded along with the account, when one was asked for.
        let companyId: UUID?
        let companySlug: String?
    }

    /// The same whether or not anything was sent.
    struct Sent: Codable, Sendable {
        let email: String
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/email-verification", "Send the confirmation mail again", .open, send).operation(
            "sendVerificationMail"
        )
        .describe(
            "The older link and code stop working. Nothing is sent when nothing waits for that address."
        )
        .rate(.mail).idempotent(.none).example(body: ["email": "ada@example.com"])
        POST(
            "/v1/auth/email-verification/confirm", "Confirm the address and open the account", .open, confirm
        ).operation("confirmEmail")
            .describe("Send the `token` of the link, or the `code` of the mail with the `email`.")
            .rate(.login).idempotent(.none).problems(.tokenInvalid)
            .example(body: ["email": "ada@example.com", "code": "492039"])
    }

    static func send(_ call: Call, _ body: Body<Request>) async throws -> Accepted<Sent> {
        let parts = call.auth
        let now = call.now
        let token = OpaqueToken.make()
        let code = RandomBytes.digits(6)
        let email = body.email.normalized
        let expiresAt = now + parts.choices.confirmationLife
        try await parts.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE signups
                   SET token_sha256 = \(OpaqueToken.digest(token).bytes), attempts = 0,
                       code_mac = \(PendingSignup.mac(code, email, parts)), expires_at = \(expiresAt),
                       times_sent = times_sent + 1
                 WHERE id = (SELECT id FROM signups WHERE email_norm = \(email)
                              ORDER BY created_at DESC LIMIT 1)
                   AND used_at IS NULL AND times_sent < \(AuthLimits.mailsPerHour)
                RETURNING email, name, locale
                """)
            guard let row = rows.first else { return }
            _ = try await tx.query(
                try PendingSignup.mail(
                    to: try row.get("email"), name: try row.get("name"), locale: try row.get("locale"), token,
                    code,
                    expiresAt, parts))
        }
        await call.answerUniformly()
        return Accepted(Sent(email: body.email.text))
    }

    static func confirm(_ call: Call, _ body: Body<Proof>) async throws -> Single<Answer> {
        let proof = try OneTimeToken.Proof(
            token: body.token?.text, email: body.email?.normalized, code: body.code?.text)
        let signup = try await find(proof, call)
        let user = UUID.v7()
        let company = signup.companyName == nil ? nil : UUID.v7()
        let visit = Visit(call)
        let now = call.now
        let answer = try await call.auth.db.transaction(as: Tenant(company: company, user: user)) { tx in
            let used = try await tx.query(
                "UPDATE signups SET used_at = \(now) WHERE id = \(signup.id) AND used_at IS NULL RETURNING id"
            )
            // Another sign-up for the address may have been confirmed in the meantime.
            let taken = try await tx.query(
                "SELECT 1 FROM users WHERE email_norm = \(signup.email.lowercased())")
            guard !used.isEmpty, taken.isEmpty else { throw Problem(.tokenInvalid) }
            let account = NewAccount(
                id: user, email: signup.email, name: signup.name, passwordHash: signup.passwordHash,
                locale: signup.locale, timeZone: signup.timeZone)
            _ = try await tx.batch([account.sql(at: now), AuthEvent.emailVerified.sql(user: user, visit)])
            var slug: String?
            if let company, let name = signup.companyName {
                let actor = Audit.Actor(.user, id: user, address: visit.place, requestId: visit.requestId)
                slug = try await call.environment[CompanyFounding.self].found(
                    CompanyFounding.NewCompany(
                        id: company, name: name, founder: user, timeZone: signup.timeZone,
                        locale: signup.locale),
                    actor, tx
                ).slug
            }
            return Answer(userId: user, email: signup.email, companyId: company, companySlug: slug)
        }
        try await call.welcome(user, signup.email)
        return Single(answer)
    }

    private struct Found {
        let id: UUID
        let email: String
        let name: String
        let passwordHash: String
        let companyName: String?
        let locale: String
        let timeZone: String
    }

    /// A wrong code is counted whatever becomes of the request; after five the code is void.
    private static func find(_ proof: OneTimeToken.Proof, _ call: Call) async throws -> Found {
        let parts = call.auth
        let live: SQL =
            "used_at IS NULL AND expires_at > \(call.now) AND attempts < \(AuthLimits.codeAttemptsMax)"
        let columns: SQL = "id, email, name, password_hash, company_name, locale, time_zone"
        let rows: Rows
        switch proof {
        case .token(let token):
            rows = try await parts.db.query(
                """
                SELECT \(fragment: columns) FROM signups
                 WHERE token_sha256 = \(OpaqueToken.digest(token).bytes) AND \(fragment: live)
                """)
        case .code(let code, let email):
            let mac = PendingSignup.mac(code, email, parts)
            rows = try await parts.db.query(
                """
                WITH tried AS (
                    UPDATE signups SET attempts = attempts + CASE WHEN code_mac = \(mac) THEN 0 ELSE 1 END
                     WHERE email_norm = \(email) AND \(fragment: live)
                    RETURNING \(fragment: columns), code_mac, created_at)
                SELECT \(fragment: columns) FROM tried WHERE code_mac = \(mac) ORDER BY created_at DESC LIMIT 1
                """)
        }
        guard let row = rows.first else { throw Problem(.tokenInvalid) }
        return Found(
            id: try row.get("id"), email: try row.get("email"), name: try row.get("name"),
            passwordHash: try row.get("password_hash"), companyName: try row.get("company_name"),
            locale: try row.get("locale"), timeZone: try row.get("time_zone"))
    }
}

extension Call {
    /// Lets a new account into the company whose domain its address is at, where the company has said so.
    func welcome(_ user: UUID, _ email: String) async throws {
        let visit = Visit(self)
        let actor = Audit.Actor(.user, id: user, address: visit.place, requestId: visit.requestId)
        do {
            try await environment[CompanyAdmission.self].welcome(user, email.lowercased(), actor, auth.db)
        } catch let problem as Problem {
            // The account stands all the same; its owner can join by hand and is then told what is in the way.
            auth.log.notice(
                "a new account was not let into its domain's company",
                metadata: ["code": "\(problem.code.name)"])
        }
    }
}
