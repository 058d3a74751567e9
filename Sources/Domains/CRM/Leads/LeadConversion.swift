import API
import Core
import Postgres
import Wire

/// What a lead becomes: a client, a deal, and the contact it always was. Asked twice it is converted once, and the second
/// answer is the first.
enum LeadConversion {
    @RouteList static var routes: [Route] {
        POST(
            "/v1/leads/{id}/convert-preview", "See what converting a lead would make", .can(.crmWrite),
            preview
        )
        .operation("previewLeadConversion").problems(.leadConverted, .leadMoveNotAllowed)
        .describe("Takes the same choices as the conversion and writes nothing.")
        .example(body: ["deal": ["mode": "new", "name": "New shop"]])
        POST("/v1/leads/{id}/convert", "Convert a lead", .can(.crmWrite), convert)
            .operation("convertLead").problems(.leadMoveNotAllowed)
            .describe(
                "In one transaction. By itself it takes the client the lead or its contact has, else one of that domain or "
                    + "name, else makes one where a company is named; and it makes a deal. Of many who ask at once each gets "
                    + "the same answer."
            )
            .example(
                body: [
                    "client": ["mode": "new", "name": "Northwind"],
                    "deal": ["mode": "new", "amount_minor": 250_000, "currency": "EUR"],
                ],
                answer: [
                    "lead_id": LeadExamples.id, "contact_id": LeadExamples.person,
                    "client_id": LeadExamples.member,
                    "deal_id": nil, "converted_by": LeadExamples.member,
                    "converted_at": "2026-11-24T09:30:00.000000Z",
                ])
    }

    struct Choices: Codable, Sendable, FieldNotes {
        let client: ClientChoice?
        let contactId: UUID?
        let deal: DealChoice?

        static let fieldNotes = ["contact_id": "Another contact than the lead's."]
    }

    enum ClientMode: String, Codable, CaseIterable, Sendable { case auto, new, existing, none }

    struct ClientChoice: Codable, Sendable {
        let mode: ClientMode
        let id: UUID?
        let name: Text<200>?
        let website: WebURL?
    }

    enum DealMode: String, Codable, CaseIterable, Sendable { case new, none }

    struct DealChoice: Codable, Sendable {
        let mode: DealMode
        let name: Text<200>?
        let pipelineId: UUID?
        let stageId: UUID?
        let ownerId: UUID?
        let amountMinor: Cents?
        let currency: CurrencyCode?
        let closeOn: LocalDate?
    }

    struct Conversion: Codable, Sendable {
        let leadId: UUID
        let contactId: UUID
        let clientId: UUID?
        let dealId: UUID?
        let convertedBy: UUID?
        let convertedAt: Timestamp
    }

    enum Fate: String, Codable, CaseIterable, Sendable { case made, linked, none }

    struct Preview: Codable, Sendable {
        struct Part: Codable, Sendable {
            let outcome: Fate
            let id: UUID?
            let name: String?
            let why: String?
        }

        let contact: Part
        let client: Part
        let deal: Part
        let amountMinor: Int64?
        let currency: String?
        let pipelineId: UUID?
    }

    static func preview(_ call: Call, _ id: Path<UUID>, _ body: Body<Choices>) async throws -> Single<Preview>
    {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let choices = body.value
        let plan = try await call.db.transaction { tx in try await planned(id.value, choices, call, tx) }
        let seesAmount = principal.permissions.contains(.crmAmounts)
        return Single(
            Preview(
                contact: .init(outcome: .linked, id: plan.contact, name: plan.contactName, why: nil),
                client: .init(
                    outcome: plan.clientFate, id: plan.client, name: plan.clientName, why: plan.clientWhy),
                deal: .init(
                    outcome: plan.deal == nil ? .none : .made, id: nil, name: plan.deal?.name, why: nil),
                amountMinor: seesAmount ? plan.deal?.amountMinor : nil, currency: plan.deal?.currency,
                pipelineId: plan.pipeline))
    }

    @inline(never)
    private static func planned(_ id: UUID, _ choices: Choices, _ call: Call, _ tx: Transaction) async throws
        -> Plan
    {
        let lead = try await Source.lock(id, call, tx)
        if lead.head.status == .converted { throw Problem(.leadConverted) }
        let plan = try await decide(choices, for: lead, call, tx)
        return plan
    }

    static func convert(_ call: Call, _ id: Path<UUID>, _ body: Body<Choices>) async throws -> Single<
        Conversion
    > {
        let choices = body.value
        let rows = try await call.db.transaction { tx in try await converted(id.value, choices, call, tx) }
        return try Single(rows)
    }

