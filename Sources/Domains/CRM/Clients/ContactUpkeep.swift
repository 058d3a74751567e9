import API
import Core
import Postgres
import Wire

/// What the clock brings to clients and contacts.
enum ContactUpkeep {
    /// Lists the company, to be looked at soon.
    static func expect(_ company: UUID) -> SQL {
        // What is soon enough already is not locked: writers would wait for each other.
        """
        INSERT INTO contact_upkeep (company_id, due_at)
        SELECT \(company)::uuid, now()
         WHERE NOT EXISTS (SELECT 1 FROM contact_upkeep u
                            WHERE u.company_id = \(company) AND u.due_at <= now() + interval '1 minute')
        ON CONFLICT (company_id) DO UPDATE SET due_at = least(contact_upkeep.due_at, excluded.due_at)
        """
    }
}
