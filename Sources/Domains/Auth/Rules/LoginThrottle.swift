import API
import Crypto
import Postgres
import Wire

/// Slows down whoever keeps failing to sign in, by account, by address, and by the pair of both.
///
/// Some failures are free. From then on an attempt is counted as failed before the password is looked at, so that of
/// many at once only one is looked at. An account need not exist to be counted: the answers are the same.
struct LoginThrottle: Sendable {
    private struct Entry {
        let key: [UInt8]
        let rule: ThrottleRule
        /// An address keeps what others failed on it.
        let isForgiven: Bool
    }

    private let entries: [Entry]

    init(account: String, address: IPAddress) {
        let place = Self.place(address)
        entries = [
            Entry(key: Self.key("pair", account, place), rule: .pair, isForgiven: true),
            Entry(key: Self.key("account", account, ""), rule: .account, isForgiven: true),
            Entry(key: Self.key("address", "", place), rule: .address, isForgiven: false),
        ]
    }

    /// A household has one IPv4 address, but a whole /64 of IPv6.
    private static func place(_ address: IPAddress) -> String {
        address.isV4 ? address.description : IPAddress(high: address.high, low: 0).description
    }

    private static func key(_ kind: String, _ account: String, _ place: String) -> [UInt8] {
        Array(SHA256.digest("\(kind)\0\(account)\0\(place)").bytes.prefix(16))
    }

    /// Throws when an attempt comes too soon after the failures before it.
    func begin(_ db: Database, at now: Timestamp) async throws -> Attempt {
        let rows = try await db.query(
            """
            WITH mine AS (
                -- A failure that was free blocks nobody, whatever the clocks of two instances say.
                SELECT key, failures, CASE WHEN blocked_until > last_at THEN blocked_until ELSE \(now) END AS blocked_until
                  FROM login_throttles
                 WHERE \(fragment: isOurs) AND last_at > \(now - ThrottleRule.memory)
                 -- In one order for all, so that two attempts never wait for each other crosswise.
                 ORDER BY key FOR UPDATE),
            counted AS (
                UPDATE login_throttles t
                   SET failures = t.failures + 1, last_at = \(now),
                       blocked_until = \(now)::timestamptz + \(fragment: delay("t.failures + 1"))
                  FROM mine
                 WHERE t.key = mine.key AND mine.failures >= \(fragment: free("mine.key"))
                   AND NOT EXISTS (SELECT 1 FROM mine WHERE blocked_until > \(now))
                RETURNING t.key)
            SELECT mine.key, counted.key IS NOT NULL AS is_counted,
                   extract(epoch FROM mine.blocked_until - \(now)::timestamptz)::float8 AS wait
              FROM mine LEFT JOIN counted ON counted.key = mine.key
            """)
        var counted: [[UInt8]] = []
        var wait = 0.0
        for row in rows {
            if try row.get("is_counted", as: Bool.self) { counted.append(try row.get("key")) }
            wait = max(wait, try row.get("wait", as: Double.self))
        }
        if wait > 0 { throw Problem.tooManyLogins(seconds: max(1, Int(wait.rounded(.up)))) }
        return Attempt(throttle: self, isClean: rows.isEmpty, counted: counted)
    }

    /// One attempt that was let through; it ends in one of two ways.
    struct Attempt: Sendable {
        fileprivate let throttle: LoginThrottle
        fileprivate let isClean: Bool
        fileprivate let counted: [[UInt8]]

        func failed(_ db: Database, at now: Timestamp) async throws {
            try await throttle.fail(but: counted, db, at: now)
        }

        func succeeded(_ db: Database) async throws {
            if !isClean { try await throttle.forgive(counted, db) }
        }
    }

    private func fail(but counted: [[UInt8]], _ db: Database, at now: Timestamp) async throws {
        let rest = entries.filter { !counted.contains($0.key) }.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
        if rest.isEmpty { return }
        let values = rest.map { "(\($0.key)::bytea, 1, \(now)::timestamptz, \(now)::timestamptz)" as SQL }
        let failures: SQL =
            "CASE WHEN t.last_at > \(now - ThrottleRule.memory)::timestamptz THEN t.failures + 1 ELSE 1 END"
        _ = try await db.query(
            """
            INSERT INTO login_throttles AS t (key, failures, blocked_until, last_at)
            VALUES \(fragment: values.joined(separator: ", "))
            ON CONFLICT (key) DO UPDATE
               SET failures = \(fragment: failures), last_at = \(now),
                   blocked_until = \(now)::timestamptz + \(fragment: delay(failures))
            """)
    }

    private func forgive(_ counted: [[UInt8]], _ db: Database) async throws {
        var statements: [SQL] = []
        for entry in entries {
            if entry.isForgiven {
                statements.append("DELETE FROM login_throttles WHERE key = \(entry.key)")
            } else if counted.contains(entry.key) {
                statements.append(
                    """
                    UPDATE login_throttles SET failures = failures - 1, blocked_until = last_at
                     WHERE key = \(entry.key) AND failures > 1
                    """)
            }
        }
        _ = try await db.batch(statements, as: .none)
    }

    private var isOurs: SQL {
        "key IN (\(fragment: entries.map { "\($0.key)::bytea" as SQL }.joined(separator: ", ")))"
    }

    /// How many failures of this kind are free.
    private func free(_ key: SQL) -> SQL {
        let cases = entries.map { "WHEN \($0.key)::bytea THEN \($0.rule.free)::int" as SQL }
        return "CASE \(fragment: key) \(fragment: cases.joined(separator: " ")) END"
    }

    /// One second for the first failure that is not free, twice as long for each further one.
    private func delay(_ failures: SQL) -> SQL {
        """
        make_interval(secs => CASE WHEN \(fragment: failures) <= \(fragment: free("t.key")) THEN 0
            ELSE least(\(ThrottleRule.longest.seconds)::float8,
                       power(2, least(\(fragment: failures) - \(fragment: free("t.key")) - 1, 20)))
            END::float8)
        """
    }
}

extension Duration {
    /// For SQL's `make_interval(secs => …)`.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
