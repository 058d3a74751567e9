import Core
import Postgres
import Wire

/// The hot tables of what is to be delivered. An instance holds a lane, one endpoint's deliveries, for as long as it has
/// something to do there; everything it writes names the fence it was given.
enum Lanes {
    static let channel = "webhooks_due"

    struct Held: Sendable {
        let endpoint: UUID
        let company: UUID
        let holder: UUID
        let fence: Int64
        let firstFailureAt: Timestamp?
        let slowSteps: Int
    }

    /// Takes lanes that are due: free ones, and those whose holder has not been heard of for too long.
    static func claim(_ count: Int, for holder: UUID, besides held: [UUID], _ db: Database) async throws
        -> [Held]
    {
        let rows = try await db.query(
            """
            WITH due AS (
                SELECT endpoint_id FROM webhook_lanes
                 WHERE due_at <= now() AND endpoint_id <> ALL(\(held))
                 ORDER BY due_at LIMIT \(count) FOR UPDATE SKIP LOCKED)
            UPDATE webhook_lanes l
               SET holder = \(holder), fence = fence + 1, due_at = now() + \(fragment: lease)
              FROM due WHERE l.endpoint_id = due.endpoint_id
            RETURNING l.endpoint_id, l.company_id, l.fence, l.first_failure_at, l.slow_steps
            """)
        return try rows.map { row in
            Held(
                endpoint: try row.get("endpoint_id"), company: try row.get("company_id"), holder: holder,
                fence: try row.get("fence"), firstFailureAt: try row.get("first_failure_at"),
                slowSteps: try row.get("slow_steps"))
        }
    }

    /// Says that the holder lives; gives the lanes that are still his.
    static func beat(_ held: [UUID], for holder: UUID, _ db: Database) async throws -> [UUID] {
        let rows = try await db.query(
            """
            UPDATE webhook_lanes SET due_at = now() + \(fragment: lease)
             WHERE endpoint_id = ANY(\(held)) AND holder = \(holder)
            RETURNING endpoint_id
            """)
        return try rows.map { try $0.get("endpoint_id") }
    }

    private static let lease: SQL = "make_interval(secs => \(WebhookLimits.leaseSeconds))"

    /// What one trip to the database does for a lane: writes down what was attempted, reads what is due next, or gives
    /// the lane back.
    struct Turn: Sendable {
        var results: [AttemptResult] = []
        var url = ""
        /// The lane's own state, when it has changed.
        var state: (firstFailureAt: Timestamp?, slowSteps: Int)?
        /// How many deliveries to read; those under way are left out.
        var reads = 0
        var underWay: [UUID] = []
        /// Gives the lane back, not to be taken before this pause is over.
        var release: Duration?
    }

    struct Answer: Sendable {
        var target: Rows?
        var due: Rows?
        /// Something is due already again, or still.
        var isDue = false
    }

    static func take(_ turn: Turn, of lane: Held, _ db: Database) async throws -> Answer {
        var statements: [SQL] = []
        if !turn.results.isEmpty { statements += record(turn, lane) }
        if let state = turn.state {
            statements.append(
                """
                UPDATE webhook_lanes SET first_failure_at = \(state.firstFailureAt), slow_steps = \(state.slowSteps)
                 WHERE \(fragment: isHeld(lane, "webhook_lanes"))
                """)
        }
        if turn.reads > 0 {
            statements.append(Target.sql(lane.endpoint, of: lane.company))
            statements.append(due(turn, lane))
        }
        if let pause = turn.release { statements += release(lane, pause) }
        let rows = try await db.batch(statements, as: Tenant(company: lane.company))
        var answer = Answer()
        if turn.release != nil { answer.isDue = try rows[rows.count - 1].first?.get("is_due") ?? false }
        if turn.reads > 0 {
            let last = turn.release == nil ? rows.count - 1 : rows.count - 3
            answer.target = rows[last - 1]
            answer.due = rows[last]
        }
        return answer
    }

    private static func isHeld(_ lane: Held, _ name: String) -> SQL {
        """
        \(unescaped: name).endpoint_id = \(lane.endpoint) AND \(unescaped: name).holder = \(lane.holder)
            AND \(unescaped: name).fence = \(lane.fence)
        """
    }

    private static func due(_ turn: Turn, _ lane: Held) -> SQL {
        """
        SELECT d.message_id, d.cause, d.tries, d.attempts, m.type, m.occurred_at, m.data::text AS data
          FROM webhook_deliveries d
          JOIN webhook_messages m ON m.company_id = \(lane.company) AND m.id = d.message_id AND m.slot = d.slot
         WHERE d.endpoint_id = \(lane.endpoint) AND d.due_at <= now() AND d.message_id <> ALL(\(turn.underWay))
         ORDER BY d.due_at, d.message_id LIMIT \(turn.reads)
        """
    }

    /// The attempt goes into the log whoever holds the lane by now, because it was made; the delivery is the holder's.
    private static func record(_ turn: Turn, _ lane: Held) -> [SQL] {
        var statements = [log(turn.results, lane, turn.url)]
        let retried = turn.results.filter { $0.outcome == .retry }
        let ended = turn.results.filter { $0.outcome != .retry }.map(\.delivery.message.uuid)
        if !ended.isEmpty {
            statements.append(
                """
                DELETE FROM webhook_deliveries d USING webhook_lanes l
                 WHERE d.endpoint_id = \(lane.endpoint) AND d.message_id = ANY(\(ended))
                   AND \(fragment: isHeld(lane, "l"))
                """)
        }
        if !retried.isEmpty {
            statements.append(
                """
                UPDATE webhook_deliveries d
                   SET due_at = \(fragment: time("r.due_at")), tries = d.tries + 1, attempts = d.attempts + 1
                  FROM unnest(\(retried.map(\.delivery.message.uuid)), \(retried.map { $0.nextTry!.microseconds }))
                       AS r (message_id, due_at), webhook_lanes l
                 WHERE d.endpoint_id = \(lane.endpoint) AND d.message_id = r.message_id AND \(fragment: isHeld(lane, "l"))
                """)
        }
        return statements
    }

