import API
import Core
import Postgres
import Wire

/// The ways by which a company sells: each with stages of its own.
enum Pipelines {
    @RouteList static var routes: [Route] {
        GET("/v1/pipelines", "List pipelines with their stages", .can(.crmRead), list)
            .describe(
                "In their order, the archived ones last. The first call makes the usual pipeline where there is none."
            )
        POST("/v1/pipelines", "Create a pipeline", .can(.crmManage), create)
            .describe(
                "With the usual stages when none are given. There is at least one open stage, exactly one for won and at least "
                    + "one for lost deals."
            )
            .problems(.pipelineNameTaken, .tooManyPipelines)
            .example(body: [
                "name": "Renewals",
                "stages": [
                    ["name": "Due", "kind": "open", "probability_bp": 6_000, "rotting_days": 20],
                    ["name": "Renewed", "kind": "won"], ["name": "Cancelled", "kind": "lost"],
                ],
            ])
        GET("/v1/pipelines/{id}", "Read a pipeline", .can(.crmRead), read)
        PATCH("/v1/pipelines/{id}", "Change a pipeline", .can(.crmManage), change)
            .describe(
                "`is_default: true` makes deals go into it when none is named, in place of the one before."
            )
            .problems(.pipelineNameTaken, .pipelineIsDefault, .conflict)
            .example(body: ["name": "New business", "is_default": true])
        DELETE("/v1/pipelines/{id}", "Delete a pipeline", .can(.crmManage), delete)
            .describe("One that has never had a deal; others are archived.")
            .problems(.pipelineInUse, .pipelineIsDefault)
        POST("/v1/pipelines/{id}/archive", "Archive a pipeline", .can(.crmManage), archive)
            .describe("No deal begins in it any more; those in it go on.").problems(.pipelineIsDefault)
        POST("/v1/pipelines/{id}/restore", "Take a pipeline out of the archive", .can(.crmManage), restore)
    }

    struct Pipeline: Codable, Sendable {
        let id: UUID
        let name: String
        let position: Int
        let isDefault: Bool
        let stages: [Stage]
        let archivedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewPipeline: Codable, Sendable {
        let name: Text<80>
        let stages: UpTo<40, NewStage>?
        let isDefault: Bool?
    }

    struct PipelineChange: Codable, Sendable {
        let name: Text<80>?
        let position: Whole<1, 1_000>?
        let isDefault: Bool?
    }

    static func list(_ call: Call) async throws -> Page<Pipeline> {
        let company = try call.company
        let sql: SQL = """
            SELECT \(fragment: columns) FROM pipelines p WHERE p.company_id = \(company)
             ORDER BY p.archived_at IS NOT NULL, p.position, p.id
            """
        var rows = try await call.db.query(sql)
        if rows.isEmpty {
            try await call.db.transaction { tx in _ = try await ensureDefault(company, tx) }
            rows = try await call.db.query(sql)
        }
        return Page(all: rows)
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Pipeline> {
        try await single(id.value, call)
    }

    static func create(_ call: Call, _ body: Body<NewPipeline>) async throws -> Created<Pipeline> {
        let id = UUID.v7()
        let new = body.value
        let stages = try await stages(new, call)
        try await call.db.transaction { tx in try await insert(new, id, stages, call, tx) }
        return try Created(await rows(id, call))
    }

    private static func stages(_ new: NewPipeline, _ call: Call) async throws -> [StageDraft] {
        guard let given = new.stages?.items else { return StageDraft.usual }
        var drafts: [StageDraft] = []
        for (index, stage) in given.enumerated() {
            drafts.append(try await stage.draft(at: "/stages/\(index)", call))
        }
        let counts = Dictionary(grouping: drafts, by: \.kind).mapValues(\.count)
        guard counts[.open] ?? 0 > 0, counts[.won] == 1, counts[.lost] ?? 0 > 0 else {
            throw Problem.unprocessable(
                "/stages", "kinds",
                "must be at least one open stage, exactly one for won and at least one for lost deals")
        }
        guard Set(drafts.map { $0.name.lowercased() }).count == drafts.count else {
            throw Problem.unprocessable("/stages", "repeated", "has two stages of one name")
        }
        return drafts
    }

    @inline(never)
    private static func insert(
        _ new: NewPipeline, _ id: UUID, _ stages: [StageDraft], _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let isBelow = SQL.below(
            DealLimits.pipelinesMax, "SELECT count(*) FROM pipelines WHERE company_id = \(company)",
            else: .tooManyPipelines)
        var statements: [SQL] = []
        if new.isDefault == true { statements.append(undefault(company)) }
        statements += [
            """
            INSERT INTO pipelines (company_id, id, name, position, is_default)
            SELECT \(company), \(id), \(new.name),
                   coalesce((SELECT max(position) FROM pipelines WHERE company_id = \(company)), 0) + 1,
                   \(new.isDefault ?? false)
                   OR NOT EXISTS (SELECT 1 FROM pipelines WHERE company_id = \(company) AND is_default)
             WHERE \(fragment: isBelow)
            """,
            insert(stages, in: id, company),
            record("pipeline.created", id, after: ["name": .string(new.name.text)], call.actor, company),
        ]
        _ = try await tx.batch(statements)
    }

    private static func undefault(_ company: UUID) -> SQL {
        """
        UPDATE pipelines SET is_default = false, version = version + 1, updated_at = now()
         WHERE company_id = \(company) AND is_default
        """
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<PipelineChange>) async throws -> Single<
        Pipeline
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try await single(id.value, call)
    }

