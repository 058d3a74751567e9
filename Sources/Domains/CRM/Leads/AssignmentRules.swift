import API
import Core
import Postgres
import Wire

/// Rules by which leads find their people, and when people may be given any.
enum AssignmentRules {
    @RouteList static var routes: [Route] {
        GET("/v1/assignment-rules", "List assignment rules, in their order", .can(.crmRead), list)
        POST("/v1/assignment-rules", "Create an assignment rule", .can(.crmManage), create)
            .problems(.assignmentRuleNameTaken, .tooManyAssignmentRules)
            .describe(
                "The first active rule whose conditions all hold decides. `round_robin` takes turns, `weighted` by weight, "
                    + "`load` whoever has fewest open leads, `owner` the first who is free, `territory` turns among those of "
                    + "the lead's country."
            )
            .example(body: [
                "name": "Germany", "mode": "round_robin",
                "conditions": [["field": "country", "sign": "any_of", "values": ["DE"]]],
                "members": [["member_id": LeadExamples.member, "weight": 2]],
            ])
        GET("/v1/assignment-rules/{id}", "Read an assignment rule", .can(.crmRead), read)
        PATCH("/v1/assignment-rules/{id}", "Change an assignment rule", .can(.crmManage), change)
            .problems(.assignmentRuleNameTaken)
            .describe("`members` replaces all of them; who stays keeps his place in the turns.")
            .example(body: ["is_active": false])
        DELETE("/v1/assignment-rules/{id}", "Delete an assignment rule", .can(.crmManage), delete)
        POST("/v1/assignment-rules/test", "See which rule would take a lead, and why", .can(.crmRead), test)
            .operation("testAssignmentRules").idempotent(.none)
            .describe("Nothing is dealt out and no turn moves.")
            .example(body: ["facts": ["country": "DE", "utm.campaign": "spring"]])
        GET("/v1/lead-availability", "List when members may be given leads", .can(.crmRead), availability)
            .operation("listLeadAvailability")
        PUT(
            "/v1/lead-availability/{member_id}", "Say when a member may be given leads", .can(.crmWrite),
            setAvailability
        )
        .operation("setLeadAvailability").describe("One's own; another's takes crm:manage.")
        .example(body: [
            "open_leads_max": 25, "time_zone": "Europe/Berlin", "work_days": [1, 2, 3, 4, 5],
            "work_from": 540, "work_until": 1020,
        ])
    }

    struct Member: Codable, Sendable {
        let memberId: UUID
        let weight: Int
        let countries: [String]
    }

    struct AssignmentRule: Codable, Sendable {
        let id: UUID
        let name: String
        let position: Int
        let isActive: Bool
        let conditions: [LeadCondition]
        let mode: LeadAssignment.Mode
        let fallbackId: UUID?
        let members: [Member]
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewMember: Codable, Sendable {
        let memberId: UUID
        let weight: Whole<1, 100>?
        let countries: UpTo<100, CountryCode>?
    }

    struct NewRule: Codable, Sendable {
        let name: Text<120>
        let mode: LeadAssignment.Mode
        let position: Whole<0, 1000>?
        let isActive: Bool?
        let conditions: UpTo<20, LeadCondition>?
        let members: UpTo<100, NewMember>?
        let fallbackId: UUID?
    }

    struct RuleChange: Codable, Sendable {
        let name: Text<120>?
        let mode: LeadAssignment.Mode?
        let position: Whole<0, 1000>?
        let isActive: Bool?
        let conditions: UpTo<20, LeadCondition>?
        let members: UpTo<100, NewMember>?
        let fallbackId: Clearable<UUID>
    }

    struct Filter: ListFilter {
        let isActive: Bool?
        static let sorts = ["position", "name"]
    }

