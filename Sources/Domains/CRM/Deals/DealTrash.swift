import API
import Core
import Postgres
import Wire

/// Deals that are put away: into the archive, or into the trash, and taken out of both.
///
/// A deal is never wiped out: reports tell of what has been. After its days in the trash it is not restored any more.
enum DealTrash {
    @RouteList static var routes: [Route] {
        DELETE("/v1/deals/{id}", "Put a deal into the trash", .can(.crmWrite), delete)
            .describe("POST /v1/deals/{id}/restore takes it out again for \(DealLimits.trashDays) days.")
        POST("/v1/deals/{id}/archive", "Archive a deal", .can(.crmWrite), archive)
            .describe(
                "It stands on no board and in no list that does not ask for it; reports still count it."
            )
            .example(answer: DealExamples.deal)
        POST(
            "/v1/deals/{id}/restore", "Take a deal out of the trash or the archive", .can(.crmWrite), restore
        )
        .describe("It is where it was.").problems(.dealNotInTrash).example(answer: DealExamples.deal)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await trash(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func trash(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        try await CRMAccess.require(.deal, id, call, tx)
        try await delete([id], by: call.actor, try call.company, tx) { try call.requireVersion($0.version) }
    }

    @inline(never)
    static func delete(
        _ ids: [UUID], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction,
        check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        let deals = try await DealSnapshot.lock(ids, company, tx)
        for deal in deals { try check(deal) }
        var statements: [SQL] = [
            """
            UPDATE deals SET deleted_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = ANY(\(deals.map(\.id))::uuid[]) AND deleted_at IS NULL
            """
        ]
        for deal in deals where !deal.isDeleted {
            statements += [
                record("deal.deleted", deal, by: actor, company),
                try Events.sql(
                    DealEvents.deleted, deal.data, on: "deal", deal.id, by: actor, company: company),
            ]
        }
        statements += Search.remove("deal", deals.map(\.id), company: company)
        _ = try await tx.batch(statements)
    }

    static func archive(_ call: Call, _ id: Path<UUID>) async throws -> Single<Deal> {
        try await call.db.transaction { tx in try await putAway(id.value, call, tx) }
        return try Single(await DealRows.one(id.value, call), versionIsWhole: false)
    }

    @inline(never)
    private static func putAway(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        try await CRMAccess.require(.deal, id, call, tx)
        try await setArchived(true, [id], by: call.actor, try call.company, tx)
    }

    @inline(never)
    static func setArchived(
        _ isArchived: Bool, _ ids: [UUID], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let deals = try await DealSnapshot.lock(ids, company, tx)
        var statements: [SQL] = [
            """
            UPDATE deals SET archived_at = CASE WHEN \(isArchived) THEN now() END, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) AND (archived_at IS NULL) = \(isArchived)
            """
        ]
        for deal in deals {
            let data = DealEvents.UpdateData(dealId: deal.id, name: deal.name, changed: ["archived_at"])
            statements += [
                record(isArchived ? "deal.archived" : "deal.restored", deal, by: actor, company),
                try Events.sql(DealEvents.updated, data, on: "deal", deal.id, by: actor, company: company),
            ]
        }
        _ = try await tx.batch(statements)
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Deal> {
        try await call.db.transaction { tx in try await takeOut(id.value, call, tx) }
        return try Single(await DealRows.one(id.value, call), versionIsWhole: false)
    }

    @inline(never)
    private static func takeOut(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let (company, actor) = (try call.company, call.actor)
        let rows = try await tx.query(
            """
            SELECT d.deleted_at IS NOT NULL AS is_deleted, d.archived_at IS NOT NULL AS is_archived,
                   coalesce(d.deleted_at <= now() - make_interval(days => \(DealLimits.trashDays)), false) AS is_over
              FROM deals d
             WHERE d.company_id = \(company) AND d.id = \(id) AND \(fragment: CRMAccess.isShown(to: principal, "d"))
               FOR UPDATE
            """)
        guard let row = rows.first, try !row.get("is_over", as: Bool.self) else { throw Problem.notFound }
        if try !row.get("is_deleted", as: Bool.self) {
            if try !row.get("is_archived", as: Bool.self) { throw Problem(.dealNotInTrash) }
            try await setArchived(false, [id], by: actor, company, tx)
            return
        }
        let deals = try await DealSnapshot.lock([id], company, tx)
        guard let deal = deals.first else { throw Problem.notFound }
        _ = try await tx.batch(
            [
                """
                UPDATE deals SET deleted_at = NULL, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                record("deal.restored", deal, by: actor, company),
                try Events.sql(DealEvents.restored, deal.data, on: "deal", id, by: actor, company: company),
            ] + Search.put("deal", id, DealSearch.text(deal.name, deal.description), company: company))
    }

    private static func record(_ action: String, _ deal: DealSnapshot, by actor: Audit.Actor, _ company: UUID)
        -> SQL
    {
        Audit.sql(
            Audit.Entry(action, on: "deal", deal.id, after: ["name": .string(deal.name)]), by: actor,
            company: company)
    }
}
