import API
import Core
import Postgres
import Wire

/// How a company rates its leads: rules that give points, and how fast what somebody did is forgotten. One model is active.
enum ScoringModels {
    @RouteList static var routes: [Route] {
        GET("/v1/scoring-models", "List scoring models", .can(.crmRead), list)
        POST("/v1/scoring-models", "Create a scoring model", .can(.crmManage), create)
            .problems(.scoringModelNameTaken, .tooManyScoringModels)
            .describe(
                "A rule without `event` asks what the lead is and counts whole; one with an event counts each such event, "
                    + "which is worth half after each half-life."
            )
            .example(body: [
                "name": "Shops", "is_active": true, "half_life_days": 30, "hot_at": 50,
                "rules": [
                    [
                        "name": "From Germany", "points": 10,
                        "conditions": [["field": "country", "sign": "any_of", "values": ["DE"]]],
                    ],
                    ["name": "Sent a form", "points": 30, "event": "form.submitted"],
                ],
            ])
        GET("/v1/scoring-models/{id}", "Read a scoring model", .can(.crmRead), read)
        PATCH("/v1/scoring-models/{id}", "Change a scoring model", .can(.crmManage), change)
            .problems(.scoringModelNameTaken)
            .describe(
                "`rules` replaces all; one sent with its `id` stays and keeps its points. Activating one deactivates the other."
            )
            .example(body: ["is_active": true])
        DELETE("/v1/scoring-models/{id}", "Delete a scoring model", .can(.crmManage), delete)
        POST("/v1/scoring-models/{id}/recompute", "Rate all leads anew", .can(.crmManage), recompute)
            .operation("recomputeScores").describe("As a job; GET /v1/jobs/{id} tells how far it is.")
        GET("/v1/leads/{id}/score", "Read why a lead has its score", .can(.crmRead), explain).operation(
            "explainLeadScore")
    }

    struct Rule: Codable, Sendable {
        let id: UUID
        let name: String
        let points: Int
        let event: String?
        let conditions: [LeadCondition]
    }

    struct ScoringModel: Codable, Sendable {
        let id: UUID
        let name: String
        let isActive: Bool
        let halfLifeDays: Int?
        let hotAt: Int
        let rules: [Rule]
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    enum Counted: String, Codable, CaseIterable, SQLBindable, Sendable {
        case formSubmitted = "form.submitted"
        case activityLogged = "activity.logged"
        case activityCompleted = "activity.completed"
        case emailOpened = "email.opened"
        case emailClicked = "email.clicked"
    }

    struct NewRule: Codable, Sendable {
        let id: UUID?
        let name: Text<120>
        let points: Whole<-1000, 1000>
        let event: Counted?
        let conditions: UpTo<20, LeadCondition>?
    }

    struct NewModel: Codable, Sendable {
        let name: Text<120>
        let isActive: Bool?
        let halfLifeDays: Whole<1, 3650>?
        let hotAt: Whole<1, 100000>?
        let rules: UpTo<50, NewRule>?
    }

    struct ModelChange: Codable, Sendable {
        let name: Text<120>?
        let isActive: Bool?
        let halfLifeDays: Clearable<Whole<1, 3650>>
        let hotAt: Whole<1, 100000>?
        let rules: UpTo<50, NewRule>?
    }

    struct Filter: ListFilter {
        let isActive: Bool?
        static let sorts = ["name", "-created_at"]
    }

