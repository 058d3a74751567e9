import API
import Core
import Crypto
import Postgres
import Wire

/// A new password for somebody who has forgotten hers. It ends every session: whoever had stolen one is out.
enum PasswordReset {
    struct Request: Codable, Sendable {
        let email: Email
    }

    /// `token`, or `email` and `code`, with the new password.
    struct Confirmation: Codable, Sendable {
        let token: Text<100>?
        let email: Email?
        let code: Text<10>?
        let password: Password
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/password-reset", "Ask for a new password", .open, ask).operation(
            "sendPasswordResetMail"
        )
        .describe(
            "Sends a mail with a link and a code, if the address has an account. The answer does not say so."
        )
        .rate(.mail).idempotent(.none).example(body: ["email": "ada@example.com"])
        POST("/v1/auth/password-reset/confirm", "Set the new password", .open, confirm).operation(
            "resetPassword"
        )
        .describe(
            "Send the `token` of the link, or the `code` with the `email`. All sessions end; a locked account is "
                + "open again."
        )
        .rate(.login).idempotent(.none).problems(.tokenInvalid)
        .example(body: [
            "email": "ada@example.com", "code": "492039", "password": "correct-horse-battery",
        ])
    }

    static func ask(_ call: Call, _ body: Body<Request>) async throws -> Accepted<EmailVerification.Sent> {
        let parts = call.auth
        let visit = Visit(call)
        try await parts.db.transaction { tx in
            let rows = try await tx.query(
                "SELECT id, email, name, locale FROM users WHERE email_norm = \(body.email.normalized)")
            guard let row = rows.first else { return }
            let id: UUID = try row.get("id")
            guard try await OneTimeToken.mayBeIssued(.resetPassword, to: id, at: call.now, in: tx) else {
                return
            }
            try await send(
                to: id, email: try row.get("email"), name: try row.get("name"), locale: try row.get("locale"),
                visit, parts,
                at: call.now, in: tx)
        }
        await call.answerUniformly()
        return Accepted(EmailVerification.Sent(email: body.email.text))
    }

    static func send(
        to user: UUID, email: String, name: String, locale: String, _ visit: Visit, _ parts: AuthParts,
        at now: Timestamp, in tx: Transaction
    ) async throws {
        let issued = OneTimeToken.issue(
            .resetPassword, user: user, email: email.lowercased(), life: parts.choices.resetLife,
            codes: parts.codes,
            at: now)
        let message = Mail.Message(
            .passwordReset, to: email, name: name, locale: locale,
            context: [
                "link": parts.link("reset-password", token: issued.token), "code": issued.code,
                "expires_at": issued.expiresAt.description, "address": visit.place,
            ])
        _ = try await tx.batch(
            issued.sql + [try Mail.sql(message), AuthEvent.passwordResetAsked.sql(user: user, visit)])
    }

    static func confirm(_ call: Call, _ body: Body<Confirmation>) async throws -> NoContent {
        let parts = call.auth
        let now = call.now
        let visit = Visit(call)
        let proof = try OneTimeToken.Proof(
            token: body.token?.text, email: body.email?.normalized, code: body.code?.text)
        let token = try await OneTimeToken.find(
            .resetPassword, by: proof, codes: parts.codes, at: now, parts.db)
        // Before the token is used up: a password that is refused must not cost the link.
        try await refuseWeak(body.password.text, of: token.userId, parts)
        let hash = try await parts.passwords.hash(body.password.text)
        try await parts.db.transaction { tx in
            try await token.use(at: now, in: tx)
            try await set(
                hash, for: token.userId, keeping: nil, .passwordReset, visit, parts, at: now, in: tx)
        }
        return NoContent()
    }

    static func refuseWeak(
        _ password: String, of user: UUID, at pointer: String = "/password", _ parts: AuthParts
    ) async throws {
        let rows = try await parts.db.query("SELECT email, name FROM users WHERE id = \(user)")
        guard let row = rows.first else { throw Problem(.tokenInvalid) }
        let person = PasswordRules.Person(
            email: try row.get("email", as: String?.self) ?? "", names: [try row.get("name")])
        let faults = PasswordRules.faults(in: password, of: person, at: pointer)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        try await parts.refuseLeaked(password, at: pointer)
    }

    /// Writes the password and ends the sessions in one transaction; by it the account is unlocked as well.
    static func set(
        _ hash: String, for user: UUID, keeping session: UUID?, _ event: AuthEvent, _ visit: Visit,
        _ parts: AuthParts,
        at now: Timestamp, in tx: Transaction
    ) async throws {
        _ = try await tx.batch(
            [
                """
                UPDATE users
                   SET password_hash = \(hash), password_changed_at = \(now),
                       -- What an operator has locked, an operator opens.
                       status = CASE WHEN locked_by_operator_at IS NULL THEN 'active' ELSE status END,
                       version = version + 1, updated_at = \(now)
                 WHERE id = \(user) AND status <> 'deleted'
                """,
                // A sign-in that is halfway through its second step began with the old password.
                """
                UPDATE one_time_tokens SET used_at = \(now)
                 WHERE user_id = \(user) AND purpose = 'second_factor' AND used_at IS NULL
                """,
            ] + Sessions.end(of: user, but: session, reason: "password", at: now)
                + [event.sql(user: user, session: session, visit)])
        try await AccessChange.record(user: user, company: nil, in: tx)
        try await SecurityMail.passwordChanged(user, visit, parts, at: now, in: tx)
    }
}
