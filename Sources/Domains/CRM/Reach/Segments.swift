import API
import Core
import Postgres
import Wire

/// Saved audiences of contacts, leads, clients or deals, live or frozen. Whoever uses one finds what he may see of it.
enum Segments {
    @RouteList static var routes: [Route] {
        GET("/v1/crm/segments", "List segments", .can(.crmRead), list).operation("listCrmSegments").example(
            answer: example)
        POST("/v1/crm/segments", "Save a segment", .can(.crmWrite), create).operation("createCrmSegment")
            .problems(.segmentNameTaken, .segmentCircle, .tooManySegments)
            .describe(
                "In it is what `filter` finds (the filter of the list of that kind), within all segments of `all_of`, any of "
                    + "`any_of` and none of `none_of`; and `include_ids`, but not `exclude_ids`."
            )
            .example(body: draft, answer: example)
        POST("/v1/crm/segments/preview", "See who would be in a segment", .can(.crmRead), preview)
            .operation("previewCrmSegment").problems(.segmentCircle)
            .example(
                body: draft,
                answer: [
                    "count": 1,
                    "sample": [["id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a21", "name": "Anna Berg"]],
                ])
        GET("/v1/crm/segments/{id}", "Read a segment", .can(.crmRead), read).operation("getCrmSegment")
            .example(answer: example)
        PATCH("/v1/crm/segments/{id}", "Change a segment", .can(.crmWrite), change).operation(
            "changeCrmSegment"
        ).ifMatch(.required)
            .problems(.segmentNameTaken, .segmentCircle)
            .describe("Another's takes crm:manage. What is frozen stays as it is until it is refreshed.")
            .example(body: ["name": "Customers in Spain"], answer: example)
        DELETE("/v1/crm/segments/{id}", "Delete a segment", .can(.crmWrite), delete).operation(
            "deleteCrmSegment"
        )
        .describe("Another's takes crm:manage.")
        GET("/v1/crm/segments/{id}/members", "List who is in a segment", .can(.crmRead), members)
            .operation("listCrmSegmentMembers").problems(.segmentCircle)
            .example(answer: [
                "id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8a21", "name": "Anna Berg",
                "created_at": "2026-11-24T08:00:00Z",
            ])
        GET(
            "/v1/crm/segments/{id}/members/{record_id}", "Ask whether a record is in a segment",
            .can(.crmRead), isMember
        )
        .operation("isInCrmSegment").problems(.segmentCircle).example(answer: ["is_member": true])
        POST(
            "/v1/crm/segments/{id}/freeze", "Freeze a segment, or refresh a frozen one", .can(.crmWrite),
            freeze
        )
        .operation("freezeCrmSegment").problems(.segmentCircle)
        .describe("It holds from now on what the caller finds in it at this moment.").example(answer: example)
        DELETE("/v1/crm/segments/{id}/freeze", "Let a segment live again", .can(.crmWrite), thaw).operation(
            "thawCrmSegment")
    }

    private static let draft: JSON = [
        "kind": "contact", "name": "Customers", "filter": ["lifecycle": ["customer"]],
    ]
    private static let example: JSON = [
        "id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8b20", "kind": "contact", "name": "Customers",
        "description": nil,
        "filter": ["lifecycle": ["customer"]], "all_of": [], "any_of": [], "none_of": [], "include_ids": [],
        "exclude_ids": [], "frozen_at": nil, "frozen_count": nil, "created_by": nil, "version": 1,
        "created_at": "2026-11-24T08:00:00Z", "updated_at": "2026-11-24T08:00:00Z",
    ]

