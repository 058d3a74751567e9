import API
import Core
import Postgres
import Wire

/// Groups that the rules of several flags go by.
struct Segments: Sendable {
    let base: String
    let whose: Owner
    let reading: Access
    let writing: Access

    static let ofSystem = Segments(
        base: "/v1/system/segments", whose: .system, reading: .operator, writing: .operator)
    static let ofCompany = Segments(
        base: "/v1/segments", whose: .company, reading: .can(.flagsRead), writing: .can(.flagsWrite))

    @RouteList var routes: [Route] {
        GET(base, "List segments", reading, list)
        POST(base, "Create a segment", writing, create).problems(.segmentKeyTaken, .tooManySegments)
            .example(body: [
                "key": "beta-customers", "description": "Who has asked to see things early",
                "conditions": [["attribute": "plan", "operator": "in", "values": ["gold", "platinum"]]],
            ])
        GET("\(base)/{key}", "Read a segment", reading, read)
        PATCH("\(base)/{key}", "Change a segment", writing, change).describe(
            "Flags that go by it answer by the change at once.")
        DELETE("\(base)/{key}", "Delete a segment", writing, delete).ifMatch(.accepted).problems(
            .segmentInUse)
    }

    struct Segment: Codable, Sendable {
        let id: UUID
        let key: FlagKey
        let description: String?
        let conditions: [FlagCondition]
        let version: Int64
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewSegment: Codable, Sendable {
        let key: FlagKey
        let description: Prose<1000>?
        let conditions: UpTo<20, FlagCondition>
    }

    struct SegmentChange: Codable, Sendable {
        let description: Clearable<Prose<1000>>
        let conditions: UpTo<20, FlagCondition>?
    }

    struct Filter: ListFilter {
        static let sorts = ["key", "-created_at"]
        static let search = ["key", "description"]
    }

    func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Segment> {
        try await call.page(list, Self.select(whose.id(call)), as: whose.tenant(call))
    }

    func read(_ call: Call, _ key: Path<Text<60>>) async throws -> Single<Segment> {
        try Single(await rows(key.text, call))
    }

    func create(_ call: Call, _ body: Body<NewSegment>) async throws -> Created<Segment> {
        let (id, key) = (UUID.v7(), body.key.text)
        try Self.check(body.value.conditions)
        try await FlagDesk.open(call, whose) { desk in
            let count = try await desk.tx.query(
                "SELECT count(*) FROM segments WHERE company_id = \(desk.owner)")
            guard try count[0].get(0, as: Int.self) < ConfigLimits.segmentsMax else {
                throw Problem(.tooManySegments)
            }
            _ = try await desk.tx.batch([
                """
                INSERT INTO segments (company_id, id, key, description, conditions)
                VALUES (\(desk.owner), \(id), \(key), \(body.value.description),
                        \(try JSONText(JSON(encoding: body.value.conditions))))
                """,
                record("created", id, desk, after: try JSON(encoding: body.value)),
            ])
        }
        return try Created(await rows(key, call), at: "\(base)/\(key)")
    }

    func change(_ call: Call, _ key: Path<Text<60>>, _ body: Patch<SegmentChange>) async throws -> Single<
        Segment
    > {
        if let conditions = body.value.conditions { try Self.check(conditions) }
        try await FlagDesk.open(call, whose) { desk in
            let held = try await hold(key.text, desk)
            try call.requireVersion(held.get("version"))
            var changes = Changes()
            changes.set("description", body.value.description)
            changes.set("conditions", try body.value.conditions.map { try JSONText(JSON(encoding: $0)) })
            let id: UUID = try held.get("id")
            _ = try await desk.tx.batch([
                "UPDATE segments SET \(fragment: changes.sql) WHERE company_id = \(desk.owner) AND id = \(id)",
                record(
                    "changed", id, desk,
                    before: ["conditions": try JSON.parse(held.get("conditions", as: String.self))],
                    after: try JSON(encoding: body.value)),
            ])
        }
        return try Single(await rows(key.text, call))
    }

    func delete(_ call: Call, _ key: Path<Text<60>>) async throws -> NoContent {
        try await FlagDesk.open(call, whose) { desk in
            let held = try await hold(key.text, desk)
            try call.requireVersion(held.get("version"))
            let set = try await FlagStore.load(desk.owner, in: desk.tx)
            let users = set.flags.values.filter { flag in
                (flag.rules.rules?.items ?? []).contains { rule in
                    (rule.segments?.items ?? []).contains { $0.text == key.text }
                }
            }
            if let user = users.map(\.key).min() {
                throw Problem(.segmentInUse, "The rules of \(user) name it.")
            }
            let id: UUID = try held.get("id")
            _ = try await desk.tx.batch([
                "DELETE FROM segments WHERE company_id = \(desk.owner) AND id = \(id)",
                record("deleted", id, desk, before: ["key": .string(key.text)]),
            ])
        }
        return NoContent()
    }

    private func hold(_ key: String, _ desk: FlagDesk) async throws -> Row {
        let rows = try await desk.tx.query(
            "SELECT id, conditions, version FROM segments WHERE company_id = \(desk.owner) AND key = \(key) FOR UPDATE"
        )
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }

    private func record(
        _ action: String, _ id: UUID, _ desk: FlagDesk, before: JSON? = nil, after: JSON? = nil
    ) -> SQL {
        Audit.sql(
            Audit.Entry("segment.\(action)", on: "segment", id, before: before, after: after), by: desk.actor,
            company: desk.owner)
    }

    private static func check(_ conditions: UpTo<20, FlagCondition>) throws {
        let faults = FlagRulesCheck.faults(in: conditions.items, at: "/conditions")
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    private func rows(_ key: String, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: Self.select(whose.id(call))) AND key = \(key)", as: whose.tenant(call))
    }

    private static func select(_ owner: UUID) -> SQL {
        "SELECT id, key, description, conditions, version, created_at, updated_at FROM segments WHERE company_id = \(owner)"
    }
}
