import API
import Core
import Postgres
import Wire

/// What the clock brings to clients and contacts: pairs that may be one, and the end of what lies in the trash.
///
/// Row-level security hides one company from another, so a list that belongs to none says in which something is due.
enum ContactUpkeep {
    static let worker = Worker("contact-upkeep", every: .seconds(20)) { work in
        guard let company = try await claim(work.database) else { return .idle }
        try await purge(company, work.database)
        try await forget(company, work.database)
        try await DuplicateFinding.run(company, work.database)
        return .more
    }

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

    /// A company in which something is due: two instances never take the same, and one that dies is followed by another.
    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE contact_upkeep SET due_at = now() + make_interval(mins => \(ContactLimits.upkeepRestMinutes))
             WHERE company_id = (SELECT company_id FROM contact_upkeep WHERE due_at <= now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        return try rows.first?.get("company_id")
    }

    /// What has lain in the trash long enough and is pointed at by nothing that has a history of its own goes for good.
    @inline(never)
    static func purge(_ company: UUID, _ db: Database) async throws {
        for kind in [CRMRecord.contact, .client] {
            try await db.transaction(as: Tenant(company: company)) { tx in try await purge(kind, company, tx)
            }
        }
    }

    @inline(never)
    private static func purge(_ kind: CRMRecord, _ company: UUID, _ tx: Transaction) async throws {
        // What is nothing without the record goes with it; all else keeps it.
        let going: Set<String> = [
            "contact_identities", "contact_clients", "contact_tags", "contact_consents", "crm_addresses",
            "crm_attachments",
            "client_tags", "client_relations", "duplicates", "comments", "notification_watchers",
        ]
        let free = MergeCatalogue.references(to: kind).filter { !going.contains($0.table) }.map {
            reference -> SQL in
            """
            NOT EXISTS (SELECT 1 FROM \(unescaped: reference.table) x
                         WHERE x.company_id = r.company_id AND x.\(unescaped: reference.column) = r.id)
            """
        }
        let rows = try await tx.query(
            """
            DELETE FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(company) AND r.id IN (
                   SELECT r.id FROM \(unescaped: kind.table) r
                    WHERE r.company_id = \(company) AND r.deleted_at < now() - make_interval(days => \(ContactLimits.trashDays))
                      AND r.merged_into IS NULL AND \(fragment: free.joined(separator: " AND ")) LIMIT 500)
            RETURNING r.id
            """)
        let gone = try rows.map { try $0.get("id", as: UUID.self) }
        if gone.isEmpty { return }
        let kinds = kind == .client ? [ContactSearch.client] : [ContactSearch.all, ContactSearch.names]
        _ = try await tx.batch(
            SubjectLeftovers.sql(kind.rawValue, gone, company: company)
                + kinds.flatMap { Search.remove($0, gone, company: company) } + [expect(company)])
    }

    /// Whoever was erased at the request of the person is found by nothing any more.
    @inline(never)
    private static func forget(_ company: UUID, _ db: Database) async throws {
        try await db.transaction(as: Tenant(company: company)) { tx in
            let rows = try await tx.query(
                """
                SELECT id FROM contacts WHERE company_id = \(company) AND deleted_at > now() - interval '1 day' AND name = 'Erased'
                """)
            let ids = try rows.map { try $0.get("id", as: UUID.self) }
            _ = try await tx.batch(
                [ContactSearch.all, ContactSearch.names].flatMap { Search.remove($0, ids, company: company) })
        }
    }
}

/// Looks through what changed for pairs that may be one.
enum DuplicateFinding {
    @inline(never)
    static func run(_ company: UUID, _ db: Database) async throws {
        let mark = try await db.query(
            "SELECT seen_to, now() AS now FROM contact_upkeep WHERE company_id = \(company)")
        guard let row = mark.first else { return }
        // What was under way at the last look is looked at again; a pair is found once.
        let since = "coalesce(nullif(seen_to, '-infinity') - interval '10 minutes', '-infinity')"
        let now: Timestamp = try row.get("now")
        try await db.transaction(as: Tenant(company: company), deadline: .seconds(60)) { tx in
            let from: SQL = "(SELECT \(unescaped: since) FROM contact_upkeep WHERE company_id = \(company))"
            _ = try await tx.batch([
                contacts(
                    by: "same-name",
                    "lower(n.name) = lower(o.name) AND n.client_id IS NOT DISTINCT FROM o.client_id", from,
                    company),
                clients(from, company),
                "UPDATE contact_upkeep SET seen_to = \(now) WHERE company_id = \(company)",
            ])
        }
    }

    /// A name that many have says nothing of any two.
    private static func contacts(by reason: String, _ alike: SQL, _ from: SQL, _ company: UUID) -> SQL {
        """
        INSERT INTO duplicates (company_id, id, first_contact, second_contact, reasons)
        SELECT DISTINCT ON (least(n.id, o.id), greatest(n.id, o.id))
               \(company)::uuid, gen_random_uuid(), least(n.id, o.id), greatest(n.id, o.id), ARRAY[\(reason)]::text[]
          FROM contacts n
          JOIN contacts o ON o.company_id = n.company_id AND \(fragment: alike) AND o.id <> n.id AND o.deleted_at IS NULL
         WHERE n.company_id = \(company) AND n.deleted_at IS NULL AND n.updated_at > \(fragment: from)
           AND (SELECT count(*) FROM (SELECT 1 FROM contacts s WHERE s.company_id = n.company_id AND lower(s.name) = lower(n.name)
                   AND s.deleted_at IS NULL LIMIT \(ContactLimits.sameNameMax + 1)::bigint) AS same) <= \(ContactLimits.sameNameMax)::bigint
        ON CONFLICT (company_id, first_contact, second_contact) WHERE first_contact IS NOT NULL DO NOTHING
        """
    }

    private static func clients(_ from: SQL, _ company: UUID) -> SQL {
        """
        INSERT INTO duplicates (company_id, id, first_client, second_client, reasons)
        SELECT DISTINCT ON (least(n.id, o.id), greatest(n.id, o.id))
               \(company)::uuid, gen_random_uuid(), least(n.id, o.id), greatest(n.id, o.id), ARRAY['same-name']
          FROM clients n
          JOIN clients o ON o.company_id = n.company_id AND lower(o.name) = lower(n.name) AND o.id <> n.id AND o.deleted_at IS NULL
         WHERE n.company_id = \(company) AND n.deleted_at IS NULL AND n.updated_at > \(fragment: from)
        ON CONFLICT (company_id, first_client, second_client) WHERE first_client IS NOT NULL DO NOTHING
        """
    }
}
