import Postgres
import Wire

/// What people may do about jobs, as statements: of one company alone, or of all.
public enum JobOrders {
    /// Which jobs are meant. Nothing named means all.
    public struct Choice: Sendable {
        public var company: UUID?
        public var ids: [UUID]?
        public var kind: String?
        public var queue: String?

        public init(company: UUID?, ids: [UUID]? = nil, kind: String? = nil, queue: String? = nil) {
            self.company = company
            self.ids = ids
            self.kind = kind
            self.queue = queue
        }

        var condition: SQL {
            var conditions: [SQL] = ["true"]
            if let company { conditions.append("company_id = \(company)") }
            if let ids { conditions.append("id = ANY (\(ids)::uuid[])") }
            if let kind { conditions.append("kind = \(kind)") }
            if let queue { conditions.append("queue = \(queue)") }
            return conditions.joined(separator: " AND ")
        }
    }

    /// The most that one order changes; the rest is for the next.
    public static let changedAtOnce = 1000

    /// Ends jobs that wait, at once, and asks the workers to end those that run. Gives the ids and companies.
    public static func cancel(_ choice: Choice) -> SQL {
        """
        WITH chosen AS MATERIALIZED (
            SELECT id FROM jobs WHERE \(fragment: choice.condition) AND NOT is_cancelled
             ORDER BY id LIMIT \(changedAtOnce) FOR UPDATE),
        gone AS (
            DELETE FROM jobs USING chosen WHERE jobs.id = chosen.id AND holder IS NULL RETURNING jobs.*),
        kept AS (
            INSERT INTO jobs_done (id, queue, kind, company_id, priority, state, attempt, attempts_max, arguments,
                                   progress_message, errors, created_at)
            SELECT id, queue, kind, company_id, priority, 'cancelled', attempt, attempts_max, arguments,
                   progress_message, errors, created_at
              FROM gone),
        asked AS (
            UPDATE jobs SET is_cancelled = true FROM chosen WHERE jobs.id = chosen.id AND holder IS NOT NULL
            RETURNING jobs.id, company_id, pg_notify('jobs', jobs.id::text))
        SELECT id, company_id FROM gone UNION ALL SELECT id, company_id FROM asked
        """
    }

    /// Gives dead jobs all their attempts anew; one whose key another job has taken in the meantime stays dead.
    public static func revive(_ choice: Choice) -> SQL {
        """
        WITH back AS (
            INSERT INTO jobs (id, queue, kind, company_id, share, priority, attempts_max, lease_seconds, company_max,
                              unique_key, arguments, checkpoint, progress, progress_message, errors, created_at)
            SELECT id, queue, kind, company_id, coalesce(company_id, \(UUID.zero)::uuid), priority, attempts_max,
                   lease_seconds, company_max, unique_key, arguments, checkpoint, progress, progress_message, errors,
                   created_at
              FROM jobs_dead
             WHERE \(fragment: choice.condition)
             ORDER BY id LIMIT \(changedAtOnce)
            ON CONFLICT DO NOTHING
            RETURNING id, company_id, queue),
        gone AS (DELETE FROM jobs_dead USING back WHERE jobs_dead.id = back.id)
        SELECT id, company_id, pg_notify('jobs', queue) FROM back
        """
    }

    /// Brings forward a job that waits for its time.
    public static func hasten(_ id: UUID, company: UUID?) -> SQL {
        """
        UPDATE jobs SET due_at = now()
         WHERE id = \(id) AND (\(company)::uuid IS NULL OR company_id = \(company)) AND holder IS NULL AND due_at > now()
        RETURNING id, company_id, pg_notify('jobs', queue)
        """
    }
}