    private static func log(_ results: [AttemptResult], _ lane: Held, _ url: String) -> SQL {
        """
        INSERT INTO webhook_attempts (company_id, endpoint_id, message_id, slot, number, id, at, cause, outcome, status,
                                      error, duration_ms, response, next_try_at)
        SELECT \(lane.company), \(lane.endpoint), a.message_id, a.slot, a.number, a.id, \(fragment: time("a.at")),
               a.cause, a.outcome, nullif(a.status, 0), nullif(a.error, ''), a.duration_ms, a.response,
               \(fragment: time("nullif(a.next_try_at, 0)"))
          FROM unnest(\(results.map(\.delivery.message.uuid)), \(results.map(\.delivery.message.slot)),
                      \(results.map { $0.delivery.attempts + 1 }), \(results.map(\.id)),
                      \(results.map(\.at.microseconds)), \(results.map(\.delivery.cause.rawValue)),
                      \(results.map(\.outcome.rawValue)), \(results.map { $0.status ?? 0 }),
                      \(results.map { $0.error ?? "" }), \(results.map(\.milliseconds)), \(results.map(\.response)),
                      \(results.map { $0.nextTry?.microseconds ?? 0 }))
               AS a (message_id, slot, number, id, at, cause, outcome, status, error, duration_ms, response, next_try_at)
        ON CONFLICT DO NOTHING
        """
    }

    /// Arrays carry times as microseconds since 1970.
    private static func time(_ microseconds: String) -> SQL {
        "timestamptz 'epoch' + \(unescaped: microseconds) * interval '1 microsecond'"
    }

    /// Behind the lock no fan-out of the company is half done: what it wrote is seen here, or it will see that the lane
    /// is free and wake it.
    private static func release(_ lane: Held, _ pause: Duration) -> [SQL] {
        let (seconds, atto) = pause.components
        let held: SQL = "now() + make_interval(secs => \(Double(seconds) + Double(atto) / 1e18))"
        return [
            "SELECT pg_advisory_xact_lock(\(fragment: lock(of: lane.company)))",
            """
            UPDATE webhook_lanes
               SET holder = NULL, hold_until = \(fragment: held),
                   due_at = (SELECT greatest(d.due_at, \(fragment: held)) FROM webhook_deliveries d
                              WHERE d.endpoint_id = \(lane.endpoint) ORDER BY d.due_at LIMIT 1)
             WHERE \(fragment: isHeld(lane, "webhook_lanes"))
            RETURNING coalesce(due_at <= now(), false) AS is_due
            """,
        ]
    }

    static func lock(of company: UUID) -> SQL { "hashtextextended(\(company.description), 40)" }
}

/// The side that brings deliveries in.
extension Lanes {
    /// Statements that deliver a message to endpoints, to be run as the company in one transaction. The endpoints are
    /// given by what stands behind the columns of a `SELECT`, with `webhook_endpoints` as `e`.
    static func deliver(
        _ message: MessageId, because cause: DeliveryCause, to endpoints: SQL, of company: UUID
    ) -> [SQL] {
        [
            "SELECT pg_advisory_xact_lock_shared(\(fragment: lock(of: company)))",
            """
            INSERT INTO webhook_deliveries (endpoint_id, message_id, slot, company_id, due_at, cause, attempts)
            SELECT e.id, \(message.uuid), \(message.slot), \(company), now(), \(cause),
                   \(fragment: cause == .resend ? attempts(at: message, company) : "0")
              \(fragment: endpoints)
            ON CONFLICT (endpoint_id, message_id) DO UPDATE SET due_at = excluded.due_at, tries = 0
            """,
            wake(endpoints),
        ]
    }

    /// Wakes the lanes of endpoints that have something to deliver and are in nobody's hands.
    static func wake(_ endpoints: SQL) -> SQL {
        """
        WITH woken AS (
            UPDATE webhook_lanes l SET due_at = greatest(now(), l.hold_until)
             WHERE l.endpoint_id IN (SELECT e.id \(fragment: endpoints))
               AND l.holder IS NULL AND (l.due_at IS NULL OR l.due_at > greatest(now(), l.hold_until))
            RETURNING 1)
        SELECT pg_notify('webhooks_due', '') FROM woken LIMIT 1
        """
    }

    /// How many attempts at this message the log has for the endpoint `e`.
    private static func attempts(at message: MessageId, _ company: UUID) -> SQL {
        """
        (SELECT coalesce(max(a.number), 0) FROM webhook_attempts a
          WHERE a.company_id = \(company) AND a.message_id = \(message.uuid) AND a.endpoint_id = e.id
            AND a.slot = \(message.slot))
        """
    }

    /// What is still due to an endpoint that is no longer to have it.
    static func forget(_ endpoint: UUID) -> SQL {
        "DELETE FROM webhook_deliveries WHERE endpoint_id = \(endpoint)"
    }
}
