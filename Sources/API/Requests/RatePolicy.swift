import HTTP
import Synchronization
import Wire

/// So many requests in so long, counted for each client, user or company.
public struct RatePolicy: Sendable, Hashable {
    public enum Subject: Sendable, Hashable {
        /// The address the request comes from.
        case client
        /// The user, or the address when nobody is logged in.
        case user
        /// The company, or what `user` says when the token is for none.
        case company
    }

    public let name: String
    public let quota: Int
    public let windowSeconds: Int
    public let subject: Subject

    public init(_ name: String, quota: Int, windowSeconds: Int, per subject: Subject) {
        self.name = name
        self.quota = quota
        self.windowSeconds = windowSeconds
        self.subject = subject
    }

    /// Ten a second: no person's client comes near it, and a runaway script is stopped.
    public static let `default` = RatePolicy("default", quota: 600, windowSeconds: 60, per: .user)
    /// What is open to everybody: enough for an office behind one address.
    public static let open = RatePolicy("open", quota: 300, windowSeconds: 60, per: .client)
    /// Passwords and codes: a person mistypes, a guesser needs thousands.
    public static let login = RatePolicy("login", quota: 20, windowSeconds: 60, per: .client)
    /// What sends mail to somebody.
    public static let mail = RatePolicy("mail", quota: 10, windowSeconds: 600, per: .client)
    /// Health and metrics are asked by machines and cost nothing.
    public static let none = RatePolicy("none", quota: 0, windowSeconds: 1, per: .client)

    /// The other quota of a deployment.
    func with(quota: Int) -> RatePolicy { RatePolicy(name, quota: quota, windowSeconds: windowSeconds, per: subject) }
}

/// Where a caller stands after this request.
struct RateOutcome: Sendable {
    let isAllowed: Bool
    let remaining: Int
    /// Until everything is there again; for a refused request until one more is.
    let seconds: Int
}

/// Counts by the generic cell rate algorithm: one number a caller, the time at which his bucket will be full again.
final class RateLimiter: Sendable {
    struct Key: Hashable {
        let high: UInt64
        let low: UInt64
    }

    /// Locks so many that two loops hardly meet in one.
    private static let shardCount = 16
    /// Callers remembered by a shard before those whose bucket is full are forgotten.
    private static let sweepAt = 20_000

    /// A mutex cannot be copied into an array, a reference to one can.
    private final class Shard: Sendable {
        let fullAt = Mutex<[Key: UInt64]>([:])
    }

    private let policy: RatePolicy
    private let nanosecondsEach: UInt64
    private let window: UInt64
    private let shards: [Shard]
    let policyLine: [UInt8]

    init(_ policy: RatePolicy) {
        self.policy = policy
        window = UInt64(policy.windowSeconds) * 1_000_000_000
        nanosecondsEach = max(1, window / UInt64(max(1, policy.quota)))
        shards = (0..<Self.shardCount).map { _ in Shard() }
        policyLine = Array("ratelimit-policy: \"\(policy.name)\";q=\(policy.quota);w=\(policy.windowSeconds)\r\n".utf8)
    }

    /// Counts one request of `key` at `now` (nanoseconds of the monotonic clock).
    func count(_ key: Key, now: UInt64) -> RateOutcome {
        let shard = shards[Int(truncatingIfNeeded: (key.low ^ key.low >> 32) % UInt64(Self.shardCount))]
        return shard.fullAt.withLock { fullAt in
            if fullAt.count > Self.sweepAt { fullAt = fullAt.filter { $0.value > now } }
            let spent = max(fullAt[key] ?? 0, now) - now
            guard spent + nanosecondsEach <= window else {
                return RateOutcome(isAllowed: false, remaining: 0, seconds: Self.seconds(spent + nanosecondsEach - window))
            }
            fullAt[key] = now + spent + nanosecondsEach
            let after = spent + nanosecondsEach
            return RateOutcome(
                isAllowed: true, remaining: Int((window - after) / nanosecondsEach), seconds: Self.seconds(after))
        }
    }

    private static func seconds(_ nanoseconds: UInt64) -> Int { max(1, Int((nanoseconds + 999_999_999) / 1_000_000_000)) }

    /// Prints both fields of the draft.
    func write(_ outcome: RateOutcome, into headers: inout ResponseHeaders) {
        headers.add(lines: policyLine)
        headers.add("ratelimit", "\"\(policy.name)\";r=\(outcome.remaining);t=\(outcome.seconds)")
    }
}
