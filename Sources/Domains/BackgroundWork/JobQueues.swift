import API
import Core
import Postgres
import Wire

/// The queues: how much waits in each, and how much of it is done at once.
enum JobQueues {
    @RouteList static var routes: [Route] {
        GET("/v1/job-queues", "List the job queues", .operator, list)
        PATCH("/v1/job-queues/{name}", "Pause a queue, or set how much it does at once", .operator, change)
            .describe(
                "Every worker obeys within two seconds. Jobs that run go on; a paused queue begins no other.")
    }

    struct Queue: Codable, Sendable, FieldNotes {
        let name: String
        let isPaused: Bool
        let concurrency: Int
        let waiting: Int
        let scheduled: Int
        let running: Int
        let dead: Int
        let oldestAgeSeconds: Double
        let version: Int

        static let fieldNotes = [
            "concurrency": "Jobs of it that one instance runs at once.",
            "oldest_age_seconds": "How long the first of those that wait has been due.",
        ]
    }

    struct QueueChange: Codable, Sendable, FieldNotes {
        let isPaused: Bool?
        let concurrency: Clearable<Whole<1, 1000>>

        static let fieldNotes = ["concurrency": "Null takes the usual number again."]
    }

    static func list(_ call: Call) async throws -> Page<Queue> {
        Page(all: try await call.db.query(select(call)))
    }

    static func change(_ call: Call, _ name: Path<Text<60>>, _ body: Patch<QueueChange>) async throws
        -> Single<Queue>
    {
        let queue = name.text
        guard call.environment[JobCatalogue.self].queues[queue] != nil else { throw Problem.notFound }
        var changes = Changes()
        changes.set("is_paused", body.isPaused)
        changes.set("concurrency", body.value.concurrency)
        try await call.db.transaction { tx in
            _ = try await tx.query(
                "INSERT INTO job_queues (name) VALUES (\(queue)) ON CONFLICT (name) DO NOTHING")
            let rows = try await tx.query("SELECT version FROM job_queues WHERE name = \(queue) FOR UPDATE")
            try call.requireVersion(rows[0].get("version"))
            _ = try await tx.query("UPDATE job_queues SET \(fragment: changes.sql) WHERE name = \(queue)")
            _ = try await tx.batch(
                call.installationRecord("job_queue.changed", of: queue, try JSON(encoding: body.value)))
        }
        return try Single(
            await call.db.query("SELECT * FROM (\(fragment: select(call))) queue WHERE name = \(queue)"))
    }

    private static func select(_ call: Call) -> SQL {
        let known = call.environment[JobCatalogue.self].queues.sorted { $0.key < $1.key }
        return """
            SELECT known.name, coalesce(said.is_paused, false) AS is_paused,
                   coalesce(said.concurrency, known.concurrency)::integer AS concurrency,
                   coalesce(count.waiting, 0) AS waiting, coalesce(count.scheduled, 0) AS scheduled,
                   coalesce(count.running, 0) AS running,
                   (SELECT count(*) FROM jobs_dead WHERE queue = known.name) AS dead,
                   coalesce(count.oldest, 0)::double precision AS oldest_age_seconds, coalesce(said.version, 1) AS version
              FROM unnest(\(known.map(\.key))::text[], \(known.map(\.value))::bigint[]) AS known (name, concurrency)
              LEFT JOIN job_queues said ON said.name = known.name
              LEFT JOIN (SELECT queue, count(*) FILTER (WHERE holder IS NULL AND due_at <= now()) AS waiting,
                                count(*) FILTER (WHERE holder IS NULL AND due_at > now()) AS scheduled,
                                count(*) FILTER (WHERE holder IS NOT NULL) AS running,
                                extract(epoch FROM now() - min(due_at) FILTER (WHERE holder IS NULL AND due_at <= now()))
                                    AS oldest
                           FROM jobs GROUP BY queue) count ON count.queue = known.name
             ORDER BY known.name
            """
    }
}
