import API
import Core
import Postgres
import Wire

enum DealRole: String, Codable, CaseIterable, SQLBindable, Sendable {
    case decisionMaker = "decision_maker"
    case champion, influencer
    case economicBuyer = "economic_buyer"
    case user, blocker, other
}

/// Who of the client's side has to do with a deal, and as what.
enum DealContacts {
    @RouteList static var routes: [Route] {
        GET("/v1/deals/{id}/contacts", "List who has to do with a deal", .can(.crmRead), list)
            .operation("listDealContacts").describe("Those of them the caller sees.")
        POST("/v1/deals/{id}/contacts", "Add a contact to a deal", .can(.crmWrite), add)
            .operation("addDealContact").problems(.tooManyDealParts)
            .describe("Adding somebody again changes his role.")
            .example(body: ["contact_id": DealExamples.contact, "role": "champion"])
        DELETE("/v1/deals/{id}/contacts/{contact_id}", "Take a contact off a deal", .can(.crmWrite), remove)
            .operation("removeDealContact")
    }

    struct Participant: Codable, Sendable {
        let contactId: UUID
        let name: String
        let jobTitle: String?
        let email: String?
        let role: DealRole
        let createdAt: Timestamp
    }

    struct NewParticipant: Codable, Sendable {
        let contactId: UUID
        let role: DealRole?
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<Participant> {
        try await CRMAccess.require(.deal, id.value, call)
        return Page(
            all: try await call.db.query(
                "\(fragment: select(of: id.value, call)) ORDER BY part.created_at, c.id"))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewParticipant>) async throws -> Created<
        Participant
    > {
        let new = body.value
        try await call.db.transaction { tx in try await insert(new, on: id.value, call, tx) }
        return try Created(
            await call.db.query("\(fragment: select(of: id.value, call)) AND c.id = \(new.contactId)"),
            at: "/v1/deals/\(id.value)/contacts/\(new.contactId)")
    }

    @inline(never)
    private static func insert(_ new: NewParticipant, on deal: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        try await CRMAccess.require(.deal, deal, call, tx, locking: true)
        try await Deals.requireSeen(client: nil, contact: new.contactId, call, tx)
        let isBelow = SQL.below(
            DealLimits.contactsMax,
            """
            SELECT count(*) FROM deal_contacts
             WHERE company_id = \(company) AND deal_id = \(deal) AND contact_id <> \(new.contactId)
            """, else: .tooManyDealParts)
        _ = try await tx.query(
            """
            INSERT INTO deal_contacts (company_id, deal_id, contact_id, role)
            SELECT \(company), \(deal), \(new.contactId), \(new.role ?? .other) WHERE \(fragment: isBelow)
            ON CONFLICT ON CONSTRAINT deal_contacts_pkey DO UPDATE SET role = excluded.role
            """)
        try await DealParts.touched(deal, ["contacts"], call, tx)
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ contact: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await take(contact.value, off: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func take(_ contact: UUID, off deal: UUID, _ call: Call, _ tx: Transaction) async throws {
        try await CRMAccess.require(.deal, deal, call, tx, locking: true)
        let rows = try await tx.query(
            """
            DELETE FROM deal_contacts
             WHERE company_id = \(try call.company) AND deal_id = \(deal) AND contact_id = \(contact) RETURNING 1
            """)
        if rows.isEmpty { throw Problem.notFound }
        try await DealParts.touched(deal, ["contacts"], call, tx)
    }

    private static func select(of deal: UUID, _ call: Call) throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return """
            SELECT part.contact_id, c.name, c.job_title, \(fragment: CRMAccess.contactData("c.email", principal)) AS email,
                   part.role, part.created_at
              FROM deal_contacts part
              JOIN contacts c ON c.company_id = part.company_id AND c.id = part.contact_id
             WHERE part.company_id = \(try call.company) AND part.deal_id = \(deal)
               AND \(fragment: CRMAccess.visible(principal, "c"))
            """
    }
}
