import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@Suite struct SettingStory {
    private let server: TestServer
    private let owner: Person

    init() async throws {
        server = try await House.shared()
        owner = try await Person(signedUpOn: server, company: "Setters")
    }

    private func theme(_ person: Person) async throws -> JSON {
        try await person.client.get("/v1/settings/interface.theme").expect(200).json
    }

    @Test func `the nearest value holds, and clearing it brings back the one behind`() async throws {
        let member = try await owner.colleague(.member)
        #expect(try await theme(member)["value"] == "device")
        #expect(try await theme(member)["source"] == "default")
        try await owner.client.put("/v1/settings/interface.theme", ["value": "light"]).expect(200)
        #expect(try await theme(member)["source"] == "company")
        try await member.client.put("/v1/settings/interface.theme?scope=user", ["value": "dark"]).expect(200)
        #expect(try await theme(member)["value"] == "dark")
        #expect(try await theme(owner)["value"] == "light", "what one sets for oneself is one's own")
        try await member.client.delete("/v1/settings/interface.theme?scope=user").expect(204)
        #expect(try await theme(member)["value"] == "light")
        try await member.client.put("/v1/settings/interface.theme", ["value": "dark"]).expect(403)
    }

    @Test func `a value that its setting does not allow is refused in place`() async throws {
        let wrong = try await owner.client.put("/v1/settings/interface.theme", ["value": "drak"]).expect(422)
        #expect(wrong.json["errors"]?[0]?["pointer"] == "/value")
        #expect(wrong.json["errors"]?[0]?["detail"]?.stringValue?.contains("dark") == true)
        try await owner.client.put("/v1/settings/config.four_eyes?scope=user", ["value": true]).expect(422)
        try await owner.client.put("/v1/settings/config.four_eyes?scope=system", ["value": true]).expect(422)
        try await owner.client.put("/v1/settings/no.such", ["value": 1]).expect(404)
    }

    @Test func `versions are kept, guarded and come back`() async throws {
        let path = "/v1/settings/interface.theme"
        for value in ["light", "dark"] as [JSON] {
            try await owner.client.put(path, ["value": value]).expect(200)
        }
        try await owner.client.with(header: "If-Match", "\"1\"").put(path, ["value": "device"]).expect(412)
        try await owner.client.with(header: "If-Match", "\"2\"").delete(path).expect(204)
        let back = try await owner.client.post("\(path)/revert/1").expect(200)
        #expect(back.json["value"] == "light")
        let history = try await owner.client.get("\(path)/history").expect(200).json["data"]?.arrayValue ?? []
        #expect(history.map { $0["value"] ?? .null } == ["light", nil, "dark", "light"])
        #expect(history.first?["actor_id"]?.stringValue == owner.userId)
        let record = try await owner.client.get("/v1/activity?action=setting.cleared").expect(200)
        #expect(record.json["data"]?[0]?["before"]?["value"] == "dark")
    }

    @Test func `a snapshot goes out and comes in, first as a rehearsal`() async throws {
        try await owner.client.put("/v1/settings/interface.theme", ["value": "light"]).expect(200)
        let out = try await owner.client.get("/v1/settings/export").expect(200)
        #expect(out.json["settings"] == ["interface.theme": "light"])
        let other = try await Person(signedUpOn: server, company: "Importers")
        let body: JSON = ["settings": out.json["settings"] ?? .null]
        var rehearsal = body.objectValue ?? JSON.Object()
        rehearsal["dry_run"] = true
        let dry = try await other.client.post("/v1/settings/import", .object(rehearsal)).expect(200)
        #expect(dry.json["changes"] == [["key": "interface.theme", "before": nil, "after": "light"]])
        #expect(dry.json["is_applied"] == false)
        #expect(try await theme(other)["source"] == "default")
        try await other.client.post("/v1/settings/import", body).expect(200)
        #expect(try await theme(other)["value"] == "light")
        let same = try await other.client.post("/v1/settings/import", body).expect(200)
        #expect(same.json["changes"] == [])
        let wrong = try await other.client.post(
            "/v1/settings/import", ["settings": ["interface.them": "dark", "interface.theme": 7]]
        ).expect(422)
        #expect(wrong.json["errors"]?.arrayValue?.count == 2)
    }

    @Test func `the schema says what each may be`() async throws {
        let schema = try await owner.client.get("/v1/settings/schema").expect(200)
        #expect(
            schema.json["settings"]?["interface.theme"]?["schema"]?["enum"] == ["device", "light", "dark"])
        #expect(schema.json["settings"]?["config.four_eyes"]?["schema"]?["type"] == "boolean")
    }

    @Test func `the system's value is set by operators and reaches every instance`() async throws {
        let operations = try await Person.operator(on: server)
        let other = try await House.another(beside: server)
        let there = other.client.with(token: owner.token)
        // A setting that no other test looks at: what is set here holds for all of them.
        let key = "rates.api_key_per_minute"
        let before = try await owner.client.get("/v1/settings/\(key)").expect(200)
        #expect(before.json["source"] == "default")
        try await operations.client.put("/v1/system/settings/\(key)", ["value": 700]).expect(200)
        let after = try await owner.client.get("/v1/settings/\(key)").expect(200)
        #expect(after.json["source"] == "system")
        let began = ContinuousClock.now
        _ = try await eventually { () -> Bool? in
            try await there.get("/v1/settings/\(key)").json["value"] == 700 ? true : nil
        }
        #expect(ContinuousClock.now - began < .seconds(1))
        try await operations.client.delete("/v1/system/settings/\(key)").expect(204)
        #expect(try await owner.client.get("/v1/settings/\(key)").json["value"] == 600)
        await other.stop()
    }
}
