import API
import Crypto
import Postgres
import Wire

/// A link, and where wanted a six-digit code beside it, that works once.
///
/// Asking for a new one makes the older ones void. GET never uses one up: mail scanners open links.
struct OneTimeToken: Sendable {
    enum Purpose: String, SQLBindable {
        case resetPassword = "reset_password"
        case changeEmail = "change_email"
        case secondFactor = "second_factor"
        case notMe = "not_me"
        case magicLink = "magic_link"
    }

    /// What the person got, sent back: the token of the link, or the code with the address it was sent to.
    enum Proof: Sendable {
        case token(String)
        case code(String, email: String)

        /// Exactly one of the two, or 422.
        init(token: String?, email: String?, code: String?) throws(Problem) {
            switch (token, email, code) {
            case (let token?, nil, nil): self = .token(token)
            case (nil, let email?, let code?): self = .code(code, email: email)
            default:
                throw .unprocessable(
                    "", "one-of", "must have the token of the link, or the code with its address")
            }
        }
    }

    let id: UUID
    let userId: UUID
    let detail: JSON
    let expiresAt: Timestamp

    /// The secrets to hand out, and the statement that remembers them. It inserts nothing when the account has had
    /// too many of the kind within the hour.
    struct Issued: Sendable {
        let token: String
        let code: String
        let expiresAt: Timestamp
        let sql: [SQL]
    }

    static func issue(
        _ purpose: Purpose, user: UUID, email: String, life: Duration, detail: JSON = [:], codes: HMACKey,
        at now: Timestamp
    ) -> Issued {
        let token = OpaqueToken.make()
        let code = RandomBytes.digits(6)
        let expiresAt = now + life
        let supersede: SQL = """
            UPDATE one_time_tokens SET used_at = \(now)
             WHERE user_id = \(user) AND purpose = \(purpose) AND used_at IS NULL
            """
        let insert: SQL = """
            INSERT INTO one_time_tokens (id, purpose, user_id, token_sha256, code_mac, detail, expires_at, created_at)
            VALUES (\(UUID.v7()), \(purpose), \(user), \(OpaqueToken.digest(token).bytes),
                    \(mac(code, purpose, email, codes)), \(JSONText(detail.description)), \(expiresAt), \(now))
            """
        // Several "this was not me" links live side by side: each is about another act.
        return Issued(
            token: token, code: code, expiresAt: expiresAt,
            sql: purpose == .notMe || purpose == .secondFactor ? [insert] : [supersede, insert])
    }

    /// Whether the account may be sent another mail of this kind.
    static func mayBeIssued(_ purpose: Purpose, to user: UUID, at now: Timestamp, in tx: Transaction)
        async throws -> Bool
    {
        let rows = try await tx.query(
            """
            SELECT count(*) AS issued FROM one_time_tokens
             WHERE user_id = \(user) AND purpose = \(purpose) AND created_at > \(now - .seconds(3600))
            """)
        return try rows[0].get("issued", as: Int.self) < AuthLimits.mailsPerHour
    }

    /// Finds the token that `proof` belongs to without using it up. A wrong code is counted, whatever becomes of the
    /// request; after five the code is void.
    static func find(
        _ purpose: Purpose, by proof: Proof, codes: HMACKey, at now: Timestamp, _ db: Database
    ) async throws -> OneTimeToken {
        let rows: Rows
        switch proof {
        case .token(let token):
            rows = try await db.query(
                """
                SELECT id, user_id, detail::text AS detail, expires_at FROM one_time_tokens
                 WHERE token_sha256 = \(OpaqueToken.digest(token).bytes) AND purpose = \(purpose)
                   AND used_at IS NULL AND expires_at > \(now) AND attempts < \(AuthLimits.codeAttemptsMax)
                """)
        case .code(let code, let email):
            let mac = mac(code, purpose, email, codes)
            rows = try await db.query(
                """
                WITH tried AS (
                    UPDATE one_time_tokens t
                       SET attempts = t.attempts + CASE WHEN t.code_mac = \(mac) THEN 0 ELSE 1 END
                     WHERE t.id = (SELECT l.id FROM one_time_tokens l JOIN users u ON u.id = l.user_id
                                    WHERE u.email_norm = \(email) AND l.purpose = \(purpose)
                                    ORDER BY l.created_at DESC LIMIT 1)
                       AND t.used_at IS NULL AND t.expires_at > \(now)
                       AND t.attempts < \(AuthLimits.codeAttemptsMax)
                    RETURNING t.id, t.user_id, t.detail::text AS detail, t.expires_at, t.code_mac)
                SELECT id, user_id, detail, expires_at FROM tried WHERE code_mac = \(mac)
                """)
        }
        guard let row = rows.first else { throw Problem(.tokenInvalid) }
        return try OneTimeToken(row)
    }

    private init(_ row: Row) throws {
        id = try row.get("id")
        userId = try row.get("user_id")
        detail = try JSON.parse(try row.get("detail", as: String.self))
        expiresAt = try row.get("expires_at")
    }

    /// Uses the token up. Of two who try, the second is refused.
    func use(at now: Timestamp, in tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            UPDATE one_time_tokens SET used_at = \(now)
             WHERE id = \(id) AND used_at IS NULL AND expires_at > \(now)
               AND attempts < \(AuthLimits.codeAttemptsMax)
            RETURNING id
            """)
        if rows.isEmpty { throw Problem(.tokenInvalid) }
    }

    private static func mac(_ code: String, _ purpose: Purpose, _ email: String, _ codes: HMACKey) -> [UInt8]
    {
        codes.authenticate("\(purpose.rawValue)\0\(email)\0\(code)")
    }
}