    private static let setUp = LeadSetUp.assignmentRules

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AssignmentRule> {
        try await call.page(list, select(call.company))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AssignmentRule> {
        let rows = try await call.db.query("\(fragment: select(call.company)) AND r.id = \(id)")
        return try Single(rows)
    }

    static func create(_ call: Call, _ body: Body<NewRule>) async throws -> Created<AssignmentRule> {
        let (draft, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND r.id = \(id)")
        return try Created(rows)
    }

    @inline(never)
    private static func insert(_ draft: NewRule, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let isBelow = SQL.below(
            LeadLimits.rulesMax, "SELECT count(*) FROM assignment_rules WHERE company_id = \(company)",
            else: .tooManyAssignmentRules)
        try await LeadChecks.all(owner: draft.fallbackId, source: nil, ownerAt: "/fallback_id", company, tx)
        _ = try await tx.query(
            """
            INSERT INTO assignment_rules (company_id, id, name, position, is_active, conditions, mode, fallback_id)
            SELECT \(company), \(id), \(draft.name),
                   coalesce(\(draft.position?.value)::integer, (SELECT coalesce(max(position), 0) + 1 FROM assignment_rules
                     WHERE company_id = \(company)), 1),
                   \(draft.isActive ?? true), \(try (draft.conditions?.items ?? []).stored)::jsonb, \(draft.mode),
                   \(draft.fallbackId)::uuid
             WHERE \(fragment: isBelow)
            """)
        try await setMembers(draft.members?.items ?? [], of: id, company, tx)
        try await setUp.record("assignment_rule.created", id, ["name": .string(draft.name.text)], call, tx)
    }

    @inline(never)
    private static func setMembers(_ members: [NewMember], of rule: UUID, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let ids = members.map(\.memberId)
        if Set(ids).count < ids.count {
            throw Problem.unprocessable("/members", "repeated", "names somebody twice")
        }
        try await LeadChecks.members(ids, at: "/members", company, tx)
        var statements: [SQL] = [
            """
            DELETE FROM assignment_members
             WHERE company_id = \(company) AND rule_id = \(rule) AND member_id <> ALL(\(ids)::uuid[])
            """
        ]
        for (position, member) in members.enumerated() {
            statements.append(
                """
                INSERT INTO assignment_members (company_id, rule_id, member_id, position, weight, countries)
                VALUES (\(company), \(rule), \(member.memberId), \(position), \(member.weight?.value ?? 1),
                        \((member.countries?.items ?? []).map(\.text))::text[])
                ON CONFLICT ON CONSTRAINT assignment_members_pkey DO UPDATE
                   SET position = excluded.position, weight = excluded.weight, countries = excluded.countries
                """)
        }
        _ = try await tx.batch(statements)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<RuleChange>) async throws -> Single<
        AssignmentRule
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try await read(call, id)
    }

    @inline(never)
    private static func apply(_ change: RuleChange, to id: UUID, _ call: Call, _ tx: Transaction) async throws
    {
        let company = try call.company
        _ = try await setUp.locked(id, call, tx)
        try await LeadChecks.all(
            owner: change.fallbackId ?? nil, source: nil, ownerAt: "/fallback_id", company, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("mode", change.mode)
        changes.set("position", change.position)
        changes.set("is_active", change.isActive)
        changes.set("fallback_id", change.fallbackId)
        if let conditions = change.conditions?.items {
            changes.set("conditions", to: "\(try conditions.stored)::jsonb")
        }
        try await setUp.write(changes, to: id, company, tx)
        if let members = change.members?.items { try await setMembers(members, of: id, company, tx) }
        try await setUp.record(
            "assignment_rule.changed", id, try JSON(encoding: change).withoutNulls, call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            _ = try await setUp.delete(id.value, as: "assignment_rule.deleted", call, tx)
        }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT r.id, r.name, r.position, r.is_active, r.conditions, r.mode, r.fallback_id,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('member_id', a.member_id, 'weight', a.weight,
                                                             'countries', to_jsonb(a.countries)) ORDER BY a.position), '[]')
                  FROM assignment_members a WHERE a.company_id = r.company_id AND a.rule_id = r.id) AS members,
               r.version, r.created_at, r.updated_at
          FROM assignment_rules r WHERE r.company_id = \(company)
        """
    }

    // MARK: trying them out

    struct Trial: Codable, Sendable {
        let leadId: UUID?
        let facts: [String: String]?
    }

    struct Explanation: Codable, Sendable {
        struct RuleOutcome: Codable, Sendable {
            let ruleId: UUID
            let name: String
            let matches: Bool
            let conditions: [LeadCondition.Outcome]
        }

        struct Chance: Codable, Sendable {
            let memberId: UUID
            let isFree: Bool
            let why: String?
        }

        let ruleId: UUID?
        let rules: [RuleOutcome]
        let members: [Chance]
        let fallbackId: UUID?
    }

    static func test(_ call: Call, _ body: Body<Trial>) async throws -> Single<Explanation> {
        let trial = body.value
        let answer = try await call.db.transaction { tx in try await explain(trial, call, tx) }
        return Single(answer)
    }

    @inline(never)
    private static func explain(_ trial: Trial, _ call: Call, _ tx: Transaction) async throws -> Explanation {
        let company = try call.company
        var facts = LeadFacts()
        if let lead = trial.leadId {
            try await CRMAccess.require(.lead, lead, call, tx)
            facts = try await LeadFacts.load([lead], company, tx)[lead] ?? facts
        }
        for (field, value) in trial.facts ?? [:] { facts.set(field, value) }
        let rules = try await LeadAssignment.rules(company, tx)
        let outcomes = rules.map { rule in
            let checks = rule.conditions.map { $0.check(facts) }
            return Explanation.RuleOutcome(
                ruleId: rule.id, name: rule.name, matches: checks.allSatisfy(\.holds), conditions: checks)
        }
        let rule = rules.first { rule in outcomes.contains { $0.ruleId == rule.id && $0.matches } }
        var members: [Explanation.Chance] = []
        if let rule {
            members = try await LeadAssignment.candidates(
                of: rule, country: facts["country"].first, company, tx
            ).map {
                Explanation.Chance(memberId: $0.memberId, isFree: $0.isFree, why: $0.whyNot)
            }
        }
        return Explanation(ruleId: rule?.id, rules: outcomes, members: members, fallbackId: rule?.fallback)
    }

    // MARK: availability

    struct Availability: Codable, Sendable, FieldNotes {
        let memberId: UUID
        let openLeadsMax: Int?
        let timeZone: String
        let workDays: [Int]
        let workFrom: Int
        let workUntil: Int
        let awayFrom: Timestamp?
        let awayUntil: Timestamp?
        let updatedAt: Timestamp

        static let fieldNotes = [
            "work_days": "Monday is 1, Sunday 7.", "work_from": "Minutes after midnight.",
            "away_until": "Without `away_from` the absence has begun.",
        ]
    }

    struct NewAvailability: Codable, Sendable {
        let openLeadsMax: Whole<0, 10000>?
        let timeZone: TimeZoneName?
        let workDays: UpTo<7, Whole<1, 7>>?
        let workFrom: Whole<0, 1439>?
        let workUntil: Whole<1, 1440>?
        let awayFrom: Timestamp?
        let awayUntil: Timestamp?
    }

    static func availability(_ call: Call) async throws -> Page<Availability> {
        let rows = try await call.db.query(
            "\(fragment: selectAvailability(call.company)) ORDER BY v.member_id LIMIT 1000")
        return Page(all: rows)
    }

    static func setAvailability(
        _ call: Call, _ member: Path<UUID>, _ body: Body<NewAvailability>
    ) async throws -> Single<Availability> {
        let (company, draft) = (try call.company, body.value)
        let (from, until) = (draft.workFrom?.value ?? 0, draft.workUntil?.value ?? 1440)
        if from >= until {
            throw Problem.unprocessable("/work_until", "too-early", "must be after `work_from`")
        }
        if let begin = draft.awayFrom, let end = draft.awayUntil, end <= begin {
            throw Problem.unprocessable("/away_until", "too-early", "must be after `away_from`")
        }
        let there = try await call.db.query(
            "SELECT 1 FROM memberships WHERE company_id = \(company) AND id = \(member)")
        if there.isEmpty { throw Problem.notFound }
        if try member.value != call.member { try call.require(.crmManage) }
        let days = draft.workDays?.items.map(\.value) ?? Array(1...7)
        _ = try await call.db.write([
            """
            INSERT INTO lead_availability (company_id, member_id, open_leads_max, time_zone, work_days, work_from, work_until,
                                           away_from, away_until)
            VALUES (\(company), \(member), \(draft.openLeadsMax?.value), \(draft.timeZone?.text ?? "UTC"), \(days)::integer[],
                    \(from), \(until), \(draft.awayFrom), \(draft.awayUntil))
            ON CONFLICT ON CONSTRAINT lead_availability_pkey DO UPDATE
               SET open_leads_max = excluded.open_leads_max, time_zone = excluded.time_zone, work_days = excluded.work_days,
                   work_from = excluded.work_from, work_until = excluded.work_until, away_from = excluded.away_from,
                   away_until = excluded.away_until, updated_at = now()
            """,
            Audit.sql(
                Audit.Entry(
                    "lead_availability.set", on: "member", member.value, after: try JSON(encoding: draft)),
                by: call.actor,
                company: company),
        ])
        return try Single(
            await call.db.query("\(fragment: selectAvailability(company)) AND v.member_id = \(member)"))
    }

    private static func selectAvailability(_ company: UUID) -> SQL {
        """
        SELECT v.member_id, v.open_leads_max, v.time_zone, to_jsonb(v.work_days) AS work_days, v.work_from, v.work_until,
               v.away_from, v.away_until, v.updated_at
          FROM lead_availability v WHERE v.company_id = \(company)
        """
    }
}
