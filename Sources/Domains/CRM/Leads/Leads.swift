import API
import Core
import Postgres
import Wire

/// Leads: found, made and changed.
enum Leads {
    @RouteList static var routes: [Route] {
        GET("/v1/leads", "List leads", .can(.crmRead), list)
            .describe("Those one may see. Archived ones are left out unless `archived` asks for them.")
            .example(answer: LeadExamples.lead)
        POST("/v1/leads", "Create a lead", .can(.crmWrite), create)
            .problems(.leadExternalIdTaken)
            .describe(
                "Of a contact, or of a person who is found by address or number and else made. Without `owner_id` the "
                    + "assignment rules choose who gets it."
            )
            .example(body: LeadExamples.newLead, answer: LeadExamples.lead)
        POST("/v1/leads/upsert", "Create or change a lead by its external id", .can(.crmWrite), upsert)
            .operation("upsertLead").problems(.leadConverted)
            .describe("What is sent replaces what was there; what is not stays. 200 either way.")
            .example(
                body: ["external_id": "shop-4711", "contact": ["email": "anna@northwind.example"]],
                answer: LeadExamples.lead)
        GET("/v1/leads/stats", "Count leads", .can(.crmRead), LeadStats.read).operation("countLeads")
        GET("/v1/leads/{id}", "Read a lead", .can(.crmRead), read).example(answer: LeadExamples.lead)
        PATCH("/v1/leads/{id}", "Change a lead", .can(.crmWrite), change).ifMatch(.required)
            .problems(.leadExternalIdTaken)
            .example(body: ["title": "New shop and newsletter", "country": "AT"], answer: LeadExamples.lead)
        DELETE("/v1/leads/{id}", "Put a lead into the trash", .can(.crmWrite), LeadTrash.delete)
            .describe(
                "For \(LeadLimits.trashDays) days it can be taken back. What was converted stays after that too."
            )
        POST("/v1/leads/{id}/restore", "Take a lead out of the trash", .can(.crmWrite), LeadTrash.restore)
            .operation("restoreLead").problems(.leadNotInTrash).example(answer: LeadExamples.lead)
    }

    static func list(_ call: Call, _ list: List<LeadFilter>) async throws -> Page<Lead> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let conditions = try await list.filter.conditions(principal, call.environment[CustomFields.self])
        return try await call.page(
            list, LeadRows.select(principal, where: CRMAccess.visible(principal, "l") + conditions))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Lead> {
        try Single(await LeadRows.one(id.value, call), versionIsWhole: false)
    }

    static func create(_ call: Call, _ body: Body<NewLead>) async throws -> Created<Lead> {
        let company = try call.company
        let draft = try await draft(body.value, call)
        try await call.db.transaction { tx in try await make(draft, call, company, tx) }
        return try Created(await LeadRows.one(draft.id, call), at: "/v1/leads/\(draft.id)")
    }

    @inline(never)
    private static func make(_ draft: LeadWriting.Draft, _ call: Call, _ company: UUID, _ tx: Transaction)
        async throws
    {
        if let contact = draft.contactId { try await CRMAccess.require(.contact, contact, call, tx) }
        if let client = draft.clientId { try await CRMAccess.require(.client, client, call, tx) }
        try await LeadWriting.create(draft, by: call.actor, company: company, in: tx)
    }

    /// What one may not see one may not write either.
    private static func draft(_ body: NewLead, _ call: Call) async throws -> LeadWriting.Draft {
        if body.valueMinor != nil { try call.require(.crmAmounts) }
        if body.contact?.email != nil || body.contact?.phone != nil { try call.require(.crmContactData) }
        var draft = LeadWriting.Draft()
        draft.title = body.title?.text
        draft.message = body.message?.text
        draft.contactId = body.contactId
        draft.contact = body.contact.map(person)
        draft.clientName = body.clientName?.text
        draft.clientId = body.clientId
        // Who sees only his own would not see what he made.
        draft.ownerId =
            try body.ownerId ?? (call.can(.crmReadTeam) || call.can(.crmReadAll) ? nil : try call.member)
        draft.sourceId = body.sourceId
        draft.valueMinor = body.valueMinor?.value
        draft.currency = body.currency?.text
        draft.country = body.country?.text
        draft.utm = body.utm?.json ?? [:]
        draft.externalId = body.externalId?.text
        draft.tags = Array(Set(body.tagIds?.items ?? []))
        let custom = try await custom(body.custom ?? [:], over: nil, call)
        draft.custom = custom
        return draft
    }

    static func person(_ person: LeadPerson) -> ContactWriting.Draft {
        var draft = ContactWriting.Draft()
        draft.name = person.name?.text
        draft.firstName = person.firstName?.text
        draft.lastName = person.lastName?.text
        draft.emails = [person.email?.text].compactMap { $0 }
        draft.phones = [person.phone?.text].compactMap { $0 }
        draft.jobTitle = person.jobTitle?.text
        draft.lifecycle = .lead
        return draft
    }

    private static func custom(_ values: [String: JSON], over stored: JSON?, _ call: Call) async throws
        -> JSON
    {
        var object = JSON.Object()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { object[key] = value }
        let company = try call.company
        return try await call.environment[CustomFields.self].checked(
            .object(object), over: stored, of: "lead", scope: nil, company: company)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<LeadChange>) async throws -> Single<Lead>
    {
        let change = body.value
        let mayKeep = change.custom == nil
        let stored = mayKeep ? JSON.null : try await storedCustom(id.value, call)
        let custom = mayKeep ? JSON?.none : try await custom(change.custom ?? [:], over: stored, call)
        try await call.db.transaction { tx in try await apply(change, custom, to: id.value, call, tx) }
        return try await read(call, id)
    }

