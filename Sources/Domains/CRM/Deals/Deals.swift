import API
import Core
import Postgres
import Wire

/// Deals: made, found and changed.
enum Deals {
    @RouteList static var routes: [Route] {
        GET("/v1/deals", "List deals", .can(.crmRead), list)
            .describe(
                "Those the caller sees. `sort=rank` is the order of a stage, `closing` puts those without a day last, `amount` "
                    + "is in the company's currency."
            )
            .example(answer: DealExamples.summary)
        POST("/v1/deals", "Create a deal", .can(.crmWrite), create)
            .describe("It comes last in its stage. What that stage requires has to be there.")
            .example(body: DealExamples.new, answer: DealExamples.deal)
        GET("/v1/deals/{id}", "Read a deal", .can(.crmRead), read).example(answer: DealExamples.deal)
        PATCH("/v1/deals/{id}", "Change a deal", .can(.crmWrite), change).ifMatch(.required)
            .describe(
                "Takes the version one has seen: of two who edit at once the second is told so. What a deal was won or lost for "
                    + "does not change any more."
            )
            .problems(.dealClosed)
            .example(body: ["amount_minor": 1_400_000, "close_on": "2027-02-12"], answer: DealExamples.deal)
        GET("/v1/clients/{id}/deals", "List the deals of a client", .can(.crmRead), ofClient)
            .operation("listClientDeals").example(answer: DealExamples.summary)
        GET("/v1/contacts/{id}/deals", "List the deals of a contact", .can(.crmRead), ofContact)
            .operation("listContactDeals").describe("Those that are his, and those he has a part in.")
            .example(answer: DealExamples.summary)
    }

    static func list(_ call: Call, _ list: List<DealFilter>) async throws -> Page<DealSummary> {
        try await page(call, list)
    }

    static func ofClient(_ call: Call, _ id: Path<UUID>, _ list: List<DealFilter>) async throws -> Page<
        DealSummary
    > {
        try await CRMAccess.require(.client, id.value, call)
        return try await page(call, list, "d.client_id = \(id.value)")
    }

    static func ofContact(_ call: Call, _ id: Path<UUID>, _ list: List<DealFilter>) async throws -> Page<
        DealSummary
    > {
        try await CRMAccess.require(.contact, id.value, call)
        return try await page(
            call, list,
            """
            (d.contact_id = \(id.value) OR d.id IN (
                SELECT part.deal_id FROM deal_contacts part
                 WHERE part.company_id = d.company_id AND part.contact_id = \(id.value)))
            """)
    }

    private static func page(
        _ call: Call, _ list: List<DealFilter>, _ which: SQL = "TRUE"
    ) async throws -> Page<DealSummary> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let conditions = try await list.filter.conditions(
            principal, fields: call.environment[CustomFields.self], list.sort)
        return try await call.page(list, select(principal, try call.company, conditions, which))
    }

    /// The bounds of `amount` are compared with the column of that name.
    static func select(_ principal: Principal, _ company: UUID, _ conditions: SQL, _ which: SQL = "TRUE")
        -> SQL
    {
        """
        SELECT \(fragment: DealRows.summary(principal)), \(fragment: DealRows.sorts) \(fragment: DealRows.from)
         WHERE d.company_id = \(company) AND \(fragment: which) AND \(fragment: conditions)
        """
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Deal> {
        // Names and tags change without the version.
        try Single(await DealRows.one(id.value, call), versionIsWhole: false)
    }

    static func create(_ call: Call, _ body: Body<NewDeal>) async throws -> Created<Deal> {
        let draft = try await draft(body.value, call)
        try await call.db.transaction { tx in try await make(draft, call, tx) }
        return try Created(await DealRows.one(draft.id, call, afterWriting: true))
    }

    private static func draft(_ body: NewDeal, _ call: Call) async throws -> DealWriting.Draft {
        if body.amountMinor != nil || body.currency != nil { try call.require(.crmAmounts) }
        var draft = DealWriting.Draft(name: body.name.text)
        draft.pipelineId = body.pipelineId
        draft.stageId = body.stageId
        draft.clientId = body.clientId
        draft.contactId = body.contactId
        draft.ownerId = try body.ownerId ?? call.member
        draft.sourceId = body.sourceId
        draft.amountMinor = body.amountMinor?.value
        draft.currency = body.currency?.text
        draft.probabilityBp = body.probabilityBp?.value
        draft.closeOn = body.closeOn
        draft.description = body.description?.text
        draft.tags = (body.tagIds?.items ?? []).unique
        draft.custom = try await custom(body.custom ?? [:], isNew: true, call)
        return draft
    }

    @inline(never)
    private static func make(_ given: DealWriting.Draft, _ call: Call, _ tx: Transaction) async throws {
        var draft = given
        let company = try call.company
        try await requireSeen(client: draft.clientId, contact: draft.contactId, call, tx)
        if draft.amountMinor != nil, draft.currency == nil {
            let rows = try await tx.query("SELECT currency FROM companies WHERE id = \(company)")
            draft.currency = try rows[0].get("currency")
        }
        try await DealWriting.create(draft, by: call.actor, company: company, in: tx)
    }

    /// One does not sell to whom one does not see.
    @inline(never)
    static func requireSeen(client: UUID?, contact: UUID?, _ call: Call, _ tx: Transaction) async throws {
        for (kind, id) in [(CRMRecord.client, client), (.contact, contact)] {
            guard let id else { continue }
            do {
                try await CRMAccess.require(kind, id, call, tx)
            } catch let problem as Problem where problem.status == 404 {
                throw Problem.unprocessable(
                    "/\(kind.rawValue)_id", "not-found", "is no \(kind.rawValue) of this company")
            }
        }
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<DealChange>) async throws -> Single<Deal>
    {
        let change = try await change(body.value, of: id.value, call)
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try Single(await DealRows.one(id.value, call, afterWriting: true), versionIsWhole: false)
    }

    private static func change(_ body: DealChange, of id: UUID, _ call: Call) async throws
        -> DealWriting.Change
    {
        let isMoney = body.amountMinor != nil || body.currency != nil || body.amountIsOfLines != nil
        if isMoney { try call.require(.crmAmounts) }
        var change = DealWriting.Change()
        change.name = body.name?.text
        change.client = body.clientId
        change.contact = body.contactId
        change.owner = body.ownerId
        change.source = body.sourceId
        change.amount = body.amountMinor.map { $0?.value }
        change.currency = body.currency?.text
        change.amountIsOfLines = body.amountIsOfLines
        change.probability = body.probabilityBp.map { $0?.value }
        change.closeOn = body.closeOn
        change.description = body.description.map { $0?.text }
        change.tags = body.tagIds?.items.unique
        if let custom = body.custom {
            change.custom = try await self.custom(custom, isNew: false, call)
        }
        return change
    }

    private static func custom(_ values: [String: JSON], isNew: Bool, _ call: Call) async throws -> JSON {
        try await call.environment[CustomFields.self].sent(
            values, isNew: isNew, upTo: DealLimits.customBytesMax, of: "deal", company: call.company)
    }

    @inline(never)
    private static func apply(_ change: DealWriting.Change, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        try await CRMAccess.require(.deal, id, call, tx)
        try await requireSeen(client: change.client ?? nil, contact: change.contact ?? nil, call, tx)
        try await DealWriting.change(id, change, by: call.actor, company: company, in: tx) { deal in
            try call.requireVersion(deal.version)
        }
    }
}
