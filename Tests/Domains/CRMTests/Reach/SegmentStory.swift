import Postgres
import TestSupport
import Testing
import Wire

/// Audiences, as those build them who reach out.
@Suite struct SegmentStory {
    private func names(_ answer: Answer) -> [String] {
        (answer.json["data"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }.sorted()
    }

    @Test func `a live segment follows, a frozen one stays, and segments are put together`() async throws {
        let world = try await World("Reach Works")
        let records = try CRMRecords(world)
        let me = world.owner.client
        let anna = try await records.contact("Anna", lifecycle: "customer")
        let bert = try await records.contact("Bert", lifecycle: "lead")
        let draft: JSON = [
            "kind": "contact", "name": "Customers", "filter": ["lifecycle": ["customer"]],
            "include_ids": [.string(bert)],
        ]
        let preview = try await me.post("/v1/crm/segments/preview", draft).expect(200)
        #expect(preview.json["count"] == 2)
        let id = try await me.post("/v1/crm/segments", draft).expect(201).json.text("id")
        _ = try await me.post("/v1/crm/segments", draft).expect(409)
        #expect(names(try await me.get("/v1/crm/segments/\(id)/members").expect(200)) == ["Anna", "Bert"])
        let frozen = try await me.post("/v1/crm/segments/\(id)/freeze").expect(200)
        #expect(frozen.json["frozen_count"] == 2)
        _ = try await records.contact("Cora", lifecycle: "customer")
        #expect(names(try await me.get("/v1/crm/segments/\(id)/members").expect(200)) == ["Anna", "Bert"])
        _ = try await me.post("/v1/crm/segments/\(id)/freeze").expect(200)
        #expect(
            names(try await me.get("/v1/crm/segments/\(id)/members").expect(200)) == ["Anna", "Bert", "Cora"])
        _ = try await me.delete("/v1/crm/segments/\(id)/freeze").expect(204)
        let others = try await me.post(
            "/v1/crm/segments",
            [
                "kind": "contact", "name": "Without Anna", "all_of": [.string(id)],
                "exclude_ids": [.string(anna)],
            ]
        ).expect(201).json.text("id")
        #expect(
            names(try await me.get("/v1/crm/segments/\(others)/members").expect(200)) == ["Bert", "Cora"])
        let isIn = try await me.get("/v1/crm/segments/\(others)/members/\(anna)").expect(200)
        #expect(isIn.json["is_member"] == false)
        let read = try await me.get("/v1/crm/segments/\(id)").expect(200)
        let tag = try #require(read.header("etag"))
        _ = try await me.with(header: "if-match", tag).patch(
            "/v1/crm/segments/\(id)", ["none_of": [.string(others)]]
        ).expect(409)
        _ = try await me.with(header: "if-match", tag).patch(
            "/v1/crm/segments/\(id)", ["name": "All customers"]
        ).expect(200)
        _ = try await me.post(
            "/v1/crm/segments/preview", ["kind": "contact", "name": "x", "filter": ["lifecicle": "x"]]
        ).expect(422)
        _ = try await me.delete("/v1/crm/segments/\(others)").expect(204)
    }

    @Test func `a segment holds for each what he may see`() async throws {
        let world = try await World("Sight Works")
        let records = try CRMRecords(world)
        let role = try await world.owner.makeRole("Own", [.crmRead, .crmWrite])
        let mine = try await world.owner.colleague(roleIds: [role])
        _ = try await records.contact("Anna")
        _ = try await records.contact("Bert", owner: try await records.member(mine))
        let id = try await world.owner.client.post(
            "/v1/crm/segments", ["kind": "contact", "name": "All", "filter": [:]]
        ).expect(201).json.text("id")
        #expect(
            names(try await world.owner.client.get("/v1/crm/segments/\(id)/members").expect(200)) == [
                "Anna", "Bert",
            ])
        #expect(names(try await mine.client.get("/v1/crm/segments/\(id)/members").expect(200)) == ["Bert"])
        _ = try await mine.client.delete("/v1/crm/segments/\(id)").expect(403)
    }
}
