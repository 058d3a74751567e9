import Postgres
import Wire

/// What the tables of jobs and events need so as to stay small, and what is told of them in /metrics.
public enum JobHousekeeping {
    public static let workers = [
        Worker.single("jobs-days", every: .seconds(3600)) { try await keepDays($0) },
        Worker.single("jobs-trim", every: .seconds(3600)) { try await trim($0) },
        Worker("jobs-figures", every: JobLimits.figuresPause) { try await count($0) },
    ]

    /// Makes the days to come and drops those that nobody looks up any more.
    static func keepDays(_ work: Work) async throws -> Worker.Round {
        _ = try await work.database.transaction { tx in
            try await tx.query("SELECT keep_days_of_jobs_done(\(JobLimits.daysAhead), \(JobLimits.daysKept))")
        }
        let strays: Int = try await work.database.query("SELECT count(*) FROM jobs_done_stray")[0].get(0)
        if strays > 0 {
            work.log.error(
                "finished jobs lie in jobs_done_stray: their day was not made",
                metadata: ["jobs": "\(strays)"])
        }
        return .idle
    }

    static func trim(_ work: Work) async throws -> Worker.Round {
        let gone = try await work.database.batch([
            """
            WITH gone AS (
                DELETE FROM jobs_dead WHERE id IN (
                    SELECT id FROM jobs_dead WHERE finished_at < now() - make_interval(days => \(JobLimits.deadDaysKept))
                     ORDER BY finished_at LIMIT \(JobLimits.trimmedAtOnce))
                RETURNING 1)
            SELECT count(*) FROM gone
            """,
            """
            WITH gone AS (
                DELETE FROM cron_runs WHERE (name, planned_at) IN (
                    SELECT name, planned_at FROM cron_runs
                     WHERE at < now() - make_interval(days => \(JobLimits.cronRunDaysKept))
                     ORDER BY at LIMIT \(JobLimits.trimmedAtOnce))
                RETURNING 1)
            SELECT count(*) FROM gone
            """,
        ])
        let most = try gone.map { try $0[0].get(0, as: Int.self) }.max() ?? 0
        return most == JobLimits.trimmedAtOnce ? .more : .idle
    }

    static func count(_ work: Work) async throws -> Worker.Round {
        let rows = try await work.database.report(
            """
            SELECT queue, count(*) AS count,
                   extract(epoch FROM now() - min(due_at))::double precision AS oldest
              FROM jobs
             WHERE due_at <= now() AND holder IS NULL
             GROUP BY queue
            """)
        var waiting: [String: WorkFigures.Waiting] = [:]
        for row in rows {
            waiting[try row.get(0)] = .init(count: try row.get(1), oldestSeconds: try row.get(2))
        }
        work.figures.waiting(inQueues: waiting)
        let due = try await work.database.report(
            """
            SELECT reaction, count(*) AS count,
                   extract(epoch FROM now() - min(event.at))::double precision AS oldest
              FROM reactions_due due JOIN outbox event ON event.seq = due.seq
             WHERE due.dead_at IS NULL
             GROUP BY reaction
            """)
        var events: [String: WorkFigures.Waiting] = [:]
        for row in due {
            events[try row.get(0)] = .init(count: try row.get(1), oldestSeconds: try row.get(2))
        }
        work.figures.events(waitingFor: events)
        return .idle
    }
}