    /// FOR UPDATE on the lead: of many at once one converts, the others wait and find it done.
    @inline(never)
    private static func converted(_ id: UUID, _ choices: Choices, _ call: Call, _ tx: Transaction)
        async throws -> Rows
    {
        let company = try call.company
        let lead = try await Source.lock(id, call, tx)
        if lead.head.status != .converted {
            let plan = try await decide(choices, for: lead, call, tx)
            try await carryOut(plan, lead, call, company, tx)
        }
        return try await tx.query(
            """
            SELECT lead_id, contact_id, client_id, deal_id, converted_by, converted_at FROM lead_conversions
             WHERE company_id = \(company) AND lead_id = \(id)
            """)
    }

    /// The lead with all that a decision about it needs.
    struct Source: Sendable {
        let head: LeadHead
        let contactName: String
        let contactClient: UUID?
        let email: String?
        let valueMinor: Int64?
        let currency: String?

        @inline(never)
        static func lock(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Source {
            let company = try call.company
            let head = try await LeadHead.lock(id, company, tx, if: CRMAccess.visible(call, "l"))
            if !head.status.isOpen, head.status != .converted {
                throw Problem(.leadMoveNotAllowed, "It is \(head.status.rawValue); reopen it first.")
            }
            let rows = try await tx.query(
                """
                SELECT c.name, c.client_id, c.email, l.value_minor, l.currency FROM leads l
                  JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
                 WHERE l.company_id = \(company) AND l.id = \(id)
                """)
            return Source(
                head: head, contactName: try rows[0].get("name"), contactClient: try rows[0].get("client_id"),
                email: try rows[0].get("email"), valueMinor: try rows[0].get("value_minor"),
                currency: try rows[0].get("currency"))
        }
    }

    /// What is to be made and what linked, decided and not yet written.
    struct Plan: Sendable {
        var contact: UUID
        var contactName: String
        var clientFate = Fate.none
        var client: UUID?
        var clientName: String?
        var clientWhy: String?
        var newClient: ClientWriting.Draft?
        /// A client is made even when there is one of that name.
        var forcesNew = false
        var deal: DealWriting.Draft?
        var pipeline: UUID?
    }

    @inline(never)
    private static func decide(_ choices: Choices, for lead: Source, _ call: Call, _ tx: Transaction)
        async throws -> Plan
    {
        let company = try call.company
        var plan = Plan(contact: lead.head.contactId, contactName: lead.contactName)
        if let other = choices.contactId, other != plan.contact {
            try await CRMAccess.require(.contact, other, call, tx)
            let rows = try await tx.query(
                "SELECT name FROM contacts WHERE company_id = \(company) AND id = \(other)")
            (plan.contact, plan.contactName) = (other, try rows[0].get("name"))
        }
        try await planClient(choices.client, for: lead, call, company, &plan, tx)
        let deal = choices.deal
        if deal?.mode ?? .new == .new {
            if deal?.amountMinor != nil { try call.require(.crmAmounts) }
            if (deal?.amountMinor == nil) != (deal?.currency == nil) {
                throw Problem.unprocessable(
                    "/deal/currency", "required", "an amount has a currency, and a currency an amount")
            }
            var draft = DealWriting.Draft(name: deal?.name?.text ?? lead.head.title)
            draft.pipelineId = deal?.pipelineId
            draft.stageId = deal?.stageId
            draft.ownerId = try deal?.ownerId ?? lead.head.ownerId ?? call.member
            draft.contactId = plan.contact
            draft.leadId = lead.head.id
            draft.sourceId = lead.head.sourceId
            draft.amountMinor = deal?.amountMinor?.value ?? lead.valueMinor
            draft.currency = deal?.currency?.text ?? lead.currency
            draft.closeOn = deal?.closeOn
            plan.deal = draft
            plan.pipeline = try await pipeline(deal?.pipelineId, company, tx)
        }
        return plan
    }

    @inline(never)
    private static func pipeline(_ chosen: UUID?, _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        let rows = try await tx.query(
            """
            SELECT id FROM pipelines
             WHERE company_id = \(company) AND archived_at IS NULL
               AND (id = \(chosen)::uuid OR \(chosen)::uuid IS NULL AND is_default)
            """)
        if chosen != nil, rows.isEmpty {
            throw Problem.unprocessable(
                "/deal/pipeline_id", "unknown-pipeline", "is no pipeline of this company")
        }
        return try rows.first?.get("id")
    }

