import API
import TestSupport
import Testing
import Wire

@testable import CRM

/// Contacts and clients as tables that come in and go out.
@Suite struct ContactImportStory {
    private func run(_ kind: String, _ csv: String, _ target: JSON, _ person: Person) async throws -> JSON {
        let made = try await person.client.post(
            "/v1/imports", ["kind": .string(kind), "target": target, "csv": .string(csv)]
        ).expect(201).json
        try await person.client.post("/v1/imports/\(try made.text("id"))/start").expect(202)
        return try await finished("/v1/imports/\(try made.text("id"))", person)
    }

    private func finished(_ path: String, _ person: Person) async throws -> JSON {
        try await eventually {
            let now = try await person.client.get(path).expect(200).json
            return ["running", "undoing"].contains(now["state"]?.stringValue ?? "") ? .none : .some(now)
        }
    }

    @Test func `a table comes in once, is brought up to date, and is taken back`() async throws {
        let world = try await World()
        let csv = """
            Name;E-mail;Phone;Company;Website;Lifecycle;Tags
            Anna Berg;anna@berg.example;+49 30 901820;Northwind;www.northwind.example;lead;fair
            Bert Koch;bert@koch.example, b@koch.example;;northwind;;;
            Anna again;ANNA@berg.example;;;;;
            ;;;;;;
            Wrong;not-an-address;;;;;
            """
        let first = try await run("contact", csv, [:], world.owner)
        #expect(
            first["state"] == "done" && first["created_count"] == 2 && first["skipped_count"] == 1, "\(first)"
        )
        #expect(try await world.owner.client.get("/v1/clients").texts("domain") == ["northwind.example"])
        let anna = try #require(
            try await world.owner.client.get("/v1/contacts?email=anna@berg.example").json["data"]?[0])
        #expect(
            anna["lifecycle"] == "lead" && anna["tag_ids"]?.arrayValue?.count == 1
                && anna["client_id"] != JSON.null)
        let second = try await run(
            "contact", "Email;Job title\nanna@berg.example;Chief\n", ["dedupe": "update"], world.owner)
        #expect(second["changed_count"] == 1, "\(second)")
        #expect(try await world.owner.client.get("/v1/contacts?q=chief").texts("name") == ["Anna Berg"])
        try await world.owner.client.post("/v1/imports/\(try second.text("id"))/undo").expect(202)
        _ = try await finished("/v1/imports/\(try second.text("id"))", world.owner)
        #expect(
            try await world.owner.client.get("/v1/contacts/\(try anna.text("id"))").json["job_title"]
                == JSON.null)
        try await world.owner.client.post("/v1/imports/\(try first.text("id"))/undo").expect(202)
        let undone = try await finished("/v1/imports/\(try first.text("id"))", world.owner)
        // Anna has changed since, so she stays.
        #expect(try await world.owner.client.get("/v1/contacts").texts("name") == ["Anna Berg"], "\(undone)")
    }

    @Test func `clients come in by their hosts`() async throws {
        let world = try await World()
        let csv =
            "Name,Website,Employees\nNorthwind,https://northwind.example,120\nNorthwind GmbH,northwind.example,\nSouth,,many\n"
        let done = try await run("client", csv, [:], world.owner)
        #expect(
            done["created_count"] == 1 && done["skipped_count"] == 1 && done["failed_count"] == 1, "\(done)")
        let update = try await run(
            "client", "Name,Industry\nnorthwind,Retail\n", ["dedupe": "update"], world.owner)
        #expect(update["changed_count"] == 1, "\(update)")
        #expect(
            try await world.owner.client.get("/v1/clients?industry=Retail").texts("name") == ["Northwind"])
    }
}
