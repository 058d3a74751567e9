import API
import TestSupport
import Testing
import Wire

/// Projects from their making to their end, and who may see them.
@Suite struct ProjectStory {
    @Test func `a project is made, read, changed and listed`() async throws {
        let world = try await World()
        let client = world.owner.client
        let made = try await client.post(
            "/v1/projects", ["name": "Website relaunch", "start_on": "2026-03-02", "color": "#2455D6"]
        ).expect(201)
        #expect(made.json["key"] == "WR")
        #expect(made.json["status"] == "draft")
        #expect(made.json["color"] == "#2455d6")
        #expect(made.json["right"] == "manage")
        #expect(made.json["lead_id"]?.stringValue == (try await world.owner.member()))
        let path = "/v1/projects/\(try made.json.text("id"))"
        #expect(made.header("location") == path)
        let changed = try await client.with(header: "If-Match", "\"1\"").patch(
            path, ["name": "Website 2026", "due_on": "2026-06-30"]
        ).expect(200)
        #expect(changed.json["name"] == "Website 2026")
        let stale = try await client.with(header: "If-Match", "\"1\"").patch(path, ["name": "Later"])
        #expect(stale.status == 412)
        let reversed = try await client.patch(path, ["due_on": "2026-01-01"])
        #expect(reversed.code == "project-dates-reversed")
        #expect(try await client.get("/v1/projects?q=2026").texts("name") == ["Website 2026"])
    }

    @Test func `a key is suggested, unique for ever, and never changes`() async throws {
        let world = try await World()
        let client = world.owner.client
        var keys: [String] = []
        for name in ["Website", "Website", "Spring summer sale", "日本"] {
            keys.append(
                try await client.post("/v1/projects", ["name": .string(name)]).expect(201).json.text("key"))
        }
        #expect(keys == ["WEB", "WEB2", "SSS", "PRJ"])
        let taken = try await client.post("/v1/projects", ["name": "Other", "key": "web"])
        #expect(taken.status == 409 && taken.code == "project-key-taken", "\(taken)")
        let path = "/v1/projects/\(try await world.project("Steady"))"
        #expect(try await client.patch(path, ["key": "NEW"]).status == 400)
    }

    @Test func `ten at once are given ten keys`() async throws {
        let world = try await World()
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await world.owner.client.post("/v1/projects", ["name": "Launch"]).expect(201).json
                        .text("key")
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys.count == 10)
    }

    @Test func `a private project does not exist for others, a client sees only his own`() async throws {
        let world = try await World()
        let colleague = try await world.owner.colleague(.member)
        let client = try await world.owner.colleague(.client)
        let open = try await world.project("Open")
        let hidden = try await world.project("Hidden", ["visibility": "private"])
        #expect(try await colleague.client.get("/v1/projects").texts("name") == ["Open"])
        #expect(try await colleague.client.get("/v1/projects/\(hidden)").status == 404)
        #expect(
            try await colleague.client.get("/v1/projects/\(open)").expect(200).json["right"] == "contribute")
        #expect(try await colleague.client.patch("/v1/projects/\(open)", ["name": "Mine"]).status == 403)
        #expect(try await client.client.get("/v1/projects").texts("name") == [])
        #expect(try await client.client.get("/v1/projects/\(open)").status == 404)
    }
}
