import API
import Core
import Postgres
import Wire

/// The one way deals are written: by routes, in bulk, by conversions of leads, imports and the demo world.
///
/// Each write leaves the way of the deal, its worth, events, news and the record in the same transaction. Locks are taken
/// in one order: stages that deals come into, by their ids, then deals by theirs.
enum DealWriting {
    /// A deal to be made.
    struct Draft: Sendable {
        var id = UUID.v7()
        var name: String
        /// The default pipeline when absent.
        var pipelineId: UUID?
        /// The first open stage of the pipeline when absent.
        var stageId: UUID?
        var clientId: UUID?
        var contactId: UUID?
        var ownerId: UUID?
        var leadId: UUID?
        var sourceId: UUID?
        var amountMinor: Int64?
        var currency: String?
        var probabilityBp: Int?
        var closeOn: LocalDate?
        var description: String?
        /// Checked already.
        var custom: JSON = [:]
        var tags: [UUID] = []
        /// When it was made, for what is brought from elsewhere; now when absent.
        var at: Timestamp?

        init(name: String) { self.name = name }
    }

    /// Makes a deal at the end of its stage. What it points at is named in 422 when it is not there.
    @inline(never) @discardableResult
    static func create(_ draft: Draft, by actor: Audit.Actor, company: UUID, in tx: Transaction) async throws
        -> UUID
    {
        try await create([draft], by: actor, company: company, in: tx)
        return draft.id
    }

    /// The same for several.
    @inline(never)
    static func create(_ drafts: [Draft], by actor: Audit.Actor, company: UUID, in tx: Transaction)
        async throws
    {
        if drafts.isEmpty { return }
        try await DealChecks.check(drafts, company, tx)
        var places: [UUID: DealStage] = [:]
        var groups: [UUID: [Draft]] = [:]
        for (choice, own) in Dictionary(
            grouping: drafts, by: { StageChoice(pipeline: $0.pipelineId, stage: $0.stageId) }
        )
        .sorted(by: { $0.key.order < $1.key.order }) {
            let place = try await DealStage.beginning(choice.stage, in: choice.pipeline, company, tx)
            places[place.id] = places[place.id] ?? place
            groups[place.id, default: []] += own
        }
        for (stage, own) in groups.sorted(by: { $0.key.description < $1.key.description }) {
            guard let place = places[stage] else { continue }
            try await insert(own, at: place, by: actor, company, tx)
        }
        try await DealNews.tellOwners(
            drafts.compactMap { draft in draft.ownerId.map { (draft.id, draft.name, $0) } }, by: actor,
            company, tx)
    }

    private struct StageChoice: Hashable {
        let pipeline: UUID?
        let stage: UUID?
        var order: String { "\(stage?.description ?? "")/\(pipeline?.description ?? "")" }
    }

