import API
import Core
import Postgres
import Synchronization
import Wire

@testable import Core

struct Errand: Codable, Sendable {
    var number: Int
}

/// What handlers were seen doing.
final class Log<Entry: Sendable>: Sendable {
    private let content = Mutex<[Entry]>([])
    func add(_ entry: Entry) { content.withLock { $0.append(entry) } }
    var entries: [Entry] { content.withLock { $0 } }
    var count: Int { content.withLock { $0.count } }
}

extension CoreGround {
    func engine(
        _ handlers: [JobHandler], queues: [JobQueue] = [], crons: [Cron] = []
    ) -> JobEngine {
        JobEngine(handlers, queues: queues, crons: crons, database: database, environment: Environment())
    }

    @discardableResult
    func enqueue(
        _ kind: JobKind<Errand>, _ number: Int, company: UUID? = nil, at: Timestamp? = nil,
        priority: Int? = nil,
        uniqueKey: String? = nil
    ) async throws -> UUID? {
        try await database.transaction { tx in
            try await Jobs.enqueue(
                kind, Errand(number: number), company: company, at: at, priority: priority,
                uniqueKey: uniqueKey, in: tx)
        }
    }

    /// The states of all jobs, as in `done done dead`.
    func states() async throws -> [String: Int] {
        let rows = try await database.query(
            """
            SELECT state, count(*) AS count FROM (
                SELECT CASE WHEN holder IS NULL THEN 'waiting' ELSE 'running' END AS state FROM jobs
                UNION ALL SELECT state FROM jobs_done
                UNION ALL SELECT 'dead' FROM jobs_dead) job
             GROUP BY state
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.get(0), try $0.get(1)) })
    }
}
