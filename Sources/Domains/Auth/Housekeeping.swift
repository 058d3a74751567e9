import Core
import Postgres
import Wire

/// What must be done now and then: exchange the signing keys, and sweep away what has long ended.
enum Housekeeping {
    static var workers: [Worker] {
        [
            .single("exchange-signing-keys", every: .seconds(3600)) { work in
                try await work.environment[AuthParts.self].keys.rotateIfDue(at: .now)
                return .idle
            },
            .single("sweep-sign-in", every: .seconds(3600)) { work in
                let isFull = try await sweep(work.database, at: .now)
                return isFull ? .more : .idle
            },
        ]
    }

    /// A thousand rows of each at a time, so that nobody waits for the sweeper. True when there is more.
    static func sweep(_ db: Database, at now: Timestamp) async throws -> Bool {
        let old = now - AuthLimits.keptAfterEnd
        let dues: [(table: String, key: String, condition: SQL)] = [
            ("sessions", "id", "(expires_at < \(old) OR revoked_at < \(old))"),
            ("refresh_tokens", "token_sha256", "state = 'rotated' AND rotated_at < \(old)"),
            ("one_time_tokens", "id", "expires_at < \(old)"),
            ("signups", "id", "expires_at < \(old)"),
            ("login_flows", "id", "expires_at < \(now - .seconds(86_400))"),
            ("login_throttles", "key", "last_at < \(now - ThrottleRule.memory - .seconds(3600))"),
            ("api_key_hashes", "key_sha256", "valid_until < \(now)"),
        ]
        var isFull = false
        for due in dues {
            let swept = try await db.query(
                """
                DELETE FROM \(unescaped: due.table)
                 WHERE \(unescaped: due.key) IN (
                    SELECT \(unescaped: due.key) FROM \(unescaped: due.table) WHERE \(fragment: due.condition) LIMIT 1000)
                """)
            if swept.affected >= 1000 { isFull = true }
        }
        return isFull
    }
}
