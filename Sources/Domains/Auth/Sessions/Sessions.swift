import API
import Core
import Postgres
import Wire

/// A session of the signed-in person: where, with what, since when.
struct Session: Codable, Sendable {
    let id: UUID
    let device: String
    let address: String
    let userAgent: String
    let companyId: UUID?
    let methods: [String]
    /// The session of this very request.
    let isCurrent: Bool
    let isBrowser: Bool
    /// Set when another works in your name in it: why.
    let impersonationReason: String?
    let createdAt: Timestamp
    let lastUsedAt: Timestamp
    let expiresAt: Timestamp
}

enum Sessions {
    @RouteList static var routes: [Route] {
        GET("/v1/auth/sessions", "List your sessions, the last used first", .signedIn, list).operation(
            "listSessions"
        )
        .problems(.sessionRequired)
        DELETE("/v1/auth/sessions", "End all your other sessions", .signedIn, endOthers).operation(
            "endOtherSessions"
        )
        .problems(.sessionRequired)
        DELETE("/v1/auth/sessions/{id}", "End one of your sessions", .signedIn, endOne).operation(
            "endSession"
        )
        .problems(.sessionRequired)
        POST("/v1/auth/logout", "Sign out: end this session", .signedIn, logout).operation("logout")
            .idempotent(.none).problems(.sessionRequired)
    }

    static func list(_ call: Call) async throws -> Page<Session> {
        let session = try call.session
        return Page(
            all: try await call.auth.db.query(alive(of: session.user, current: session.id, at: call.now)))
    }

    /// The rows of `Session` that could be used at this moment.
    static func alive(of user: UUID, current: UUID, at now: Timestamp) -> SQL {
        """
        SELECT id, device, address, user_agent, company_id, methods, id = \(current)::uuid AS is_current, is_browser,
               impersonation_reason, created_at, last_used_at, least(expires_at, idle_expires_at) AS expires_at
          FROM sessions
         WHERE user_id = \(user) AND revoked_at IS NULL AND expires_at > \(now) AND idle_expires_at > \(now)
         ORDER BY last_used_at DESC, id DESC LIMIT 200
        """
    }

    static func endOthers(_ call: Call) async throws -> NoContent {
        let session = try call.session
        try await endNow(
            call, session.user, Self.end(of: session.user, but: session.id, reason: "revoked", at: call.now),
            .sessionRevoked)
        return NoContent()
    }

    static func endOne(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let session = try call.session
        let ended = try await endNow(
            call, session.user, end(id.value, of: session.user, reason: "revoked", at: call.now),
            .sessionRevoked)
        if ended.isEmpty { throw Problem.notFound }
        return NoContent()
    }

    static func logout(_ call: Call) async throws -> NoContent {
        guard let session = call.principal?.sessionId else { throw Problem(.sessionRequired) }
        let user = try call.user
        try await endNow(call, user, end(session, of: user, reason: "logout", at: call.now), .loggedOut)
        if call.principal?.isByCookie == true {
            for cookie in call.auth.browser.farewell { call.setCookie(cookie) }
        }
        return NoContent()
    }

    /// Runs `ending`, and tells everybody when it has ended something.
    @discardableResult
    private static func endNow(_ call: Call, _ user: UUID, _ ending: [SQL], _ event: AuthEvent) async throws
        -> Rows
    {
        let visit = Visit(call)
        return try await call.auth.db.transaction { tx in
            let ended = try await tx.batch(ending)[0]
            if ended.isEmpty { return ended }
            _ = try await tx.query(
                event.sql(
                    user: user, session: call.principal?.sessionId, visit, ["sessions": JSON(ended.count)]))
            try await AccessChange.record(user: user, company: nil, in: tx)
            if event == .sessionRevoked {
                try await AuthEvents.recordEnded(ended, of: user, reason: "revoked", by: call.actor, in: tx)
            }
            return ended
        }
    }

    /// Ends one session of the person and its refresh token; the first statement returns the session.
    static func end(_ id: UUID, of user: UUID, reason: String, at now: Timestamp) -> [SQL] {
        end("id = \(id) AND user_id = \(user)", reason, now)
    }

    /// Ends all sessions of the person, perhaps but one.
    static func end(of user: UUID, but kept: UUID? = nil, reason: String, at now: Timestamp) -> [SQL] {
        end("user_id = \(user) AND id IS DISTINCT FROM \(kept)::uuid", reason, now)
    }

    private static func end(_ which: SQL, _ reason: String, _ now: Timestamp) -> [SQL] {
        [
            """
            WITH ended AS (
                UPDATE sessions SET revoked_at = \(now), revoke_reason = \(reason)
                 WHERE \(fragment: which) AND revoked_at IS NULL
                RETURNING id, company_id),
            revoked AS (
                UPDATE refresh_tokens r SET state = 'revoked' FROM ended
                 WHERE r.session_id = ended.id AND r.state = 'active')
            SELECT id, company_id FROM ended
            """
        ]
    }
}
