import API
import Core
import Crypto
import Postgres
import Wire

/// A new access token for a refresh token, which is exchanged on the way.
///
/// Fifty requests with the same token end in one session alive: one rotates, the others get the same successor. A
/// token older than the last but one is a copy: the session ends and its owner is told.
enum Refresh {
    struct Request: Codable, Sendable {
        let refreshToken: Text<100>
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/refresh", "Exchange the refresh token", .open, refresh).operation("refreshTokens")
            .describe(
                "The refresh token sent is used up; go on with the one in the answer. When the answer was lost, the same "
                    + "request may be sent again for thirty seconds."
            )
            .rate(.open).secret.problems(.refreshTokenInvalid, .refreshTokenReused)
            .example(body: ["refresh_token": "kU2m4CwVTb0oNpV0C6H1fZL7o8rXjq5cWnqYpT3sE9A"])
    }

    static func refresh(_ call: Call, _ body: Body<Request>) async throws -> Single<LoginAnswer> {
        let session = try await session(call, body.refreshToken.text, isBrowser: false)
        return Single(LoginAnswer(session, call.auth))
    }

    static func session(_ call: Call, _ token: String, isBrowser: Bool) async throws -> OpenedSession {
        let parts = call.auth
        let visit = Visit(call)
        let outcome = try await parts.chain.rotate(
            token, visit, idle: parts.choices.sessionIdle, at: call.now, parts.db)
        parts.figures.count(outcome)
        switch outcome {
        case .rotated(let next, let session), .repeated(let next, let session):
            // A token out of a cookie is no use outside one, nor the other way round.
            guard session.isBrowser == isBrowser else { throw Problem(.refreshTokenInvalid).challenged }
            let access = try parts.tokens.make(
                user: session.userId, session: session.id, company: session.companyId, at: call.now)
            return OpenedSession(
                id: session.id, userId: session.userId, companyId: session.companyId, accessToken: access,
                refreshToken: next)
        case .reused(let id, let user):
            try await end(id, of: user, visit, parts, at: call.now)
            throw Problem(.refreshTokenReused).challenged
        case .refused:
            throw Problem(.refreshTokenInvalid).challenged
        }
    }

    private static func end(_ id: UUID, of user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp)
        async throws
    {
        try await parts.db.transaction { tx in
            let ended = try await tx.query(
                """
                UPDATE sessions SET revoked_at = \(now), revoke_reason = 'reuse'
                 WHERE id = \(id) AND revoked_at IS NULL RETURNING id, company_id, device
                """)
            // Only the first who finds out tells: a thief who tries on floods nobody's mailbox.
            guard let row = ended.first else { return }
            let device: String = try row.get("device")
            let person = try await tx.batch([
                "UPDATE refresh_tokens SET state = 'revoked' WHERE session_id = \(id) AND state = 'active'",
                AuthEvent.refreshTokenReused.sql(user: user, session: id, visit),
                "SELECT email, name, locale FROM users WHERE id = \(user)",
            ])[2]
            try await AccessChange.record(user: user, company: nil, in: tx)
            try await AuthEvents.recordEnded(ended, of: user, reason: "reuse", by: .system, in: tx)
            try await Mail.queue(
                Mail.Message(
                    .reuseDetected, to: try person[0].get("email"), name: try person[0].get("name"),
                    locale: try person[0].get("locale"),
                    context: [
                        "device": device, "address": visit.place, "at": now.description,
                        "link": parts.choices.publicURL + "/account/sessions",
                    ]), in: tx)
        }
    }
}
