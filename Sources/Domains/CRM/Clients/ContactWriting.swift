import API
import Core
import Postgres
import Wire

/// The one way contacts are written: by routes, imports, forms, conversions.
///
/// What a person is known by is decided by the unique index of the identities alone, so that however many write at once,
/// one address is one person's.
enum ContactWriting {
    /// A contact to be made.
    struct Draft: Sendable {
        var id = UUID.v7()
        var firstName: String?
        var lastName: String?
        /// As it is shown; made of what else is known when absent.
        var name: String?
        /// The first of each kind becomes the primary one.
        var emails: [String] = []
        var phones: [String] = []
        var externalId: String?
        var jobTitle: String?
        var ownerId: UUID?
        var clientId: UUID?
        var lifecycle = ContactLifecycle.subscriber
        var locale: String?
        var timeZone: String?
        var custom: JSON = [:]
        var tags: [UUID] = []

        init() {}

        var displayName: String? {
            if let name, !name.isEmpty { return name }
            let whole = [firstName, lastName].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
            return whole.isEmpty ? emails.first ?? phones.first ?? externalId : whole
        }

        /// Each once; what is no address or number is left out.
        var identities: [Identity] {
            let all =
                emails.map { Identity(.email, $0) } + phones.map { Identity(.phone, $0) }
                + [externalId.flatMap { Identity(.external, $0) }]
            var seen: Set<Identity> = []
            return all.compactMap { $0 }.filter { seen.insert($0).inserted }
        }

        /// What is wrong with the draft, for callers that did not check it by their types.
        func check() throws(Problem) {
            for (index, email) in emails.enumerated() where Identity(.email, email) == nil {
                throw .unprocessable("/emails/\(index)", "invalid", "is not an e-mail address")
            }
            for (index, phone) in phones.enumerated() where Identity(.phone, phone) == nil {
                throw .unprocessable("/phones/\(index)", "invalid", "is not a telephone number")
            }
            if displayName == nil {
                throw .unprocessable(
                    "/name", "required", "a contact needs a name, an address, a number or an outside id")
            }
        }
    }

    /// Makes contacts, or 409 `contact-known` with the existing id.
    @inline(never) @discardableResult
    static func create(
        _ drafts: [Draft], by actor: Audit.Actor, company: UUID, quietly: Bool = false, in tx: Transaction
    ) async throws -> [UUID] {
        if drafts.isEmpty { return [] }
        for draft in drafts { try draft.check() }
        let wanted = drafts.reduce(0) { $0 + $1.identities.count }
        let answers = try await tx.batch(inserts(drafts, by: actor, company))
        // The second statement gives back the identities that were free.
        if answers[1].count < wanted {
            let identities = drafts.flatMap(\.identities)
            let problem = try await knownProblem(identities, notOf: drafts.map(\.id), company, tx)
            throw problem
        }
        var records: [SQL] = [try ContactEvents.sql(ContactEvents.created, drafts, by: actor, company)]
        // A thousand rows of one import are one act, which the import records.
        if !quietly {
            records += drafts.map {
                Audit.sql(Audit.Entry("contact.created", on: "contact", $0.id), by: actor, company: company)
            }
        }
        _ = try await tx.batch(search(drafts, company) + records + [ContactUpkeep.expect(company)])
        return drafts.map(\.id)
    }

