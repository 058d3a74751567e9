import API
import Core
import Postgres
import Wire

/// A stage that deals of a pipeline pass through.
struct Stage: Codable, Sendable, FieldNotes {
    let id: UUID
    let pipelineId: UUID
    let name: String
    let kind: StageKind
    let position: Int
    let probabilityBp: Int
    let requiredFields: [String]
    let rottingDays: Int?
    let color: String?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "kind": "What being in it means for a deal.",
        "probability_bp": "How likely a deal in it is to be won, in hundredths of a per cent: 2500 is 25 %.",
        "required_fields":
            "What a deal has to say before it comes here: `amount`, `close_on`, `contact`, `client`, or the key of a custom field.",
        "rotting_days": "After so many days here a deal counts as stuck.",
    ]

    /// A moment inside of JSON as the API prints it elsewhere.
    static func moment(_ column: String) -> SQL {
        "to_char(\(unescaped: column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    }
}

struct NewStage: Codable, Sendable {
    let name: Text<60>
    let kind: StageKind?
    let probabilityBp: Whole<0, 10_000>?
    let requiredFields: UpTo<20, Text<60>>?
    let rottingDays: Whole<1, 1_000>?
    let color: Color?

    /// What a stage of a kind is when nobody says otherwise: one that is won is certain, one that is lost is not.
    func draft(at pointer: String, _ call: Call) async throws -> Pipelines.StageDraft {
        let kind = kind ?? .open
        try Stages.checkProbability(probabilityBp?.value, kind, at: pointer)
        let required = (requiredFields?.items ?? []).map(\.text).unique
        try await Stages.checkFields(required, at: "\(pointer)/required_fields", call)
        let usual = [StageKind.open: 5_000, .won: 10_000, .lost: 0]
        return Pipelines.StageDraft(
            name: name.text, kind: kind, probability: probabilityBp?.value ?? usual[kind]!,
            requiredFields: required,
            rottingDays: rottingDays?.value, color: color?.text)
    }
}

/// The stages of a pipeline.
enum Stages {
    @RouteList static var routes: [Route] {
        GET("/v1/pipelines/{id}/stages", "List the stages of a pipeline", .can(.crmRead), list)
        POST("/v1/pipelines/{id}/stages", "Add a stage to a pipeline", .can(.crmManage), create)
            .operation("createStage").problems(.stageNameTaken, .tooManyStages, .stageIsNeeded)
            .describe(
                "An open one stands behind the other open ones. There is only ever one stage for won deals."
            )
            .example(body: [
                "name": "Contract sent", "probability_bp": 9_000, "required_fields": ["amount", "close_on"],
                "rotting_days": 10,
            ])
        PATCH("/v1/pipelines/{id}/stages/{stage_id}", "Change a stage", .can(.crmManage), change)
            .operation("changeStage").problems(.stageNameTaken, .stageInUse, .stageIsNeeded)
            .describe(
                "What a stage means does not change once a deal has been in it: reports tell of days long past by it."
            )
            .example(body: ["probability_bp": 8_500])
        DELETE("/v1/pipelines/{id}/stages/{stage_id}", "Delete a stage", .can(.crmManage), delete)
            .operation("deleteStage").problems(.stageInUse, .stageIsNeeded)
            .describe("Its deals go to the stage of the same kind that `move_to` names.")
        PUT(
            "/v1/pipelines/{id}/stages/order", "Put the stages of a pipeline in order", .can(.crmManage),
            order
        )
        .operation("orderStages").describe("Names every stage of the pipeline once.")
    }

    struct StageChange: Codable, Sendable {
        let name: Text<60>?
        let kind: StageKind?
        let probabilityBp: Whole<0, 10_000>?
        let requiredFields: UpTo<20, Text<60>>?
        let rottingDays: Clearable<Whole<1, 1_000>>
        let color: Clearable<Color>
    }

