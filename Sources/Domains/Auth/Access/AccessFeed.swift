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
    private let mark = Mutex<String?>(nil)

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
        let known = mark.withLock { $0 }
        let (changes, next) = try await AccessChange.since(known, db)
        for change in changes { news.announce(change) }
        mark.withLock { $0 = next }
        trustedUntil.store(asked + Self.trust, ordering: .releasing)
    }

    /// Goes on until the tasks are cancelled.
    func start(on loop: EventLoop) -> [Task<Void, Never>] {
        let asking = loop.task { [self] in
            while !Task.isCancelled {
                // While the database is away the caches are not trusted, and every request says so itself.
                try? await poll()
                try? await Task.sleep(for: Self.pollEvery)
            }
        }
        let listening = loop.task { [self] in
            for await event in db.listen(AccessChange.channel) {
                switch event {
                case .notification(_, let payload):
                    if let change = AccessChange(payload: payload) { news.announce(change) }
                case .mayHaveMissed:
                    try? await poll()
                }
            }
        }
        return [asking, listening]
    }
}
