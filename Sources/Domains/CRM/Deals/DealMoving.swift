import API
import Core
import Postgres
import Wire

extension DealWriting {
    /// Why a deal was lost.
    struct Loss: Sendable {
        var reasonId: UUID?
        var note: String?
        var competitorId: UUID?
    }

    /// How deals go to another stage.
    struct Move: Sendable {
        var spot: RankSpot?
        var loss: Loss?
        /// Closed ones are opened again.
        var reopens = false
        /// Nobody asks what the stage requires: for a stage that is being deleted.
        var isForced = false
        /// When it was; now when absent.
        var at: Timestamp?
    }

    /// Takes deals to a stage, of their pipeline or another one; into the place it names, else behind all others. Deals
    /// that are there already keep their place unless one is named, and their way says nothing of it.
    @inline(never)
    static func move(
        _ deals: [UUID], to stage: UUID, _ move: Move = Move(), by actor: Audit.Actor, company: UUID,
        in tx: Transaction,
        check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        let place = try await DealStage.lock(stage, company, tx)
        guard let place else {
            throw Problem.unprocessable("/stage_id", "not-found", "is no stage of this company")
        }
        let found = try await DealSnapshot.lock(deals, company, tx)
        if found.count < Set(deals).count { throw Problem.notFound }
        for deal in found { try check(deal) }
        let arriving = found.filter { $0.stageId != stage }
        for deal in arriving { try mayGo(deal, to: place, move) }
        if let loss = move.loss { try await DealChecks.check(loss, company, tx) }
        let moving = move.spot == nil ? arriving : found
        if moving.isEmpty { return }
        let ranks: [Rank]
        if let spot = move.spot {
            ranks = try await DealRanking.places(for: moving, spot, in: place, company, tx)
        } else {
            ranks = Rank.following(place.lastRank, count: moving.count)
        }
        try await write(moving, ranks, to: place, move, by: actor, company, tx)
    }

