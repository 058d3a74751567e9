import API
import Core
import Postgres
import Wire

/// Why a company loses deals, in its own words.
enum LossReasons {
    @RouteList static var routes: [Route] {
        GET("/v1/loss-reasons", "List reasons for losing deals", .can(.crmRead), list)
        POST("/v1/loss-reasons", "Create a reason for losing deals", .can(.crmManage), create)
            .problems(.lossReasonTaken, .tooManyLossReasons).example(body: ["name": "Price"])
        PATCH("/v1/loss-reasons/{id}", "Change a reason for losing deals", .can(.crmManage), change)
            .problems(.lossReasonTaken).example(body: ["is_archived": true])
        DELETE("/v1/loss-reasons/{id}", "Delete a reason for losing deals", .can(.crmManage), delete)
            .describe("One that deals name is archived in place of it: what has been said stays said.")
    }

    struct LossReason: Codable, Sendable {
        let id: UUID
        let name: String
        let dealCount: Int
        let archivedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewReason: Codable, Sendable { let name: Text<80> }

    struct ReasonChange: Codable, Sendable {
        let name: Text<80>?
        let isArchived: Bool?
    }

    static func list(_ call: Call) async throws -> Page<LossReason> {
        let sql = select(try call.company)
        return Page(
            all: try await call.db.query("\(fragment: sql) ORDER BY r.archived_at IS NOT NULL, lower(r.name)")
        )
    }

    static func create(_ call: Call, _ body: Body<NewReason>) async throws -> Created<LossReason> {
        let (company, id) = (try call.company, UUID.v7())
        let limit = RowLimit(
            DealLimits.reasonsMax, "SELECT count(*) FROM loss_reasons WHERE company_id = \(company)",
            else: .tooManyLossReasons)
        let record = Audit.sql(
            Audit.Entry(
                "loss_reason.created", on: "loss_reason", id, after: ["name": .string(body.name.text)]),
            by: call.actor,
            company: company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO loss_reasons (company_id, id, name) SELECT \(company), \(id), \(body.name) WHERE \(fragment: isBelow)
            RETURNING id, name, 0 AS deal_count, archived_at, version, created_at, updated_at
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ReasonChange>) async throws -> Single<
        LossReason
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let sql = select(try call.company)
        return try Single(
            await call.db.query("\(fragment: sql) AND r.id = \(id.value)"), versionIsWhole: false)
    }

    @inline(never)
    private static func apply(_ change: ReasonChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let rows = try await tx.query(
            "SELECT name, version FROM loss_reasons WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("name", change.name)
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
        }
        _ = try await tx.batch([
            "UPDATE loss_reasons SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                Audit.Entry(
                    "loss_reason.changed", on: "loss_reason", id,
                    before: ["name": .string(try row.get("name"))],
                    after: try JSON(encoding: change)), by: call.actor, company: company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let rows = try await tx.query(
            "SELECT name FROM loss_reasons WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
        guard let row = rows.first else { throw Problem.notFound }
        let isNamed: SQL =
            "EXISTS (SELECT 1 FROM deals d WHERE d.company_id = \(company) AND d.lost_reason_id = \(id))"
        _ = try await tx.batch([
            """
            UPDATE loss_reasons SET archived_at = coalesce(archived_at, now()), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id) AND \(fragment: isNamed)
            """,
            "DELETE FROM loss_reasons WHERE company_id = \(company) AND id = \(id) AND NOT \(fragment: isNamed)",
            Audit.sql(
                Audit.Entry(
                    "loss_reason.deleted", on: "loss_reason", id,
                    before: ["name": .string(try row.get("name"))]),
                by: call.actor, company: company),
        ])
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT r.id, r.name, (SELECT count(*) FROM deals d WHERE d.company_id = r.company_id AND d.lost_reason_id = r.id
                                 AND d.deleted_at IS NULL) AS deal_count,
               r.archived_at, r.version, r.created_at, r.updated_at
          FROM loss_reasons r WHERE r.company_id = \(company)
        """
    }
}
