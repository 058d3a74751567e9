import API
import Core
import Postgres
import Wire

/// The contacts of a company.
enum Contacts {
    @RouteList static var routes: [Route] {
        GET("/v1/contacts", "List contacts", .can(.crmRead), list)
            .describe("Those the caller sees. Archived ones are left out unless `archived` asks for them.")
            .example(answer: Contact.example)
        POST("/v1/contacts", "Create a contact", .can(.crmWrite), create)
            .describe(
                "One address, number or outside id is one person's: a second contact with it is a conflict that names the first."
            )
            .problems(.contactKnown, .contactInTrash, .unknownOwner)
            .example(
                body: [
                    "first_name": "Anna", "last_name": "Berg", "emails": ["anna@northwind.example"],
                    "phones": ["+49 30 901820"], "job_title": "Head of purchasing",
                ], answer: Contact.example)
        GET("/v1/contacts/{id}", "Read a contact", .can(.crmRead), read).example(answer: Contact.example)
        PATCH("/v1/contacts/{id}", "Change a contact", .can(.crmWrite), change).ifMatch(.required)
            .describe("Addresses and numbers are changed by its identities.").problems(.unknownOwner)
            .example(
                body: ["job_title": "Managing director", "lifecycle": "customer"], answer: Contact.example)
        POST("/v1/contacts/upsert", "Write contacts by what they are known by", .can(.crmWrite), upsert)
            .operation("upsertContacts")
            .describe(
                "Up to \(ContactLimits.upsertMax). Whoever is known by one of the addresses, numbers or the outside id gets what is "
                    + "empty filled and nothing overwritten; else a contact is made. Takes crm:contact-data."
            )
            .problems(.unknownOwner)
            .example(
                body: ["contacts": [["name": "Anna Berg", "emails": ["anna@northwind.example"]]]],
                answer: ["results": [["id": .string(ContactEvents.someId.description), "is_new": true]]])
    }