    private static let setUp = LeadSetUp.scoringModels

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<ScoringModel> {
        try await call.page(list, select(call.company))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ScoringModel> {
        let rows = try await call.db.query("\(fragment: select(call.company)) AND m.id = \(id)")
        return try Single(rows)
    }

    static func create(_ call: Call, _ body: Body<NewModel>) async throws -> Created<ScoringModel> {
        let (draft, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND m.id = \(id)")
        return try Created(rows)
    }

    @inline(never)
    private static func insert(_ draft: NewModel, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let isBelow = SQL.below(
            LeadLimits.modelsMax, "SELECT count(*) FROM scoring_models WHERE company_id = \(company)",
            else: .tooManyScoringModels)
        _ = try await tx.query(
            """
            INSERT INTO scoring_models (company_id, id, name, half_life_days, hot_at)
            SELECT \(company), \(id), \(draft.name), \(draft.halfLifeDays?.value)::integer, \(draft.hotAt?.value ?? 100)::integer
             WHERE \(fragment: isBelow)
            """)
        try await setRules(draft.rules?.items ?? [], of: id, company, tx)
        if draft.isActive == true { try await activate(id, company, tx) }
        try await setUp.record("scoring_model.created", id, ["name": .string(draft.name.text)], call, tx)
    }

    @inline(never)
    private static func setRules(_ rules: [NewRule], of model: UUID, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let known = Set(
            try await tx.query(
                "SELECT id FROM scoring_rules WHERE company_id = \(company) AND model_id = \(model)"
            )
            .map { try $0.get("id", as: UUID.self) })
        var kept: [UUID] = []
        var statements: [SQL] = []
        for (position, rule) in rules.enumerated() {
            if let id = rule.id, !known.contains(id) {
                throw Problem.unprocessable(
                    "/rules/\(position)/id", "unknown-rule", "is no rule of this model")
            }
            let id = rule.id ?? UUID.v7()
            kept.append(id)
            statements.append(
                """
                INSERT INTO scoring_rules (company_id, id, model_id, name, position, points, event, conditions)
                VALUES (\(company), \(id), \(model), \(rule.name), \(position), \(rule.points), \(rule.event),
                        \(try (rule.conditions?.items ?? []).stored)::jsonb)
                ON CONFLICT ON CONSTRAINT scoring_rules_pkey DO UPDATE
                   SET name = excluded.name, position = excluded.position, points = excluded.points, event = excluded.event,
                       conditions = excluded.conditions
                """)
        }
        statements.insert(
            """
            DELETE FROM scoring_rules
             WHERE company_id = \(company) AND model_id = \(model) AND id <> ALL(\(kept)::uuid[])
            """, at: 0)
        _ = try await tx.batch(statements)
    }

    /// The other one goes first: one model is active at a time. The scores follow by a job.
    @inline(never)
    private static func activate(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws {
        _ = try await tx.batch([
            "UPDATE scoring_models SET is_active = false WHERE company_id = \(company) AND is_active AND id <> \(id)",
            "UPDATE scoring_models SET is_active = true WHERE company_id = \(company) AND id = \(id)",
        ])
        try await order(company, tx)
    }

    @inline(never)
    private static func order(_ company: UUID, _ tx: Transaction) async throws {
        _ = try await Jobs.enqueue(rate, Rating(), company: company, uniqueKey: "rate", in: tx)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ModelChange>) async throws -> Single<
        ScoringModel
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try await read(call, id)
    }

    @inline(never)
    private static func apply(_ change: ModelChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let row = try await setUp.locked(id, reading: "version, is_active", call, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("half_life_days", change.halfLifeDays)
        changes.set("hot_at", change.hotAt)
        if change.isActive == false { changes.set("is_active", to: "false") }
        try await setUp.write(changes, to: id, company, tx)
        if let rules = change.rules?.items { try await setRules(rules, of: id, company, tx) }
        if change.isActive == true {
            try await activate(id, company, tx)
        } else if try row.get("is_active", as: Bool.self) {
            try await order(company, tx)
        }
        try await setUp.record("scoring_model.changed", id, try JSON(encoding: change).withoutNulls, call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            let row = try await setUp.delete(
                id.value, returning: "is_active", as: "scoring_model.deleted", call, tx)
            if try row.get("is_active", as: Bool.self) { try await order(try call.company, tx) }
        }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT m.id, m.name, m.is_active, m.half_life_days, m.hot_at,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'points', r.points, 'event', r.event,
                                                             'conditions', r.conditions) ORDER BY r.position), '[]')
                  FROM scoring_rules r WHERE r.company_id = m.company_id AND r.model_id = m.id) AS rules,
               m.version, m.created_at, m.updated_at
          FROM scoring_models m WHERE m.company_id = \(company)
        """
    }

    // MARK: rating all leads

    struct Rating: Codable, Sendable {}

    static let rate = JobKind<Rating>("crm.rate-leads", attemptsMax: 5, leaseSeconds: 120)

    static let handler = JobHandler(rate) { _, job in
        guard let company = job.company else { return .cancelled("It is for no company.") }
        var last = job.checkpoint?.stringValue.flatMap { UUID($0) } ?? UUID.zero
        while true {
            if job.isStopping { return .again(at: .now) }
            let after = last
            let ids = try await job.work.database.transaction(as: Tenant(company: company)) { tx in
                try await rated(after: after, company, tx)
            }
            guard let newest = ids.last else { return .done }
            last = newest
            try await job.keep(.string(last.description))
        }
    }

    @inline(never)
    private static func rated(after: UUID, _ company: UUID, _ tx: Transaction) async throws -> [UUID] {
        let rows = try await tx.query(
            """
            SELECT id FROM leads WHERE company_id = \(company) AND id > \(after) AND deleted_at IS NULL
             ORDER BY id LIMIT \(LeadLimits.scoredAtOnce)
            """)
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        if try await LeadScoring.model(company, tx) == nil {
            _ = try await tx.batch([
                "DELETE FROM lead_points WHERE company_id = \(company) AND lead_id = ANY(\(ids)::uuid[])",
                "UPDATE leads SET score = 0 WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) AND score <> 0",
            ])
        } else {
            try await LeadScoring.refresh(ids, company, tx)
        }
        return ids
    }

    struct Ordered: Codable, Sendable {
        let jobId: UUID?
    }

    static func recompute(_ call: Call, _ id: Path<UUID>) async throws -> Accepted<Ordered> {
        let company = try call.company
        let job = try await call.db.transaction { tx in
            let there = try await tx.query(
                "SELECT 1 FROM scoring_models WHERE company_id = \(company) AND id = \(id)")
            if there.isEmpty { throw Problem.notFound }
            return try await Jobs.enqueue(rate, Rating(), company: company, uniqueKey: "rate", in: tx)
        }
        return Accepted(Ordered(jobId: job), at: job.map { "/v1/jobs/\($0)" })
    }

    // MARK: why

    struct Point: Codable, Sendable {
        let ruleId: UUID
        let rule: String
        let event: String?
        let points: Int
        let worth: Double
        let at: Timestamp
    }

    struct Explanation: Codable, Sendable, FieldNotes {
        let leadId: UUID
        let score: Int
        let isHot: Bool
        let hotAt: Int?
        let halfLifeDays: Int?
        let points: [Point]

        static let fieldNotes = [
            "score": "The sum of what the points are worth now, rounded.",
            "worth": "What is left of the points by now.",
        ]
    }

    static func explain(_ call: Call, _ id: Path<UUID>) async throws -> Single<Explanation> {
        try await CRMAccess.require(.lead, id.value, call)
        let company = try call.company
        let answer = try await call.db.transaction { tx in
            let model = try await LeadScoring.model(company, tx)
            let rows = try await tx.query(
                """
                SELECT p.rule_id, r.name AS rule, r.event, p.points,
                       round((\(fragment: LeadScoring.worth(model?.halfLifeDays)))::numeric, 2)::float8 AS worth, p.at
                  FROM lead_points p JOIN scoring_rules r ON r.company_id = p.company_id AND r.id = p.rule_id
                 WHERE p.company_id = \(company) AND p.lead_id = \(id) ORDER BY p.at DESC, r.position LIMIT 500
                """)
            let points = try rows.decode(Point.self)
            let sum = points.reduce(0) { $0 + $1.worth }
            let score = Int(sum.rounded())
            return Explanation(
                leadId: id.value, score: score, isHot: model.map { score >= $0.hotAt } ?? false,
                hotAt: model?.hotAt,
                halfLifeDays: model?.halfLifeDays, points: points)
        }
        return Single(answer)
    }
}

/// What others do counts for the leads of the person it was done with.
enum LeadReactions {
    static let all = [scores, answers]

    private static let scores = Reaction(
        "crm.score-events", on: .types(ScoringModels.Counted.allCases.map(\.rawValue))
    ) { event, tx, _ in
        var facts = LeadFacts()
        facts.set("activity_kind", event.data["kind"]?.stringValue)
        try await LeadScoring.count(
            event.type, event.id, facts: facts, for: try await leads(of: event, tx), event.company, tx)
    }

    /// Something that went out to the person is the first answer.
    private static let answers = Reaction("crm.note-first-response", on: .types(["activity.logged"])) {
        event, tx, _ in
        let data = event.data
        if data["direction"] == "in" || data["kind"] == "note" || data["is_planned"] == true { return }
        let leads = try await leads(of: event, tx)
        if !leads.isEmpty {
            _ = try await tx.query(LeadWriting.noteResponse(leads, at: event.at, company: event.company))
        }
    }

    /// The lead an event names, else the open ones of the contacts it names.
    @inline(never)
    static func leads(of event: Event, _ tx: Transaction) async throws -> [UUID] {
        func ids(_ one: String, _ many: String) -> [UUID] {
            let texts =
                [event.data[one]?.stringValue].compactMap { $0 }
                + (event.data[many]?.arrayValue ?? []).compactMap(\.stringValue)
            return texts.compactMap { UUID($0) }
        }
        let (leads, contacts) = (ids("lead_id", "lead_ids"), ids("contact_id", "contact_ids"))
        let rows = try await tx.query(
            """
            SELECT l.id FROM leads l
             WHERE l.company_id = \(event.company) AND l.deleted_at IS NULL AND l.status <> 'converted'
               AND (l.id = ANY(\(leads)::uuid[])
                    OR \(leads.isEmpty) AND l.contact_id = ANY(\(contacts)::uuid[])
                       AND l.status IN ('new', 'working', 'qualified'))
             LIMIT 100
            """)
        return try rows.map { try $0.get("id", as: UUID.self) }
    }
}