    private static func storedCustom(_ id: UUID, _ call: Call) async throws -> JSON {
        let rows = try await call.db.query(
            "SELECT l.custom::text AS custom FROM leads l WHERE l.company_id = \(call.company) AND l.id = \(id)"
        )
        guard let row = rows.first else { throw Problem.notFound }
        return try JSON.parse(row.get("custom", as: String.self))
    }

    @inline(never)
    static func apply(_ change: LeadChange, _ custom: JSON?, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await LeadHead.lock(id, company, tx, if: CRMAccess.visible(call, "l"))
        try call.requireVersion(head.version)
        if change.valueMinor != nil || change.currency != nil { try call.require(.crmAmounts) }
        try await LeadChecks.all(
            owner: change.ownerId ?? nil, source: change.sourceId ?? nil, client: change.clientId ?? nil,
            company, tx)
        if let client = change.clientId ?? nil { try await CRMAccess.require(.client, client, call, tx) }
        var changes = Changes()
        var names: [String] = []
        func note(_ name: String, _ isSent: Bool) { if isSent { names.append(name) } }
        changes.set("title", change.title); note("title", change.title != nil)
        changes.set("message", change.message); note("message", change.message != nil)
        changes.set("client_name", change.clientName); note("client_name", change.clientName != nil)
        changes.set("client_id", change.clientId); note("client_id", change.clientId != nil)
        changes.set("source_id", change.sourceId); note("source_id", change.sourceId != nil)
        changes.set("value_minor", change.valueMinor); note("value_minor", change.valueMinor != nil)
        changes.set("currency", change.currency); note("currency", change.currency != nil)
        changes.set("country", change.country); note("country", change.country != nil)
        changes.set("external_id", change.externalId); note("external_id", change.externalId != nil)
        if let custom { changes.set("custom", to: "\(JSONText(custom))::jsonb"); names.append("custom") }
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL");
            names.append("is_archived")
        }
        let isReassigned = change.ownerId != nil && change.ownerId ?? nil != head.ownerId
        if isReassigned {
            changes.set("owner_id", change.ownerId); names.append("owner_id")
            changes.set("assigned_at", to: change.ownerId ?? nil == nil ? "NULL" : "now()")
            changes.set("rule_id", to: "NULL")
        }
        var statements: [SQL] = [
            "UPDATE leads SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
        ]
        if let tags = change.tagIds?.items {
            try await Tags.mustExist(tags, at: "/tag_ids", company: company, in: tx)
            statements += CRMDomain.leadTags.replace(with: Array(Set(tags)), on: id, company: company)
            names.append("tag_ids")
        }
        _ = try await tx.batch(statements)
        try await LeadWriting.search(id, company: company, tx)
        try await LeadMoves.tell(
            id, LeadEvents.updated, "lead.changed", changed: names, isAssigned: isReassigned, by: call.actor,
            company, tx)
    }

    static func upsert(_ call: Call, _ body: Body<NewLead>) async throws -> Single<Lead> {
        let company = try call.company
        guard let external = body.value.externalId?.text else {
            throw Problem.unprocessable("/external_id", "required", "is what the lead is known by")
        }
        let draft = try await draft(body.value, call)
        let id = try await call.db.transaction { tx in
            try await upserted(draft, external, body.value, call, company, tx)
        }
        return try await read(call, Path(id))
    }

    @inline(never)
    private static func upserted(
        _ draft: LeadWriting.Draft, _ external: String, _ body: NewLead, _ call: Call, _ company: UUID,
        _ tx: Transaction
    ) async throws -> UUID {
        // Two at once with one id wait for each other, so that the second finds what the first has made.
        let answers = try await tx.batch([
            "SELECT pg_advisory_xact_lock(hashtextextended(\("lead \(company) \(external)"), 0))",
            "SELECT id, status, deleted_at IS NOT NULL AS is_gone FROM leads WHERE company_id = \(company) AND external_id = \(external)",
        ])
        guard let row = answers[1].first else {
            try await make(draft, call, company, tx)
            return draft.id
        }
        if try row.get("is_gone", as: Bool.self) {
            throw Problem(.leadExternalIdTaken, "It lies in the trash.")
        }
        let id: UUID = try row.get("id")
        let status: LeadStatus = try row.get("status")
        if status == .converted { throw Problem(.leadConverted).with("lead_id", .string(id.description)) }
        try await CRMAccess.require(.lead, id, call, tx)
        try await LeadWriting.check(draft, company, tx)
        var changes = Changes()
        changes.set("title", body.title)
        changes.set("message", body.message)
        changes.set("client_name", body.clientName)
        changes.set("client_id", body.clientId)
        changes.set("source_id", body.sourceId)
        changes.set("value_minor", body.valueMinor)
        changes.set("currency", body.currency)
        changes.set("country", body.country)
        if body.utm != nil { changes.set("utm", to: "\(JSONText(draft.utm))::jsonb") }
        if body.custom != nil { changes.set("custom", to: "custom || \(JSONText(draft.custom))::jsonb") }
        var statements: [SQL] = [
            "UPDATE leads SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
        ]
        if !draft.tags.isEmpty {
            statements.append(CRMDomain.leadTags.add(draft.tags, to: [id], company: company))
        }
        _ = try await tx.batch(statements)
        try await LeadWriting.search(id, company: company, tx)
        try await LeadMoves.tell(
            id, LeadEvents.updated, "lead.changed", changed: ["upsert"], by: call.actor, company, tx)
        return id
    }
}
