import API
import Core
import Postgres
import Wire

/// Who else wants the deals of a company, and how often they get them.
enum Competitors {
    @RouteList static var routes: [Route] {
        GET("/v1/competitors", "List competitors", .can(.crmRead), list)
        POST("/v1/competitors", "Create a competitor", .can(.crmWrite), create)
            .problems(.competitorTaken, .tooManyCompetitors).example(body: [
                "name": "Brightside", "website": "https://brightside.example",
            ])
        PATCH("/v1/competitors/{id}", "Change a competitor", .can(.crmWrite), change)
            .problems(.competitorTaken).example(body: ["notes": "Cheaper, slower."])
        DELETE("/v1/competitors/{id}", "Delete a competitor", .can(.crmManage), delete)
            .describe("One that deals name is archived in place of it.")
        PUT(
            "/v1/deals/{id}/competitors/{competitor_id}", "Name a competitor for a deal", .can(.crmWrite),
            link
        )
        .operation("addDealCompetitor")
        DELETE(
            "/v1/deals/{id}/competitors/{competitor_id}", "Take a competitor off a deal", .can(.crmWrite),
            unlink
        )
        .operation("removeDealCompetitor")
    }

    struct Competitor: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let website: String?
        let notes: String?
        let dealCount: Int
        let lostToCount: Int
        let archivedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "deal_count": "Deals in which it is named.",
            "lost_to_count": "Deals that were lost to it.",
        ]
    }

    struct NewCompetitor: Codable, Sendable {
        let name: Text<120>
        let website: WebURL?
        let notes: Prose<10_000>?
    }

    struct CompetitorChange: Codable, Sendable {
        let name: Text<120>?
        let website: Clearable<WebURL>
        let notes: Clearable<Prose<10_000>>
        let isArchived: Bool?
    }

    struct Filter: ListFilter {
        let isArchived: Bool?
        static let sorts = ["name", "-created_at"]
        static let search = ["name"]
        static let ownFields: Set<String> = ["is_archived"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Competitor> {
        let archived: SQL = list.isArchived == true ? "c.archived_at IS NOT NULL" : "c.archived_at IS NULL"
        return try await call.page(list, "\(fragment: select(call.company)) AND \(fragment: archived)")
    }

    static func create(_ call: Call, _ body: Body<NewCompetitor>) async throws -> Created<Competitor> {
        let (company, id) = (try call.company, UUID.v7())
        let limit = RowLimit(
            DealLimits.competitorsMax, "SELECT count(*) FROM competitors WHERE company_id = \(company)",
            else: .tooManyCompetitors)
        let record = Audit.sql(
            Audit.Entry("competitor.created", on: "competitor", id, after: ["name": .string(body.name.text)]),
            by: call.actor,
            company: company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO competitors (company_id, id, name, website, notes)
            SELECT \(company), \(id), \(body.name), \(body.website), \(body.notes) WHERE \(fragment: isBelow)
            RETURNING id, name, website, notes, 0 AS deal_count, 0 AS lost_to_count, archived_at, version, created_at, updated_at
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<CompetitorChange>) async throws
        -> Single<Competitor>
    {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let sql = select(try call.company)
        return try Single(
            await call.db.query("\(fragment: sql) AND c.id = \(id.value)"), versionIsWhole: false)
    }

    @inline(never)
    private static func apply(_ change: CompetitorChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let name = try await lock(id, call, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("website", change.website)
        changes.set("notes", change.notes)
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
        }
        _ = try await tx.batch([
            "UPDATE competitors SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            record("competitor.changed", id, before: name, after: try JSON(encoding: change), call, company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let name = try await lock(id, call, tx)
        let isNamed: SQL = """
            (EXISTS (SELECT 1 FROM deals d WHERE d.company_id = \(company) AND d.lost_to_id = \(id))
             OR EXISTS (SELECT 1 FROM deal_competitors l WHERE l.company_id = \(company) AND l.competitor_id = \(id)))
            """
        _ = try await tx.batch([
            """
            UPDATE competitors SET archived_at = coalesce(archived_at, now()), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id) AND \(fragment: isNamed)
            """,
            "DELETE FROM competitors WHERE company_id = \(company) AND id = \(id) AND NOT \(fragment: isNamed)",
            record("competitor.deleted", id, before: name, call, company),
        ])
    }

    @inline(never)
    private static func lock(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> String {
        let rows = try await tx.query(
            "SELECT name, version FROM competitors WHERE company_id = \(try call.company) AND id = \(id) FOR UPDATE"
        )
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        return try row.get("name")
    }

    private static func record(
        _ action: String, _ id: UUID, before name: String, after: JSON? = nil, _ call: Call, _ company: UUID
    ) -> SQL {
        Audit.sql(
            Audit.Entry(action, on: "competitor", id, before: ["name": .string(name)], after: after),
            by: call.actor,
            company: company)
    }

    static func link(_ call: Call, _ id: Path<UUID>, _ competitor: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            try await link(competitor.value, to: id.value, isThere: true, call, tx)
        }
        return NoContent()
    }

    static func unlink(_ call: Call, _ id: Path<UUID>, _ competitor: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            try await link(competitor.value, to: id.value, isThere: false, call, tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func link(
        _ competitor: UUID, to deal: UUID, isThere: Bool, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        try await CRMAccess.require(.deal, deal, call, tx, locking: true)
        let known = try await tx.query(
            "SELECT 1 FROM competitors WHERE company_id = \(company) AND id = \(competitor)")
        if known.isEmpty { throw Problem.notFound }
        let written = try await tx.query(
            isThere
                ? """
                INSERT INTO deal_competitors (company_id, deal_id, competitor_id) VALUES (\(company), \(deal), \(competitor))
                ON CONFLICT DO NOTHING RETURNING 1
                """
                : """
                DELETE FROM deal_competitors WHERE company_id = \(company) AND deal_id = \(deal) AND competitor_id = \(competitor)
                RETURNING 1
                """)
        if written.isEmpty { return }
        try await DealParts.touched(deal, ["competitor_ids"], call, tx)
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT c.id, c.name, c.website, c.notes,
               (SELECT count(*) FROM deal_competitors l
                 WHERE l.company_id = c.company_id AND l.competitor_id = c.id) AS deal_count,
               (SELECT count(*) FROM deals d WHERE d.company_id = c.company_id AND d.lost_to_id = c.id
                   AND d.deleted_at IS NULL) AS lost_to_count,
               c.archived_at, c.version, c.created_at, c.updated_at
          FROM competitors c WHERE c.company_id = \(company)
        """
    }
}
