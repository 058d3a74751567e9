import HTTP
import Synchronization
import Wire

/// Where a caller stands after this request.
struct RateOutcome: Sendable {
    let isAllowed: Bool
    let quota: Int
    let remaining: Int
    /// Until everything is there again; for a refused request until one more is.
    let seconds: Int
}

/// What the limiters of one instance know of the others.
final class RatePeers: Sendable {
    /// Instances that count, this one included.
    let instances = Atomic<Int>(1)
    /// Rises with every exchange.
    let round = Atomic<Int>(0)
}

/// Counts by the generic cell rate algorithm: one number a caller, the time at which his bucket will be full again.
///
/// Instances tell each other what they have counted (`RateExchange`). Between two exchanges each gives out no more than
/// its share of what is left; what was given beyond the quota all the same is a debt that is waited off.
final class RateLimiter: Sendable {
    struct Key: Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct Bucket {
        var fullAt: UInt64 = 0
        /// What one request of this caller takes; 0 before the first.
        var each: UInt64 = 0
        var round = -1
        /// What this instance may still give before the next exchange.
        var share = 0
        /// What the others have not been told.
        var untold = 0
    }

    /// Locks so many that two loops hardly meet in one.
    private static let shardCount = 16
    /// Callers remembered by a shard before those whose bucket is full are forgotten.
    private static let sweepAt = 20_000
    /// The others are told of a caller once he has used this part of the quota; most never do.
    private static let tellPart = 50
    /// The longest debt, in windows: an instance that went mad shuts nobody out for longer.
    private static let debtWindows: UInt64 = 2

    /// A mutex cannot be copied into an array, a reference to one can.
    private final class Shard: Sendable {
        let buckets = Mutex<[Key: Bucket]>([:])
    }

    let policy: RatePolicy
    private let peers: RatePeers
    private let window: UInt64
    private let quota: Atomic<Int>
    private let shards: [Shard]

    init(_ policy: RatePolicy, _ peers: RatePeers = RatePeers()) {
        self.policy = policy
        self.peers = peers
        window = UInt64(policy.windowSeconds) * 1_000_000_000
        quota = Atomic(policy.quota)
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    /// From now on so many in the window.
    func set(quota: Int) { self.quota.store(max(1, quota), ordering: .relaxed) }

    /// Counts one request of `key` at `now` (nanoseconds of the monotonic clock).
    /// - Parameter own: the quota of this caller, when it is another than everybody's.
    func count(_ key: Key, quota own: Int? = nil, now: UInt64) -> RateOutcome {
        let quota = max(1, own ?? self.quota.load(ordering: .relaxed))
        let each = max(1, window / UInt64(quota))
        let (instances, round) = (
            peers.instances.load(ordering: .relaxed), peers.round.load(ordering: .relaxed)
        )
        return shard(key).buckets.withLock { buckets in
            if buckets.count > Self.sweepAt {
                buckets = buckets.filter { $0.value.fullAt > now || $0.value.untold > 0 }
            }
            var bucket = buckets[key] ?? Bucket()
            let spent = max(bucket.fullAt, now) - now
            let room = spent + each > window ? 0 : Int((window - spent) / each)
            if bucket.round != round {
                bucket.round = round
                bucket.share = (room + instances - 1) / instances
            }
            guard room > 0, instances == 1 || bucket.share > 0 else {
                buckets[key] = bucket
                let wait = room > 0 ? 1 : spent + each - window
                return RateOutcome(isAllowed: false, quota: quota, remaining: 0, seconds: Self.seconds(wait))
            }
            bucket.fullAt = now + spent + each
            bucket.each = each
            bucket.share -= 1
            bucket.untold += 1
            buckets[key] = bucket
            return RateOutcome(
                isAllowed: true, quota: quota, remaining: room - 1, seconds: Self.seconds(spent + each))
        }
    }

    private func shard(_ key: Key) -> Shard {
        shards[Int(truncatingIfNeeded: (key.low ^ key.low >> 32) % UInt64(Self.shardCount))]
    }

    private static func seconds(_ nanoseconds: UInt64) -> Int {
        max(1, Int((nanoseconds + 999_999_999) / 1_000_000_000))
    }

    /// Prints both fields of the draft.
    func write(_ outcome: RateOutcome, into headers: inout ResponseHeaders) {
        headers.add("ratelimit-policy", "\"\(policy.name)\";q=\(outcome.quota);w=\(policy.windowSeconds)")
        headers.add("ratelimit", "\"\(policy.name)\";r=\(outcome.remaining);t=\(outcome.seconds)")
    }
}

/// What instances tell each other.
extension RateLimiter {
    /// What the others should know of, and takes it as told.
    func takeUntold() -> [(key: Key, count: Int)] {
        let least = max(1, quota.load(ordering: .relaxed) / Self.tellPart)
        return shards.flatMap { shard in
            shard.buckets.withLock { buckets in
                var told: [(Key, Int)] = []
                for (key, bucket) in buckets where bucket.untold >= least {
                    told.append((key, bucket.untold))
                    buckets[key]?.untold = 0
                }
                return told
            }
        }
    }

    /// Counts what another instance has let pass.
    func learn(_ key: Key, count: Int, now: UInt64) {
        let usual = max(1, window / UInt64(quota.load(ordering: .relaxed)))
        shard(key).buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket()
            let each = bucket.each > 0 ? bucket.each : usual
            bucket.fullAt = min(
                max(bucket.fullAt, now) &+ each &* UInt64(count), now + window * Self.debtWindows)
            buckets[key] = bucket
        }
    }
}
