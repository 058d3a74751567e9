import Loop
import Postgres
import Synchronization
import Wire

/// Tells every instance that what it keeps in memory of a topic and company has changed.
///
/// A change is recorded in the transaction that makes it. This instance hears of it as it commits, the others by
/// NOTIFY and, should that be lost, by asking the table several times a second.
public final class CacheNews: Sendable {
    public struct Change: Hashable, Sendable {
        public let topic: String
        /// Nil when it concerns all companies.
        public let company: UUID?
    }

    /// Hears of a change; nil means that anything may have changed.
    public typealias Listener = @Sendable (Change?) -> Void

    static let channel = "cache_news"
    static let pollEvery: Duration = .milliseconds(300)

    private let db: Database
    private let listeners = Mutex<[Listener]>([])
    private let mark = Mutex<String?>(nil)
    private let tasks = Mutex<[Task<Void, Never>]>([])

    public init(_ db: Database) { self.db = db }

    public func listen(_ listener: @escaping Listener) { listeners.withLock { $0.append(listener) } }

    /// Records that `topic` has changed for a company, or for all.
    public func tell(_ topic: String, company: UUID?, in tx: Transaction) async throws {
        let change = Change(topic: topic, company: company)
        _ = try await tx.query(
            """
            WITH news AS (INSERT INTO cache_news (topic, company_id) VALUES (\(topic), \(company)) RETURNING topic, company_id)
            SELECT pg_notify(\(Self.channel), concat_ws('|', topic, coalesce(company_id::text, ''))) FROM news
            """)
        await tx.onCommit { self.announce(change) }
    }

    public func start(on loop: EventLoop) {
        let polling = loop.task { [self] in
            while !Task.isCancelled {
                // Without a database nobody can change anything either; what is in memory stays good.
                try? await poll()
                try? await Task.sleep(for: Self.pollEvery)
            }
        }
        let listening = loop.task { [self] in
            for await event in db.listen(Self.channel) {
                switch event {
                case .notification(_, let payload): Change(payload: payload).map(announce)
                case .mayHaveMissed: try? await poll()
                }
            }
        }
        tasks.withLock { $0 = [polling, listening] }
    }

    public func stop() {
        for task in tasks.withLock({ $0 }) { task.cancel() }
    }

    private func announce(_ change: Change?) {
        for listener in listeners.withLock({ $0 }) { listener(change) }
    }

    /// Asks the table once. The mark is the oldest transaction still running, so that none that commits late is missed;
    /// a change may be told twice.
    private func poll() async throws {
        guard let known = mark.withLock({ $0 }) else {
            let rows = try await db.query("SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS mark")
            let first: String = try rows[0].get("mark")
            mark.withLock { $0 = first }
            // Whatever was read before this moment may be older than the mark.
            return announce(nil)
        }
        let rows = try await db.query(
            """
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS mark, n.topic, n.company_id
              FROM (VALUES (1)) always (present)
              LEFT JOIN cache_news n ON n.xid >= \(known)::text::xid8
            """)
        var changes: Set<Change> = []
        for row in rows {
            guard let topic = try row.get("topic", as: String?.self) else { continue }
            changes.insert(Change(topic: topic, company: try row.get("company_id", as: UUID?.self)))
        }
        let next: String = try rows[0].get("mark")
        mark.withLock { $0 = next }
        for change in changes { announce(change) }
    }

    /// Forgets what every instance has long heard.
    public static let trim = Worker.single("cache-news-trim", every: .seconds(600)) { work in
        _ = try await work.database.query("DELETE FROM cache_news WHERE at < now() - interval '1 hour'")
        return .idle
    }
}

extension CacheNews.Change {
    init?(payload: String) {
        let parts = payload.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(topic: String(parts[0]), company: UUID(parts[1]))
    }
}
