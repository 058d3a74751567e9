import API
import Core
import Crypto
import Postgres
import Wire

/// Another e-mail address: proven by a mail to the new one, told to the old one.
enum EmailChange {
    struct Request: Codable, Sendable {
        let email: Email
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/email-change", "Ask to use another address", .signedIn, ask).operation("changeEmail")
            .describe("Sends a mail to the new address; needs a recent proof of who you are.")
            .rate(.mail).idempotent(.none).problems(.reauthenticationRequired, .sessionRequired)
            .example(body: ["email": "ada.king@example.com"])
        POST("/v1/auth/email-change/confirm", "Confirm the new address", .open, confirm).operation(
            "confirmEmailChange"
        )
        .describe(
            "Send the `token` of the link, or the `code` of the mail with the `email` used so far. The old address "
                + "is told."
        )
        .rate(.login).idempotent(.none).problems(.tokenInvalid)
        .example(body: ["email": "ada@example.com", "code": "492039"])
    }

    static func ask(_ call: Call, _ body: Body<Request>) async throws -> Accepted<EmailVerification.Sent> {
        try await call.requireRecentProof()
        let session = try call.session
        let parts = call.auth
        let now = call.now
        let visit = Visit(call)
        let email = body.email.text
        try await parts.db.transaction { tx in
            let rows = try await tx.batch([
                "SELECT email_norm, name, locale FROM users WHERE id = \(session.user)",
                "SELECT 1 FROM users WHERE email_norm = \(email.lowercased())",
            ])
            guard let me = rows[0].first, rows[1].isEmpty,
                try await OneTimeToken.mayBeIssued(.changeEmail, to: session.user, at: now, in: tx)
            else { return }
            let issued = OneTimeToken.issue(
                .changeEmail, user: session.user, email: try me.get("email_norm"),
                life: parts.choices.resetLife,
                detail: ["email": .string(email)], codes: parts.codes, at: now)
            let message = Mail.Message(
                .emailChangeConfirm, to: email, name: try me.get("name"), locale: try me.get("locale"),
                context: [
                    "link": parts.link("confirm-email-change", token: issued.token), "code": issued.code,
                    "expires_at": issued.expiresAt.description,
                ])
            _ = try await tx.batch(
                issued.sql + [
                    try Mail.sql(message),
                    AuthEvent.emailChangeAsked.sql(user: session.user, session: session.id, visit),
                ])
        }
        await call.answerUniformly()
        return Accepted(EmailVerification.Sent(email: email))
    }

    static func confirm(_ call: Call, _ body: Body<EmailVerification.Proof>) async throws -> NoContent {
        let parts = call.auth
        let now = call.now
        let visit = Visit(call)
        let proof = try OneTimeToken.Proof(
            token: body.token?.text, email: body.email?.normalized, code: body.code?.text)
        let token = try await OneTimeToken.find(
            .changeEmail, by: proof, codes: parts.codes, at: now, parts.db)
        guard let email = token.detail["email"]?.stringValue else { throw Problem(.tokenInvalid) }
        try await parts.db.transaction { tx in
            try await token.use(at: now, in: tx)
            let rows = try await tx.batch([
                "SELECT email, name, locale FROM users WHERE id = \(token.userId) AND status <> 'deleted' FOR UPDATE",
                "SELECT 1 FROM users WHERE email_norm = \(email.lowercased())",
            ])
            guard let me = rows[0].first, rows[1].isEmpty else { throw Problem(.tokenInvalid) }
            let old: String = try me.get("email")
            let notMe = NotMe.issue(user: token.userId, email: old, parts, at: now)
            let told = Mail.Message(
                .emailChanged, to: old, name: try me.get("name"), locale: try me.get("locale"),
                context: ["new_email": email, "link": notMe.link])
            _ = try await tx.batch(
                [
                    """
                    UPDATE users SET email = \(email), email_norm = \(email.lowercased()), email_verified_at = \(now),
                                     version = version + 1, updated_at = \(now)
                     WHERE id = \(token.userId)
                    """,
                    AuthEvent.emailChanged.sql(
                        user: token.userId, visit, ["old": .string(old), "new": .string(email)]),
                    try Mail.sql(told),
                ] + notMe.sql)
            try await AccessChange.record(user: token.userId, company: nil, in: tx)
        }
        return NoContent()
    }
}
