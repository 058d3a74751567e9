import Crypto
import Postgres
import Wire

/// Takes the codes of authenticator apps and recovery codes, each of them once.
enum SecondFactor {
    /// How the code proved it (`totp`, `recovery_code`), or nil when it proves nothing.
    static func accept(
        _ code: String, of user: UUID, _ visit: Visit, _ parts: AuthParts, at now: Timestamp
    ) async throws -> String? {
        let code = code.filter { !$0.isWhitespace }
        if code.utf8.count == 6 {
            let isRight = try await acceptTOTP(code, of: user, parts, at: now)
            return isRight ? "totp" : nil
        }
        let isRight = try await RecoveryCodes.use(code, of: user, visit, parts, at: now)
        return isRight ? "recovery_code" : nil
    }

    private static func acceptTOTP(
        _ code: String, of user: UUID, _ parts: AuthParts, at now: Timestamp
    ) async throws -> Bool {
        let factors = try await parts.db.query(
            """
            SELECT id, secret_sealed, last_step FROM mfa_factors
             WHERE user_id = \(user) AND verified_at IS NOT NULL ORDER BY created_at
            """)
        for factor in factors {
            let id: UUID = try factor.get("id")
            let totp = TOTP(secret: try open(try factor.get("secret_sealed"), of: id, parts))
            guard let step = totp.step(of: code, at: now, after: try factor.get("last_step", as: Int64.self))
            else {
                continue
            }
            // The step only rises: of two who bring the same code at once, one is let in.
            let taken = try await parts.db.query(
                """
                UPDATE mfa_factors SET last_step = \(step), last_used_at = \(now)
                 WHERE id = \(id) AND last_step < \(step) RETURNING id
                """)
            if !taken.isEmpty { return true }
        }
        return false
    }

    static func seal(_ secret: [UInt8], of factor: UUID, _ parts: AuthParts) -> [UInt8] {
        parts.choices.ring.seal(secret, context: "second factor \(factor)")
    }

    static func open(_ sealed: [UInt8], of factor: UUID, _ parts: AuthParts) throws -> [UInt8] {
        try parts.choices.ring.open(sealed, context: "second factor \(factor)")
    }
}
