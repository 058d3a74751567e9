import API
import Core
import Postgres
import Wire

/// The one way leads are made: by routes, forms, keys and imports. Contact, lead, owner, promise, score and touch are
/// written in one transaction, with the record and the events.
enum LeadWriting {
    /// A lead to be made.
    struct Draft: Sendable {
        var id = UUID.v7()
        /// Made of what else is known when absent.
        var title: String?
        var message: String?
        /// Of a contact that is there; else `contact` is found or made.
        var contactId: UUID?
        var contact: ContactWriting.Draft?
        var clientName: String?
        var clientId: UUID?
        var ownerId: UUID?
        var sourceId: UUID?
        var valueMinor: Int64?
        var currency: String?
        var country: String?
        var utm: JSON = [:]
        var page: String?
        var referrer: String?
        var channel: String?
        /// Checked already.
        var custom: JSON = [:]
        var tags: [UUID] = []
        var externalId: String?
        /// Nobody is told, as of the rows of an import.
        var isQuiet = false

        init() {}
    }

    @inline(never) @discardableResult
    static func create(_ draft: Draft, by actor: Audit.Actor, company: UUID, in tx: Transaction) async throws
        -> UUID
    {
        let contact = try await contact(of: draft, by: actor, company, tx)
        try await check(draft, company, tx)
        try await insert(draft, contact, by: actor, company, tx)
        try await ContactWriting.setLifecycle(
            contact, .lead, onlyForward: true, by: actor, company: company, in: tx)
        if draft.ownerId == nil { _ = try await LeadAssignment.assign(draft.id, company, tx) }
        try await LeadPromise.make(for: draft.id, company, tx)
        _ = try await LeadScoring.refresh([draft.id], company, tx)
        let head = try await LeadHead.lock(draft.id, company, tx)
        var statements = try LeadEvents.story(LeadEvents.created, "lead.created", head, by: actor, company)
        if head.ownerId != nil {
            statements += try LeadEvents.story(LeadEvents.assigned, "lead.assigned", head, by: actor, company)
        }
        statements.append(LeadUpkeep.expect(company))
        _ = try await tx.batch(statements)
        if let owner = head.ownerId, !draft.isQuiet {
            try await tellOwner(owner, head, by: actor, company, tx)
        }
        return draft.id
    }

    static func tellOwner(
        _ owner: UUID, _ head: LeadHead, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        try await LeadNews.tell(
            LeadNews.assigned, [owner], of: head.id, ["title": .string(head.title)], by: actor, company, tx)
    }

