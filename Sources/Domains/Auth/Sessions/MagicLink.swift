import API
import Core
import Postgres
import Wire

/// Signing in without a password: by the link or the six-digit code of a mail. Opening the link signs nobody in, a
/// mail scanner does that too; sending its token does.
enum MagicLink {
    struct Request: Codable, Sendable {
        let email: Email
    }

    /// `token`, or `email` and `code`.
    struct Confirmation: Codable, Sendable, FieldNotes {
        let token: Text<100>?
        let email: Email?
        let code: Text<10>?
        let secondFactor: Text<40>?
        let companyId: UUID?

        static let fieldNotes = [
            "code": "The six digits of the mail.",
            "second_factor": "A code of the second factor, when one is set up and at hand already.",
            "company_id": "The company to work in; without it the one of the last time.",
        ]
    }

    private static let example: JSON = ["email": "ada@example.com", "code": "492039"]

    @RouteList static var routes: [Route] {
        POST("/v1/auth/magic-link", "Ask for a link to sign in with", .open, ask).operation("sendMagicLink")
            .describe(
                "Sends a mail with a link and a six-digit code, good once and for a quarter of an hour, if the address has "
                    + "an account. The answer does not say so."
            )
            .rate(.mail).idempotent(.none).example(body: ["email": "ada@example.com"])
        POST("/v1/auth/magic-link/confirm", "Sign in by the mailed link or code", .open, confirm)
            .operation("loginByMagicLink")
            .describe("Send the `token` of the link, or the `code` with the `email`.")
            .rate(.login).secret.example(body: example)
            .problems(.tokenInvalid, .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany)
        POST(
            "/v1/auth/browser/magic-link/confirm", "Sign in by the mailed link or code, with cookies", .open,
            confirmInBrowser
        )
        .operation("loginByMagicLinkInBrowser")
        .rate(.login).secret.example(body: example)
        .problems(
            .tokenInvalid, .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany, .csrfFailed)
    }

    static func ask(_ call: Call, _ body: Body<Request>) async throws -> Accepted<EmailVerification.Sent> {
        let parts = call.auth
        let visit = Visit(call)
        let now = call.now
        try await parts.db.transaction { tx in
            let rows = try await tx.query(
                """
                SELECT id, email, name, locale FROM users
                 WHERE email_norm = \(body.email.normalized) AND status = 'active'
                """)
            guard let row = rows.first else { return }
            let id: UUID = try row.get("id")
            guard try await OneTimeToken.mayBeIssued(.magicLink, to: id, at: now, in: tx) else { return }
            let email: String = try row.get("email")
            let issued = OneTimeToken.issue(
                .magicLink, user: id, email: email.lowercased(), life: AuthLimits.magicLink,
                detail: ["email": .string(email.lowercased())], codes: parts.codes, at: now)
            let message = Mail.Message(
                .magicLink, to: email, name: try row.get("name"), locale: try row.get("locale"),
                context: [
                    "link": parts.link("magic-link", token: issued.token), "code": issued.code,
                    "expires_at": issued.expiresAt.description, "address": visit.place,
                ])
            _ = try await tx.batch(
                issued.sql + [try Mail.sql(message), AuthEvent.magicLinkAsked.sql(user: id, visit)])
        }
        await call.answerUniformly()
        return Accepted(EmailVerification.Sent(email: body.email.text))
    }

    static func confirm(_ call: Call, _ body: Body<Confirmation>) async throws -> Single<LoginAnswer> {
        let session = try await SignIn(call).byMagicLink(body.value)
        return Single(LoginAnswer(session, call.auth))
    }

    static func confirmInBrowser(_ call: Call, _ body: Body<Confirmation>) async throws
        -> Single<BrowserLogin.Answer>
    {
        if let fault = call.auth.browser.foreignPage(call.request) { throw fault }
        let session = try await SignIn(call, isBrowser: true).byMagicLink(body.value)
        return BrowserLogin.answer(call, session)
    }
}

extension SignIn {
    func byMagicLink(_ asked: MagicLink.Confirmation) async throws -> OpenedSession {
        let proof = try OneTimeToken.Proof(
            token: asked.token?.text, email: asked.email?.normalized, code: asked.code?.text)
        let token = try await OneTimeToken.find(.magicLink, by: proof, codes: parts.codes, at: now, parts.db)
        let rows = try await parts.db.query(
            Account.sql(where: "u.id = \(token.userId) AND u.status = 'active'"))
        // The mail went to the address of that time; who has changed it since does not sign in by the old one.
        guard let account = try rows.first.map(Account.init),
            token.detail["email"]?.stringValue == account.email.lowercased()
        else { throw Problem(.tokenInvalid) }
        try await parts.db.transaction { tx in try await token.use(at: now, in: tx) }
        return try await enter(
            account, by: "magic_link", code: asked.secondFactor?.text, company: asked.companyId)
    }
}
