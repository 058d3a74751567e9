import API
import Core
import Crypto
import Postgres
import Wire

/// Codes for the day the phone is lost: shown once, each good for one sign-in.
struct RecoveryCodes: Codable, Sendable {
    /// The codes, this once.
    let recoveryCodes: [String]

    struct Left: Codable, Sendable {
        let unused: Int
        let madeAt: Timestamp?
    }

    @RouteList static var routes: [Route] {
        GET("/v1/auth/mfa/recovery-codes", "How many recovery codes are left", .signedIn, left).operation(
            "getRecoveryCodes")
        POST("/v1/auth/mfa/recovery-codes", "Make new recovery codes", .signedIn, renew).operation(
            "renewRecoveryCodes"
        )
        .describe("The older ones stop working. The codes are shown this once.")
        .secret.problems(.reauthenticationRequired, .sessionRequired)
    }

    static func left(_ call: Call) async throws -> Single<Left> {
        let user = try call.session.user
        let rows = try await call.auth.db.query(
            """
            SELECT count(*) FILTER (WHERE used_at IS NULL) AS unused, max(created_at) AS made_at
              FROM recovery_codes WHERE user_id = \(user)
            """)
        return try Single(rows)
    }

    static func renew(_ call: Call) async throws -> Created<RecoveryCodes> {
        try await call.requireRecentProof()
        let user = try call.session.user
        let visit = Visit(call)
        let made = make(for: user, call.auth, at: call.now)
        try await call.auth.db.transaction { tx in
            _ = try await tx.batch(made.sql + [AuthEvent.recoveryCodesMade.sql(user: user, visit)])
            try await SecurityMail.secondFactorChanged(
                .recoveryCodesMade, user, visit, call.auth, at: call.now, in: tx)
        }
        return Created(RecoveryCodes(recoveryCodes: made.codes), at: "/v1/auth/mfa/recovery-codes")
    }

    /// New codes, and the statements that replace the older ones.
    static func make(for user: UUID, _ parts: AuthParts, at now: Timestamp) -> (codes: [String], sql: [SQL]) {
        let codes = (0..<AuthLimits.recoveryCodes).map { _ in
            let letters = Base32.encode(RandomBytes.make(10)).lowercased()
            return "\(letters.prefix(8))-\(letters.suffix(8))"
        }
        let rows = codes.map { "(\(user)::uuid, \(mac($0, user, parts))::bytea, \(now)::timestamptz)" as SQL }
        return (
            codes,
            [
                "DELETE FROM recovery_codes WHERE user_id = \(user)",
                """
                INSERT INTO recovery_codes (user_id, code_mac, created_at)
                VALUES \(fragment: rows.joined(separator: ", "))
                """,
            ]
        )
    }

    static func use(_ code: String, of user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp)
        async throws -> Bool
    {
        let rows = try await parts.db.query(
            """
            UPDATE recovery_codes SET used_at = \(now)
             WHERE user_id = \(user) AND code_mac = \(mac(code, user, parts)) AND used_at IS NULL
            RETURNING user_id
            """)
        if rows.isEmpty { return false }
        _ = try await parts.db.query(AuthEvent.recoveryCodeUsed.sql(user: user, visit))
        return true
    }

    /// However it was typed: capitals, with or without the dash.
    private static func mac(_ code: String, _ user: UUID, _ parts: AuthParts) -> [UInt8] {
        let plain = code.lowercased().filter { $0.isLetter || $0.isNumber }
        return parts.codes.authenticate("recovery\0\(user)\0\(plain)")
    }
}