    struct Removal: Codable, Sendable { let moveTo: UUID? }
    struct Order: Codable, Sendable { let ids: UpTo<40, UUID> }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<Stage> {
        let rows = try await rows(of: id.value, call)
        // Every pipeline has stages.
        if rows.isEmpty { throw Problem.notFound }
        return Page(all: rows)
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewStage>) async throws -> Created<Stage>
    {
        let draft = try await body.value.draft(at: "", call)
        let stage = UUID.v7()
        try await call.db.transaction { tx in try await insert(draft, stage, in: id.value, call, tx) }
        return try Created(
            await row(stage, in: id.value, call), at: "/v1/pipelines/\(id.value)/stages/\(stage)")
    }

    @inline(never)
    private static func insert(
        _ draft: Pipelines.StageDraft, _ id: UUID, in pipeline: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await Pipelines.lock(pipeline, company, tx)
        if draft.kind == .won { throw Problem(.stageIsNeeded, "The pipeline has its stage for won deals.") }
        let own: SQL = "FROM stages WHERE company_id = \(company) AND pipeline_id = \(pipeline)"
        let count = try await tx.query(
            "SELECT count(*), count(*) FILTER (WHERE kind = 'open') \(fragment: own)")
        let (all, open) = (try count[0].get(0, as: Int.self), try count[0].get(1, as: Int.self))
        if all >= DealLimits.stagesMax { throw Problem(.tooManyStages) }
        let position = draft.kind == .open ? open + 1 : all + 1
        _ = try await tx.batch([
            """
            UPDATE stages s SET position = placed.n + CASE WHEN placed.n >= \(position)::bigint THEN 1 ELSE 0 END
              FROM (SELECT id, row_number() OVER (ORDER BY position, id) AS n \(fragment: own)) AS placed
             WHERE s.company_id = \(company) AND s.id = placed.id
            """,
            """
            INSERT INTO stages (company_id, id, pipeline_id, name, kind, position, probability_bp, required_fields,
                                rotting_days, color)
            VALUES (\(company), \(id), \(pipeline), \(draft.name), \(draft.kind), \(position), \(draft.probability),
                    \(draft.requiredFields), \(draft.rottingDays), \(draft.color))
            """,
            record("pipeline.stage_created", pipeline, after: ["stage": .string(draft.name)], call, company),
        ])
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ stage: Path<UUID>, _ body: Patch<StageChange>
    ) async throws -> Single<Stage> {
        let change = body.value
        if let required = change.requiredFields {
            try await checkFields(required.items.map(\.text), at: "/required_fields", call)
        }
        try await call.db.transaction { tx in try await apply(change, to: stage.value, in: id.value, call, tx)
        }
        return try Single(await row(stage.value, in: id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: StageChange, to id: UUID, in pipeline: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await Pipelines.lock(pipeline, company, tx)
        let found = try await find(id, in: pipeline, company, tx)
        try call.requireVersion(found.version)
        let kind = change.kind ?? found.kind
        if kind != found.kind {
            if found.isUsed { throw Problem(.stageInUse) }
            if kind == .won || found.kind == .won || found.alike == 0 { throw Problem(.stageIsNeeded) }
        }
        try checkProbability(change.probabilityBp?.value, kind, at: "")
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("kind", change.kind)
        changes.set("probability_bp", change.probabilityBp)
        if kind == .lost, change.probabilityBp == nil { changes.set("probability_bp", 0) }
        changes.set("required_fields", change.requiredFields.map { $0.items.map(\.text).unique })
        changes.set("rotting_days", change.rottingDays)
        changes.set("color", change.color)
        _ = try await tx.batch([
            "UPDATE stages SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            record(
                "pipeline.stage_changed", pipeline, before: ["stage": .string(found.name)],
                after: try JSON(encoding: change),
                call, company),
        ])
    }

    static func delete(
        _ call: Call, _ id: Path<UUID>, _ stage: Path<UUID>, _ removal: Query<Removal>
    ) async throws -> NoContent {
        let target = removal.moveTo
        try await call.db.transaction { tx in try await remove(stage.value, target, in: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(
        _ id: UUID, _ target: UUID?, in pipeline: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await Pipelines.lock(pipeline, company, tx)
        let found = try await find(id, in: pipeline, company, tx)
        try call.requireVersion(found.version)
        if found.kind == .won || found.alike == 0 { throw Problem(.stageIsNeeded) }
        let rows = try await tx.query(
            """
            SELECT d.id, d.deleted_at IS NOT NULL AS is_deleted FROM deals d
             WHERE d.company_id = \(company) AND d.stage_id = \(id) ORDER BY d.id
            """)
        if !rows.isEmpty {
            guard let target else { throw Problem(.stageInUse) }
            let there = try await tx.query(
                """
                SELECT 1 FROM stages WHERE company_id = \(company) AND pipeline_id = \(pipeline) AND id = \(target)
                   AND id <> \(id) AND kind = \(found.kind)
                """)
            if there.isEmpty {
                throw Problem.unprocessable([
                    .parameter(
                        "move_to", "unknown-stage",
                        "names no other stage of this pipeline that means the same")
                ])
            }
            try await empty(rows, into: target, by: call.actor, company, tx)
        }
        _ = try await tx.batch([
            "DELETE FROM stages WHERE company_id = \(company) AND id = \(id)",
            record("pipeline.stage_deleted", pipeline, before: ["stage": .string(found.name)], call, company),
        ])
    }

    @inline(never)
    private static func empty(
        _ rows: Rows, into target: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let all = try rows.map { (try $0.get("id", as: UUID.self), try $0.get("is_deleted", as: Bool.self)) }
        let alive = all.filter { !$0.1 }.map(\.0)
        for start in stride(from: 0, to: alive.count, by: DealLimits.bulkMax) {
            let some = Array(alive[start..<min(start + DealLimits.bulkMax, alive.count)])
            try await DealWriting.move(
                some, to: target, .init(isForced: true), by: actor, company: company, in: tx)
        }
        let deleted = all.filter(\.1).map(\.0)
        if deleted.isEmpty { return }
        // What is in the trash goes along without a step of its way: it has not been moved by anybody.
        let place = try await DealStage.lock(target, company, tx)
        guard let place else { throw Problem.notFound }
        let ranks = Rank.following(place.lastRank, count: deleted.count).map(\.text)
        _ = try await tx.query(
            """
            UPDATE deals d SET stage_id = \(target), rank = placed.rank
              FROM unnest(\(deleted)::uuid[], \(ranks)::text[]) AS placed (id, rank)
             WHERE d.company_id = \(company) AND d.id = placed.id
            """)
    }

    static func order(_ call: Call, _ id: Path<UUID>, _ body: Body<Order>) async throws -> Page<Stage> {
        let ids = body.ids.items
        try await call.db.transaction { tx in try await arrange(ids, in: id.value, call, tx) }
        return Page(all: try await rows(of: id.value, call))
    }

    @inline(never)
    private static func arrange(_ ids: [UUID], in pipeline: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        _ = try await Pipelines.lock(pipeline, company, tx)
        let known = try await tx.query(
            "SELECT id FROM stages WHERE company_id = \(company) AND pipeline_id = \(pipeline)")
        let all = try known.map { try $0.get("id", as: UUID.self) }
        guard Set(ids) == Set(all), ids.count == all.count else {
            throw Problem.unprocessable(
                "/ids", "incomplete", "must name each of the pipeline's \(all.count) stages once")
        }
        _ = try await tx.batch([
            """
            UPDATE stages s SET position = place.n, version = version + 1, updated_at = now()
              FROM unnest(\(ids)::uuid[]) WITH ORDINALITY AS place (id, n)
             WHERE s.company_id = \(company) AND s.pipeline_id = \(pipeline) AND s.id = place.id AND s.position <> place.n
            """,
            record("pipeline.stages_ordered", pipeline, call, company),
        ])
    }

    // MARK: checks

    static func checkProbability(_ value: Int?, _ kind: StageKind, at pointer: String) throws {
        guard let value else { return }
        if kind == .won && value != 10_000 || kind == .lost && value != 0 {
            throw Problem.unprocessable(
                "\(pointer)/probability_bp", "certain",
                "is 10000 where deals are won and 0 where they are lost")
        }
    }

    private static let ownFields: Set<String> = ["amount", "close_on", "contact", "client"]

    static func checkFields(_ fields: [String], at pointer: String, _ call: Call) async throws {
        let others = fields.enumerated().filter { !ownFields.contains($0.element) }
        if others.isEmpty { return }
        let custom = try await call.environment[CustomFields.self].fields(
            of: "deal", scope: nil, company: try call.company)
        let known = Set(custom.map(\.key))
        let faults = others.filter { !known.contains($0.element) }.map {
            Fault.at(
                "\(pointer)/\($0.offset)", "unknown-field",
                "is neither amount, close_on, contact, client nor a custom field of deals")
        }
        let problem: Problem? = faults.isEmpty ? nil : .unprocessable(faults)
        if let problem { throw problem }
    }

    private struct Found {
        let name: String
        let kind: StageKind
        let isUsed: Bool
        /// Other stages of its kind.
        let alike: Int
        let version: Int64
    }

    /// FOR UPDATE: no deal comes in while its stage is changed or goes.
    @inline(never)
    private static func find(_ id: UUID, in pipeline: UUID, _ company: UUID, _ tx: Transaction) async throws
        -> Found
    {
        let answers = try await tx.batch([
            "SELECT 1 FROM stages WHERE company_id = \(company) AND pipeline_id = \(pipeline) AND id = \(id) FOR UPDATE",
            """
            SELECT s.name, s.kind, s.version,
                   EXISTS (SELECT 1 FROM deal_stage_events e
                            WHERE e.company_id = s.company_id AND e.pipeline_id = s.pipeline_id AND e.to_stage = s.id)
                   OR EXISTS (SELECT 1 FROM deals d WHERE d.company_id = s.company_id AND d.stage_id = s.id) AS is_used,
                   (SELECT count(*) FROM stages other
                     WHERE other.company_id = s.company_id AND other.pipeline_id = s.pipeline_id AND other.kind = s.kind
                       AND other.id <> s.id) AS alike
              FROM stages s WHERE s.company_id = \(company) AND s.pipeline_id = \(pipeline) AND s.id = \(id)
            """,
        ])
        guard let row = answers[1].first else { throw Problem.notFound }
        return Found(
            name: try row.get("name"), kind: try row.get("kind", as: StageKind.self),
            isUsed: try row.get("is_used"),
            alike: try row.get("alike"), version: try row.get("version"))
    }

    private static func record(
        _ action: String, _ pipeline: UUID, before: JSON? = nil, after: JSON? = nil, _ call: Call,
        _ company: UUID
    ) -> SQL {
        Pipelines.record(action, pipeline, before: before, after: after, call.actor, company)
    }

    @inline(never)
    private static func rows(of pipeline: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(pipeline, call.company)) ORDER BY s.position, s.id")
    }

    @inline(never)
    private static func row(_ id: UUID, in pipeline: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(pipeline, call.company)) AND s.id = \(id)")
    }

    private static func select(_ pipeline: UUID, _ company: UUID) -> SQL {
        """
        SELECT s.id, s.pipeline_id, s.name, s.kind, s.position, s.probability_bp, s.required_fields, s.rotting_days, s.color,
               s.version, s.created_at, s.updated_at
          FROM stages s WHERE s.company_id = \(company) AND s.pipeline_id = \(pipeline)
        """
    }
}
