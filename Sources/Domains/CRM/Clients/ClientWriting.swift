import API
import Core
import Postgres
import Wire

/// The one way clients are written. A host belongs to one client, which the unique index decides.
enum ClientWriting {
    /// A client to be made.
    struct Draft: Sendable {
        var id = UUID.v7()
        var name: String
        var website: String?
        /// An address at the client: its host tells the client when there is no website.
        var email: String?
        var phone: String?
        var industry: String?
        var employees: Int?
        var description: String?
        var ownerId: UUID?
        var lifecycle = ClientLifecycle.prospect
        var custom: JSON = [:]
        var tags: [UUID] = []

        init(name: String) { self.name = name }

        /// The host of the website, else that of the address unless anybody can have one there.
        var domain: String? {
            website.flatMap(ClientDomain.init(website:))?.text
                ?? email.flatMap(ClientDomain.init(email:))?.text
        }
    }

    /// Makes a client, or 409 `client-known` with the existing id.
    @inline(never)
    static func create(
        _ draft: Draft, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> UUID {
        let made = try await create(all: [draft], by: actor, company: company, in: tx)
        if made.contains(draft.id) { return draft.id }
        let known = try await byDomain(draft.domain, company, tx)
        throw Problem(.clientKnown).with("client_id", known.map { .string($0.description) } ?? .null)
    }

    /// Makes those whose host is free, and gives their ids.
    @inline(never)
    static func create(
        all drafts: [Draft], by actor: Audit.Actor, company: UUID, quietly: Bool = false, in tx: Transaction
    ) async throws -> Set<UUID> {
        if drafts.isEmpty { return [] }
        let rows = try await tx.query(try insert(drafts, by: actor, company))
        let ids = Set(try rows.map { try $0.get("id", as: UUID.self) })
        let made = drafts.filter { ids.contains($0.id) }
        if made.isEmpty { return [] }
        var statements = Search.put(
            ContactSearch.client,
            made.map {
                (id: $0.id, text: ContactSearch.text(name: $0.name, domain: $0.domain, industry: $0.industry))
            },
            areNew: true, company: company)
        let pairs = made.flatMap { draft in draft.tags.map { (thing: draft.id, tag: $0) } }
        if !pairs.isEmpty { statements.append(CRMDomain.clientTags.add(pairs, company: company)) }
        statements.append(try ClientEvents.sql(ClientEvents.created, made, by: actor, company))
        if !quietly {
            statements += made.map {
                Audit.sql(
                    Audit.Entry("client.created", on: "client", $0.id, after: ["name": .string($0.name)]),
                    by: actor,
                    company: company)
            }
        }
        _ = try await tx.batch(statements + [ContactUpkeep.expect(company)])
        return ids
    }

    /// By the host of website or e-mail (those where anybody can have an address aside), else by exact name whatever its
    /// case; else a new one.
    @inline(never)
    static func findOrCreate(
        _ draft: Draft, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> (id: UUID, isNew: Bool) {
        if let known = try await byDomain(draft.domain, company, tx) { return (known, false) }
        // A name is not unique, so two who look for it at once wait for each other.
        _ = try await tx.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(lower(\("client name \(company) \(draft.name)")), 0))"
        )
        let named = try await tx.query(
            """
            SELECT id FROM clients
             WHERE company_id = \(company) AND lower(name) = lower(\(draft.name)) AND deleted_at IS NULL
               AND (domain_norm IS NULL OR \(draft.domain)::text IS NULL)
             ORDER BY created_at, id LIMIT 1
            """)
        if let row = named.first { return (try row.get("id"), false) }
        let made = try await create(all: [draft], by: actor, company: company, in: tx)
        if made.contains(draft.id) { return (draft.id, true) }
        guard let known = try await byDomain(draft.domain, company, tx) else {
            throw Problem.unavailable(retryAfterSeconds: 1, "Others were writing the same client; try again.")
        }
        return (known, false)
    }

