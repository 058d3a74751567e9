import API
import Core
import Postgres
import Wire

/// What a contact is known by, and where she works.
enum ContactParts {
    @RouteList static var routes: [Route] {
        GET("/v1/contacts/{id}/identities", "List what a contact is known by", .can(.crmRead), identities)
            .describe("Takes crm:contact-data.").example(answer: identity)
        POST("/v1/contacts/{id}/identities", "Add an address, number or outside id", .can(.crmWrite), add)
            .operation("addContactIdentity").describe("Takes crm:contact-data.")
            .problems(.contactKnown, .contactInTrash, .tooManyParts)
            .example(
                body: [
                    "kind": "email", "value": "a.berg@home.example", "label": "private", "is_primary": false,
                ], answer: identity)
        DELETE(
            "/v1/contacts/{id}/identities/{identity_id}", "Take an identity off a contact", .can(.crmWrite),
            remove
        )
        .operation("removeContactIdentity").describe(
            "The oldest other one of its kind becomes the primary one.")
        GET("/v1/contacts/{id}/clients", "List where a contact works", .can(.crmRead), clients)
            .example(answer: place)
        PUT("/v1/contacts/{id}/clients/{client_id}", "Say where a contact works", .can(.crmWrite), link)
            .operation("linkContactToClient").example(body: ["role": "Purchasing", "is_primary": true])
        DELETE(
            "/v1/contacts/{id}/clients/{client_id}", "Say that a contact works there no more",
            .can(.crmWrite), unlink
        )
        .operation("unlinkContactFromClient")
    }

    private static let identity: JSON = [
        "id": .string(ContactEvents.otherId.description), "kind": "email", "value": "anna@northwind.example",
        "label": "work",
        "is_primary": true, "created_at": "2026-03-02T09:00:00.000000Z",
    ]
    private static let place: JSON = [
        "client_id": .string(ContactEvents.otherId.description), "name": "Northwind", "role": "Purchasing",
        "is_primary": true,
        "created_at": "2026-03-02T09:00:00.000000Z",
    ]

    struct ContactIdentity: Codable, Sendable {
        let id: UUID
        let kind: IdentityKind
        let value: String
        let label: String?
        let isPrimary: Bool
        let createdAt: Timestamp
    }

    struct NewIdentity: Codable, Sendable {
        let kind: IdentityKind
        let value: Text<254>
        let label: Text<60>?
        let isPrimary: Bool?
    }

    struct Workplace: Codable, Sendable {
        let clientId: UUID
        let name: String
        let role: String?
        let isPrimary: Bool
        let createdAt: Timestamp
    }

    struct WorkplaceChange: Codable, Sendable {
        let role: Text<120>?
        let isPrimary: Bool?
    }

    private static let columns = "i.id, i.kind, i.value, i.label, i.is_primary, i.created_at"

    static func identities(_ call: Call, _ id: Path<UUID>) async throws -> Page<ContactIdentity> {
        try call.require(.crmContactData)
        try await CRMAccess.require(.contact, id.value, call)
        return Page(
            all: try await call.db.query(
                """
                SELECT \(unescaped: columns) FROM contact_identities i
                 WHERE i.company_id = \(try call.company) AND i.contact_id = \(id) ORDER BY i.kind, i.is_primary DESC, i.created_at, i.id
                """))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewIdentity>) async throws -> Created<
        ContactIdentity
    > {
        try call.require(.crmContactData)
        guard let identity = Identity(body.kind, body.value.value.text) else {
            throw Problem.unprocessable("/value", "invalid", "is nothing of this kind")
        }
        let (label, isPrimary) = (body.label?.text, body.isPrimary ?? false)
        do {
            let rows = try await call.db.transaction { tx in
                try await add(identity, label, isPrimary, to: id.value, call, tx)
            }
            return try Created(rows)
        } catch let problem as Problem {
            let told = await RecordLife.seen(problem, .contact, call)
            throw told
        }
    }