    private static func mayGo(_ deal: DealSnapshot, to place: DealStage, _ move: Move) throws {
        if deal.isDeleted { throw Problem.notFound }
        if deal.kind != .open, !move.reopens, !move.isForced { throw Problem(.dealClosed) }
        if move.isForced { return }
        let faults = place.missing(
            amount: deal.amountMinor != nil, closing: deal.closeOn != nil, contact: deal.contactId != nil,
            client: deal.clientId != nil, custom: deal.custom)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    @inline(never)
    private static func write(
        _ deals: [DealSnapshot], _ ranks: [Rank], to place: DealStage, _ move: Move, by actor: Audit.Actor,
        _ company: UUID, _ tx: Transaction
    ) async throws {
        let arriving = deals.filter { $0.stageId != place.id }
        let ids = arriving.map(\.id)
        let moment: SQL = "coalesce(\(move.at)::timestamptz, now())"
        var statements: [SQL] = []
        // What is closed keeps the worth of the day it is closed on; what stays open goes on with the one it has.
        if place.kind != .open, !ids.isEmpty {
            statements.append(DealWorth.revalue("d.id = ANY(\(ids)::uuid[])", at: moment, company: company))
        }
        statements.append(update(deals, ranks, to: place, move, at: moment, company))
        let reopened = arriving.filter { $0.kind != .open && place.kind == .open }.map(\.id)
        if !reopened.isEmpty {
            statements.append(
                DealWorth.revalue("d.id = ANY(\(reopened)::uuid[])", at: moment, company: company))
        }
        if !ids.isEmpty { statements.append(way(ids, by: actor, company)) }
        for deal in arriving { statements += try story(of: deal, to: place, move, by: actor, company) }
        for deal in deals where deal.stageId == place.id {
            let data = DealEvents.UpdateData(dealId: deal.id, name: deal.name, changed: ["rank"])
            statements.append(
                try Events.sql(DealEvents.updated, data, on: "deal", deal.id, by: actor, company: company))
        }
        _ = try await tx.batch(statements)
        if place.kind == .won { try await DealNews.tellWon(arriving, by: actor, company, tx) }
    }

    private static func update(
        _ deals: [DealSnapshot], _ ranks: [Rank], to place: DealStage, _ move: Move, at moment: SQL,
        _ company: UUID
    ) -> SQL {
        let loss = place.kind == .lost ? move.loss : nil
        return """
            UPDATE deals d
               SET rank = placed.rank, pipeline_id = \(place.pipeline), stage_id = \(place.id), stage_kind = \(place.kind),
                   stage_entered_at = CASE WHEN d.stage_id = \(place.id) THEN d.stage_entered_at
                                           ELSE greatest(\(fragment: moment), d.stage_entered_at) END,
                   closed_at = CASE WHEN \(place.kind)::text = 'open' THEN NULL
                                    WHEN d.stage_kind = \(place.kind) THEN d.closed_at
                                    ELSE greatest(\(fragment: moment), d.stage_entered_at) END,
                   lost_reason_id = \(loss?.reasonId)::uuid, lost_note = \(loss?.note)::text,
                   lost_to_id = \(loss?.competitorId)::uuid, version = d.version + 1, updated_at = \(fragment: moment)
              FROM unnest(\(deals.map(\.id))::uuid[], \(ranks.map(\.text))::text[]) AS placed (id, rank)
             WHERE d.company_id = \(company) AND d.id = placed.id
            """
    }

    private static func story(
        of deal: DealSnapshot, to place: DealStage, _ move: Move, by actor: Audit.Actor, _ company: UUID
    ) throws -> [SQL] {
        func event<Data>(_ type: EventType<Data>, _ data: Data) throws -> SQL {
            try Events.sql(type, data, on: "deal", deal.id, by: actor, company: company)
        }
        let data = DealEvents.DealData(
            dealId: deal.id, name: deal.name, pipelineId: place.pipeline, stageId: place.id,
            clientId: deal.clientId,
            contactId: deal.contactId, leadId: deal.leadId, ownerId: deal.ownerId,
            amountMinor: deal.amountMinor,
            currency: deal.currency)
        var statements = [
            Audit.sql(
                Audit.Entry(
                    "deal.stage_changed", on: "deal", deal.id, before: ["stage": .string(deal.stageName)],
                    after: ["stage": .string(place.name)]), by: actor, company: company),
            try event(
                DealEvents.stageChanged,
                DealEvents.StageData(
                    dealId: deal.id, name: deal.name, fromPipelineId: deal.pipelineId,
                    toPipelineId: place.pipeline,
                    fromStageId: deal.stageId, toStageId: place.id, fromKind: deal.kind, toKind: place.kind)),
        ]
        switch (deal.kind, place.kind) {
        case (.open, .open), (.won, .won), (.lost, .lost): break
        case (_, .won): statements.append(try event(DealEvents.won, data))
        case (_, .lost):
            statements.append(
                try event(
                    DealEvents.lost,
                    DealEvents.LossData(
                        dealId: deal.id, name: deal.name, ownerId: deal.ownerId,
                        reasonId: move.loss?.reasonId,
                        competitorId: move.loss?.competitorId)))
        case (_, .open): statements.append(try event(DealEvents.reopened, data))
        }
        return statements
    }

    /// Takes a deal to the first stage of its pipeline that means won.
    @inline(never)
    static func win(
        _ deal: UUID, at moment: Timestamp? = nil, by actor: Audit.Actor, company: UUID, in tx: Transaction,
        check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        let stage = try await first(.won, for: deal, company, tx)
        try await move([deal], to: stage, Move(at: moment), by: actor, company: company, in: tx, check: check)
    }

    @inline(never)
    static func lose(
        _ deal: UUID, _ loss: Loss, at moment: Timestamp? = nil, by actor: Audit.Actor, company: UUID,
        in tx: Transaction,
        check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        let stage = try await first(.lost, for: deal, company, tx)
        try await move(
            [deal], to: stage, Move(loss: loss, at: moment), by: actor, company: company, in: tx, check: check
        )
    }

    /// Opens a deal again: in the open stage it was in last, or the one that is named.
    @inline(never)
    static func reopen(
        _ deal: UUID, to stage: UUID? = nil, at moment: Timestamp? = nil, by actor: Audit.Actor,
        company: UUID,
        in tx: Transaction, check: (DealSnapshot) throws -> Void = { _ in }
    ) async throws {
        var target = stage
        if target == nil { target = try await first(.open, for: deal, company, tx) }
        try await move(
            [deal], to: target!, Move(reopens: true, at: moment), by: actor, company: company, in: tx
        ) { snapshot in
            if snapshot.kind == .open { throw Problem(.dealOpen) }
            try check(snapshot)
        }
    }

    /// Of the deal's own pipeline; an open one is the last it was in, while that is there.
    @inline(never)
    private static func first(_ kind: StageKind, for deal: UUID, _ company: UUID, _ tx: Transaction)
        async throws -> UUID
    {
        let rows = try await tx.query(
            """
            SELECT s.id FROM deals d
              JOIN stages s ON s.company_id = d.company_id AND s.pipeline_id = d.pipeline_id AND s.kind = \(kind)
             WHERE d.company_id = \(company) AND d.id = \(deal) AND d.deleted_at IS NULL
             ORDER BY (SELECT max(e.seq) FROM deal_stage_events e
                        WHERE e.company_id = d.company_id AND e.deal_id = d.id AND e.to_stage = s.id
                          AND s.kind = 'open') DESC NULLS LAST, s.position, s.id
             LIMIT 1
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.get("id")
    }
}

extension DealChecks {
    @inline(never)
    static func check(_ loss: DealWriting.Loss, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT '/reason_id' AS pointer, 'is no reason of this company' AS detail
             WHERE \(loss.reasonId)::uuid IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM loss_reasons r WHERE r.company_id = \(company) AND r.id = \(loss.reasonId)::uuid)
            UNION ALL
            SELECT '/competitor_id', 'is no competitor of this company'
             WHERE \(loss.competitorId)::uuid IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM competitors c WHERE c.company_id = \(company) AND c.id = \(loss.competitorId)::uuid)
            """)
        let faults = try rows.map { Fault.at(try $0.get("pointer"), "not-found", try $0.get("detail")) }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }
}
