import API
import Core
import Postgres
import Wire

/// Letters and tasks that follow each other in time until somebody answers.
enum Sequences {
    @RouteList static var routes: [Route] {
        GET("/v1/sequences", "List sequences", .can(.crmRead), list).example(answer: example)
        POST("/v1/sequences", "Make a sequence", .can(.crmManage), create).problems(
            .sequenceNameTaken, .tooManySequences
        )
        .example(body: draft, answer: example)
        GET("/v1/sequences/{id}", "Read a sequence", .can(.crmRead), read).example(answer: example)
        PATCH("/v1/sequences/{id}", "Change a sequence", .can(.crmManage), change).ifMatch(.required)
            .problems(.sequenceNameTaken)
            .describe("Other `steps` are a new version: who is enrolled goes on with the one he began with.")
            .example(body: ["is_active": true], answer: example)
        DELETE("/v1/sequences/{id}", "Delete a sequence", .can(.crmManage), delete)
            .describe("Its enrolments stop. What was sent stays in the timelines.")
        GET("/v1/sequences/{id}/stats", "Count what became of a sequence", .can(.crmRead), stats)
            .operation("getSequenceStats")
            .example(answer: [
                "active": 1, "paused": 0, "finished": 3, "replied": 1, "stopped": 1,
                "steps": [["step": 0, "kind": "email", "count": 4]],
            ])
    }

    private static let step: JSON = [
        "kind": "email", "wait_hours": 24, "subject": "Hello {{first_name}}", "body": "May I call you?",
        "field": nil, "value": nil,
    ]
    private static let draft: JSON = [
        "name": "Welcome", "steps": [step], "triggers": ["lead.created"], "is_active": true,
    ]
    private static let example: JSON = [
        "id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8c20", "name": "Welcome", "description": nil,
        "is_active": true, "current": 1,
        "steps": [step], "triggers": ["lead.created"], "daily_max": 200, "from_hour": 9, "to_hour": 17,
        "active_count": 1,
        "created_by": nil, "version": 1, "created_at": "2026-11-24T08:00:00Z",
        "updated_at": "2026-11-24T08:00:00Z",
    ]

    struct Filter: ListFilter {
        let isActive: Bool?
        static let sorts = ["name", "-created_at"]
        static let search = ["name"]
    }

    struct Stats: Codable, Sendable {
        let active: Int
        let paused: Int
        let finished: Int
        let replied: Int
        let stopped: Int
        let steps: [StepCount]
    }

