import API
import Crypto
import Postgres
import Wire

/// Slows down whoever keeps failing to sign in, by account, by address, and by the pair of both.
///
/// An attempt is counted as failed before the password is looked at and taken back when it was right, so that a
/// hundred attempts at once gain nothing. An account need not exist to be counted: the answers are the same.
struct LoginThrottle: Sendable {
    private struct Entry {
        let key: [UInt8]
        let rule: ThrottleRule
    }

    private let entries: [Entry]

    init(account: String, address: IPAddress) {
        let place = Self.place(address)
        // In the order of their keys, so that two attempts never wait for each other crosswise.
        entries = [
            Entry(key: Self.key("pair", account, place), rule: .pair),
            Entry(key: Self.key("account", account, ""), rule: .account),
            Entry(key: Self.key("address", "", place), rule: .address),
        ].sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// A household has one IPv4 address, but a whole /64 of IPv6.
    private static func place(_ address: IPAddress) -> String {
        address.isV4 ? address.description : IPAddress(high: address.high, low: 0).description
    }

    private static func key(_ kind: String, _ account: String, _ place: String) -> [UInt8] {
        Array(SHA256.digest("\(kind)\0\(account)\0\(place)").bytes.prefix(16))
    }

    /// Counts an attempt. Throws when it comes too soon after the failures before it.
    func begin(_ db: Database, at now: Timestamp) async throws {
        let rows = try await db.query(
            """
            INSERT INTO login_throttles AS t (key, failures, blocked_until, last_at)
            VALUES \(fragment: entries.map { "(\($0.key)::bytea, 1, \(now)::timestamptz, \(now)::timestamptz)" as SQL }.joined(separator: ", "))
            ON CONFLICT (key) DO UPDATE
               SET failures = \(fragment: failures(now)),
                   blocked_until = \(now)::timestamptz + \(fragment: delay(failures(now))),
                   last_at = \(now)
             WHERE t.blocked_until <= \(now)
            RETURNING key
            """)
        if rows.count == entries.count { return }
        let blocked = try await db.query(
            """
            SELECT extract(epoch FROM max(blocked_until) - \(now)::timestamptz)::float8 AS wait
              FROM login_throttles
             WHERE \(fragment: isOurs)
            """)
        let wait = try blocked.first?.get("wait", as: Double?.self) ?? 1
        throw Problem.tooManyLogins(seconds: max(1, Int(wait.rounded(.up))))
    }

    /// Takes the attempt back: the password was right. The address keeps what others failed on it.
    func succeeded(_ db: Database) async throws {
        let address = entries.first { $0.rule.free == ThrottleRule.address.free }!.key
        _ = try await db.batch(
            [
                "DELETE FROM login_throttles WHERE \(fragment: isOurs) AND (key <> \(address) OR failures <= 1)",
                """
                UPDATE login_throttles SET failures = failures - 1, blocked_until = last_at
                 WHERE key = \(address) AND failures > 1
                """,
            ], as: .none)
    }

    private var isOurs: SQL {
        "key IN (\(fragment: entries.map { "\($0.key)" as SQL }.joined(separator: ", ")))"
    }

    private func failures(_ now: Timestamp) -> SQL {
        """
        CASE WHEN t.last_at < \(now)::timestamptz - make_interval(secs => \(ThrottleRule.memory.seconds)::float8)
             THEN 1 ELSE t.failures + 1 END
        """
    }

    /// One second after the first attempt too many, twice as long after each further one.
    private func delay(_ failures: SQL) -> SQL {
        let free = entries.map { "WHEN \($0.key)::bytea THEN \($0.rule.free)::int" as SQL }.joined(separator: " ")
        return """
            make_interval(secs => CASE WHEN \(fragment: failures) <= CASE t.key \(fragment: free) END THEN 0
                ELSE least(\(ThrottleRule.pair.longest.seconds)::float8,
                           power(2, least(\(fragment: failures) - CASE t.key \(fragment: free) END - 1, 20)))
                END::float8)
            """
    }
}

extension Duration {
    /// For SQL's `make_interval(secs => …)`.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
