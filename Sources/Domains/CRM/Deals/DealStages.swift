import API
import Core
import Postgres
import Wire

/// The way of a deal: to another stage, won, lost, and open again.
enum DealStages {
    @RouteList static var routes: [Route] {
        PUT("/v1/deals/{id}/stage", "Move a deal to a stage", .can(.crmWrite), move)
            .operation("moveDeal")
            .describe(
                "Beside the deal that `before` or `after` names, else behind all others; within its stage it only changes its "
                    + "place. A stage of another pipeline takes it there. What the stage requires has to be there."
            )
            .problems(.dealClosed).example(
                body: ["stage_id": DealExamples.stage, "before": DealExamples.other],
                answer: DealExamples.deal)
        POST("/v1/deals/{id}/win", "Win a deal", .can(.crmWrite), win)
            .describe(
                "It goes to the stage for won deals, and what it is worth in the company's currency stays as it is today."
            )
            .problems(.dealClosed).example(answer: DealExamples.deal)
        POST("/v1/deals/{id}/lose", "Lose a deal", .can(.crmWrite), lose)
            .describe("It goes to the first stage for lost deals.")
            .problems(.dealClosed)
            .example(body: ["note": "Chose to build it themselves."], answer: DealExamples.deal)
        POST("/v1/deals/{id}/reopen", "Open a deal again", .can(.crmWrite), reopen)
            .describe(
                "In the open stage it was in last, or the one that `stage_id` names. Its way keeps what has been."
            )
            .problems(.dealOpen).example(body: ["stage_id": DealExamples.stage], answer: DealExamples.deal)
        GET("/v1/deals/{id}/history", "Read the way of a deal", .can(.crmRead), history)
            .operation("readDealHistory")
            .describe(
                "Each stay in a stage, oldest first, and what the deal was worth when it came there. Nothing in it ever changes."
            )
    }

    struct StageMove: Codable, Sendable {
        let stageId: UUID
        let before: UUID?
        let after: UUID?
    }

    struct LossBody: Codable, Sendable {
        let reasonId: UUID?
        let note: Prose<5_000>?
        let competitorId: UUID?
    }

    struct Reopening: Codable, Sendable { let stageId: UUID? }

    struct Stay: Codable, Sendable, FieldNotes {
        let seq: Int
        let pipelineId: UUID
        let stageId: UUID
        let stageName: String?
        let kind: StageKind
        let amountMinor: Int64?
        let currency: String?
        let baseMinor: Int64?
        let memberId: UUID?
        let enteredAt: Timestamp
        let leftAt: Timestamp?
        let seconds: Int

        static let fieldNotes = [
            "stage_name": "As it is called today; null when the stage is gone.",
            "member_id": "Who brought it there; null for the program itself.",
            "seconds": "How long it stayed; of the last one, until now.",
        ]
    }

    @inline(never)
    static func move(_ call: Call, _ id: Path<UUID>, _ body: Body<StageMove>) async throws -> Single<Deal> {
        let stage = body.stageId
        let move = DealWriting.Move(spot: try RankSpot(before: body.before, after: body.after))
        try await call.db.transaction { tx in try await go(id.value, to: stage, move, call, tx) }
        return try await answer(id.value, call)
    }

    @inline(never)
    private static func go(
        _ id: UUID, to stage: UUID, _ move: DealWriting.Move, _ call: Call, _ tx: Transaction
    ) async throws {
        try await CRMAccess.require(.deal, id, call, tx)
        try await DealWriting.move([id], to: stage, move, by: call.actor, company: try call.company, in: tx) {
            try call.requireVersion($0.version)
        }
    }

    static func win(_ call: Call, _ id: Path<UUID>) async throws -> Single<Deal> {
        try await call.db.transaction { tx in try await win(id.value, call, tx) }
        return try await answer(id.value, call)
    }

    @inline(never)
    private static func win(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        try await CRMAccess.require(.deal, id, call, tx)
        try await DealWriting.win(id, by: call.actor, company: try call.company, in: tx) { deal in
            if deal.kind != .open { throw Problem(.dealClosed) }
            try call.requireVersion(deal.version)
        }
    }

    static func lose(_ call: Call, _ id: Path<UUID>, _ body: Body<LossBody>) async throws -> Single<Deal> {
        let loss = DealWriting.Loss(
            reasonId: body.reasonId, note: body.note?.text, competitorId: body.competitorId)
        try await call.db.transaction { tx in try await lose(id.value, loss, call, tx) }
        return try await answer(id.value, call)
    }

    @inline(never)
    private static func lose(_ id: UUID, _ loss: DealWriting.Loss, _ call: Call, _ tx: Transaction)
        async throws
    {
        try await CRMAccess.require(.deal, id, call, tx)
        try await DealWriting.lose(id, loss, by: call.actor, company: try call.company, in: tx) { deal in
            if deal.kind != .open { throw Problem(.dealClosed) }
            try call.requireVersion(deal.version)
        }
    }

    @inline(never)
    static func reopen(_ call: Call, _ id: Path<UUID>, _ body: Body<Reopening>) async throws -> Single<Deal> {
        let stage = body.stageId
        try await call.db.transaction { tx in try await reopen(id.value, stage, call, tx) }
        return try await answer(id.value, call)
    }

    @inline(never)
    private static func reopen(_ id: UUID, _ stage: UUID?, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        try await CRMAccess.require(.deal, id, call, tx)
        if let stage {
            let rows = try await tx.query(
                "SELECT 1 FROM stages WHERE company_id = \(company) AND id = \(stage) AND kind = 'open'")
            if rows.isEmpty {
                throw Problem.unprocessable("/stage_id", "not-found", "is no open stage of this company")
            }
        }
        try await DealWriting.reopen(id, to: stage, by: call.actor, company: company, in: tx) {
            try call.requireVersion($0.version)
        }
    }

    @inline(never)
    private static func answer(_ id: UUID, _ call: Call) async throws -> Single<Deal> {
        try Single(await DealRows.one(id, call, afterWriting: true), versionIsWhole: false)
    }

    static func history(_ call: Call, _ id: Path<UUID>) async throws -> Page<Stay> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let currency: SQL = DealRows.hasAmounts(principal) ? "e.currency" : "NULL::text"
        let rows = try await call.db.query(
            """
            SELECT e.seq, e.pipeline_id, e.to_stage AS stage_id, s.name AS stage_name, e.to_kind AS kind,
                   \(fragment: CRMAccess.amount("e.amount_minor", principal)) AS amount_minor,
                   \(fragment: currency) AS currency,
                   \(fragment: CRMAccess.amount("e.base_minor", principal)) AS base_minor, e.member_id, e.at AS entered_at,
                   lead(e.at) OVER own AS left_at,
                   extract(epoch FROM coalesce(lead(e.at) OVER own, greatest(now(), e.at)) - e.at)::bigint AS seconds
              FROM deals d
              JOIN deal_stage_events e ON e.company_id = d.company_id AND e.deal_id = d.id
              LEFT JOIN stages s ON s.company_id = e.company_id AND s.id = e.to_stage
             WHERE d.company_id = \(try call.company) AND d.id = \(id.value) AND \(fragment: CRMAccess.visible(principal, "d"))
            WINDOW own AS (ORDER BY e.seq)
             ORDER BY e.seq
            """)
        // Every deal has come somewhere.
        if rows.isEmpty { throw Problem.notFound }
        return Page(all: rows)
    }
}