    struct StepCount: Codable, Sendable {
        let step: Int
        let kind: SequenceStep.Kind
        let count: Int
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT q.id, q.name, q.description, q.is_active, q.current, v.steps, q.triggers, q.daily_max, q.from_hour, q.to_hour,
               (SELECT count(*)::integer FROM sequence_enrolments e
                 WHERE e.company_id = q.company_id AND e.sequence_id = q.id AND e.state = 'active') AS active_count,
               q.created_by, q.version, q.created_at, q.updated_at
          FROM sequences q
          JOIN sequence_versions v ON v.company_id = q.company_id AND v.sequence_id = q.id AND v.number = q.current
         WHERE q.company_id = \(try call.company) AND q.archived_at IS NULL
        """
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Sequence> {
        try await call.page(list, select(call))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Sequence> {
        try Single(await row(id.value, call), versionIsWhole: false)
    }

    @inline(never)
    private static func row(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND q.id = \(id)")
    }

    static func create(_ call: Call, _ body: Body<NewSequence>) async throws -> Created<Sequence> {
        let (company, id, new) = (try call.company, UUID.v7(), body.value)
        let steps = try kept(new.steps.items)
        let limit = RowLimit(
            100, "SELECT count(*) FROM sequences WHERE company_id = \(company) AND archived_at IS NULL",
            else: .tooManySequences)
        let version: SQL = """
            INSERT INTO sequence_versions (company_id, sequence_id, number, steps) VALUES (\(company), \(id), 1, \(steps))
            """
        _ = try await call.create(under: limit, also: [version, told("sequence.created", id, call)]) {
            isBelow in
            """
            INSERT INTO sequences (company_id, id, name, description, is_active, triggers, daily_max, from_hour, to_hour, created_by)
            SELECT \(company)::uuid, \(id)::uuid, \(new.name), \(new.description), \(new.isActive ?? false),
                   \(new.triggers?.items.map(\.rawValue) ?? [])::text[], \(new.dailyMax.map { Int($0.value) } ?? 200)::integer,
                   \(new.fromHour.map { Int($0.value) } ?? 9)::integer, \(new.toHour.map { Int($0.value) } ?? 17)::integer,
                   \(call.principal?.memberId)::uuid
             WHERE \(fragment: isBelow)
            """
        }
        return try Created(await row(id, call))
    }

    private static func kept(_ steps: [SequenceStep]) throws -> JSONText {
        var faults = steps.enumerated().flatMap { $1.faults($0) }
        if steps.isEmpty { faults.append(.at("/steps", "required", "a sequence has at least one step")) }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        return JSONText(try JSON(encoding: steps))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<SequenceChange>) async throws -> Single<
        Sequence
    > {
        let change = body.value
        let steps = try change.steps.map { try kept($0.items) }
        try await call.db.transaction { tx in try await apply(change, steps, id.value, call, tx) }
        return try Single(await row(id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: SequenceChange, _ steps: JSONText?, _ id: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let rows = try await tx.query(
            """
            SELECT version, current FROM sequences
             WHERE company_id = \(company) AND id = \(id) AND archived_at IS NULL FOR UPDATE
            """)
        guard let old = rows.first else { throw Problem.notFound }
        try call.requireVersion(old.get("version"))
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("triggers", change.triggers.map { $0.items.map(\.rawValue) })
        changes.set("daily_max", change.dailyMax)
        changes.set("from_hour", change.fromHour)
        changes.set("to_hour", change.toHour)
        changes.set("is_active", change.isActive)
        var statements: [SQL] = []
        if let steps {
            let number = try old.get("current", as: Int.self) + 1
            changes.set("current", number)
            statements.append(
                """
                INSERT INTO sequence_versions (company_id, sequence_id, number, steps)
                VALUES (\(company), \(id), \(number), \(steps))
                """)
        }
        statements.append(
            "UPDATE sequences SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)")
        _ = try await tx.batch(
            statements + [told("sequence.changed", id, call), ActivityUpkeep.expect(company)])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let answers = try await call.db.write([
            """
            UPDATE sequences SET archived_at = now(), is_active = false, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id.value) AND archived_at IS NULL RETURNING id
            """,
            """
            UPDATE sequence_enrolments SET state = 'stopped', stopped_for = 'sequence-deleted', ended_at = now()
             WHERE company_id = \(company) AND sequence_id = \(id.value) AND state IN ('active', 'paused')
            """,
        ])
        if answers[0].isEmpty { throw Problem.notFound }
        _ = try await call.db.write([told("sequence.deleted", id.value, call)])
        return NoContent()
    }

    private static func told(_ action: String, _ id: UUID, _ call: Call) throws -> SQL {
        Audit.sql(Audit.Entry(action, on: "sequence", id), by: call.actor, company: try call.company)
    }

    static func stats(_ call: Call, _ id: Path<UUID>) async throws -> Single<Stats> {
        let company = try call.company
        let known = try await row(id.value, call)
        if known.isEmpty { throw Problem.notFound }
        return try Single(
            await call.db.query(
                """
                SELECT count(*) FILTER (WHERE e.state = 'active')::integer AS active,
                       count(*) FILTER (WHERE e.state = 'paused')::integer AS paused,
                       count(*) FILTER (WHERE e.state = 'finished')::integer AS finished,
                       count(*) FILTER (WHERE e.stopped_for = 'reply')::integer AS replied,
                       count(*) FILTER (WHERE e.state = 'stopped')::integer AS stopped,
                       (SELECT coalesce(jsonb_agg(jsonb_build_object('step', t.step, 'kind', t.kind, 'count', t.count) ORDER BY t.step), '[]')
                          FROM (SELECT step, kind, count(*) AS count FROM sequence_steps
                                 WHERE company_id = \(company) AND sequence_id = \(id.value) GROUP BY step, kind) t) AS steps
                  FROM sequence_enrolments e WHERE e.company_id = \(company) AND e.sequence_id = \(id.value)
                """))
    }
}
