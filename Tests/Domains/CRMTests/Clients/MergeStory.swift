import API
import TestSupport
import Testing
import Wire

@testable import CRM

/// Two records become one, and two again.
@Suite struct MergeStory {
    @Test func `a merge moves all, and its undo brings all back`() async throws {
        let world = try await World()
        let me = world.owner.client
        let north = try await me.post("/v1/clients", ["name": "North"]).expect(201).json.text("id")
        let survivor = try await me.post(
            "/v1/contacts", ["name": "Anna Berg", "emails": ["anna@berg.example"]]
        ).expect(201).json.text("id")
        let absorbed = try await me.post(
            "/v1/contacts",
            [
                "name": "A. Berg", "job_title": "Head", "emails": ["a@berg.example"],
                "phones": ["+4930901820"], "client_id": .string(north),
            ]
        ).expect(201).json.text("id")
        let merge = try await me.post(
            "/v1/contacts/\(survivor)/merge",
            ["absorbed_id": .string(absorbed), "fields": ["name": "absorbed"]]
        ).expect(200).json
        let one = try await me.get("/v1/contacts/\(survivor)").expect(200).json
        #expect(one["name"] == "A. Berg" && one["job_title"] == "Head" && one["email"] == "anna@berg.example")
        #expect(one["phone"] == "+4930901820" && one["client_id"]?.stringValue == north)
        #expect(try await me.get("/v1/contacts/\(survivor)/identities").texts("value").count == 3)
        #expect(try await me.get("/v1/contacts/\(absorbed)").status == 404)
        #expect(try await me.get("/v1/contacts?q=a@berg.example").texts("id") == [survivor])
        #expect(try await me.post("/v1/contacts/\(absorbed)/restore").code == "already-merged")
        // One thing changes before it is taken back.
        try await me.with(header: "If-Match", "*").patch("/v1/contacts/\(survivor)", ["job_title": "Chief"])
            .expect(200)
        let undone = try await me.post("/v1/merges/\(try merge.text("id"))/undo").expect(200).json
        #expect(undone["left_behind"]?["fields"] == ["job_title"])
        let first = try await me.get("/v1/contacts/\(survivor)").expect(200).json
        #expect(
            first["name"] == "Anna Berg" && first["phone"] == JSON.null && first["client_id"] == JSON.null
                && first["job_title"] == "Chief")
        let second = try await me.get("/v1/contacts/\(absorbed)").expect(200).json
        #expect(
            second["email"] == "a@berg.example" && second["client_id"]?.stringValue == north
                && second["phone"] == "+4930901820")
        #expect(try await me.post("/v1/merges/\(try merge.text("id"))/undo").code == "merge-undone")
    }

    @Test func `thirty-two who merge the same pair merge it once`() async throws {
        let world = try await World()
        let me = world.owner.client
        let one = try await me.post("/v1/clients", ["name": "North", "website": "https://north.example"])
            .expect(201).json.text("id")
        let other = try await me.post("/v1/clients", ["name": "North Ltd", "phone": "+44 20 1234567"]).expect(
            201
        ).json.text("id")
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    try await me.post("/v1/clients/\(one)/merge", ["absorbed_id": .string(other)])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(
            Set(answers.map(\.status)) == [200]
                && Set(answers.compactMap { $0.json["id"]?.stringValue }).count == 1)
        #expect(try await me.get("/v1/clients").texts("id") == [one])
        #expect(try await me.get("/v1/clients/\(one)").json["phone"] == "+44 20 1234567")
    }

    @Test func `pairs that may be one are found, dismissed and merged`() async throws {
        let world = try await World()
        let me = world.owner.client
        for name in ["Carla Diaz", "carla diaz", "Emil Fuchs", "Emil Fuchs"] {
            try await me.post("/v1/contacts", ["name": .string(name)]).expect(201)
        }
        let company = try #require(world.owner.companyId.flatMap { UUID($0) })
        try await DuplicateFinding.run(company, world.server.instance.database)
        let pairs = try await me.get("/v1/duplicates").expect(200).json["data"]?.arrayValue ?? []
        #expect(pairs.count == 2)
        let carla = try #require(pairs.first { $0["first_name"]?.stringValue?.lowercased() == "carla diaz" })
        let emil = try #require(pairs.first { $0["first_name"] == "Emil Fuchs" })
        #expect(
            try await me.post("/v1/duplicates/\(try carla.text("id"))/dismiss").expect(200).json["state"]
                == "dismissed")
        #expect(try await me.post("/v1/duplicates/\(try carla.text("id"))/merge").code == "duplicate-decided")
        try await me.post("/v1/duplicates/\(try emil.text("id"))/merge").expect(200)
        #expect(try await me.get("/v1/duplicates").texts("id") == [])
        #expect(try await me.get("/v1/duplicates?state=merged").texts("id") == [emil.text("id")])
        #expect(try await me.get("/v1/contacts").texts("id").count == 3)
    }
}
