import Postgres
import Wire

/// How attempts at jobs end in the database. Every statement names the worker and its claim beside the job: one that lost its
/// lease changes nothing.
enum JobSettlement {
    struct Retry: Sendable {
        let id: UUID
        let claim: Int
        let dueAt: Timestamp
        /// An entry for the list of errors; nil when the attempt does not count.
        let error: String?
    }

    struct End: Sendable {
        let id: UUID
        let claim: Int
        /// The result of one that is done, the error's entry of one that is dead, the reason of one cancelled.
        let text: String?
    }

    /// Moves jobs out of the hot table; gives `moved`, how many were still this worker's.
    static func done(_ jobs: [(id: UUID, claim: Int)], by holder: UUID) -> SQL {
        """
        WITH gone AS (
            DELETE FROM jobs USING unnest(\(jobs.map(\.id))::uuid[], \(jobs.map(\.claim))::bigint[]) AS mine (id, claim)
             WHERE jobs.id = mine.id AND jobs.claim = mine.claim AND jobs.holder = \(holder)
            RETURNING jobs.*),
        kept AS (
            INSERT INTO jobs_done (id, queue, kind, company_id, priority, state, attempt, attempts_max, arguments,
                                   progress_message, errors, holder, created_at, started_at)
            SELECT id, queue, kind, company_id, priority, 'done', attempt, attempts_max, arguments,
                   progress_message, errors, holder, created_at, held_since
              FROM gone)
        SELECT count(*) AS moved FROM gone
        """
    }

    static func result(_ end: End, by holder: UUID) -> SQL {
        moved([end], state: "done", column: "result", cast: "jsonb", holder)
    }

    static func cancelled(_ ends: [End], by holder: UUID) -> SQL {
        moved(ends, state: "cancelled", column: "progress_message", cast: "text", holder)
    }

    private static func moved(
        _ ends: [End], state: String, column: String, cast: String, _ holder: UUID
    ) -> SQL {
        """
        WITH gone AS (\(fragment: taken(ends, by: holder)))
        INSERT INTO jobs_done (id, queue, kind, company_id, priority, state, attempt, attempts_max, arguments,
                               \(unescaped: column), errors, holder, created_at, started_at)
        SELECT id, queue, kind, company_id, priority, \(state), attempt, attempts_max, arguments,
               nullif(text, '')::\(unescaped: cast), errors, holder, created_at, held_since
          FROM gone
        RETURNING id
        """
    }

    /// Takes out of the hot table what its holder still holds by this claim, each with its text.
    private static func taken(_ ends: [End], by holder: UUID) -> SQL {
        """
        DELETE FROM jobs
         USING unnest(\(ends.map(\.id))::uuid[], \(ends.map(\.claim))::bigint[], \(ends.map { $0.text ?? "" })::text[])
               AS mine (id, claim, text)
         WHERE jobs.id = mine.id AND jobs.claim = mine.claim AND jobs.holder = \(holder)
        RETURNING jobs.*, mine.text
        """
    }

    /// The unique key stays free while a job is dead.
    static func dead(_ ends: [End], by holder: UUID) -> SQL {
        """
        WITH gone AS (\(fragment: taken(ends, by: holder)))
        INSERT INTO jobs_dead (id, queue, kind, company_id, priority, attempt, attempts_max, lease_seconds, company_max,
                               unique_key, arguments, checkpoint, progress, progress_message, errors, holder,
                               created_at, started_at)
        SELECT id, queue, kind, company_id, priority, attempt, attempts_max, lease_seconds, company_max,
               unique_key, arguments, checkpoint, progress, progress_message, \(fragment: errors), holder,
               created_at, held_since
          FROM gone
        RETURNING id
        """
    }

    static func retry(_ retries: [Retry], by holder: UUID) -> SQL {
        """
        UPDATE jobs
           SET holder = NULL, held_since = NULL,
               due_at = 'epoch'::timestamptz + mine.due_at * interval '1 microsecond',
               attempt = jobs.attempt - (mine.text = '')::integer,
               errors = \(fragment: errors)
          FROM unnest(\(retries.map(\.id))::uuid[], \(retries.map(\.claim))::bigint[],
                      \(retries.map(\.dueAt.microseconds))::bigint[], \(retries.map { $0.error ?? "" })::text[])
               AS mine (id, claim, due_at, text)
         WHERE jobs.id = mine.id AND jobs.claim = mine.claim AND jobs.holder = \(holder)
        RETURNING jobs.id
        """
    }

    /// The list with the new entry at its end; of a long one the second goes, so that the first stays.
    private static var errors: SQL {
        """
        CASE WHEN text = '' THEN errors
             WHEN jsonb_array_length(errors) >= \(JobLimits.errorsKept) THEN (errors - 1) || text::jsonb
             ELSE errors || text::jsonb END
        """
    }
}
