import API
import TestSupport
import Testing
import Wire

/// How leads find their people, what was promised, and how they are rated.
@Suite struct AssignmentStory {
    private func ask(_ name: String, _ more: JSON.Object = [:]) -> JSON {
        var body: JSON.Object = [
            "title": .string(name),
            "contact": ["name": .string(name), "email": .string(Person.freshAddress())],
        ]
        for (key, value) in more.members { body[key] = value }
        return .object(body)
    }

    @Test func `64 leads at once over four members give 16 each`() async throws {
        let world = try await World()
        var members: [JSON] = []
        for name in ["Ada", "Bea", "Cid"] {
            let person = try await world.owner.colleague(.member, name: name)
            members.append(["member_id": .string(try await world.owner.memberId(of: person))])
        }
        members.append(["member_id": .string(try await world.owner.member())])
        let client = world.owner.client
        try await client.post(
            "/v1/assignment-rules", ["name": "All", "mode": "round_robin", "members": .array(members)]
        ).expect(201)
        let owners = try await withThrowingTaskGroup(of: String.self) { group in
            for n in 0..<64 {
                group.addTask {
                    try await client.post("/v1/leads", ask("Lead \(n)")).expect(201).json.text("owner_id")
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(owners.values.sorted() == [16, 16, 16, 16])
    }

    @Test func `weights, limits, absence and territories are kept, and the trial says why`() async throws {
        let world = try await World()
        let client = world.owner.client
        let mate = try await world.owner.colleague(.member)
        let (own, other) = (try await world.owner.member(), try await world.owner.memberId(of: mate))
        let rule = try await client.post(
            "/v1/assignment-rules",
            [
                "name": "Germany", "mode": "weighted", "fallback_id": .string(own),
                "conditions": [["field": "country", "sign": "any_of", "values": ["de"]]],
                "members": [
                    ["member_id": .string(own), "weight": 3], ["member_id": .string(other), "weight": 1],
                ],
            ]
        ).expect(201).json.text("id")
        var counts: [String: Int] = [:]
        for n in 0..<8 {
            let owner = try await client.post("/v1/leads", ask("\(n)", ["country": "DE"])).expect(201).json
                .text("owner_id")
            counts[owner, default: 0] += 1
        }
        #expect(counts == [own: 6, other: 2])
        #expect(
            try await client.post("/v1/leads", ask("French", ["country": "FR"])).expect(201).json["owner_id"]
                == .null)
        try await client.put("/v1/lead-availability/\(own)", ["open_leads_max": 6]).expect(200)
        try await mate.client.put("/v1/lead-availability/\(other)", ["away_until": "2090-01-01T00:00:00Z"])
            .expect(200)
        #expect(
            try await mate.client.put("/v1/lead-availability/\(own)", ["open_leads_max": 1]).status == 403)
        let trial = try await client.post("/v1/assignment-rules/test", ["facts": ["country": "DE"]]).expect(
            200
        ).json
        #expect(trial["rule_id"]?.stringValue == rule)
        let why = (trial["members"]?.arrayValue ?? []).compactMap { $0["why"]?.stringValue }
        #expect(why == ["has 6 open leads of 6", "is away"])
        #expect(
            try await client.post("/v1/leads", ask("Late", ["country": "DE"])).expect(201).json["owner_id"]?
                .stringValue == own)
        let french = try await client.post("/v1/assignment-rules/test", ["facts": ["country": "FR"]]).expect(
            200
        ).json
        #expect(french["rule_id"] == .null)
    }

    @Test func `a promise is counted in working hours, broken once, and escalated`() async throws {
        let world = try await World()
        let client = world.owner.client
        let chief = try await world.owner.colleague(.manager)
        let (own, boss) = (try await world.owner.member(), try await world.owner.memberId(of: chief))
        try await client.post(
            "/v1/sla-policies",
            ["name": "Soon", "respond_minutes": 60, "escalate_to": .string(boss), "reassigns": true]
        ).expect(201)
        let lead = try await client.post("/v1/leads", ask("Waiting", ["owner_id": .string(own)])).expect(201)
            .json
        #expect(lead["sla_due_at"] != .null)
        let id = try lead.text("id")
        _ = try world.server.database.psql(
            """
            UPDATE leads SET sla_due_at = now() - interval '1 minute' WHERE id = '\(id)';
            UPDATE lead_upkeep SET due_at = now() WHERE company_id = '\(world.owner.companyId ?? "")';
            """)
        let broken = try await eventually(within: .seconds(30)) {
            let breaches =
                try await client.get("/v1/sla/breaches?lead_id=\(id)").expect(200).json["data"]?.arrayValue
                ?? []
            return breaches.first.map { Optional($0) } ?? .none
        }
        #expect(broken["escalated_to"]?.stringValue == boss && broken["reassigned"] == true)
        #expect(try await client.get("/v1/leads/\(id)").json["owner_id"]?.stringValue == boss)
        #expect(try await client.get("/v1/leads?sla_breached=true").texts("id") == [id])
        #expect(
            try await chief.client.get("/v1/notifications").texts("title").contains("Unanswered: Waiting"))
    }

    @Test func `hours of a policy leave out the nights and the days off`() async throws {
        let world = try await World()
        let client = world.owner.client
        // Of the first minute of each day alone: two minutes are there after two days.
        try await client.post(
            "/v1/sla-policies", ["name": "One minute", "respond_minutes": 2, "work_from": 0, "work_until": 1]
        ).expect(201)
        let own = try await world.owner.member()
        let lead = try await client.post("/v1/leads", ask("Slow", ["owner_id": .string(own)])).expect(201)
            .json
        let due = try #require(Timestamp(try lead.text("sla_due_at")))
        let minutes = due.seconds % 86_400
        #expect(minutes == 60)
        #expect(due > Timestamp.now + .seconds(86_400 - 120))
    }

    @Test func `each point of a score is explained, and what was done is worth less with time`() async throws
    {
        let world = try await World()
        let client = world.owner.client
        let model = try await client.post(
            "/v1/scoring-models",
            [
                "name": "Shops", "is_active": true, "half_life_days": 10, "hot_at": 20,
                "rules": [
                    [
                        "name": "German", "points": 15,
                        "conditions": [["field": "country", "sign": "any_of", "values": ["DE"]]],
                    ],
                    ["name": "Form", "points": 40, "event": "form.submitted"],
                ],
            ]
        ).expect(201).json
        let lead = try await client.post("/v1/leads", ask("Rated", ["country": "DE"])).expect(201).json
        #expect(lead["score"] == 15)
        let id = try lead.text("id")
        let rule = try #require(model["rules"]?[1]?["id"]?.stringValue)
        _ = try world.server.database.psql(
            """
            INSERT INTO lead_points (company_id, lead_id, rule_id, cause, points, decays, at)
            VALUES ('\(world.owner.companyId ?? "")', '\(id)', '\(rule)', gen_random_uuid(), 40, true, now() - interval '10 days')
            """)
        let why = try await client.get("/v1/leads/\(id)/score").expect(200).json
        #expect(why["score"] == 35 && why["is_hot"] == true)
        let worths = (why["points"]?.arrayValue ?? []).compactMap { $0["worth"]?.doubleValue }.sorted()
        #expect(worths.count == 2 && worths[0] == 15 && abs(worths[1] - 20) < 0.01)
        try await client.post("/v1/scoring-models/\(try model.text("id"))/recompute").expect(202)
        _ = try await eventually { try await client.get("/v1/leads/\(id)").json["score"] == 35 ? true : nil }
        #expect(try await client.get("/v1/leads?score[gte]=30").texts("id") == [id])
    }
}
