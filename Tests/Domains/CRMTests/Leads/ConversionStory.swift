import API
import TestSupport
import Testing
import Wire

/// What leads become, once.
@Suite struct ConversionStory {
    private func lead(_ client: Client, _ more: JSON.Object = [:]) async throws -> JSON {
        var body: JSON.Object = [
            "title": "New shop", "client_name": "Northwind",
            "contact": [
                "name": "Anna Berg", "email": .string("anna-\(UUID.v7())@northwind-\(UUID.v7().low).example"),
            ],
        ]
        for (key, value) in more.members { body[key] = value }
        return try await client.post("/v1/leads", .object(body)).expect(201).json
    }

    @Test func `64 conversions at once give one client, one deal and 64 equal answers`() async throws {
        let world = try await World()
        let client = world.owner.client
        let id = try await lead(client, ["value_minor": 90_000, "currency": "EUR"]).text("id")
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<64 { group.addTask { try await client.post("/v1/leads/\(id)/convert") } }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(Set(answers.map(\.text)).count == 1)
        let counts = try world.server.database.psql(
            """
            SELECT (SELECT count(*) FROM clients WHERE company_id = '\(world.owner.companyId ?? "")') || ' '
                || (SELECT count(*) FROM deals WHERE company_id = '\(world.owner.companyId ?? "")') || ' '
                || (SELECT count(*) FROM outbox WHERE type = 'lead.converted' AND company_id = '\(world.owner.companyId ?? "")')
            """)
        #expect(counts.contains("1 1 1"))
        let deal = try await client.get("/v1/deals/\(try answers[0].json.text("deal_id"))").expect(200).json
        #expect(deal["amount_minor"] == 90_000 && deal["lead_id"]?.stringValue == id)
        #expect(try await client.get("/v1/leads/\(id)").json["status"] == "converted")
    }

    @Test func `the preview tells what is linked and what is made, and writes nothing`() async throws {
        let world = try await World()
        let client = world.owner.client
        let first = try await lead(client).text("id")
        let made = try await client.post("/v1/leads/\(first)/convert-preview").expect(200).json
        #expect(
            made["client"]?["outcome"] == "made" && made["client"]?["name"] == "Northwind"
                && made["deal"]?["outcome"] == "made")
        let conversion = try await client.post("/v1/leads/\(first)/convert", ["deal": ["mode": "none"]])
            .expect(200).json
        #expect(conversion["deal_id"] == .null)
        let second = try await lead(client).text("id")
        let linked = try await client.post("/v1/leads/\(second)/convert-preview").expect(200).json
        #expect(
            linked["client"]?["outcome"] == "linked" && linked["client"]?["id"] == conversion["client_id"])
        #expect(try await client.get("/v1/leads/\(second)").json["status"] == "new")
        #expect(try await client.post("/v1/leads/\(first)/convert-preview").code == "lead-converted")
        #expect(
            try await client.post(
                "/v1/leads/\(second)/convert",
                ["client": ["mode": "existing", "id": .string(UUID.v7().description)]]
            ).status
                == 404)
    }

    @Test func `sources are compared by what came of them`() async throws {
        let world = try await World()
        let client = world.owner.client
        let source = try await client.post("/v1/lead-sources", ["name": "Fair", "channel": "event"]).expect(
            201
        ).json.text("id")
        let id = try await lead(client, ["source_id": .string(source)]).text("id")
        try await client.post("/v1/leads/\(id)/convert").expect(200)
        _ = try await lead(client, ["source_id": .string(source)])
        let sums = try await client.get("/v1/crm/sources").expect(200).json["data"]?.arrayValue ?? []
        #expect(sums.first?["leads"] == 2 && sums.first?["converted"] == 1 && sums.first?["won_minor"] == 0)
    }
}