    /// The contact known by one of these addresses or numbers, locked (follows merges; nil when there is none), else a new
    /// one. Fills what is empty and never overwrites. One in the trash is taken out of it: whoever writes in again is there.
    @inline(never)
    static func findOrCreate(
        _ draft: Draft, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> (id: UUID, isNew: Bool) {
        try draft.check()
        for _ in 0..<attemptsMax {
            if let known = try await find(draft.identities, company, tx) {
                try await fill(known, from: draft, by: actor, company, tx)
                return (known, false)
            }
            do {
                _ = try await tx.savepoint { try await create([draft], by: actor, company: company, in: tx) }
                return (draft.id, true)
            } catch let problem as Problem
                where problem.code == .contactKnown || problem.code == .contactInTrash
            {
                // Another writer was first and has committed: he is found now.
                continue
            }
        }
        throw Problem.unavailable(retryAfterSeconds: 1, "Others were writing the same contact; try again.")
    }

    /// Another writer may be first once for each identity, and once more after a merge.
    private static let attemptsMax = 5

    static func setLifecycle(
        _ contact: UUID, _ lifecycle: ContactLifecycle, onlyForward: Bool, by actor: Audit.Actor,
        company: UUID,
        in tx: Transaction
    ) async throws {
        let earlier = ContactLifecycle.allCases.filter { !onlyForward || $0.step < lifecycle.step }.map(
            \.rawValue)
        let rows = try await tx.query(
            """
            UPDATE contacts c SET lifecycle = \(lifecycle), version = c.version + 1, updated_at = now()
              FROM contacts old
             WHERE c.company_id = \(company) AND c.id = \(contact) AND c.lifecycle <> \(lifecycle)
               AND c.lifecycle = ANY(\(earlier)::text[]) AND old.company_id = c.company_id AND old.id = c.id
            RETURNING c.name, c.owner_id, c.client_id, old.lifecycle AS before
            """)
        guard let row = rows.first else { return }
        let before: String = try row.get("before")
        let data = ContactEvents.Data(
            contactId: contact, name: try row.get("name"), ownerId: try row.get("owner_id"),
            clientId: try row.get("client_id"), lifecycle: lifecycle, changed: ["lifecycle"])
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry(
                    "contact.changed", on: "contact", contact, before: ["lifecycle": .string(before)],
                    after: ["lifecycle": .string(lifecycle.rawValue)]),
                by: actor, company: company),
            try Events.sql(ContactEvents.updated, data, on: "contact", contact, by: actor, company: company),
        ])
    }

    // MARK: statements

    struct Row: Encodable {
        let id: UUID
        let firstName: String?
        let lastName: String?
        let name: String
        let jobTitle: String?
        let lifecycle: ContactLifecycle
        let ownerId: UUID?
        let email: String?
        let phone: String?
        let clientId: UUID?
        let locale: String?
        let timeZone: String?
        let custom: JSON
        let tags: [UUID]
    }

    private struct IdentityRow: Encodable {
        let id = UUID.v7()
        let contactId: UUID
        let kind: IdentityKind
        let value: String
        let norm: String
        let isPrimary: Bool
    }

    /// The contacts, then their identities (giving back those that were free), then what hangs on them.
    static func inserts(_ drafts: [Draft], by actor: Audit.Actor, _ company: UUID) throws -> [SQL] {
        let rows = drafts.map { draft in
            Row(
                id: draft.id, firstName: draft.firstName, lastName: draft.lastName,
                name: draft.displayName ?? "",
                jobTitle: draft.jobTitle, lifecycle: draft.lifecycle, ownerId: draft.ownerId,
                email: draft.emails.first,
                phone: draft.phones.first, clientId: draft.clientId, locale: draft.locale,
                timeZone: draft.timeZone,
                custom: draft.custom, tags: draft.tags)
        }
        let json = JSONText(try JSON(encoding: rows))
        var statements: [SQL] = [
            """
            INSERT INTO contacts (company_id, id, first_name, last_name, name, job_title, lifecycle, owner_id, email, phone,
                                  client_id, locale, time_zone, custom, created_by)
            SELECT \(company), d.id, d.first_name, d.last_name, d.name, d.job_title, d.lifecycle, d.owner_id, d.email,
                   d.phone, d.client_id, d.locale, d.time_zone, coalesce(d.custom, '{}'), \(fragment: member(of: actor, company))
              FROM jsonb_to_recordset(\(json)::jsonb) AS d (
                   id uuid, first_name text, last_name text, name text, job_title text, lifecycle text, owner_id uuid,
                   email text, phone text, client_id uuid, locale text, time_zone text, custom jsonb)
            """,
            try insert(drafts.flatMap { draft in identities(of: draft) }, company),
        ]
        if drafts.contains(where: { $0.clientId != nil }) {
            statements.append(
                """
                INSERT INTO contact_clients (company_id, contact_id, client_id, is_primary)
                SELECT \(company), d.id, d.client_id, true
                  FROM jsonb_to_recordset(\(json)::jsonb) AS d (id uuid, client_id uuid) WHERE d.client_id IS NOT NULL
                """)
        }
        let pairs = drafts.flatMap { draft in draft.tags.map { (thing: draft.id, tag: $0) } }
        if !pairs.isEmpty { statements.append(CRMDomain.contactTags.add(pairs, company: company)) }
        return statements
    }

    private static func identities(of draft: Draft) -> [IdentityRow] {
        var seen: Set<IdentityKind> = []
        return draft.identities.map {
            IdentityRow(
                contactId: draft.id, kind: $0.kind, value: $0.value, norm: $0.norm,
                isPrimary: seen.insert($0.kind).inserted)
        }
    }

    private static func insert(_ identities: [IdentityRow], _ company: UUID) throws -> SQL {
        let sorted = identities.sorted { ($0.kind.rawValue, $0.norm) < ($1.kind.rawValue, $1.norm) }
        return """
            INSERT INTO contact_identities (company_id, id, contact_id, kind, value, value_norm, is_primary)
            SELECT \(company), d.id, d.contact_id, d.kind, d.value, d.norm, d.is_primary
              FROM jsonb_to_recordset(\(JSONText(try JSON(encoding: sorted)))::jsonb) AS d (
                   id uuid, contact_id uuid, kind text, value text, norm text, is_primary boolean)
            ON CONFLICT ON CONSTRAINT contact_identities_value_key DO NOTHING
            RETURNING id
            """
    }

    /// The membership of whoever acts.
    static func member(of actor: Audit.Actor, _ company: UUID) -> SQL {
        "(SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(actor.person)::uuid)"
    }

    /// Names are found by everybody who sees the contact; addresses and numbers by those who may see such.
    static func search(_ drafts: [Draft], _ company: UUID) -> [SQL] {
        let names = drafts.map {
            (
                id: $0.id,
                text: ContactSearch.names(
                    $0.displayName, $0.firstName, $0.lastName, $0.jobTitle, but: $0.emails + $0.phones)
            )
        }
        let all = drafts.map {
            (
                id: $0.id,
                text: SearchText(
                    title: [$0.displayName, $0.firstName, $0.lastName, $0.externalId] + $0.emails,
                    body: [$0.jobTitle],
                    phones: $0.phones)
            )
        }
        return Search.put(ContactSearch.names, names, areNew: true, company: company)
            + Search.put(ContactSearch.all, all, areNew: true, company: company)
    }
}