    enum Kind: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
        case client, contact, lead, deal
        var record: CRMRecord { CRMRecord(rawValue: rawValue) ?? .contact }
    }

    struct Segment: Codable, Sendable {
        let id: UUID
        let kind: Kind
        let name: String
        let description: String?
        let filter: JSON?
        let allOf: [UUID]
        let anyOf: [UUID]
        let noneOf: [UUID]
        let includeIds: [UUID]
        let excludeIds: [UUID]
        let frozenAt: Timestamp?
        let frozenCount: Int?
        let createdBy: UUID?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewSegment: Codable, Sendable {
        let kind: Kind
        let name: Text<120>
        let description: Prose<2_000>?
        let filter: JSON?
        let allOf: UpTo<10, UUID>?
        let anyOf: UpTo<10, UUID>?
        let noneOf: UpTo<10, UUID>?
        let includeIds: UpTo<1_000, UUID>?
        let excludeIds: UpTo<1_000, UUID>?
    }

    struct SegmentChange: Codable, Sendable {
        let name: Text<120>?
        let description: Clearable<Prose<2_000>>
        let filter: Clearable<JSON>
        let allOf: UpTo<10, UUID>?
        let anyOf: UpTo<10, UUID>?
        let noneOf: UpTo<10, UUID>?
        let includeIds: UpTo<1_000, UUID>?
        let excludeIds: UpTo<1_000, UUID>?
    }

    struct Filter: ListFilter {
        let kind: [Kind]?
        let createdBy: UUID?
        static let sorts = ["name", "-created_at"]
        static let search = ["name"]
    }

    struct Preview: Codable, Sendable {
        let count: Int
        let sample: [Named]
    }

    struct Named: Codable, Sendable {
        let id: UUID
        let name: String
    }

    struct Member: Codable, Sendable {
        let id: UUID
        let name: String
        let createdAt: Timestamp
    }

    struct MemberFilter: ListFilter {
        static let sorts = ["-created_at", "name"]
    }

    struct Membership: Codable, Sendable {
        let isMember: Bool
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT s.id, s.kind, s.name, s.description, s.filter, s.all_of, s.any_of, s.none_of, s.include_ids, s.exclude_ids,
               s.frozen_at, s.frozen_count, s.created_by, s.version, s.created_at, s.updated_at
          FROM crm_segments s WHERE s.company_id = \(try call.company)
        """
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Segment> {
        try await call.page(list, select(call))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Segment> {
        try Single(await row(id.value, call))
    }

    @inline(never)
    private static func row(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND s.id = \(id)")
    }

    /// A list's condition for `segment=`: the row's id in `column` is in the segment, as this member finds it. 404 when
    /// there is no such segment of that kind.
    @inline(never)
    static func condition(
        _ id: UUID, of kind: CRMRecord, on column: String, _ member: Principal, _ environment: Environment,
        _ db: TenantDatabase
    ) async throws -> SQL {
        let company = member.companyId ?? .zero
        let rows = try await db.query(
            """
            SELECT \(fragment: SegmentRule.columns) FROM crm_segments s
             WHERE s.company_id = \(company) AND s.id = \(id) AND s.kind = \(kind.rawValue)
            """)
        guard let rule = try rows.first?.decode(SegmentRule.self) else { throw Problem.notFound }
        let others = try await rule.others(company: company) { try await db.query($0) }
        return try await rule.condition(column, others, member, environment)
    }

    static func create(_ call: Call, _ body: Body<NewSegment>) async throws -> Created<Segment> {
        let (company, id, new) = (try call.company, UUID.v7(), body.value)
        _ = try await checked(rule(new, id), call)
        let limit = RowLimit(
            SegmentLimits.segmentsMax, "SELECT count(*) FROM crm_segments WHERE company_id = \(company)",
            else: .tooManySegments)
        _ = try await call.create(under: limit, also: [told("segment.created", id, call)]) { isBelow in
            """
            INSERT INTO crm_segments (company_id, id, kind, name, description, filter, all_of, any_of, none_of, include_ids,
                                  exclude_ids, created_by)
            SELECT \(company)::uuid, \(id)::uuid, \(new.kind), \(new.name), \(new.description),
                   \(new.filter.map(JSONText.init))::jsonb, \(new.allOf?.items ?? [])::uuid[], \(new.anyOf?.items ?? [])::uuid[],
                   \(new.noneOf?.items ?? [])::uuid[], \(new.includeIds?.items ?? [])::uuid[],
                   \(new.excludeIds?.items ?? [])::uuid[], \(call.principal?.memberId)::uuid
             WHERE \(fragment: isBelow)
            """
        }
        return try Created(await row(id, call))
    }

    private static func rule(_ new: NewSegment, _ id: UUID) -> SegmentRule {
        SegmentRule(
            id: id, kind: new.kind.rawValue, filter: new.filter, allOf: new.allOf?.items ?? [],
            anyOf: new.anyOf?.items ?? [],
            noneOf: new.noneOf?.items ?? [], includeIds: new.includeIds?.items ?? [],
            excludeIds: new.excludeIds?.items ?? [],
            isFrozen: false)
    }

    /// What a rule refers to; 422 when its filter is none of the list's, or when it refers to what is not there.
    @inline(never)
    private static func checked(_ rule: SegmentRule, _ call: Call) async throws -> [UUID: SegmentRule] {
        if let filter = rule.filter {
            let faults = rule.record.list.faults(filter, nil)
            if !faults.isEmpty { throw Problem.unprocessable(faults) }
        }
        let others = try await rule.others(company: call.company) { try await call.db.query($0) }
        for (pointer, ids) in [("/all_of", rule.allOf), ("/any_of", rule.anyOf), ("/none_of", rule.noneOf)]
        where ids.contains(where: { others[$0] == nil }) {
            throw Problem.unprocessable(pointer, "unknown-segment", "names no segment of \(rule.kind)s")
        }
        return others
    }

    static func preview(_ call: Call, _ body: Body<NewSegment>) async throws -> Single<Preview> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rule = rule(body.value, .v7())
        let others = try await checked(rule, call)
        let condition = try await rule.condition("r.id", others, principal, call.environment)
        let label = label(rule.record)
        let rows = try await call.db.report(
            """
            WITH found AS (
                SELECT r.id, \(unescaped: label) AS name FROM \(unescaped: rule.record.table) r
                 WHERE r.company_id = \(principal.companyId) AND \(fragment: CRMAccess.visible(principal, "r"))
                   AND \(fragment: condition) LIMIT \(SegmentLimits.countMax))
            SELECT count(*)::integer AS count,
                   (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name) ORDER BY s.name), '[]')
                      FROM (SELECT id, name FROM found ORDER BY name LIMIT 10) s) AS sample
              FROM found
            """)
        return try Single(rows)
    }

    private static func label(_ kind: CRMRecord) -> String { kind == .lead ? "r.title" : "r.name" }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<SegmentChange>) async throws -> Single<
        Segment
    > {
        let change = body.value
        let old = try await owned(id.value, call)
        let rule = SegmentRule(
            id: id.value, kind: old.kind, filter: change.filter ?? old.filter,
            allOf: change.allOf?.items ?? old.allOf,
            anyOf: change.anyOf?.items ?? old.anyOf, noneOf: change.noneOf?.items ?? old.noneOf,
            includeIds: change.includeIds?.items ?? old.includeIds,
            excludeIds: change.excludeIds?.items ?? old.excludeIds,
            isFrozen: old.isFrozen)
        _ = try await checked(rule, call)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        if let filter = change.filter { changes.set("filter", to: "\(filter.map(JSONText.init))::jsonb") }
        changes.set("all_of", change.allOf)
        changes.set("any_of", change.anyOf)
        changes.set("none_of", change.noneOf)
        changes.set("include_ids", change.includeIds)
        changes.set("exclude_ids", change.excludeIds)
        let company = try call.company
        _ = try await call.change(
            """
            WITH changed AS (
                UPDATE crm_segments SET \(fragment: changes.sql)
                 WHERE company_id = \(company) AND id = \(id.value) AND \(fragment: call.versionMatches()) RETURNING id)
            SELECT id FROM changed
            """, exists: "SELECT 1 FROM crm_segments WHERE company_id = \(company) AND id = \(id.value)")
        _ = try await call.db.write([told("segment.changed", id.value, call)])
        return try Single(await row(id.value, call))
    }

    /// The rule of one that the caller may change: his own, or any with crm:manage.
    @inline(never)
    private static func owned(_ id: UUID, _ call: Call) async throws -> SegmentRule {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: SegmentRule.columns), s.created_by FROM crm_segments s
             WHERE s.company_id = \(call.company) AND s.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let owner: UUID? = try row.get("created_by")
        if owner != call.principal?.memberId { try call.require(.crmManage) }
        return try row.decode(SegmentRule.self)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        _ = try await owned(id.value, call)
        _ = try await call.db.write([
            "DELETE FROM crm_segments WHERE company_id = \(call.company) AND id = \(id.value)",
            told("segment.deleted", id.value, call),
        ])
        return NoContent()
    }

    private static func told(_ action: String, _ id: UUID, _ call: Call) throws -> SQL {
        Audit.sql(Audit.Entry(action, on: "segment", id), by: call.actor, company: try call.company)
    }

    private static func found(_ id: UUID, _ call: Call) async throws -> (record: CRMRecord, base: SQL) {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rows = try await call.db.query(
            "SELECT kind FROM crm_segments WHERE company_id = \(call.company) AND id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        let record = try row.get("kind", as: Kind.self).record
        let condition = try await condition(id, of: record, on: "r.id", principal, call.environment, call.db)
        let base: SQL = """
            SELECT r.id, \(unescaped: label(record)) AS name, r.created_at FROM \(unescaped: record.table) r
             WHERE r.company_id = \(principal.companyId) AND \(fragment: CRMAccess.visible(principal, "r"))
               AND \(fragment: condition)
            """
        return (record, base)
    }

    static func members(_ call: Call, _ id: Path<UUID>, _ list: List<MemberFilter>) async throws -> Page<
        Member
    > {
        let found = try await found(id.value, call)
        return try await call.page(list, found.base)
    }

    static func isMember(_ call: Call, _ id: Path<UUID>, _ record: Path<UUID>) async throws -> Single<
        Membership
    > {
        let found = try await found(id.value, call)
        let rows = try await call.db.query("\(fragment: found.base) AND r.id = \(record.value)")
        return Single(Membership(isMember: !rows.isEmpty))
    }

    static func freeze(_ call: Call, _ id: Path<UUID>) async throws -> Single<Segment> {
        _ = try await owned(id.value, call)
        let company = try call.company
        try await call.db.transaction { tx in try await take(id.value, company, call, tx) }
        return try Single(await row(id.value, call))
    }

    @inline(never)
    private static func take(_ id: UUID, _ company: UUID, _ call: Call, _ tx: Transaction) async throws {
        // Live for a moment, so that what is taken is what it finds now. FOR UPDATE by the UPDATE: one at a time.
        _ = try await tx.query(
            "UPDATE crm_segments SET frozen_at = NULL, frozen_count = NULL WHERE company_id = \(company) AND id = \(id)"
        )
        guard let principal = call.principal else { throw Problem.unauthorized }
        let rows = try await tx.query(
            "SELECT \(fragment: SegmentRule.columns) FROM crm_segments s WHERE s.company_id = \(company) AND s.id = \(id)"
        )
        guard let rule = try rows.first?.decode(SegmentRule.self) else { throw Problem.notFound }
        let others = try await rule.others(company: company) { try await tx.query($0) }
        let condition = try await rule.condition("r.id", others, principal, call.environment)
        _ = try await tx.batch([
            "DELETE FROM crm_segment_members WHERE company_id = \(company) AND segment_id = \(id)",
            """
            INSERT INTO crm_segment_members (company_id, segment_id, record_id)
            SELECT r.company_id, \(id)::uuid, r.id FROM \(unescaped: rule.record.table) r
             WHERE r.company_id = \(company) AND \(fragment: CRMAccess.visible(principal, "r")) AND \(fragment: condition)
            """,
            """
            UPDATE crm_segments
               SET frozen_at = now(), version = version + 1, updated_at = now(),
                   frozen_count = (SELECT count(*) FROM crm_segment_members WHERE company_id = \(company) AND segment_id = \(id))
             WHERE company_id = \(company) AND id = \(id)
            """,
            told("segment.frozen", id, call),
        ])
    }

    static func thaw(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        _ = try await owned(id.value, call)
        let company = try call.company
        _ = try await call.db.write([
            "DELETE FROM crm_segment_members WHERE company_id = \(company) AND segment_id = \(id.value)",
            """
            UPDATE crm_segments SET frozen_at = NULL, frozen_count = NULL, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id.value)
            """,
            told("segment.thawed", id.value, call),
        ])
        return NoContent()
    }
}

extension ProblemCode {
    static let segmentNameTaken = ProblemCode(
        "crm-segment-name-taken", 409, "There is a segment of this name", advice: "Choose another name.")
    static let segmentCircle = ProblemCode(
        "crm-segment-circle", 409, "The segments lead back to themselves, or go too deep",
        advice: "Refer to segments that do not refer to this one, over three steps at most.")
    static let tooManySegments = ProblemCode(
        "too-many-crm-segments", 409, "The company has as many segments as it may",
        advice: "Delete one first.")
}