    /// Says that somebody is at a client, and in which role.
    @inline(never)
    static func link(
        contact: UUID, to client: UUID, role: String?, primary: Bool, company: UUID, in tx: Transaction
    ) async throws {
        var statements: [SQL] = []
        if primary { statements.append(noPrimary(of: contact, but: client, company)) }
        statements += [
            """
            INSERT INTO contact_clients AS link (company_id, contact_id, client_id, role, is_primary)
            VALUES (\(company), \(contact), \(client), \(role), \(primary))
            ON CONFLICT (company_id, contact_id, client_id) DO UPDATE
               SET role = coalesce(excluded.role, link.role), is_primary = link.is_primary OR excluded.is_primary
            """
        ]
        if primary {
            statements.append(
                """
                UPDATE contacts SET client_id = \(client), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(contact) AND client_id IS DISTINCT FROM \(client)::uuid
                """)
        }
        _ = try await tx.batch(statements)
    }

    static func noPrimary(of contact: UUID, but client: UUID, _ company: UUID) -> SQL {
        """
        UPDATE contact_clients SET is_primary = false
         WHERE company_id = \(company) AND contact_id = \(contact) AND is_primary AND client_id <> \(client)
        """
    }

    /// The link to a client, the primary one when the contact has no other.
    static func linkFirst(_ contact: UUID, to client: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO contact_clients (company_id, contact_id, client_id, is_primary)
        SELECT \(company)::uuid, \(contact)::uuid, \(client)::uuid,
               NOT EXISTS (SELECT 1 FROM contact_clients l
                            WHERE l.company_id = \(company) AND l.contact_id = \(contact) AND l.is_primary)
        ON CONFLICT DO NOTHING
        """
    }

    @inline(never)
    private static func byDomain(_ domain: String?, _ company: UUID, _ tx: Transaction) async throws -> UUID?
    {
        guard let domain else { return nil }
        return try await tx.query(
            """
            SELECT id FROM clients
             WHERE company_id = \(company) AND domain_norm = \(domain) AND deleted_at IS NULL FOR KEY SHARE
            """
        ).first?.get("id")
    }

    private struct Row: Encodable {
        let id: UUID
        let name: String
        let domain: String?
        let website: String?
        let phone: String?
        let industry: String?
        let employees: Int?
        let description: String?
        let lifecycle: ClientLifecycle
        let ownerId: UUID?
        let custom: JSON
    }

    /// Gives back those whose host was free.
    private static func insert(_ drafts: [Draft], by actor: Audit.Actor, _ company: UUID) throws -> SQL {
        // Of one order, so that two writers never wait for each other in a circle.
        let rows = drafts.sorted { ($0.domain ?? "", $0.name) < ($1.domain ?? "", $1.name) }.map {
            Row(
                id: $0.id, name: $0.name, domain: $0.domain, website: $0.website, phone: $0.phone,
                industry: $0.industry,
                employees: $0.employees, description: $0.description, lifecycle: $0.lifecycle,
                ownerId: $0.ownerId,
                custom: $0.custom)
        }
        return """
            INSERT INTO clients (company_id, id, name, domain_norm, website, phone, industry, employees, description,
                                 lifecycle, owner_id, custom, created_by)
            SELECT \(company), d.id, d.name, d.domain, d.website, d.phone, d.industry, d.employees, d.description,
                   d.lifecycle, d.owner_id, coalesce(d.custom, '{}'), \(fragment: ContactWriting.member(of: actor, company))
              FROM jsonb_to_recordset(\(JSONText(try JSON(encoding: rows)))::jsonb) AS d (
                   id uuid, name text, domain text, website text, phone text, industry text, employees integer,
                   description text, lifecycle text, owner_id uuid, custom jsonb)
            ON CONFLICT (company_id, domain_norm) WHERE deleted_at IS NULL DO NOTHING
            RETURNING id
            """
    }
}
