import API
import Core
import Postgres
import Wire

/// What the clock brings: reminders, what is overdue, and the end of what lies in the trash.
///
/// Row-level security hides one company from another, so a list that belongs to none says in which something is next due.
enum ActivityUpkeep {
    /// Lists the company, to be looked at by then; a moment that is null lists nothing.
    static func expect(_ company: UUID, at moment: SQL = "now()") -> SQL {
        // What is soon enough already is not locked: writers would wait for each other.
        """
        INSERT INTO activity_upkeep (company_id, due_at)
        SELECT \(company)::uuid, wanted.at FROM (SELECT \(fragment: moment)::timestamptz AS at) AS wanted
         WHERE wanted.at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM activity_upkeep u WHERE u.company_id = \(company) AND u.due_at <= wanted.at)
        ON CONFLICT (company_id) DO UPDATE SET due_at = least(activity_upkeep.due_at, excluded.due_at)
        """
    }
}
