import API
import Core
import Crypto
import Postgres
import Wire

/// The button "this was not me" of a mail: it ends every session and key and locks the account until a new password
/// has been set by mail.
enum NotMe {
    struct Request: Codable, Sendable {
        let token: Text<100>
    }

    struct Issued: Sendable {
        let link: String
        let sql: [SQL]
    }

    static func issue(user: UUID, email: String, _ parts: AuthParts, at now: Timestamp) -> Issued {
        let token = OneTimeToken.issue(
            .notMe, user: user, email: email, life: AuthLimits.notMe, codes: parts.codes, at: now)
        return Issued(link: parts.link("not-me", token: token.token), sql: token.sql)
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/not-me", "Say that an act told by mail was not yours", .open, confirm).operation(
            "reportNotMe"
        )
        .describe(
            "Ends all sessions, locks the account, and sends the mail with which its owner sets a new password."
        )
        .rate(.login).idempotent(.none).problems(.tokenInvalid)
        .example(body: ["token": "kU2m4CwVTb0oNpV0C6H1fZL7o8rXjq5cWnqYpT3sE9A"])
    }

    static func confirm(_ call: Call, _ body: Body<Request>) async throws -> NoContent {
        let parts = call.auth
        let visit = Visit(call)
        let now = call.now
        let token = try await OneTimeToken.find(
            .notMe, by: .token(body.token.text), codes: parts.codes, at: now, parts.db)
        try await parts.db.transaction { tx in
            try await token.use(at: now, in: tx)
            let rows = try await tx.query(
                """
                UPDATE users SET status = 'locked', version = version + 1, updated_at = \(now)
                 WHERE id = \(token.userId) AND status <> 'deleted'
                RETURNING email, name, locale
                """)
            guard let row = rows.first else { return }
            _ = try await tx.batch(
                Sessions.end(of: token.userId, reason: "not_me", at: now) + [
                    // Whoever has got in may have linked an identity of his own.
                    "DELETE FROM identities WHERE user_id = \(token.userId)",
                    AuthEvent.accountLocked.sql(user: token.userId, visit),
                ])
            try await AccessChange.record(user: token.userId, company: nil, in: tx)
            try await PasswordReset.send(
                to: token.userId, email: try row.get("email"), name: try row.get("name"),
                locale: try row.get("locale"),
                visit, parts, at: now, in: tx)
        }
        return NoContent()
    }
}
