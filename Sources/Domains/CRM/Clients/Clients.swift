import API
import Core
import Postgres
import Wire

/// The clients of a company.
enum Clients {
    @RouteList static var routes: [Route] {
        GET("/v1/clients", "List clients", .can(.crmRead), list)
            .describe("Those the caller sees. Archived ones are left out unless `archived` asks for them.")
            .example(answer: ClientRecord.example)
        POST("/v1/clients", "Create a client", .can(.crmWrite), create)
            .describe(
                "The host of a website is one client's: a second client with it is a conflict that names the first."
            )
            .problems(.clientKnown, .unknownOwner)
            .example(
                body: [
                    "name": "Northwind", "website": "https://www.northwind.example", "industry": "Retail",
                ],
                answer: ClientRecord.example)
        GET("/v1/clients/{id}", "Read a client", .can(.crmRead), read).example(answer: ClientRecord.example)
        PATCH("/v1/clients/{id}", "Change a client", .can(.crmWrite), change).ifMatch(.required)
            .problems(.clientKnown, .unknownOwner)
            .example(body: ["lifecycle": "active", "employees": 140], answer: ClientRecord.example)
        POST("/v1/clients/upsert", "Write a client by its website or name", .can(.crmWrite), upsert)
            .operation("upsertClient")
            .describe(
                "A client of the same host, else of the same name, is given back as it is; else one is made."
            )
            .problems(.unknownOwner)
            .example(
                body: ["name": "Northwind", "website": "https://northwind.example"],
                answer: ["id": .string(ContactEvents.otherId.description), "is_new": false])
        GET("/v1/clients/{id}/contacts", "List the contacts at a client", .can(.crmRead), contacts)
            .example(answer: Contact.example)
    }

    static func list(_ call: Call, _ list: List<ClientFilter>) async throws -> Page<ClientRecord> {
        let principal = try Contacts.known(call)
        let conditions = try await list.filter.conditions(principal, call.environment[CustomFields.self])
        return try await call.page(list, select(principal) + conditions)
    }

    static func contacts(_ call: Call, _ id: Path<UUID>, _ list: List<ContactFilter>) async throws -> Page<
        Contact
    > {
        let principal = try Contacts.known(call)
        try await CRMAccess.require(.client, id.value, call)
        let conditions = try await list.filter.conditions(principal, call.environment[CustomFields.self])
        let here: SQL = """
             AND c.id IN (SELECT l.contact_id FROM contact_clients l
                           WHERE l.company_id = \(principal.companyId) AND l.client_id = \(id))
            """
        return try await call.page(list, Contacts.select(principal) + here + conditions)
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ClientRecord> {
        let rows = try await rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    static func create(_ call: Call, _ body: Body<NewClient>) async throws -> Created<ClientRecord> {
        let company = try call.company
        let draft = try await draft(body.value, call)
        do {
            try await call.db.transaction { tx in
                try await check(draft, company, tx)
                _ = try await ClientWriting.create(draft, by: call.actor, company: company, in: tx)
            }
        } catch let problem as Problem {
            let told = await RecordLife.seen(problem, .client, call)
            throw told
        }
        let rows = try await rows(draft.id, call)
        return try Created(rows)
    }

    @inline(never)
    private static func draft(_ body: NewClient, _ call: Call) async throws -> ClientWriting.Draft {
        if body.phone != nil { try call.require(.crmContactData) }
        var draft = body.draft()
        if draft.ownerId == nil { draft.ownerId = try call.member }
        draft.custom = try await RecordCustom.new(body.custom, .client, call)
        return draft
    }

    @inline(never)
    private static func check(_ draft: ClientWriting.Draft, _ company: UUID, _ tx: Transaction) async throws {
        try await RecordLife.requireOwner(draft.ownerId, company, tx)
        try await Tags.mustExist(draft.tags, at: "/tag_ids", company: company, in: tx)
    }

    struct Upserted: Codable, Sendable {
        let id: UUID
        let isNew: Bool
    }

    static func upsert(_ call: Call, _ body: Body<NewClient>) async throws -> Single<Upserted> {
        let company = try call.company
        let draft = try await draft(body.value, call)
        let found = try await call.db.transaction { tx in
            try await check(draft, company, tx)
            return try await ClientWriting.findOrCreate(draft, by: call.actor, company: company, in: tx)
        }
        return Single(Upserted(id: found.id, isNew: found.isNew))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ClientChange>) async throws -> Single<
        ClientRecord
    > {
        let change = body.value
        if change.phone != nil { try call.require(.crmContactData) }
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let rows = try await rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    @inline(never)
    private static func apply(_ change: ClientChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let row = try await RecordLife.locked(.client, id, call, tx)
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("website", change.website)
        if let website = change.website {
            changes.set(
                "domain_norm", to: "\(website.flatMap { ClientDomain(website: $0.text) }?.text)::text")
        }
        changes.set("phone", change.phone)
        changes.set("industry", change.industry)
        changes.set("employees", change.employees)
        changes.set("description", change.description)
        changes.set("lifecycle", change.lifecycle)
        changes.set("owner_id", change.ownerId)
        if let values = change.custom {
            let stored = try JSON.parse(row.get("custom_text", as: String.self))
            let custom = try await RecordCustom.changed(values, over: stored, .client, call)
            changes.set("custom", to: "\(JSONText(custom))")
        }
        if let owner = change.ownerId { try await RecordLife.requireOwner(owner, company, tx) }
        try await RecordLife.write(
            .client, id, changes, tags: change.tagIds?.items, before: row, after: JSON(encoding: change),
            call, tx)
        try await ContactSearch.renewClients([id], company, tx)
    }

    @inline(never)
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(Contacts.known(call))) AND c.id = \(id)")
    }

    /// Clients the principal sees.
    static func select(_ principal: Principal) -> SQL {
        """
        SELECT c.id, c.name, c.domain_norm AS domain, c.website, \(fragment: CRMAccess.contactData("c.phone", principal)) AS phone,
               c.industry, c.employees, c.description, c.lifecycle, c.owner_id,
               \(fragment: CRMDomain.clientTags.ids(of: "c.id", company: principal.companyId ?? .zero)) AS tag_ids, c.custom,
               c.archived_at, c.created_by, c.version, c.created_at, c.updated_at
          FROM clients c
         WHERE c.company_id = \(principal.companyId) AND \(fragment: CRMAccess.visible(principal, "c"))
        """
    }
}
