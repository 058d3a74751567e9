import API
import Core
import Postgres
import Wire

/// Delivers again what an endpoint has missed in some span of time. Asking twice delivers once: what has been delivered
/// or is still to be is passed over.
enum Recovery {
    @RouteList static var routes: [Route] {
        POST(
            "/v1/webhook-endpoints/{id}/recover", "Recover what an endpoint has missed", .can(.webhooksWrite),
            start
        )
        .describe(
            """
            Every message of the span that the endpoint wants and that was never delivered to it is delivered now. The \
            job tells how far it has come.
            """
        )
        .problems(.webhookEndpointInactive, .webhookRecoveryUnderWay)
        .example(body: ["since": "2026-11-23T00:00:00Z"])
    }

    struct RecoverySpan: Codable, Sendable, FieldNotes {
        let since: Timestamp
        let until: Timestamp?

        static let fieldNotes = ["since": "At most 60 days ago.", "until": "Without it, now."]
    }

    struct RecoveryJob: Codable, Sendable {
        let jobId: UUID
    }

    struct Task: Codable, Sendable {
        let endpoint: UUID
        let since: Timestamp
        let until: Timestamp
    }

    static let kind = JobKind<Task>("webhooks.recover", queue: "webhooks")

    static let handler = JobHandler(kind) { task, job in try await run(task, job) }

    static func start(_ call: Call, _ id: Path<UUID>, _ body: Body<RecoverySpan>) async throws -> Accepted<
        RecoveryJob
    > {
        let company = try call.company
        let there = try await call.db.query(
            "SELECT 1 FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id)")
        if there.isEmpty { throw Problem.notFound }
        let until = min(body.until ?? call.now, call.now)
        let oldest = call.now - .seconds(WebhookLimits.recoverDaysMax * 86_400)
        guard body.since >= oldest, body.since < until else {
            throw Problem.unprocessable(
                "/since", "out-of-range",
                "must lie before `until` and at most \(WebhookLimits.recoverDaysMax) days ago")
        }
        let task = Task(endpoint: id.value, since: body.since, until: until)
        let job = try await call.db.transaction { tx in
            let rows = try await tx.query(
                "SELECT is_active FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id)")
            guard let row = rows.first else { throw Problem.notFound }
            guard try row.get("is_active") else { throw Problem(.webhookEndpointInactive) }
            let job = try await Jobs.enqueue(kind, task, company: company, uniqueKey: "\(id.value)", in: tx)
            guard let job else { throw Problem(.webhookRecoveryUnderWay) }
            try await Audit.record(
                Audit.Entry(
                    "webhook_endpoint.recovered", on: "webhook_endpoint", id.value,
                    after: ["since": .string(body.since.description), "until": .string(until.description)]),
                by: call.actor, company: company, in: tx)
            return job
        }
        return Accepted(RecoveryJob(jobId: job), at: "/v1/jobs/\(job)")
    }

    private static func run(_ task: Task, _ job: Job) async throws -> JobOutcome {
        guard let company = job.company else { throw JobFailure.permanent("a recovery is of a company") }
        var last = MessageId.least(at: task.since)
        if let kept = job.checkpoint?["last"]?.stringValue.flatMap({ UUID($0) }) { last = kept }
        var count = job.checkpoint?["count"]?.intValue ?? 0
        while true {
            let from = last
            let page = try await job.work.database.transaction(as: Tenant(company: company)) { tx in
                try await deliver(task, from: from, company, in: tx)
            }
            guard let page else { return .cancelled("the endpoint is switched off or gone") }
            count += page.delivered
            guard let next = page.last else { return .result(["delivered": JSON(count)]) }
            last = next
            try await job.keep(["last": .string(next.description), "count": JSON(count)])
            let whole = (task.until - task.since).components.seconds
            let done = (MessageId(next).time - task.since).components.seconds
            try await job.progress(
                whole > 0 ? Int(done * 100 / whole) : 0, "\(count) messages to be delivered again")
            if job.isStopping { return .again(at: .now) }
        }
    }

    /// One page of messages; nil when the endpoint is not to have any. `last` is nil behind the last page.
    private static func deliver(
        _ task: Task, from: UUID, _ company: UUID, in tx: Transaction
    ) async throws -> (delivered: Int, last: UUID?)? {
        let endpoints = try await tx.query(
            """
            SELECT event_types, channels FROM webhook_endpoints
             WHERE company_id = \(company) AND id = \(task.endpoint) AND is_active FOR SHARE
            """)
        guard let endpoint = endpoints.first else { return nil }
        let patterns: [String] = try endpoint.get("event_types")
        let channels: [String] = try endpoint.get("channels")
        let types = EventTypes.names.filter { name in patterns.contains { EventTypes.pattern($0, fits: name) }
        }
        let one: SQL = "FROM webhook_endpoints e WHERE e.company_id = \(company) AND e.id = \(task.endpoint)"
        let rows = try await tx.batch([
            "SELECT pg_advisory_xact_lock_shared(\(fragment: Lanes.lock(of: company)))",
            """
            WITH page AS (
                SELECT id, slot, type, channels FROM webhook_messages
                 WHERE company_id = \(company) AND id > \(from) AND id < \(MessageId.least(at: task.until))
                   AND position IS NOT NULL
                 ORDER BY id LIMIT \(WebhookLimits.recoveredAtOnce)),
            delivered AS (
                INSERT INTO webhook_deliveries (endpoint_id, message_id, slot, company_id, due_at, cause, attempts)
                SELECT \(task.endpoint), p.id, p.slot, \(company), now(), 'recovery', coalesce(a.number, 0)
                  FROM page p
                  LEFT JOIN LATERAL (
                       SELECT max(number) AS number, bool_or(outcome = 'delivered') AS is_delivered
                         FROM webhook_attempts
                        WHERE company_id = \(company) AND message_id = p.id AND slot = p.slot
                          AND endpoint_id = \(task.endpoint)) a ON true
                 WHERE a.is_delivered IS NOT TRUE
                   AND (\(patterns.isEmpty) OR p.type = ANY(\(Array(types))))
                   AND (\(channels.isEmpty) OR p.channels && \(channels))
                ON CONFLICT DO NOTHING
                RETURNING 1)
            SELECT (SELECT count(*) FROM delivered) AS delivered, (SELECT max(id::text) FROM page)::uuid AS last
            """,
            Lanes.wake(one),
        ])
        return (try rows[1][0].get("delivered"), try rows[1][0].get("last"))
    }
}
