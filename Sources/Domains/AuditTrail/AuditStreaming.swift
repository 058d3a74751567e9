import Core
import Postgres
import Wire

/// Sends a stream what it has not had yet, as a job: one at a time for each stream, whichever instance runs it.
struct AuditStreaming {
    struct Arguments: Codable, Sendable {
        let company: UUID
        let stream: UUID
    }

    static let kind = JobKind<Arguments>("audit.stream", queue: "audit-streams", leaseSeconds: 60)

    static let handler = JobHandler(kind) { arguments, job in
        try await AuditStreaming(id: arguments.stream, company: arguments.company, job: job).run()
    }

    let id: UUID
    let company: UUID
    let job: Job

    private var db: Database { job.work.database }
    private var tenant: Tenant { Tenant(company: company) }

    private func run() async throws -> JobOutcome {
        let parts = job.work.environment[AuditStreamParts.self]
        while !job.isStopping {
            // Read anew for each batch: it may have been changed or paused meanwhile.
            let rows = try await db.query(AuditStreamTarget.select(id, company), as: tenant)
            guard let row = rows.first else { return .cancelled("the stream is gone") }
            let target = try AuditStreamTarget(row, of: id, parts)
            guard target.isActive else { return .cancelled("the stream is paused") }
            let seals = try await db.report(
                AuditStreamFormat.select(after: target.sentSeq, of: company), as: tenant)
            if seals.isEmpty { return .done }
            let batch = try target.format.body(seals, of: company)
            let outcome = await parts.post(batch.bytes, to: target)
            if let error = outcome.error {
                guard let pause = try await failed(target, outcome.status, error) else { return .done }
                return .again(at: .now + max(pause, outcome.retryAfter ?? .zero))
            }
            try await sent(batch.lastSeq, after: target.sentSeq)
        }
        return .again(at: .now)
    }

    /// Unless somebody has set the stream back meanwhile: then the next batch begins there.
    private func sent(_ seq: Int64, after old: Int64) async throws {
        _ = try await db.query(
            """
            UPDATE audit_streams
               SET sent_seq = \(seq), last_sent_at = now(), failures = 0, first_failure_at = NULL, last_error = NULL
             WHERE company_id = \(company) AND id = \(id) AND sent_seq = \(old)
            """, as: tenant)
    }

    /// How long to wait; nil when the stream is paused.
    private func failed(_ target: AuditStreamTarget, _ status: Int?, _ error: String) async throws
        -> Duration?
    {
        let rows = try await db.query(
            """
            UPDATE audit_streams
               SET failures = failures + 1, first_failure_at = coalesce(first_failure_at, now()), last_error = \(error)
             WHERE company_id = \(company) AND id = \(id)
            RETURNING failures, first_failure_at < now() - make_interval(secs => \(AuditLimits.failingSeconds)) AS is_failing
            """, as: tenant)
        guard let row = rows.first else { return nil }
        if try status == 410 || row.get("is_failing") {
            try await pause(target, status == 410 ? .gone : .failing, error)
            return nil
        }
        let doublings = min(try row.get("failures", as: Int.self) - 1, 10)
        return min(AuditLimits.pause * (1 << doublings), AuditLimits.pauseMax) * Double.random(in: 0.8...1.2)
    }

    private func pause(_ target: AuditStreamTarget, _ reason: AuditStreams.PausedReason, _ error: String)
        async throws
    {
        try await db.transaction(as: tenant) { tx in
            _ = try await tx.batch([
                """
                UPDATE audit_streams
                   SET is_active = false, paused_reason = \(reason), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND is_active
                """,
                AuditStreamLanes.close(id),
                Audit.sql(
                    Audit.Entry(
                        "audit_stream.paused", on: "audit_stream", id,
                        after: ["reason": .string(reason.rawValue), "error": .string(error)]),
                    by: .system, company: company),
            ])
            let news = News(
                AuditNews.streamPaused, about: .init("audit_stream", id),
                values: ["name": .string(target.name), "error": .string(error)], by: .system)
            try await Notify.record(news, to: .roles(["owner", "admin"]), company: company, in: tx)
        }
    }
}

/// The active streams of all companies, and which of them may have something to send.
enum AuditStreamLanes {
    static let worker = Worker("audit-streams", every: .seconds(1)) { work in
        try await dispatch(work.database) ? .more : .idle
    }

    private static let lanesAtOnce = 100

    /// Puts a stream on the list, or back on it.
    static func open(_ stream: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO audit_stream_lanes (stream_id, company_id, due_at) VALUES (\(stream), \(company), now())
        ON CONFLICT (stream_id) DO UPDATE SET due_at = now()
        """
    }

    static func close(_ stream: UUID) -> SQL { "DELETE FROM audit_stream_lanes WHERE stream_id = \(stream)" }

    /// In the transaction that seals: these companies have something new.
    static func wake(_ companies: [UUID]) -> SQL {
        "UPDATE audit_stream_lanes SET due_at = now() WHERE company_id = ANY(\(companies)) AND due_at IS NULL"
    }

    /// Makes jobs for the lanes that are due. Where one is under way or waits for its next try, the lane is looked at
    /// again a little later: what was sealed while that job looked for the last time is not forgotten.
    private static func dispatch(_ db: Database) async throws -> Bool {
        try await db.transaction { tx in
            let rows = try await tx.query(
                """
                SELECT stream_id, company_id FROM audit_stream_lanes
                 WHERE due_at <= now() ORDER BY due_at LIMIT \(lanesAtOnce) FOR UPDATE SKIP LOCKED
                """)
            for row in rows {
                let (stream, company): (UUID, UUID) = (try row.get("stream_id"), try row.get("company_id"))
                let job = try await Jobs.enqueue(
                    AuditStreaming.kind, .init(company: company, stream: stream), company: company,
                    uniqueKey: stream.description, in: tx)
                _ = try await tx.query(
                    """
                    UPDATE audit_stream_lanes
                       SET due_at = CASE WHEN \(job == nil) THEN now() + interval '3 seconds' END
                     WHERE stream_id = \(stream)
                    """)
            }
            return rows.count == lanesAtOnce
        }
    }
}