    static func list(_ call: Call, _ list: List<ContactFilter>) async throws -> Page<Contact> {
        let principal = try known(call)
        let conditions = try await list.filter.conditions(principal, call.environment[CustomFields.self])
        return try await call.page(list, select(principal) + conditions)
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Contact> {
        let rows = try await rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    static func create(_ call: Call, _ body: Body<NewContact>) async throws -> Created<Contact> {
        let company = try call.company
        if body.value.hasContactData { try call.require(.crmContactData) }
        var draft = body.value.draft()
        if draft.ownerId == nil { draft.ownerId = try call.member }
        draft.custom = try await RecordCustom.new(body.custom, .contact, call)
        let wanted = draft
        do {
            try await call.db.transaction { tx in try await create(wanted, call, company, tx) }
        } catch let problem as Problem {
            let told = await RecordLife.seen(problem, .contact, call)
            throw told
        }
        let rows = try await rows(wanted.id, call)
        return try Created(rows)
    }

    @inline(never)
    private static func create(
        _ draft: ContactWriting.Draft, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        if let client = draft.clientId { try await CRMAccess.require(.client, client, call, tx) }
        try await RecordLife.requireOwner(draft.ownerId, company, tx)
        try await Tags.mustExist(draft.tags, at: "/tag_ids", company: company, in: tx)
        try await ContactWriting.create([draft], by: call.actor, company: company, in: tx)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ContactChange>) async throws -> Single<
        Contact
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let rows = try await rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    @inline(never)
    private static func apply(_ change: ContactChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let row = try await RecordLife.locked(.contact, id, call, tx)
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("first_name", change.firstName)
        changes.set("last_name", change.lastName)
        changes.set("job_title", change.jobTitle)
        changes.set("lifecycle", change.lifecycle)
        changes.set("owner_id", change.ownerId)
        changes.set("locale", change.locale)
        changes.set("time_zone", change.timeZone)
        if let name = change.name {
            changes.set("name", name)
        } else if change.firstName != nil || change.lastName != nil {
            let stored: (String?, String?) = (try row.get("first_name"), try row.get("last_name"))
            let first = change.firstName.map { $0?.text } ?? stored.0
            let last = change.lastName.map { $0?.text } ?? stored.1
            let whole = [first, last].compactMap { $0 }.joined(separator: " ")
            if !whole.isEmpty { changes.set("name", to: "\(whole)") }
        }
        if let values = change.custom {
            let stored = try JSON.parse(row.get("custom_text", as: String.self))
            let custom = try await RecordCustom.changed(values, over: stored, .contact, call)
            changes.set("custom", to: "\(JSONText(custom))")
        }
        if let owner = change.ownerId { try await RecordLife.requireOwner(owner, company, tx) }
        try await RecordLife.write(
            .contact, id, changes, tags: change.tagIds?.items, before: row, after: JSON(encoding: change),
            call, tx)
        try await ContactSearch.renew([id], company, tx)
    }

    struct Batch: Codable, Sendable { let contacts: UpTo<100, NewContact> }
    struct BatchAnswer: Codable, Sendable {
        struct Item: Codable, Sendable {
            let id: UUID
            let isNew: Bool
        }
        let results: [Item]
    }

    static func upsert(_ call: Call, _ body: Body<Batch>) async throws -> Single<BatchAnswer> {
        let company = try call.company
        try call.require(.crmContactData)
        var drafts: [ContactWriting.Draft] = []
        for (index, contact) in body.contacts.items.enumerated() {
            var draft = contact.draft()
            if draft.ownerId == nil { draft.ownerId = try call.member }
            if draft.identities.isEmpty {
                throw Problem.unprocessable(
                    "/contacts/\(index)/emails", "required", "an address, a number or an outside id is needed"
                )
            }
            draft.custom = try await RecordCustom.new(contact.custom, .contact, call)
            drafts.append(draft)
        }
        let wanted = drafts
        let results = try await call.db.transaction { tx in try await upsert(wanted, call, company, tx) }
        return Single(BatchAnswer(results: results))
    }

    @inline(never)
    private static func upsert(
        _ drafts: [ContactWriting.Draft], _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> [BatchAnswer.Item] {
        for client in Set(drafts.compactMap(\.clientId)) {
            try await CRMAccess.require(.client, client, call, tx)
        }
        for owner in Set(drafts.compactMap(\.ownerId)) {
            try await RecordLife.requireOwner(owner, company, tx)
        }
        try await Tags.mustExist(
            Array(Set(drafts.flatMap(\.tags))), at: "/contacts", company: company, in: tx)
        var results: [BatchAnswer.Item] = []
        for draft in drafts {
            let found = try await ContactWriting.findOrCreate(draft, by: call.actor, company: company, in: tx)
            results.append(.init(id: found.id, isNew: found.isNew))
        }
        return results
    }

    static func known(_ call: Call) throws -> Principal {
        _ = try call.company
        guard let principal = call.principal else { throw Problem.unauthorized }
        return principal
    }

    @inline(never)
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(known(call))) AND c.id = \(id)")
    }

    /// A name that is an address says the address.
    static func name(_ principal: Principal) -> SQL {
        principal.permissions.contains(.crmContactData)
            ? "c.name" : "CASE WHEN c.name = c.email OR c.name = c.phone THEN '(hidden)' ELSE c.name END"
    }

    static func columns(_ principal: Principal) -> SQL {
        """
        c.id, \(fragment: name(principal)) AS name, c.first_name, c.last_name, c.job_title, c.lifecycle, c.owner_id, c.client_id,
        \(fragment: CRMAccess.contactData("c.email", principal)) AS email,
        \(fragment: CRMAccess.contactData("c.phone", principal)) AS phone, c.locale, c.time_zone, c.consents,
        \(fragment: CRMDomain.contactTags.ids(of: "c.id", company: principal.companyId ?? .zero)) AS tag_ids, c.custom,
        c.archived_at, c.created_by, c.version, c.created_at, c.updated_at
        """
    }

    /// Contacts the principal sees.
    static func select(_ principal: Principal) -> SQL {
        """
        SELECT \(fragment: columns(principal)) FROM contacts c
         WHERE c.company_id = \(principal.companyId) AND \(fragment: CRMAccess.visible(principal, "c"))
        """
    }
}
