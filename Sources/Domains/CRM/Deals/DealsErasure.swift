import Postgres
import Wire

/// What becomes of deals when somebody they name is forgotten.
enum DealsErasure {
    /// The contacts are named by no deal any more. A deal's name, description and note may tell of them in words; where
    /// one of the contacts was the deal's own, they are blanked: the numbers of the sale stay.
    static func erase(contacts: [UUID], company: UUID) -> [SQL] {
        let theirs: SQL = "d.company_id = \(company) AND d.contact_id = ANY(\(contacts)::uuid[])"
        return [
            """
            DELETE FROM search_uses
             WHERE company_id = \(company) AND kind = 'deal'
               AND subject_id IN (SELECT d.id FROM deals d WHERE \(fragment: theirs))
            """,
            """
            UPDATE deals d
               SET name = 'Erased', description = NULL, lost_note = NULL, custom = '{}', contact_id = NULL,
                   version = d.version + 1, updated_at = now()
             WHERE \(fragment: theirs)
            """,
            "DELETE FROM deal_contacts WHERE company_id = \(company) AND contact_id = ANY(\(contacts)::uuid[])",
        ]
    }
}
