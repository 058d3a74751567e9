import Postgres

/// Every column that points at a client or a contact, and what becomes of it when two of them become one. A foreign key
/// that is not listed here fails a test.
enum MergeCatalogue {
    enum Way: Sendable {
        /// The row goes to the survivor.
        case move
        /// The same, but where the survivor has such a row already the absorbed one keeps its own: rows are such when they
        /// agree in the key.
        case moveUnlessThere
        /// The row is about the absorbed record itself.
        case stays
    }

    struct Reference: Sendable {
        let table: String
        let column: String
        let way: Way
        /// What tells the row from the others that point at the same record; a uuid.
        let key: String
        /// Where one column points at things of several kinds.
        let only: String?

        init(_ table: String, _ column: String, _ way: Way, key: String = "id", only: String? = nil) {
            (self.table, self.column, self.way, self.key, self.only) = (table, column, way, key, only)
        }

        var name: String { "\(table).\(column)" }
    }

    static func references(to kind: CRMRecord) -> [Reference] {
        switch kind {
        case .contact: toContacts
        case .client: toClients
        case .lead, .deal: []
        }
    }

    static let toContacts: [Reference] = [
        Reference("contact_identities", "contact_id", .move),
        Reference("contact_clients", "contact_id", .moveUnlessThere, key: "client_id"),
        Reference("contact_tags", "contact_id", .moveUnlessThere, key: "tag_id"),
        Reference("contact_consents", "contact_id", .move),
        Reference("crm_addresses", "contact_id", .move),
        Reference("crm_attachments", "contact_id", .moveUnlessThere, key: "file_id"),
        Reference("leads", "contact_id", .move),
        Reference("touches", "contact_id", .move),
        Reference("submissions", "contact_id", .move),
        Reference("lead_conversions", "contact_id", .move, key: "lead_id"),
        Reference("deals", "contact_id", .move),
        Reference("deal_contacts", "contact_id", .moveUnlessThere, key: "deal_id"),
        Reference("activity_links", "contact_id", .moveUnlessThere, key: "activity_id"),
        Reference("crm_task_links", "contact_id", .moveUnlessThere, key: "task_id"),
        // A letter is not sent on to somebody else; it stops.
        Reference("sequence_enrolments", "contact_id", .stays),
        Reference("contacts", "merged_into", .stays),
        Reference("duplicates", "first_contact", .stays),
        Reference("duplicates", "second_contact", .stays),
        Reference("merges", "survivor_contact", .stays),
        Reference("merges", "absorbed_contact", .stays),
        Reference("comments", "subject_id", .move, only: "subject_kind = 'contact'"),
        Reference(
            "notification_watchers", "object_id", .moveUnlessThere, key: "user_id",
            only: "object_type = 'contact'"),
    ]

    static let toClients: [Reference] = [
        Reference("contacts", "client_id", .move),
        Reference("contact_clients", "client_id", .moveUnlessThere, key: "contact_id"),
        Reference("client_tags", "client_id", .moveUnlessThere, key: "tag_id"),
        Reference("client_relations", "from_client", .moveUnlessThere, key: "to_client"),
        Reference("client_relations", "to_client", .moveUnlessThere, key: "from_client"),
        Reference("crm_addresses", "client_id", .move),
        Reference("crm_attachments", "client_id", .moveUnlessThere, key: "file_id"),
        Reference("leads", "client_id", .move),
        Reference("lead_conversions", "client_id", .move, key: "lead_id"),
        Reference("deals", "client_id", .move),
        Reference("activity_links", "client_id", .moveUnlessThere, key: "activity_id"),
        Reference("crm_task_links", "client_id", .moveUnlessThere, key: "task_id"),
        Reference("clients", "merged_into", .stays),
        Reference("duplicates", "first_client", .stays),
        Reference("duplicates", "second_client", .stays),
        Reference("merges", "survivor_client", .stays),
        Reference("merges", "absorbed_client", .stays),
        Reference("comments", "subject_id", .move, only: "subject_kind = 'client'"),
        Reference(
            "notification_watchers", "object_id", .moveUnlessThere, key: "user_id",
            only: "object_type = 'client'"),
    ]
}
