import Logging
import Postgres
import Wire

/// Looks at the clock and enqueues what is due. Every instance may: the row of a schedule is moved on by one alone, and
/// each of its times stands in the log once.
actor CronClock {
    private let crons: [Cron]
    private let db: Database
    private let log: Logger
    /// When each is next due, as the database said last.
    private var nextAt: [String: Timestamp] = [:]
    private var isReadAt: Timestamp?

    init(_ crons: [Cron], _ db: Database, _ log: Logger) {
        precondition(Set(crons.map(\.name)).count == crons.count, "two schedules share a name")
        self.crons = crons
        self.db = db
        self.log = log
    }

    func tick(at now: Timestamp = .now) async throws {
        if crons.isEmpty { return }
        if isReadAt.map({ now - $0 > JobLimits.cronReadPause || now < $0 }) ?? true { try await read(now) }
        for cron in crons {
            guard let planned = nextAt[cron.name], planned <= now else { continue }
            nextAt[cron.name] = try await plan(cron, planned, now)
        }
    }

    /// Learns what other instances and the operators have done, and tells of new or changed schedules.
    private func read(_ now: Timestamp) async throws {
        for cron in crons {
            let rows = try await db.query(
                """
                INSERT INTO crons (name, expression, time_zone, kind, next_at)
                VALUES (\(cron.name), \(cron.expression), \(cron.timeZone), \(cron.traits.name), \(cron.next(after: now)))
                ON CONFLICT (name) DO UPDATE
                   SET expression = excluded.expression, time_zone = excluded.time_zone, kind = excluded.kind,
                       next_at = CASE WHEN crons.expression = excluded.expression
                                       AND crons.time_zone = excluded.time_zone
                                      THEN coalesce(crons.next_at, excluded.next_at) ELSE excluded.next_at END,
                       seen_at = now()
                RETURNING next_at
                """)
            nextAt[cron.name] = try rows[0].get(0, as: Timestamp?.self)
        }
        isReadAt = now
    }

    /// Gives when it is due next.
    private func plan(_ cron: Cron, _ planned: Timestamp, _ now: Timestamp) async throws -> Timestamp? {
        let following = cron.next(after: now)
        let enqueue = try cron.enqueue()
        try await db.transaction { tx in
            let turn = try await tx.query(
                """
                UPDATE crons SET next_at = \(following), last_at = CASE WHEN is_paused THEN last_at ELSE \(planned) END
                 WHERE name = \(cron.name) AND next_at = \(planned)
                RETURNING is_paused
                """)
            guard let row = turn.first, try !row.get("is_paused", as: Bool.self) else { return }
            let job: UUID? = try await tx.query(enqueue).first?.get("id")
            _ = try await tx.query(
                """
                INSERT INTO cron_runs (name, planned_at, job_id) VALUES (\(cron.name), \(planned), \(job))
                ON CONFLICT (name, planned_at) DO NOTHING
                """)
        }
        return following
    }
}
