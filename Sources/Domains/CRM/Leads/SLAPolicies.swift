import API
import Core
import Postgres
import Wire

/// What a company promises to whoever writes to it: a first answer within so many minutes of its hours.
enum SLAPolicies {
    @RouteList static var routes: [Route] {
        GET("/v1/sla-policies", "List response policies, in their order", .can(.crmRead), list).operation(
            "listSLAPolicies")
        POST("/v1/sla-policies", "Create a response policy", .can(.crmManage), create)
            .operation("createSLAPolicy").problems(.slaPolicyNameTaken, .tooManySLAPolicies)
            .describe(
                "The first active policy whose conditions hold counts from the moment somebody has the lead. Leads that wait "
                    + "already keep the promise they have."
            )
            .example(body: [
                "name": "Within the hour", "respond_minutes": 60, "time_zone": "Europe/Berlin",
                "work_days": [1, 2, 3, 4, 5],
                "work_from": 540, "work_until": 1020, "escalate_to": LeadExamples.member, "reassigns": false,
            ])
        PATCH("/v1/sla-policies/{id}", "Change a response policy", .can(.crmManage), change)
            .operation("changeSLAPolicy").problems(.slaPolicyNameTaken).example(body: ["respond_minutes": 30])
        DELETE("/v1/sla-policies/{id}", "Delete a response policy", .can(.crmManage), delete)
            .operation("deleteSLAPolicy").describe("What was promised by it stays promised.")
        GET("/v1/sla/breaches", "List promises that were broken", .can(.crmRead), breaches)
            .operation("listSLABreaches").describe("Of the leads one may see, newest first.")
    }

    struct Policy: Codable, Sendable {
        let id: UUID
        let name: String
        let position: Int
        let isActive: Bool
        let conditions: [LeadCondition]
        let respondMinutes: Int
        let timeZone: String
        let workDays: [Int]
        let workFrom: Int
        let workUntil: Int
        let escalateTo: UUID?
        let reassigns: Bool
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewPolicy: Codable, Sendable {
        let name: Text<120>
        let respondMinutes: Whole<1, 20160>
        let position: Whole<0, 1000>?
        let isActive: Bool?
        let conditions: UpTo<20, LeadCondition>?
        let timeZone: TimeZoneName?
        let workDays: UpTo<7, Whole<1, 7>>?
        let workFrom: Whole<0, 1439>?
        let workUntil: Whole<1, 1440>?
        let escalateTo: UUID?
        let reassigns: Bool?
    }

    struct PolicyChange: Codable, Sendable {
        let name: Text<120>?
        let respondMinutes: Whole<1, 20160>?
        let position: Whole<0, 1000>?
        let isActive: Bool?
        let conditions: UpTo<20, LeadCondition>?
        let timeZone: TimeZoneName?
        let workDays: UpTo<7, Whole<1, 7>>?
        let workFrom: Whole<0, 1439>?
        let workUntil: Whole<1, 1440>?
        let escalateTo: Clearable<UUID>
        let reassigns: Bool?
    }

    struct Filter: ListFilter {
        let isActive: Bool?
        static let sorts = ["position", "name"]
    }

    private static let setUp = LeadSetUp.policies

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Policy> {
        try await call.page(list, select(call.company))
    }

