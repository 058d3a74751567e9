import Loop
import Postgres
import Synchronization
import Wire

/// Tells the other instances how often callers have asked here, and hears it of them, four times a second.
///
/// No request waits for it. While the database is away each instance counts for itself, and tells the rest later.
final class RateExchange: Sendable {
    static let pause: Duration = .milliseconds(250)
    /// As long as nobody else is there it only looks for others.
    static let pauseAlone: Duration = .seconds(1)
    /// Without a sign for so long an instance is gone.
    private static let lifeSeconds = 3
    /// Callers told of at once; who has more is under attack, and the attackers come again.
    private static let entriesMax = 20_000
    private static let entryLength = 28

    private struct State {
        var limiters: [UInt64: RateLimiter] = [:]
        /// The last tick heard of each other instance.
        var heard: [UUID: Int64] = [:]
        var tick: Int64 = 0
        /// Told to nobody yet, because the database was away.
        var waiting: [UInt8] = []
        var task: Task<Void, Never>?
    }

    let peers: RatePeers
    private let db: Database
    private let node = UUID.v7()
    private let state = Mutex(State())

    init(_ db: Database, _ peers: RatePeers) {
        self.db = db
        self.peers = peers
    }

    /// A policy goes by its name: the same on every instance, whatever its quota there at this moment.
    func add(_ limiter: RateLimiter) {
        let name = limiter.policy.name.utf8.reduce(14_695_981_039_346_656_037) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        state.withLock { $0.limiters[name] = limiter }
    }

    func start(on loop: EventLoop) {
        let task = loop.task { [self] in
            while !Task.isCancelled {
                try? await exchange()
                let isAlone = peers.instances.load(ordering: .relaxed) == 1
                try? await Task.sleep(for: isAlone ? Self.pauseAlone : Self.pause)
            }
        }
        state.withLock { $0.task = task }
    }

    func stop() { state.withLock { $0.task }?.cancel() }

    func exchange() async throws {
        let tick = state.withLock { state in
            state.tick += 1
            return state.tick
        }
        let counts = untold()
        do {
            let rows = try await db.batch([
                """
                INSERT INTO rate_exchange (node, tick, counts) VALUES (\(node), \(tick), \(counts))
                """,
                "DELETE FROM rate_exchange WHERE at < now() - make_interval(secs => \(Self.lifeSeconds))",
                "SELECT node, tick, counts FROM rate_exchange WHERE node <> \(node) ORDER BY node, tick",
            ])[2]
            try hear(rows)
        } catch {
            state.withLock { $0.waiting = counts }
            throw error
        }
    }

    private func untold() -> [UInt8] {
        let (limiters, waiting) = state.withLock { state in
            defer { state.waiting = [] }
            return (state.limiters, state.waiting)
        }
        var bytes = waiting
        for (name, limiter) in limiters {
            for (key, count) in limiter.takeUntold() where bytes.count < Self.entriesMax * Self.entryLength {
                for word in [name, key.high, key.low] {
                    withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
                }
                withUnsafeBytes(of: UInt32(clamping: count).bigEndian) { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    private func hear(_ rows: Rows) throws {
        let now = EventLoop.monotonicNanoseconds()
        let (limiters, heard) = state.withLock { ($0.limiters, $0.heard) }
        var latest: [UUID: Int64] = [:]
        for row in rows {
            let (other, tick) = (try row.get("node", as: UUID.self), try row.get("tick", as: Int64.self))
            latest[other] = tick
            guard tick > heard[other] ?? -1 else { continue }
            learn(try row.get("counts", as: [UInt8].self), limiters, now)
        }
        state.withLock { $0.heard = latest }
        peers.instances.store(latest.count + 1, ordering: .relaxed)
        peers.round.add(1, ordering: .relaxed)
    }

    private func learn(_ counts: [UInt8], _ limiters: [UInt64: RateLimiter], _ now: UInt64) {
        counts.withUnsafeBytes { bytes in
            for at in stride(from: 0, to: bytes.count - Self.entryLength + 1, by: Self.entryLength) {
                func word(_ offset: Int) -> UInt64 {
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at + offset, as: UInt64.self))
                }
                let count = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at + 24, as: UInt32.self))
                limiters[word(0)]?.learn(
                    RateLimiter.Key(high: word(8), low: word(16)), count: Int(count), now: now)
            }
        }
    }
}