    @inline(never)
    private static func planClient(
        _ choice: ClientChoice?, for lead: Source, _ call: Call, _ company: UUID, _ plan: inout Plan,
        _ tx: Transaction
    ) async throws {
        switch choice?.mode ?? .auto {
        case .none: return
        case .existing:
            guard let id = choice?.id else {
                throw Problem.unprocessable("/client/id", "required", "says which client")
            }
            try await CRMAccess.require(.client, id, call, tx)
            try await link(id, "You chose it.", company, &plan, tx)
        case .new:
            guard let name = choice?.name?.text ?? lead.head.clientName else {
                throw Problem.unprocessable(
                    "/client/name", "required", "names the client, for the lead does not")
            }
            make(name, choice, lead, &plan)
            plan.forcesNew = true
        case .auto:
            let name = choice?.name?.text ?? lead.head.clientName
            if let (id, why) = try await known(lead, name, company, tx) {
                try await link(id, why, company, &plan, tx)
            } else if let name {
                make(name, choice, lead, &plan)
            }
        }
    }

    /// The client that a lead belongs to by itself, and why.
    @inline(never)
    private static func known(_ lead: Source, _ name: String?, _ company: UUID, _ tx: Transaction)
        async throws
        -> (UUID, String)?
    {
        if let id = lead.head.clientId { return (id, "The lead names it.") }
        let named = try await byName(name, company, tx)
        if let named { return (named, "A client has that name.") }
        let host = lead.email.flatMap { $0.split(separator: "@").last.map(String.init)?.lowercased() }
        let housed = try await byDomain(host, company, tx)
        if let housed, let host { return (housed, "It has the domain \(host).") }
        return lead.contactClient.map { ($0, "The contact belongs to it.") }
    }

    private static func make(_ name: String, _ choice: ClientChoice?, _ lead: Source, _ plan: inout Plan) {
        var draft = ClientWriting.Draft(name: name)
        draft.website = choice?.website?.text
        // A free-mail host says nothing of a company: the draft knows.
        if draft.website == nil { draft.email = lead.email }
        draft.ownerId = lead.head.ownerId
        draft.lifecycle = .prospect
        (plan.newClient, plan.clientFate, plan.clientName) = (draft, .made, name)
    }

    @inline(never)
    private static func link(
        _ id: UUID, _ why: String, _ company: UUID, _ plan: inout Plan, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query("SELECT name FROM clients WHERE company_id = \(company) AND id = \(id)")
        (plan.client, plan.clientFate, plan.clientWhy) = (id, .linked, why)
        plan.clientName = try rows.first?.get("name")
    }

    @inline(never)
    private static func byName(_ name: String?, _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        let rows = try await tx.query(
            """
            SELECT id FROM clients WHERE company_id = \(company) AND lower(name) = lower(\(name)) AND deleted_at IS NULL
             ORDER BY created_at LIMIT 1
            """)
        return try rows.first?.get("id")
    }

    @inline(never)
    private static func byDomain(_ domain: String?, _ company: UUID, _ tx: Transaction) async throws -> UUID?
    {
        let rows = try await tx.query(
            "SELECT id FROM clients WHERE company_id = \(company) AND domain_norm = \(domain) AND deleted_at IS NULL"
        )
        return try rows.first?.get("id")
    }

    @inline(never)
    private static func carryOut(
        _ plan: Plan, _ lead: Source, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        let actor = call.actor
        var client = plan.client
        if let draft = plan.newClient {
            if plan.forcesNew {
                client = try await ClientWriting.create(draft, by: actor, company: company, in: tx)
            } else {
                let found = try await ClientWriting.findOrCreate(draft, by: actor, company: company, in: tx)
                client = found.id
            }
        }
        if let client {
            try await ClientWriting.link(
                contact: plan.contact, to: client, role: nil, primary: true, company: company, in: tx)
        }
        var deal: UUID?
        if var draft = plan.deal {
            draft.clientId = client
            deal = try await DealWriting.create(draft, by: actor, company: company, in: tx)
        }
        _ = try await tx.batch([
            """
            INSERT INTO lead_conversions (company_id, lead_id, client_id, contact_id, deal_id, converted_by)
            VALUES (\(company), \(lead.head.id), \(client), \(plan.contact), \(deal), \(try call.member))
            """,
            """
            UPDATE leads SET status = 'converted', converted_at = now(), contact_id = \(plan.contact),
                   client_id = \(client)::uuid, first_response_at = coalesce(first_response_at, now()),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(lead.head.id)
            """,
            "UPDATE touches SET contact_id = \(plan.contact) WHERE company_id = \(company) AND lead_id = \(lead.head.id)",
        ])
        try await ContactWriting.setLifecycle(
            plan.contact, deal == nil ? .qualified : .opportunity, onlyForward: true, by: actor,
            company: company, in: tx)
        let data = LeadEvents.ConversionData(
            leadId: lead.head.id, contactId: plan.contact, clientId: client, dealId: deal)
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry("lead.converted", on: "lead", lead.head.id, after: try JSON(encoding: data)),
                by: actor,
                company: company),
            try Events.sql(LeadEvents.converted, data, on: "lead", lead.head.id, by: actor, company: company),
        ])
    }
}
