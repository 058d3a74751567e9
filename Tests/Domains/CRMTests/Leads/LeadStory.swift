import API
import TestSupport
import Testing
import Wire

/// The life of a lead from its first touch.
@Suite struct LeadStory {
    private static func ask(_ name: String, email: String? = nil, _ more: JSON.Object = [:]) -> JSON {
        var body: JSON.Object = [
            "title": .string("\(name) asks"),
            "contact": ["name": .string(name), "email": .string(email ?? Person.freshAddress())],
        ]
        for (key, value) in more.members { body[key] = value }
        return .object(body)
    }

    @Test func `a lead is made of a person, found again and changed by whoever has seen its version`()
        async throws
    {
        let world = try await World()
        let client = world.owner.client
        let source = try await client.post("/v1/lead-sources", ["name": "Fair", "channel": "event"]).expect(
            201
        ).json.text("id")
        #expect(try await client.post("/v1/lead-sources", ["name": "fair"]).code == "lead-source-name-taken")
        let made = try await client.post(
            "/v1/leads",
            Self.ask(
                "Anna Bergström",
                [
                    "source_id": .string(source), "value_minor": 5_000, "currency": "EUR",
                    "utm": ["medium": "cpc"],
                ])
        ).expect(201)
        let id = try made.json.text("id")
        #expect(
            made.json["status"] == "new" && made.json["source_name"] == "Fair"
                && made.json["value_minor"] == 5_000)
        #expect(try await client.get("/v1/leads?q=bergstrom").texts("id") == [id])
        #expect(try await client.get("/v1/leads?source_id=\(source)&owner=none").texts("id") == [id])
        #expect(try await client.patch("/v1/leads/\(id)", ["country": "DE"]).status == 428)
        let changed = try await client.with(header: "If-Match", try #require(made.header("etag")))
            .patch("/v1/leads/\(id)", ["country": "DE", "title": "A big shop"]).expect(200)
        #expect(changed.json["country"] == "DE")
        #expect(
            try await client.with(header: "If-Match", try #require(made.header("etag"))).patch(
                "/v1/leads/\(id)", ["country": "AT"]
            ).status
                == 412)
        #expect(try await client.get("/v1/leads?q=shop").texts("id") == [id])
        let touches = try await client.get("/v1/contacts/\(try made.json.text("contact_id"))/touches").expect(
            200)
        #expect(touches.texts("channel") == ["event"])
        #expect(try await client.delete("/v1/lead-sources/\(source)").code == "lead-source-in-use")
    }

    @Test func `only legal moves are made`() async throws {
        let world = try await World()
        let client = world.owner.client
        let id = try await client.post("/v1/leads", Self.ask("Ben")).expect(201).json.text("id")
        let path = "/v1/leads/\(id)"
        #expect(
            try await client.put("\(path)/status", ["status": "converted"]).code == "lead-move-not-allowed")
        #expect(try await client.post("\(path)/reopen").code == "lead-move-not-allowed")
        let working = try await client.put("\(path)/status", ["status": "working"]).expect(200).json
        #expect(working["first_response_at"] != .null)
        #expect(try await client.put("\(path)/status", ["status": "disqualified"]).status == 422)
        #expect(
            try await client.post("\(path)/disqualify", ["reason": "No budget"]).expect(200).json[
                "disqualified_for"] == "No budget")
        #expect(try await client.post("\(path)/qualify").code == "lead-move-not-allowed")
        #expect(try await client.post("\(path)/convert").code == "lead-move-not-allowed")
        #expect(try await client.post("\(path)/reopen").expect(200).json["disqualified_for"] == .null)
        #expect(try await client.post("\(path)/qualify").expect(200).json["status"] == "qualified")
        let stats = try await client.get("/v1/leads/stats").expect(200).json
        #expect(stats["total"] == 1 && stats["answered"] == 1)
    }

    @Test func `what was deleted is taken back`() async throws {
        let world = try await World()
        let client = world.owner.client
        let id = try await client.post("/v1/leads", Self.ask("Cleo")).expect(201).json.text("id")
        #expect(try await client.post("/v1/leads/\(id)/restore").code == "lead-not-in-trash")
        try await client.delete("/v1/leads/\(id)").expect(204)
        #expect(try await client.get("/v1/leads/\(id)").status == 404)
        #expect(try await client.get("/v1/leads?q=cleo").texts("id") == [])
        try await client.post("/v1/leads/\(id)/restore").expect(200)
        #expect(try await client.get("/v1/leads?q=cleo").texts("id") == [id])
    }

    @Test func `an external id names one lead however often it is sent`() async throws {
        let world = try await World()
        let client = world.owner.client
        let address = Person.freshAddress()
        let body = Self.ask("Dora", email: address, ["external_id": "shop-1"])
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 {
                group.addTask { try await client.post("/v1/leads/upsert", body).expect(200).json.text("id") }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await client.post("/v1/leads", body).code == "lead-external-id-taken")
        let changed = try await client.post(
            "/v1/leads/upsert",
            ["external_id": "shop-1", "contact": ["email": .string(address)], "country": "FR"])
        #expect(changed.json["country"] == "FR" && changed.json["title"] == "Dora asks")
    }

    @Test func `whoever sees only his own sees no other's, and no sums or addresses without the right`()
        async throws
    {
        let world = try await World()
        let role = try await world.owner.makeRole("Own leads", [.crmRead, .crmWrite])
        let other = try await world.owner.colleague(roleIds: [role])
        let id = try await world.owner.client.post(
            "/v1/leads", Self.ask("Eva", ["value_minor": 100, "currency": "EUR"])
        )
        .expect(201).json.text("id")
        #expect(try await other.client.get("/v1/leads/\(id)").status == 404)
        #expect(try await other.client.get("/v1/leads").texts("id") == [])
        #expect(try await other.client.post("/v1/leads", Self.ask("Finn")).status == 403)
        let own = try await other.client.post("/v1/leads", ["contact": ["name": "Gina"]]).expect(201).json
        #expect(try await other.client.get("/v1/leads").texts("id") == [try own.text("id")])
        let member = try await world.owner.memberId(of: other)
        try await world.owner.client.post("/v1/leads/\(id)/assign", ["owner_id": .string(member)]).expect(200)
        let seen = try await other.client.get("/v1/leads/\(id)").expect(200).json
        #expect(seen["value_minor"] == .null && seen["contact_email"] == .null)
        #expect(try await other.client.get("/v1/leads?value_minor[gte]=1").status == 403)
        #expect(
            try await other.client.get("/v1/notifications").texts("title").contains(
                "A lead for you: Eva asks"))
    }

    @Test func `many are changed at once, each for itself`() async throws {
        let world = try await World()
        let client = world.owner.client
        let one = try await client.post("/v1/leads", Self.ask("Hans")).expect(201).json.text("id")
        let two = try await client.post("/v1/leads", Self.ask("Ines")).expect(201).json.text("id")
        try await client.post("/v1/leads/\(two)/qualify").expect(200)
        try await client.post("/v1/leads/\(two)/convert", ["deal": ["mode": "none"]]).expect(200)
        let answer = try await client.post(
            "/v1/leads/bulk",
            ["lead_ids": [.string(one), .string(two), .string(UUID.v7().description)], "action": "qualify"]
        ).expect(200).json
        #expect(answer["changed"] == 1 && answer["failed"] == 2)
        #expect(try await client.get("/v1/leads/\(one)").json["status"] == "qualified")
    }
}