    @inline(never)
    private static func contact(
        of draft: Draft, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws -> UUID {
        if let contact = draft.contactId {
            let rows = try await tx.query(
                """
                SELECT id FROM contacts WHERE company_id = \(company) AND id = \(contact) AND deleted_at IS NULL FOR SHARE
                """)
            if rows.isEmpty {
                throw Problem.unprocessable("/contact_id", "unknown-contact", "is no contact here")
            }
            return contact
        }
        guard let person = draft.contact else {
            throw Problem.unprocessable(
                "/contact", "required", "a lead is somebody's: send `contact_id` or `contact`")
        }
        let found = try await ContactWriting.findOrCreate(person, by: actor, company: company, in: tx)
        return found.id
    }

    /// What the lead names is the company's.
    @inline(never)
    static func check(_ draft: Draft, _ company: UUID, _ tx: Transaction) async throws {
        try await LeadChecks.all(
            owner: draft.ownerId, source: draft.sourceId, client: draft.clientId, company, tx)
        try await Tags.mustExist(draft.tags, at: "/tag_ids", company: company, in: tx)
        if (draft.valueMinor == nil) != (draft.currency == nil) {
            throw Problem.unprocessable(
                "/currency", "required", "an amount has a currency, and a currency an amount")
        }
    }

    @inline(never)
    private static func insert(
        _ draft: Draft, _ contact: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            INSERT INTO leads AS l (company_id, id, contact_id, client_name, client_id, title, message, owner_id, source_id,
                                    value_minor, currency, utm, custom, country, external_id, assigned_at, created_by)
            SELECT \(company), \(draft.id), c.id, \(draft.clientName)::text, \(draft.clientId)::uuid,
                   coalesce(\(draft.title)::text, \(draft.clientName)::text, \(fragment: LeadRows.nameAlone), 'Lead'),
                   \(draft.message)::text,
                   \(draft.ownerId)::uuid, \(draft.sourceId)::uuid, \(draft.valueMinor)::bigint, \(draft.currency)::text,
                   \(JSONText(draft.utm))::jsonb, \(JSONText(draft.custom))::jsonb, \(draft.country)::text,
                   \(draft.externalId)::text, CASE WHEN \(draft.ownerId)::uuid IS NOT NULL THEN now() END,
                   (SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(actor.person)::uuid)
              FROM contacts c WHERE c.company_id = \(company) AND c.id = \(contact)
            RETURNING l.title, (SELECT \(fragment: LeadRows.nameAlone) FROM contacts c
                                 WHERE c.company_id = l.company_id AND c.id = l.contact_id) AS name
            """)
        let (title, name): (String, String?) = (try rows[0].get("title"), try rows[0].get("name"))
        var statements = Search.put(
            "lead", [(draft.id, SearchText(title: [title, draft.clientName, name], body: [draft.message]))],
            areNew: true,
            company: company)
        if !draft.tags.isEmpty {
            statements.append(CRMDomain.leadTags.add(draft.tags, to: [draft.id], company: company))
        }
        statements.append(
            Touches.sql(
                contact: contact, lead: draft.id, source: draft.sourceId, channel: draft.channel,
                utm: draft.utm,
                page: draft.page, referrer: draft.referrer, company))
        _ = try await tx.batch(statements)
    }

    /// Somebody has answered: the promise is kept, or was broken by as much. Later answers change nothing.
    static func noteResponse(_ leads: [UUID], at: Timestamp?, company: UUID) -> SQL {
        """
        UPDATE leads SET first_response_at = coalesce(\(at)::timestamptz, now()),
               status = CASE WHEN status = 'new' THEN 'working' ELSE status END,
               version = version + 1, updated_at = now()
         WHERE company_id = \(company) AND id = ANY(\(leads)::uuid[]) AND first_response_at IS NULL
           AND deleted_at IS NULL
        """
    }

    /// Finds a lead by other words from now on.
    static func search(_ id: UUID, company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT l.title, l.client_name, l.message, \(fragment: LeadRows.nameAlone) AS name FROM leads l
              JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
             WHERE l.company_id = \(company) AND l.id = \(id)
            """)
        guard let row = rows.first else { return }
        let text = SearchText(
            title: [try row.get("title"), try row.get("client_name"), try row.get("name")],
            body: [try row.get("message")])
        _ = try await tx.batch(Search.put("lead", id, text, company: company))
    }
}

/// Whether what a lead or a rule names is there.
enum LeadChecks {
    @inline(never)
    static func all(
        owner: UUID?, source: UUID?, client: UUID? = nil, ownerAt pointer: String = "/owner_id",
        _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT \(owner)::uuid IS NULL OR EXISTS (
                       SELECT 1 FROM memberships WHERE company_id = \(company) AND id = \(owner)::uuid
                          AND status = 'active') AS has_owner,
                   \(source)::uuid IS NULL OR EXISTS (
                       SELECT 1 FROM lead_sources WHERE company_id = \(company) AND id = \(source)::uuid) AS has_source,
                   \(client)::uuid IS NULL OR EXISTS (
                       SELECT 1 FROM clients WHERE company_id = \(company) AND id = \(client)::uuid
                          AND deleted_at IS NULL) AS has_client
            """)
        var faults: [Fault] = []
        if try !rows[0].get("has_owner", as: Bool.self) {
            faults.append(.at(pointer, "unknown-member", "is no active member of this company"))
        }
        if try !rows[0].get("has_source", as: Bool.self) {
            faults.append(.at("/source_id", "unknown-source", "is no lead source of this company"))
        }
        if try !rows[0].get("has_client", as: Bool.self) {
            faults.append(.at("/client_id", "unknown-client", "is no client of this company"))
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    /// 422 at the first of them who is no active member.
    @inline(never)
    static func members(_ members: [UUID], at pointer: String, _ company: UUID, _ tx: Transaction)
        async throws
    {
        if members.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT id FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(members)::uuid[]) AND status = 'active'
            """)
        let known = Set(try rows.map { try $0.get("id", as: UUID.self) })
        if let index = members.firstIndex(where: { !known.contains($0) }) {
            throw Problem.unprocessable(
                "\(pointer)/\(index)", "unknown-member", "is no active member of this company")
        }
    }
}
