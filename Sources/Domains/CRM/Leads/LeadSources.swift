import API
import Core
import Postgres
import Wire

/// Where leads come from, in the company's own words.
enum LeadSources {
    @RouteList static var routes: [Route] {
        GET("/v1/lead-sources", "List lead sources", .can(.crmRead), list)
        POST("/v1/lead-sources", "Create a lead source", .can(.crmManage), create)
            .problems(.leadSourceNameTaken, .tooManyLeadSources)
            .example(body: ["name": "Spring fair", "channel": "event"])
        PATCH("/v1/lead-sources/{id}", "Change a lead source", .can(.crmManage), change)
            .problems(.leadSourceNameTaken)
            .describe("An archived source stays on the leads that have it and is offered no more.")
            .example(body: ["is_archived": true])
        DELETE("/v1/lead-sources/{id}", "Delete a lead source", .can(.crmManage), delete)
            .problems(.leadSourceInUse).describe("Only while nothing names it; else archive it.")
    }

    enum Channel: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
        case organic, paid, social, email, referral, partner, event, form, `import`, api, other
    }

    struct LeadSource: Codable, Sendable {
        let id: UUID
        let name: String
        let channel: Channel
        let isArchived: Bool
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewLeadSource: Codable, Sendable {
        let name: Text<80>
        let channel: Channel?
    }

    struct LeadSourceChange: Codable, Sendable {
        let name: Text<80>?
        let channel: Channel?
        let isArchived: Bool?
    }

    struct Filter: ListFilter {
        let channel: [Channel]?
        let isArchived: Bool?
        static let sorts = ["name", "-created_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<LeadSource> {
        try await call.page(list, select(call.company))
    }

    static func create(_ call: Call, _ body: Body<NewLeadSource>) async throws -> Created<LeadSource> {
        let (company, id) = (try call.company, UUID.v7())
        let limit = RowLimit(
            LeadLimits.sourcesMax, "SELECT count(*) FROM lead_sources WHERE company_id = \(company)",
            else: .tooManyLeadSources)
        let record = Audit.sql(
            Audit.Entry("lead_source.created", on: "lead_source", id, after: try JSON(encoding: body.value)),
            by: call.actor, company: company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO lead_sources AS s (company_id, id, name, channel)
            SELECT \(company), \(id), \(body.name), \(body.channel ?? .other) WHERE \(fragment: isBelow)
            RETURNING \(fragment: columns)
            """
        }
        return try Created(rows)
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ body: Patch<LeadSourceChange>
    ) async throws -> Single<LeadSource> {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND s.id = \(id)")
        return try Single(rows)
    }

    @inline(never)
    private static func apply(_ change: LeadSourceChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        _ = try await LeadSetUp.sources.locked(id, call, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("channel", change.channel)
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
        }
        try await LeadSetUp.sources.write(changes, to: id, call.company, tx)
        try await LeadSetUp.sources.record("lead_source.changed", id, JSON(encoding: change), call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM lead_sources WHERE company_id = \(company) AND id = \(id) RETURNING name")
            guard let row = gone.first else { throw Problem.notFound }
            let name: String = try row.get("name")
            let entry = Audit.Entry(
                "lead_source.deleted", on: "lead_source", id.value, before: ["name": .string(name)])
            try await Audit.record(entry, by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    private static let columns: SQL = """
        s.id, s.name, s.channel, s.archived_at IS NOT NULL AS is_archived, s.version, s.created_at, s.updated_at
        """

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM lead_sources s WHERE s.company_id = \(company)"
    }
}