    @inline(never)
    private static func insert(
        _ drafts: [Draft], at place: DealStage, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let faults = drafts.flatMap { draft in
            place.missing(
                amount: draft.amountMinor != nil, closing: draft.closeOn != nil,
                contact: draft.contactId != nil,
                client: draft.clientId != nil, custom: draft.custom)
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        let ranks = Rank.following(place.lastRank, count: drafts.count)
        let rows = zip(drafts, ranks).map { row($0, $1) }
        var statements = [
            insert(rows, at: place, by: actor, company),
            way(drafts.map(\.id), by: actor, company),
        ]
        let tagged = drafts.flatMap { draft in draft.tags.map { (thing: draft.id, tag: $0) } }
        if !tagged.isEmpty { statements.append(Self.tags.add(tagged, company: company)) }
        statements += Search.put(
            "deal", drafts.map { ($0.id, DealSearch.text($0.name, $0.description)) }, areNew: true,
            company: company)
        for draft in drafts { statements += try story(of: draft, at: place, by: actor, company) }
        statements.append(DealUpkeep.expect(company))
        _ = try await tx.batch(statements)
    }

    static let tags = Tagging(table: "deal_tags", column: "deal_id")

    private static func row(_ draft: Draft, _ rank: Rank) -> JSON {
        [
            "id": .id(draft.id), "name": .string(draft.name), "client_id": .id(draft.clientId),
            "contact_id": .id(draft.contactId), "owner_id": .id(draft.ownerId), "lead_id": .id(draft.leadId),
            "source_id": .id(draft.sourceId), "amount_minor": draft.amountMinor.map { JSON($0) } ?? .null,
            "currency": .optional(draft.currency),
            "probability_bp": draft.probabilityBp.map { JSON($0) } ?? .null,
            "close_on": .optional(draft.closeOn?.description), "rank": .string(rank.text),
            "description": .optional(draft.description), "custom": draft.custom,
            "at": .optional(draft.at?.description),
        ]
    }

    private static func insert(_ rows: [JSON], at place: DealStage, by actor: Audit.Actor, _ company: UUID)
        -> SQL
    {
        let worth = DealWorth.of(
            "d.amount_minor", "d.currency", at: "coalesce(d.at, now())", company: company)
        return """
            INSERT INTO deals (company_id, id, name, pipeline_id, stage_id, stage_kind, client_id, contact_id, owner_id, lead_id,
                               source_id, amount_minor, currency, base_minor, rate, rate_on, probability_bp, close_on, rank,
                               description, custom, stage_entered_at, closed_at, created_by, created_at, updated_at)
            SELECT \(company), d.id, d.name, \(place.pipeline), \(place.id), \(place.kind), d.client_id, d.contact_id,
                   d.owner_id, d.lead_id, d.source_id, d.amount_minor, d.currency, worth.base_minor, worth.rate,
                   worth.rate_on, d.probability_bp, d.close_on, d.rank, d.description, d.custom, coalesce(d.at, now()),
                   CASE WHEN \(place.kind)::text <> 'open' THEN coalesce(d.at, now()) END,
                   \(fragment: member(of: actor, company)), coalesce(d.at, now()), coalesce(d.at, now())
              FROM jsonb_to_recordset(\(JSONText(.array(rows)))::jsonb) AS d (
                   id uuid, name text, client_id uuid, contact_id uuid, owner_id uuid, lead_id uuid, source_id uuid,
                   amount_minor bigint, currency text, probability_bp integer, close_on date, rank text, description text,
                   custom jsonb, at timestamptz)
              LEFT JOIN LATERAL (\(fragment: worth)) AS worth ON TRUE
            """
    }

    /// Adds where deals have come to: one more step of each one's way. Their rows are locked, so that nobody counts with
    /// us, and a step is never before the last one.
    static func way(_ deals: [UUID], by actor: Audit.Actor, _ company: UUID) -> SQL {
        """
        INSERT INTO deal_stage_events (company_id, deal_id, seq, pipeline_id, from_stage, to_stage, from_kind, to_kind,
                                       amount_minor, currency, base_minor, member_id, at)
        SELECT d.company_id, d.id, coalesce(last.seq, 0) + 1, d.pipeline_id, last.to_stage, d.stage_id, last.to_kind,
               d.stage_kind, d.amount_minor, d.currency, d.base_minor, \(fragment: member(of: actor, company)),
               d.stage_entered_at
          FROM deals d
          LEFT JOIN LATERAL (
            SELECT e.seq, e.to_stage, e.to_kind FROM deal_stage_events e
             WHERE e.company_id = d.company_id AND e.deal_id = d.id ORDER BY e.seq DESC LIMIT 1) AS last ON TRUE
         WHERE d.company_id = \(company) AND d.id = ANY(\(deals)::uuid[])
        """
    }

    /// The membership of whoever acts; null for the program itself.
    static func member(of actor: Audit.Actor, _ company: UUID) -> SQL {
        "(SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(actor.person)::uuid)"
    }

    private static func story(
        of draft: Draft, at place: DealStage, by actor: Audit.Actor, _ company: UUID
    ) throws -> [SQL] {
        let data = DealEvents.DealData(
            dealId: draft.id, name: draft.name, pipelineId: place.pipeline, stageId: place.id,
            clientId: draft.clientId,
            contactId: draft.contactId, leadId: draft.leadId, ownerId: draft.ownerId,
            amountMinor: draft.amountMinor,
            currency: draft.currency)
        var statements = [
            Audit.sql(
                Audit.Entry(
                    "deal.created", on: "deal", draft.id,
                    after: [
                        "name": .string(draft.name), "stage": .string(place.name),
                        "owner_id": .id(draft.ownerId),
                    ]),
                by: actor, company: company),
            try Events.sql(DealEvents.created, data, on: "deal", draft.id, by: actor, company: company),
        ]
        if place.kind == .won {
            statements.append(
                try Events.sql(DealEvents.won, data, on: "deal", draft.id, by: actor, company: company))
        }
        return statements
    }
}

enum DealSearch {
    static func text(_ name: String, _ description: String?) -> SearchText {
        SearchText(title: [name], body: [description])
    }
}