    @inline(never)
    private static func apply(_ change: PipelineChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await lock(id, company, tx)
        try call.requireVersion(head.version)
        if change.isDefault == false, head.isDefault { throw Problem(.pipelineIsDefault) }
        if change.isDefault == true, head.isArchived {
            throw Problem.unprocessable("/is_default", "archived", "is no choice for an archived pipeline")
        }
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("position", change.position)
        changes.set("is_default", change.isDefault)
        var statements: [SQL] = []
        if change.isDefault == true, !head.isDefault { statements.append(undefault(company)) }
        statements += [
            "UPDATE pipelines SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            record(
                "pipeline.changed", id, before: ["name": .string(head.name)],
                after: try JSON(encoding: change), call.actor, company),
        ]
        _ = try await tx.batch(statements)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await lock(id, company, tx)
        try call.requireVersion(head.version)
        if head.isDefault { throw Problem(.pipelineIsDefault) }
        let used = try await tx.query(
            """
            SELECT 1 FROM deals WHERE company_id = \(company) AND pipeline_id = \(id)
             UNION ALL SELECT 1 FROM deal_stage_events WHERE company_id = \(company) AND pipeline_id = \(id) LIMIT 1
            """)
        if !used.isEmpty { throw Problem(.pipelineInUse) }
        _ = try await tx.batch([
            "DELETE FROM pipelines WHERE company_id = \(company) AND id = \(id)",
            record("pipeline.deleted", id, before: ["name": .string(head.name)], call.actor, company),
        ])
    }

    static func archive(_ call: Call, _ id: Path<UUID>) async throws -> Single<Pipeline> {
        try await call.db.transaction { tx in try await setArchived(true, id.value, call, tx) }
        return try await single(id.value, call)
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Pipeline> {
        try await call.db.transaction { tx in try await setArchived(false, id.value, call, tx) }
        return try await single(id.value, call)
    }

    @inline(never)
    private static func setArchived(_ isArchived: Bool, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await lock(id, company, tx)
        if head.isArchived == isArchived { return }
        if head.isDefault { throw Problem(.pipelineIsDefault) }
        _ = try await tx.batch([
            """
            UPDATE pipelines SET archived_at = CASE WHEN \(isArchived) THEN now() END, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            record(isArchived ? "pipeline.archived" : "pipeline.restored", id, call.actor, company),
        ])
    }

    struct Head: Sendable {
        let name: String
        let isDefault: Bool
        let isArchived: Bool
        let version: Int64
    }

    /// Changes of a pipeline and its stages wait for each other.
    @inline(never)
    static func lock(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws -> Head {
        let rows = try await tx.query(
            """
            SELECT name, is_default, archived_at IS NOT NULL AS is_archived, version FROM pipelines
             WHERE company_id = \(company) AND id = \(id) FOR NO KEY UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return Head(
            name: try row.get("name"), isDefault: try row.get("is_default"),
            isArchived: try row.get("is_archived"),
            version: try row.get("version"))
    }

    static func record(
        _ action: String, _ id: UUID, before: JSON? = nil, after: JSON? = nil, _ actor: Audit.Actor,
        _ company: UUID
    ) -> SQL {
        Audit.sql(
            Audit.Entry(action, on: "pipeline", id, before: before, after: after), by: actor, company: company
        )
    }

    private static func single(_ id: UUID, _ call: Call) async throws -> Single<Pipeline> {
        // Its stages change without its version.
        try Single(await rows(id, call), versionIsWhole: false)
    }

    @inline(never)
    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "SELECT \(fragment: columns) FROM pipelines p WHERE p.company_id = \(call.company) AND p.id = \(id)"
        )
    }

    private static let columns: SQL = """
        p.id, p.name, p.position, p.is_default,
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'id', s.id, 'pipeline_id', s.pipeline_id, 'name', s.name, 'kind', s.kind, 'position', s.position,
                    'probability_bp', s.probability_bp, 'required_fields', s.required_fields,
                    'rotting_days', s.rotting_days, 'color', s.color, 'version', s.version,
                    'created_at', \(fragment: Stage.moment("s.created_at")), 'updated_at', \(fragment: Stage.moment("s.updated_at")))
                    ORDER BY s.position, s.id), '[]')
           FROM stages s WHERE s.company_id = p.company_id AND s.pipeline_id = p.id) AS stages,
        p.archived_at, p.version, p.created_at, p.updated_at
        """
}
