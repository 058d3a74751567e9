import API
import App
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// Leads as tables, as things people talk about, and as what is forgotten.
@Suite struct LeadTableStory {
    private func state(of id: String, _ state: String, _ client: Client) async throws -> JSON {
        try await eventually {
            let found = try await client.get("/v1/imports/\(id)").expect(200).json
            return found["state"] == .string(state) ? .some(found) : .none
        }
    }

    @Test func `leads come in as a table, go out as the list is filtered, and are taken back`() async throws {
        let world = try await World()
        let client = world.owner.client
        let csv = """
            Title;Name;E-mail;Firma;Country;Value;Currency;Id;Tags
            A shop;Anna Berg;\(Person.freshAddress());Northwind;de;5000;EUR;one;Hot, New
            No such;Ben;nonsense;;Germany;5;;two;
            Again;Anna Berg;\(Person.freshAddress());;;;;one;
            """
        let id = try await client.post("/v1/imports", ["kind": "lead", "csv": .string(csv)]).expect(201).json
            .text("id")
        try await client.post("/v1/imports/\(id)/start").expect(202)
        let done = try await state(of: id, "done", client)
        #expect(done["created_count"] == 1 && done["failed_count"] == 1 && done["skipped_count"] == 1)
        let body: JSON = [
            "kind": "lead", "format": "csv",
            "columns": ["title", "client_name", "country", "value_minor", "tags"], "filter": [:],
        ]
        let taken = try await client.post("/v1/exports/direct", body).expect(200)
        #expect(taken.text.hasSuffix("A shop,Northwind,DE,5000,\"Hot, New\"\r\n"))
        let role = try await world.owner.makeRole("No sums", [.crmRead, .crmReadAll, .exportsRun])
        let other = try await world.owner.colleague(roleIds: [role])
        #expect(try await other.client.post("/v1/exports/direct", body).status == 422)
        try await client.post("/v1/imports/\(id)/undo").expect(202)
        _ = try await state(of: id, "undone", client)
        #expect(try await client.get("/v1/leads").texts("id").isEmpty)
    }

    @Test func `a lead is talked about and found by those who see it`() async throws {
        let world = try await World()
        let client = world.owner.client
        let role = try await world.owner.makeRole("Own leads", [.crmRead, .crmWrite])
        let other = try await world.owner.colleague(roleIds: [role])
        let id = try await client.post("/v1/leads", ["title": "Rebranding", "contact": ["name": "Carla"]])
            .expect(201).json.text("id")
        let comment: JSON = ["subject_kind": "lead", "subject_id": .string(id), "body": "Call her"]
        #expect(try await client.post("/v1/comments", comment).status == 201)
        #expect(try await other.client.post("/v1/comments", comment).status != 201)
        #expect(try await client.get("/v1/search?q=rebrandin").texts("kind") == ["lead"])
        #expect(try await other.client.get("/v1/search?q=rebrandin").texts("kind").isEmpty)
        let view: JSON = [
            "kind": "lead", "name": "Mine", "filter": ["owner": ["me"], "status": ["new"]],
            "group_by": "status",
        ]
        #expect(try await client.post("/v1/saved-views", view).status == 201)
    }

    @Test func `what a forgotten person sent is not there any more`() async throws {
        let world = try await World()
        let client = world.owner.client
        let key = try await client.post("/v1/capture-keys", ["name": "Landing"]).expect(201).json.text("key")
        try await world.server.client.post(
            "/v1/p/capture/\(key)",
            ["email": .string(Person.freshAddress()), "message": "secret wish", "name": "Dora"]
        ).expect(202)
        let lead = try await eventually {
            let all = try await client.get("/v1/leads").expect(200).json["data"]?.arrayValue ?? []
            return all.first.map { Optional($0) } ?? .none
        }
        let contact = try #require(UUID(try lead.text("contact_id")))
        let company = try #require(world.owner.companyId.flatMap { UUID($0) })
        _ = try await world.server.instance.database.batch(
            LeadsErasure.erase(contacts: [contact], company: company), as: Tenant(company: company, user: nil)
        )
        let erased = try await client.get("/v1/leads/\(try lead.text("id"))").expect(200).json
        #expect(erased["title"] == "Erased" && erased["message"] == .null)
        #expect(try await client.get("/v1/leads?q=secret").texts("id").isEmpty)
        #expect(try await client.get("/v1/submissions").json["data"]?[0]?["raw"] == [:])
    }
}
