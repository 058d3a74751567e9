import Core
import Crypto
import Postgres
import Wire

/// The refresh tokens of a session: a chain of which only the last link works.
///
/// A successor is computed from its parent's text, a salt and a key of the house. So a client whose answer was lost
/// may ask again with the parent and gets the very same successor, though nobody kept its text.
struct RefreshChain: Sendable {
    private let keys: [HMACKey]

    init(_ ring: KeyRing) { keys = ring.deriveAll("refresh token successor").map { HMACKey($0) } }

    private func successor(of token: String, _ salt: [UInt8], _ key: HMACKey) -> String {
        Base64.encode(key.authenticate(Array(token.utf8) + salt), .url)
    }

    /// The first token of a session.
    struct First: Sendable {
        let token = OpaqueToken.make()
        var digest: [UInt8] { OpaqueToken.digest(token).bytes }
    }

    enum Outcome: Sendable {
        case rotated(token: String, session: LiveSession)
        /// The parent came a second time, soon: the same successor goes out again.
        case repeated(token: String, session: LiveSession)
        /// An older generation came: somebody has a copy.
        case reused(sessionId: UUID, userId: UUID)
        case refused
    }

    struct LiveSession: Sendable {
        let id: UUID
        let userId: UUID
        let companyId: UUID?
        let isBrowser: Bool
    }

    func rotate(_ token: String, _ visit: Visit, idle: Duration, at now: Timestamp, _ db: Database)
        async throws -> Outcome
    {
        let salt = RandomBytes.make(16)
        let next = successor(of: token, salt, keys[0])
        let rows = try await db.query(
            """
            WITH rotated AS (
                UPDATE refresh_tokens r SET state = 'rotated', rotated_at = \(now)
                  FROM sessions s JOIN users u ON u.id = s.user_id
                 WHERE r.token_sha256 = \(OpaqueToken.digest(token).bytes) AND r.state = 'active'
                   AND s.id = r.session_id AND s.revoked_at IS NULL AND s.expires_at > \(now)
                   AND s.idle_expires_at > \(now) AND u.status = 'active'
                RETURNING r.session_id, r.n),
            successor AS (
                INSERT INTO refresh_tokens (session_id, n, token_sha256, salt, created_at)
                SELECT session_id, n + 1, \(OpaqueToken.digest(next).bytes), \(salt), \(now) FROM rotated
                RETURNING session_id)
            UPDATE sessions s
               SET last_used_at = \(now), idle_expires_at = least(s.expires_at, \(now + idle)),
                   address = \(visit.place), user_agent = \(visit.userAgent), device = \(visit.device)
              FROM successor
             WHERE s.id = successor.session_id
            RETURNING s.id, s.user_id, s.company_id, s.is_browser
            """)
        if let row = rows.first { return .rotated(token: next, session: try LiveSession(row)) }
        return try await second(token, at: now, db)
    }

    /// The token did not work: is it a copy, or the client that never heard the answer?
    private func second(_ token: String, at now: Timestamp, _ db: Database) async throws -> Outcome {
        let rows = try await db.query(
            """
            SELECT s.id, s.user_id, s.company_id, s.is_browser, r.state, r.n, r.rotated_at,
                   a.n AS active_n, a.token_sha256 AS active_sha256, a.salt AS active_salt
              FROM refresh_tokens r
              JOIN sessions s ON s.id = r.session_id
              JOIN users u ON u.id = s.user_id
              LEFT JOIN refresh_tokens a ON a.session_id = r.session_id AND a.state = 'active'
             WHERE r.token_sha256 = \(OpaqueToken.digest(token).bytes)
               AND s.revoked_at IS NULL AND s.expires_at > \(now) AND s.idle_expires_at > \(now)
               AND u.status = 'active'
            """)
        guard let row = rows.first, try row.get("state", as: String.self) == "rotated" else {
            return .refused
        }
        let session = try LiveSession(row)
        let generation = try row.get("n", as: Int.self)
        let rotatedAt = try row.get("rotated_at", as: Timestamp.self)
        if let active = try row.get("active_n", as: Int?.self), active == generation + 1,
            now - rotatedAt <= AuthLimits.lostAnswer
        {
            let digest = try row.get("active_sha256", as: [UInt8].self)
            let salt = try row.get("active_salt", as: [UInt8].self)
            let found = keys.lazy.map { successor(of: token, salt, $0) }
                .first { OpaqueToken.digest($0).bytes == digest }
            // None fits only when the house's keys were exchanged in between: sign in again, nobody is a thief.
            return found.map { .repeated(token: $0, session: session) } ?? .refused
        }
        return .reused(sessionId: session.id, userId: session.userId)
    }
}

extension RefreshChain.LiveSession {
    fileprivate init(_ row: Row) throws {
        id = try row.get("id")
        userId = try row.get("user_id")
        companyId = try row.get("company_id")
        isBrowser = try row.get("is_browser")
    }
}
