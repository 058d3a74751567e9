import Core
import Loop
import Postgres
import Synchronization

/// Hears what other instances have changed about anybody's rights, and says for how long the caches may be trusted.
///
/// The table of changes is asked several times a second; the notification only makes it quicker. When a second goes
/// by without an answer, nothing cached is believed any more.
final class AccessFeed: Sendable {
    private let news: AccessNews
    private let db: Database
    private let trustedUntil = Atomic<UInt64>(0)
    private let state = Mutex<(mark: String?, isStopped: Bool)>((nil, false))

    static let pollEvery: Duration = .milliseconds(400)
    private static let trust: UInt64 = 1_000_000_000

    init(news: AccessNews, db: Database) {
        self.news = news
        self.db = db
    }

    /// - Parameter now: nanoseconds of the monotonic clock.
    func isTrusted(at now: UInt64) -> Bool { now < trustedUntil.load(ordering: .acquiring) }

    /// Asks once; what has changed is told to the caches before it returns.
    func poll() async throws {
        let asked = EventLoop.monotonicNanoseconds()
        let mark = state.withLock { $0.mark }
        let (changes, next) = try await AccessChange.since(mark, db)
        for change in changes { news.announce(change) }
        state.withLock { $0.mark = next }
        trustedUntil.store(asked + Self.trust, ordering: .releasing)
    }

    func start(on loop: EventLoop) {
        loop.task { [self] in
            while !state.withLock({ $0.isStopped }) {
                // While the database is away the caches are not trusted, and every request says so itself.
                try? await poll()
                try? await Task.sleep(for: Self.pollEvery)
            }
        }
        loop.task { [self] in
            for await event in db.listen(AccessChange.channel) {
                if state.withLock({ $0.isStopped }) { return }
                switch event {
                case .notification(_, let payload):
                    if let change = AccessChange(payload: payload) { news.announce(change) }
                case .mayHaveMissed:
                    try? await poll()
                }
            }
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }
}
