import API
import Core
import Postgres
import Wire

/// One change made to many deals: all of them, or none.
enum DealBulk {
    @RouteList static var routes: [Route] {
        POST("/v1/deals/bulk", "Change many deals at once", .can(.crmWrite), change)
            .operation("changeDeals")
            .describe(
                "Up to \(DealLimits.bulkMax) deals: all of them or, when one cannot be changed, none. Those the caller does not "
                    + "see are listed as missing and left alone."
            )
            .problems(.dealClosed)
            .example(
                body: [
                    "deal_ids": [DealExamples.id, DealExamples.other],
                    "set": ["owner_id": DealExamples.member],
                ],
                answer: ["changed": [DealExamples.id], "missing": [DealExamples.other]])
    }

    struct BulkSet: Codable, Sendable {
        let stageId: UUID?
        let ownerId: Clearable<UUID>
        let sourceId: Clearable<UUID>
        let closeOn: Clearable<LocalDate>
        let addTagIds: UpTo<50, UUID>?
        let removeTagIds: UpTo<50, UUID>?
        let isArchived: Bool?
        let isDeleted: Bool?
    }

    struct BulkBody: Codable, Sendable {
        let dealIds: UpTo<200, UUID>
        let set: BulkSet
    }

    struct BulkAnswer: Codable, Sendable {
        let changed: [UUID]
        let missing: [UUID]
    }

    static func change(_ call: Call, _ body: Body<BulkBody>) async throws -> Single<BulkAnswer> {
        let (ids, set) = (body.dealIds.items.unique, body.value.set)
        if ids.isEmpty { throw Problem.unprocessable("/deal_ids", "required", "names no deal") }
        if set.isDeleted == false {
            throw Problem.unprocessable(
                "/set/is_deleted", "invalid", "must be true: POST /v1/deals/{id}/restore restores")
        }
        let changed = try await call.db.transaction { tx in try await run(ids, set, call, tx) }
        let known = Set(changed)
        return Single(BulkAnswer(changed: changed, missing: ids.filter { !known.contains($0) }))
    }

    @inline(never)
    private static func run(_ asked: [UUID], _ set: BulkSet, _ call: Call, _ tx: Transaction) async throws
        -> [UUID]
    {
        let (company, actor) = (try call.company, call.actor)
        let rows = try await tx.query(
            """
            SELECT d.id FROM deals d WHERE d.company_id = \(company) AND d.id = ANY(\(asked)::uuid[])
               AND \(fragment: try CRMAccess.visible(call, "d")) ORDER BY d.id
            """)
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        if ids.isEmpty { return [] }
        if let stage = set.stageId {
            try await DealWriting.move(ids, to: stage, by: actor, company: company, in: tx)
        }
        var change = DealWriting.Change()
        (change.owner, change.source, change.closeOn) = (set.ownerId, set.sourceId, set.closeOn)
        if change.owner != nil || change.source != nil || change.closeOn != nil {
            for id in ids { try await DealWriting.change(id, change, by: actor, company: company, in: tx) }
        }
        try await tag(ids, set, call, tx)
        if let isArchived = set.isArchived {
            try await DealTrash.setArchived(isArchived, ids, by: actor, company, tx)
        }
        if set.isDeleted == true { try await DealTrash.delete(ids, by: actor, company, tx) }
        return ids
    }

    @inline(never)
    private static func tag(_ ids: [UUID], _ set: BulkSet, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let (added, removed) = (set.addTagIds?.items ?? [], set.removeTagIds?.items ?? [])
        if added.isEmpty, removed.isEmpty { return }
        try await Tags.mustExist(added, at: "/set/add_tag_ids", company: company, in: tx)
        _ = try await tx.batch([
            DealWriting.tags.add(added, to: ids, company: company),
            DealWriting.tags.remove(removed, from: ids, company: company),
            Audit.sql(
                Audit.Entry("deals.tagged", on: "deal", nil, after: ["deals": JSON(ids.count)]),
                by: call.actor,
                company: company),
        ])
    }
}
