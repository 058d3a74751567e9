import Postgres
import Wire

/// Taking jobs: the next of a queue in order of priority and time, and with them whatever a dead worker left behind.
struct JobClaim: Sendable {
    let id: UUID
    let kind: String
    let company: UUID?
    let claim: Int
    let attempt: Int
    let attemptsMax: Int
    let leaseSeconds: Int
    let priority: Int
    let wasDueAt: Timestamp
    let isCancelled: Bool
    let arguments: String
    let checkpoint: String?

    /// The statements of a round find their rows by one index each. What the statistics say of a table that fills and
    /// empties by the second is never true, so the planner is told, for this transaction alone. Arrays would have it plan
    /// each time anew.
    static let tuning: SQL = """
        SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
               set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true), set_config('enable_sort', 'off', true)
        """

    /// Claims up to `limit` jobs. Each priority is looked at by itself, so that jobs of a later day in one hide nothing in
    /// the next.
    /// - Parameter marks: for each priority where to begin: the entries before it are of jobs that were claimed, and
    ///   walking over what the index still holds of them is what claims would spend their time on.
    static func inOrder(_ queue: String, kinds: [String], limit: Int, marks: [Timestamp], holder: UUID) -> SQL {
        taking(
            """
            SELECT job.id, job.due_at
              FROM unnest(\(marks.map(\.microseconds))::bigint[]) WITH ORDINALITY AS mark (microseconds, place),
                   LATERAL (
                     SELECT id, due_at
                       FROM jobs
                      WHERE queue = \(queue)
                        AND priority = mark.place - 1
                        AND due_at >= 'epoch'::timestamptz + mark.microseconds * interval '1 microsecond'
                        AND due_at <= now()
                        AND kind = ANY (\(kinds)::text[])
                      ORDER BY due_at, id
                      LIMIT \(limit)
                        FOR UPDATE SKIP LOCKED) AS job
             LIMIT \(limit)
            """, holder)
    }

    /// A job that has a holder here was left by a dead one: that attempt gets its line in the list of errors.
    private static func taking(_ picked: SQL, _ holder: UUID) -> SQL {
        """
        WITH picked AS MATERIALIZED (\(fragment: picked))
        UPDATE jobs
           SET holder = \(holder), held_since = now(), claim = claim + 1, attempt = attempt + 1,
               due_at = now() + lease_seconds * interval '1 second',
               errors = CASE WHEN jobs.holder IS NULL THEN errors
                             ELSE errors || jsonb_build_object(
                                      'attempt', attempt, 'at', now(), 'worker', jobs.holder,
                                      'error', 'the worker went silent') END
          FROM picked
         WHERE jobs.id = picked.id
        RETURNING jobs.id, kind, company_id, claim, attempt, attempts_max, lease_seconds, priority,
                  picked.due_at AS was_due_at, is_cancelled, arguments::text AS arguments, checkpoint::text AS checkpoint
        """
    }

    init(_ row: Row) throws {
        id = try row.get(0)
        kind = try row.get(1)
        company = try row.get(2)
        claim = try row.get(3)
        attempt = try row.get(4)
        attemptsMax = try row.get(5)
        leaseSeconds = try row.get(6)
        priority = try row.get(7)
        wasDueAt = try row.get(8)
        isCancelled = try row.get(9)
        arguments = try row.get(10)
        checkpoint = try row.get(11)
    }
}
