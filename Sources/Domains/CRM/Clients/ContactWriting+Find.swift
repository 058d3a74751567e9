import API
import Core
import Postgres
import Wire

extension ContactWriting {
    /// The contact known by one of these, locked; the first of them decides when they are several persons'.
    @inline(never)
    static func find(_ identities: [Identity], _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        if identities.isEmpty { return nil }
        let rows = try await tx.query(
            """
            WITH RECURSIVE way AS (
                SELECT c.id, c.merged_into, wanted.n, 0 AS step
                  FROM unnest(\(identities.map(\.kind.rawValue))::text[], \(identities.map(\.norm))::text[])
                       WITH ORDINALITY AS wanted (kind, norm, n)
                  JOIN contact_identities i
                    ON i.company_id = \(company) AND i.kind = wanted.kind AND i.value_norm = wanted.norm
                  JOIN contacts c ON c.company_id = i.company_id AND c.id = i.contact_id
                UNION ALL
                SELECT c.id, c.merged_into, way.n, way.step + 1
                  FROM way JOIN contacts c ON c.company_id = \(company) AND c.id = way.merged_into
                 WHERE way.step < 50)
            SELECT id FROM way WHERE merged_into IS NULL ORDER BY n, id LIMIT 1
            """)
        guard let id = try rows.first?.get("id", as: UUID.self) else { return nil }
        // Whoever merges or erases it at this moment is waited for, and then looked for again.
        let locked = try await tx.query(
            "SELECT merged_into FROM contacts WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
        guard let row = locked.first else { return nil }
        let isMerged = try row.get("merged_into", as: UUID?.self) != nil
        return isMerged ? try await find(identities, company, tx) : id
    }

    /// 409 that names who has one of these; nobody has any by now: then it is worth another try.
    @inline(never)
    static func knownProblem(
        _ identities: [Identity], notOf ids: [UUID], _ company: UUID, _ tx: Transaction
    ) async throws -> Problem {
        let rows = try await tx.query(
            """
            SELECT c.id, c.deleted_at IS NOT NULL AND c.merged_into IS NULL AS is_trashed, wanted.kind
              FROM unnest(\(identities.map(\.kind.rawValue))::text[], \(identities.map(\.norm))::text[])
                   WITH ORDINALITY AS wanted (kind, norm, n)
              JOIN contact_identities i
                ON i.company_id = \(company) AND i.kind = wanted.kind AND i.value_norm = wanted.norm
              JOIN contacts c ON c.company_id = i.company_id AND c.id = i.contact_id
             WHERE i.contact_id <> ALL(\(ids)::uuid[]) ORDER BY wanted.n LIMIT 1
            """)
        guard let row = rows.first else {
            return Problem(.contactKnown, "The same address or number stands twice among the contacts sent.")
        }
        let id: UUID = try row.get("id")
        let isTrashed: Bool = try row.get("is_trashed")
        return Problem(isTrashed ? .contactInTrash : .contactKnown)
            .with("contact_id", .string(id.description)).with("identity_kind", .string(try row.get("kind")))
    }

    /// Gives a known contact what it does not have yet, and takes it out of the trash.
    @inline(never)
    static func fill(_ id: UUID, from draft: Draft, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let fresh = try await addIdentities(draft.identities, to: id, company, tx)
        let changed = try await tx.query(
            """
            WITH old AS MATERIALIZED (
                SELECT * FROM contacts WHERE company_id = \(company) AND id = \(id))
            UPDATE contacts c
               SET first_name = coalesce(c.first_name, \(draft.firstName)::text),
                   last_name = coalesce(c.last_name, \(draft.lastName)::text),
                   name = CASE WHEN old.first_name IS NULL AND old.last_name IS NULL
                                AND (old.name = old.email OR old.name = old.phone)
                               THEN coalesce(\(draft.displayName)::text, c.name) ELSE c.name END,
                   job_title = coalesce(c.job_title, \(draft.jobTitle)::text),
                   owner_id = coalesce(c.owner_id, \(draft.ownerId)::uuid),
                   client_id = coalesce(c.client_id, \(draft.clientId)::uuid),
                   email = coalesce(c.email, \(draft.emails.first)::text),
                   phone = coalesce(c.phone, \(draft.phones.first)::text),
                   locale = coalesce(c.locale, \(draft.locale)::text),
                   time_zone = coalesce(c.time_zone, \(draft.timeZone)::text),
                   custom = \(JSONText(draft.custom))::jsonb || c.custom,
                   deleted_at = NULL, version = c.version + 1, updated_at = now()
              FROM old
             WHERE c.company_id = \(company) AND c.id = old.id
               AND (\(fresh) OR old.deleted_at IS NOT NULL
                    OR old.first_name IS NULL AND \(draft.firstName)::text IS NOT NULL
                    OR old.last_name IS NULL AND \(draft.lastName)::text IS NOT NULL
                    OR old.job_title IS NULL AND \(draft.jobTitle)::text IS NOT NULL
                    OR old.owner_id IS NULL AND \(draft.ownerId)::uuid IS NOT NULL
                    OR old.client_id IS NULL AND \(draft.clientId)::uuid IS NOT NULL
                    OR old.locale IS NULL AND \(draft.locale)::text IS NOT NULL
                    OR old.time_zone IS NULL AND \(draft.timeZone)::text IS NOT NULL
                    OR NOT \(JSONText(draft.custom))::jsonb <@ (\(JSONText(draft.custom))::jsonb || c.custom)
                    OR NOT old.custom @> (\(JSONText(draft.custom))::jsonb || old.custom))
            RETURNING c.name, c.owner_id, c.client_id, c.lifecycle, old.deleted_at IS NOT NULL AS was_trashed
            """)
        var statements: [SQL] = []
        if let client = draft.clientId { statements.append(ClientWriting.linkFirst(id, to: client, company)) }
        if !draft.tags.isEmpty {
            statements.append(CRMDomain.contactTags.add(draft.tags, to: [id], company: company))
        }
        if let row = changed.first {
            let wasTrashed: Bool = try row.get("was_trashed")
            let data = ContactEvents.Data(
                contactId: id, name: try row.get("name"), ownerId: try row.get("owner_id"),
                clientId: try row.get("client_id"), lifecycle: try row.get("lifecycle"), changed: ["filled"])
            statements += [
                Audit.sql(
                    Audit.Entry(wasTrashed ? "contact.restored" : "contact.filled", on: "contact", id),
                    by: actor,
                    company: company),
                try Events.sql(ContactEvents.updated, data, on: "contact", id, by: actor, company: company),
            ]
        }
        _ = try await tx.batch(statements)
        if !changed.isEmpty { try await ContactSearch.renew([id], company, tx) }
    }

    /// Adds those that nobody has; the first of a kind becomes the primary one. True when any is new.
    @inline(never)
    private static func addIdentities(
        _ identities: [Identity], to contact: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> Bool {
        if identities.isEmpty { return false }
        let sorted = identities.sorted(by: Identity.isBefore)
        let rows = try await tx.query(
            """
            INSERT INTO contact_identities (company_id, id, contact_id, kind, value, value_norm, is_primary)
            SELECT \(company)::uuid, d.id, \(contact)::uuid, d.kind, d.value, d.norm,
                   row_number() OVER (PARTITION BY d.kind ORDER BY d.norm) = 1
                   AND NOT EXISTS (SELECT 1 FROM contact_identities i
                                    WHERE i.company_id = \(company) AND i.contact_id = \(contact) AND i.kind = d.kind
                                      AND i.is_primary)
              FROM unnest(\(sorted.map { _ in UUID.v7() })::uuid[], \(sorted.map(\.kind.rawValue))::text[],
                          \(sorted.map(\.value))::text[], \(sorted.map(\.norm))::text[]) AS d (id, kind, value, norm)
             WHERE (SELECT count(*) FROM contact_identities i
                     WHERE i.company_id = \(company) AND i.contact_id = \(contact)) < \(ContactLimits.identitiesMax)::bigint
            ON CONFLICT ON CONSTRAINT contact_identities_value_key DO NOTHING
            RETURNING id
            """)
        return !rows.isEmpty
    }
}