    static func create(_ call: Call, _ body: Body<NewPolicy>) async throws -> Created<Policy> {
        let (draft, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND p.id = \(id)")
        return try Created(rows)
    }

    @inline(never)
    private static func insert(_ draft: NewPolicy, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let isBelow = SQL.below(
            LeadLimits.policiesMax, "SELECT count(*) FROM sla_policies WHERE company_id = \(company)",
            else: .tooManySLAPolicies)
        try await LeadChecks.all(owner: draft.escalateTo, source: nil, ownerAt: "/escalate_to", company, tx)
        let (from, until) = (draft.workFrom?.value ?? 0, draft.workUntil?.value ?? 1440)
        try checkHours(from, until, draft.workDays?.items)
        if draft.reassigns == true, draft.escalateTo == nil { throw noTarget }
        let days = draft.workDays?.items.map(\.value) ?? Array(1...7)
        _ = try await tx.query(
            """
            INSERT INTO sla_policies (company_id, id, name, position, is_active, conditions, respond_minutes, time_zone,
                                      work_days, work_from, work_until, escalate_to, reassigns)
            SELECT \(company), \(id), \(draft.name),
                   coalesce(\(draft.position?.value)::integer, (SELECT coalesce(max(position), 0) + 1 FROM sla_policies
                     WHERE company_id = \(company)), 1),
                   \(draft.isActive ?? true), \(try (draft.conditions?.items ?? []).stored)::jsonb,
                   \(draft.respondMinutes)::integer, \(draft.timeZone?.text ?? "UTC"), \(days)::integer[], \(from)::integer,
                   \(until)::integer, \(draft.escalateTo)::uuid, \(draft.reassigns ?? false)
             WHERE \(fragment: isBelow)
            """)
        try await setUp.record("sla_policy.created", id, ["name": .string(draft.name.text)], call, tx)
    }

    private static func checkHours(_ from: Int, _ until: Int, _ days: [Whole<1, 7>]?) throws(Problem) {
        if from >= until { throw .unprocessable("/work_until", "too-early", "must be after `work_from`") }
        if days?.isEmpty == true { throw .unprocessable("/work_days", "required", "names no day") }
    }

    private static var noTarget: Problem {
        .unprocessable("/escalate_to", "required", "says who gets a lead that is taken from its owner")
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<PolicyChange>) async throws -> Single<
        Policy
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND p.id = \(id)")
        return try Single(rows)
    }

    @inline(never)
    private static func apply(_ change: PolicyChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let row = try await setUp.locked(
            id, reading: "version, work_from, work_until, escalate_to, reassigns", call, tx)
        let escalateTo = try change.escalateTo ?? row.get("escalate_to", as: UUID?.self)
        let reassigns = try change.reassigns ?? row.get("reassigns")
        if reassigns, escalateTo == nil { throw noTarget }
        try await LeadChecks.all(
            owner: change.escalateTo ?? nil, source: nil, ownerAt: "/escalate_to", company, tx)
        let from = try change.workFrom?.value ?? row.get("work_from")
        let until = try change.workUntil?.value ?? row.get("work_until")
        try checkHours(from, until, change.workDays?.items)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("respond_minutes", change.respondMinutes)
        changes.set("position", change.position)
        changes.set("is_active", change.isActive)
        changes.set("time_zone", change.timeZone)
        changes.set("work_from", change.workFrom)
        changes.set("work_until", change.workUntil)
        changes.set("escalate_to", change.escalateTo)
        changes.set("reassigns", change.reassigns)
        if let days = change.workDays?.items.map(\.value) {
            changes.set("work_days", to: "\(days)::integer[]")
        }
        if let conditions = change.conditions?.items {
            changes.set("conditions", to: "\(try conditions.stored)::jsonb")
        }
        try await setUp.write(changes, to: id, company, tx)
        try await setUp.record("sla_policy.changed", id, try JSON(encoding: change).withoutNulls, call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            _ = try await setUp.delete(id.value, as: "sla_policy.deleted", call, tx)
        }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT p.id, p.name, p.position, p.is_active, p.conditions, p.respond_minutes, p.time_zone,
               to_jsonb(p.work_days) AS work_days, p.work_from, p.work_until, p.escalate_to, p.reassigns, p.version,
               p.created_at, p.updated_at
          FROM sla_policies p WHERE p.company_id = \(company)
        """
    }

    struct Breach: Codable, Sendable {
        let id: UUID
        let leadId: UUID
        let title: String
        let policyId: UUID?
        let ownerId: UUID?
        let dueAt: Timestamp
        let at: Timestamp
        let escalatedTo: UUID?
        let reassigned: Bool
        let answeredAt: Timestamp?
    }

    struct BreachFilter: ListFilter {
        let leadId: UUID?
        let ownerId: [UUID]?
        let policyId: [UUID]?
        let at: Bounds<Timestamp>?
        static let sorts = ["-at"]
    }

    static func breaches(_ call: Call, _ list: List<BreachFilter>) async throws -> Page<Breach> {
        try await call.page(
            list,
            """
            SELECT b.id, b.lead_id, l.title, b.policy_id, b.owner_id, b.due_at, b.at, b.escalated_to, b.reassigned,
                   l.first_response_at AS answered_at
              FROM sla_breaches b JOIN leads l ON l.company_id = b.company_id AND l.id = b.lead_id
             WHERE b.company_id = \(call.company) AND \(fragment: CRMAccess.visible(call, "l"))
            """)
    }
}
