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
    /// Which of the shares looked at it is from; 0 in a claim that does not look at shares.
    let place: Int

    /// How many shares the claim that took it chose from.
    let shares: Int

    /// Where the next look at the shares begins: after this kind and company.
    struct Cursor: Sendable {
        var kind = ""
        var share = UUID.zero
    }

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
    static func inOrder(_ queue: String, kinds: [String], limit: Int, marks: [Timestamp], holder: UUID) -> SQL
    {
        taking(
            """
            SELECT job.id, job.due_at, 0::bigint AS place, 0::bigint AS shares
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

    /// Claims up to `limit` jobs, as evenly as can be from the shares of the next companies after the cursor: what one of
    /// them has waiting in its thousands hides nobody's job from it.
    /// - Parameter maxes: for each of the kinds how many a company may have running, 0 when it does not matter.
    static func byShare(
        _ queue: String, kinds: [String], maxes: [Int], limit: Int, marks: [Timestamp], after cursor: Cursor,
        holder: UUID
    ) -> SQL {
        taking(
            """
            WITH RECURSIVE next (kind, share) AS (
                (SELECT kind, share FROM jobs
                  WHERE queue = \(queue) AND holder IS NULL AND (kind, share) > (\(cursor.kind)::text, \(cursor.share)::uuid)
                  ORDER BY kind, share LIMIT 1)
                UNION ALL
                SELECT job.kind, job.share
                  FROM next, LATERAL (
                    SELECT kind, share FROM jobs
                     WHERE queue = \(queue) AND holder IS NULL AND (kind, share) > (next.kind, next.share)
                     ORDER BY kind, share LIMIT 1) job),
            found AS MATERIALIZED (
                SELECT next.kind, next.share, allowed.room, row_number() OVER () AS place
                  FROM next
                  JOIN unnest(\(kinds)::text[], \(maxes)::bigint[]) AS known (kind, most) ON known.kind = next.kind,
                       LATERAL (
                         SELECT CASE WHEN known.most = 0 THEN \(limit)::bigint
                                     ELSE known.most - (
                                         SELECT count(*) FROM jobs
                                          WHERE jobs.kind = next.kind AND jobs.share = next.share
                                            AND holder IS NOT NULL AND company_max IS NOT NULL)
                                END AS room) allowed
                 WHERE allowed.room > 0
                   AND (SELECT true
                          FROM unnest(\(marks.map(\.microseconds))::bigint[]) WITH ORDINALITY AS mark (microseconds, place),
                               LATERAL (
                                 SELECT 1 FROM jobs
                                  WHERE queue = \(queue) AND kind = next.kind AND share = next.share
                                    AND holder IS NULL AND priority = mark.place - 1
                                    AND due_at >= 'epoch'::timestamptz + mark.microseconds * interval '1 microsecond'
                                    AND due_at <= now()
                                  LIMIT 1) due
                         LIMIT 1)
                 LIMIT \(JobLimits.sharesAtOnce)),
            fair AS MATERIALIZED (
                SELECT kind, share, place, (SELECT count(*) FROM found) AS shares,
                       least(room, greatest(1, \(limit)::bigint / (SELECT count(*) FROM found))) AS room
                  FROM found)
            SELECT job.id, job.due_at, fair.place, fair.shares
              FROM fair, LATERAL (
                SELECT one.id, one.due_at
                  FROM unnest(\(marks.map(\.microseconds))::bigint[]) WITH ORDINALITY AS mark (microseconds, place),
                       LATERAL (
                         SELECT id, due_at
                           FROM jobs
                          WHERE queue = \(queue) AND kind = fair.kind AND share = fair.share AND holder IS NULL
                            AND priority = mark.place - 1
                            AND due_at >= 'epoch'::timestamptz + mark.microseconds * interval '1 microsecond'
                            AND due_at <= now()
                          ORDER BY due_at
                          LIMIT fair.room
                            FOR UPDATE SKIP LOCKED) one
                 LIMIT fair.room) job
             LIMIT \(limit)
            """, holder)
    }

    /// Claims from a queue with limits for each company come one after another, or two would count the same room.
    static func turn(_ queue: String) -> SQL {
        "SELECT pg_advisory_xact_lock(hashtextextended(\("jobs \(queue)"), 0))"
    }

    /// Frees the jobs of dead workers where claims look at waiting ones alone.
    static func release(_ kinds: [String]) -> SQL {
        """
        UPDATE jobs
           SET holder = NULL, held_since = NULL, errors = errors || \(fragment: silence)
         WHERE kind = ANY (\(kinds)::text[]) AND holder IS NOT NULL AND company_max IS NOT NULL AND due_at <= now()
        """
    }

    private static let silence: SQL = """
        jsonb_build_object('attempt', attempt, 'at', now(), 'worker', jobs.holder, 'error', 'the worker went silent')
        """

    /// A job that has a holder here was left by a dead one: that attempt gets its line in the list of errors.
    private static func taking(_ picked: SQL, _ holder: UUID) -> SQL {
        """
        WITH picked AS MATERIALIZED (\(fragment: picked))
        UPDATE jobs
           SET holder = \(holder), held_since = now(), claim = claim + 1, attempt = attempt + 1,
               due_at = now() + lease_seconds * interval '1 second',
               errors = CASE WHEN jobs.holder IS NULL THEN errors
                             ELSE errors || \(fragment: silence) END
          FROM picked
         WHERE jobs.id = picked.id
        RETURNING jobs.id, kind, company_id, claim, attempt, attempts_max, lease_seconds, priority,
                  picked.due_at AS was_due_at, is_cancelled, arguments::text AS arguments,
                  checkpoint::text AS checkpoint, picked.place, picked.shares
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
        place = try row.get(12)
        shares = try row.get(13)
    }
}
