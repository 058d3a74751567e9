import Postgres
import Wire

/// What of activities is taken away when a person asks to be forgotten.
enum ActivitiesErasure {
    /// What is about these people and nobody else goes with them; what is about others too loses its words and addresses.
    static func erase(contacts: [UUID], company: UUID) -> [SQL] {
        let theirs: SQL = """
            SELECT l.activity_id FROM activity_links l
             WHERE l.company_id = \(company) AND l.contact_id = ANY(\(contacts)::uuid[])
            """
        let others: SQL = """
            EXISTS (SELECT 1 FROM activity_links o
                     WHERE o.company_id = a.company_id AND o.activity_id = a.id
                       AND (o.contact_id IS NULL OR o.contact_id <> ALL(\(contacts)::uuid[])))
            """
        let addresses: SQL = """
            SELECT i.value_norm FROM contact_identities i
             WHERE i.company_id = \(company) AND i.contact_id = ANY(\(contacts)::uuid[]) AND i.kind = 'email'
            """
        return [
            """
            UPDATE activities SET from_address = NULL, to_addresses = '{}', version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND (lower(from_address) IN (\(fragment: addresses))
                OR EXISTS (SELECT 1 FROM unnest(to_addresses) AS sent (address) WHERE lower(sent.address) IN (\(fragment: addresses))))
            """,
            """
            DELETE FROM search_uses
             WHERE company_id = \(company) AND kind = 'activity' AND subject_id IN (\(fragment: theirs))
            """,
            "DELETE FROM activity_edits WHERE company_id = \(company) AND activity_id IN (\(fragment: theirs))",
            """
            DELETE FROM activities a
             WHERE a.company_id = \(company) AND a.id IN (\(fragment: theirs)) AND NOT \(fragment: others)
            """,
            """
            UPDATE activities a
               SET title = 'Erased', body = NULL, outcome = NULL, participants = '{}', from_address = NULL,
                   to_addresses = '{}', external_id = NULL, version = version + 1, updated_at = now()
             WHERE a.company_id = \(company) AND a.id IN (\(fragment: theirs))
            """,
            "DELETE FROM activity_links WHERE company_id = \(company) AND contact_id = ANY(\(contacts)::uuid[])",
            "DELETE FROM crm_segment_members WHERE company_id = \(company) AND record_id = ANY(\(contacts)::uuid[])",
            "DELETE FROM crm_task_links WHERE company_id = \(company) AND contact_id = ANY(\(contacts)::uuid[])",
        ]
    }
}