    @inline(never)
    private static func add(
        _ identity: Identity, _ label: String?, _ isPrimary: Bool, to contact: UUID, _ call: Call,
        _ tx: Transaction
    ) async throws -> Rows {
        let company = try call.company
        _ = try await RecordLife.locked(.contact, contact, call, tx)
        let there = try await tx.query(
            """
            SELECT count(*) AS all, count(*) FILTER (WHERE kind = \(identity.kind) AND is_primary) AS primaries
              FROM contact_identities WHERE company_id = \(company) AND contact_id = \(contact)
            """)[0]
        if try there.get("all", as: Int.self) >= ContactLimits.identitiesMax { throw Problem(.tooManyParts) }
        let becomesPrimary = try isPrimary || there.get("primaries", as: Int.self) == 0
        if becomesPrimary {
            _ = try await tx.query(
                """
                UPDATE contact_identities SET is_primary = false
                 WHERE company_id = \(company) AND contact_id = \(contact) AND kind = \(identity.kind) AND is_primary
                """)
        }
        let rows = try await tx.query(
            """
            INSERT INTO contact_identities AS i (company_id, id, contact_id, kind, value, value_norm, label, is_primary)
            VALUES (\(company), \(UUID.v7()), \(contact), \(identity.kind), \(identity.value), \(identity.norm), \(label), \(becomesPrimary))
            ON CONFLICT ON CONSTRAINT contact_identities_value_key DO NOTHING
            RETURNING \(unescaped: columns)
            """)
        if rows.isEmpty {
            let problem = try await ContactWriting.knownProblem([identity], notOf: [], company, tx)
            throw problem
        }
        try await note("identity-added", identity.kind, contact, call, tx)
        return rows
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ identity: Path<UUID>) async throws -> NoContent {
        try call.require(.crmContactData)
        try await call.db.transaction { tx in try await remove(identity.value, from: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ identity: UUID, from contact: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        _ = try await RecordLife.locked(.contact, contact, call, tx)
        let rows = try await tx.query(
            """
            DELETE FROM contact_identities WHERE company_id = \(company) AND contact_id = \(contact) AND id = \(identity)
            RETURNING kind
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let kind = IdentityKind(rawValue: try row.get("kind")) ?? .external
        _ = try await tx.query(
            """
            UPDATE contact_identities SET is_primary = true
             WHERE company_id = \(company) AND id = (
                   SELECT i.id FROM contact_identities i WHERE i.company_id = \(company) AND i.contact_id = \(contact)
                      AND i.kind = \(kind) ORDER BY i.is_primary DESC, i.created_at, i.id LIMIT 1)
            """)
        try await note("identity-removed", kind, contact, call, tx)
    }

    /// The copies in the contact's row, its search, the record and the event of a change of what it is known by.
    @inline(never)
    private static func note(
        _ action: String, _ kind: IdentityKind, _ contact: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await tx.batch([
            Merging.contacts(contact, company),
            "UPDATE contacts SET version = version + 1, updated_at = now() WHERE company_id = \(company) AND id = \(contact)",
            // Which address it was is left out: the record of acts outlives it.
            Audit.sql(
                Audit.Entry(
                    "contact.\(action)", on: "contact", contact, after: ["kind": .string(kind.rawValue)]),
                by: call.actor,
                company: company),
            ContactUpkeep.expect(company),
        ])
        try await RecordLife.tell(.contact, [contact], changed: [kind.rawValue], by: call.actor, company, tx)
        try await ContactSearch.renew([contact], company, tx)
    }

    static func clients(_ call: Call, _ id: Path<UUID>) async throws -> Page<Workplace> {
        try await CRMAccess.require(.contact, id.value, call)
        return Page(
            all: try await call.db.query(
                """
                SELECT l.client_id, c.name, l.role, l.is_primary, l.created_at FROM contact_clients l
                  JOIN clients c ON c.company_id = l.company_id AND c.id = l.client_id
                 WHERE l.company_id = \(try call.company) AND l.contact_id = \(id) AND \(fragment: try CRMAccess.visible(call, "c"))
                 ORDER BY l.is_primary DESC, l.created_at, l.client_id
                """))
    }

    static func link(
        _ call: Call, _ id: Path<UUID>, _ client: Path<UUID>, _ body: Body<WorkplaceChange>
    ) async throws -> NoContent {
        let (role, isPrimary) = (body.role?.text, body.isPrimary ?? false)
        try await call.db.transaction { tx in
            let company = try call.company
            _ = try await RecordLife.locked(.contact, id.value, call, tx)
            try await CRMAccess.require(.client, client.value, call, tx)
            try await ClientWriting.link(
                contact: id.value, to: client.value, role: role, primary: isPrimary, company: company, in: tx)
            try await noteLink("client-linked", id.value, client.value, call, tx)
        }
        return NoContent()
    }

    static func unlink(_ call: Call, _ id: Path<UUID>, _ client: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            let company = try call.company
            _ = try await RecordLife.locked(.contact, id.value, call, tx)
            try await CRMAccess.require(.client, client.value, call, tx)
            let rows = try await tx.query(
                """
                DELETE FROM contact_clients WHERE company_id = \(company) AND contact_id = \(id) AND client_id = \(client) RETURNING 1
                """)
            if rows.isEmpty { throw Problem.notFound }
            _ = try await tx.query(Merging.contacts(id.value, company))
            try await noteLink("client-unlinked", id.value, client.value, call, tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func noteLink(
        _ action: String, _ contact: UUID, _ client: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await tx.query(
            Audit.sql(
                Audit.Entry(
                    "contact.\(action)", on: "contact", contact,
                    after: ["client_id": .string(client.description)]),
                by: call.actor, company: company))
        try await RecordLife.tell(.contact, [contact], changed: ["clients"], by: call.actor, company, tx)
    }
}
