import API
import TestSupport
import Testing
import Wire

/// The states of a project, changed while it lives.
@Suite struct StateStory {
    @Test func `a project begins with six states, and one of them is initial`() async throws {
        let world = try await World()
        let states = try await world.owner.client.get("/v1/projects/\(try await world.project())/states")
            .expect(200)
        #expect(
            states.texts("name") == ["Backlog", "To do", "In progress", "In review", "Done", "Cancelled"])
        #expect(
            states.texts("category") == [
                "backlog", "unstarted", "started", "started", "completed", "cancelled",
            ])
        #expect(
            (states.json["data"]?.arrayValue ?? []).map { $0["is_initial"]?.boolValue } == [
                false, true, false, false, false, false,
            ])
    }

    @Test func `states are added, changed, ordered and deleted`() async throws {
        let world = try await World()
        let client = world.owner.client
        let path = "/v1/projects/\(try await world.project())/states"
        let made = try await client.post(path, ["name": "Waiting", "category": "started", "wip_limit": 3])
            .expect(201)
        let waiting = try made.json.text("id")
        #expect(
            try await client.post(path, ["name": "waiting", "category": "backlog"]).code == "state-name-taken"
        )
        let changed = try await client.patch("\(path)/\(waiting)", ["name": "Blocked", "wip_limit": .null])
            .expect(200)
        #expect(
            changed.json["name"] == "Blocked" && changed.json["wip_limit"] == .null
                && changed.json["version"] == 2)
        #expect(try await client.patch("\(path)/\(waiting)", ["category": "backlog"]).status == 400)
        let ids = try await client.get(path).texts("id")
        let turned = try await client.put("\(path)/order", ["ids": .array(ids.reversed().map(JSON.string))])
            .expect(200)
        #expect(turned.texts("id") == ids.reversed())
        #expect(try await client.put("\(path)/order", ["ids": [.string(waiting)]]).status == 422)
        try await client.delete("\(path)/\(waiting)").expect(204)
        #expect(try await client.get(path).texts("name").contains("Blocked") == false)
    }

    @Test func `the initial state and the last completed one stay`() async throws {
        let world = try await World()
        let client = world.owner.client
        let path = "/v1/projects/\(try await world.project())/states"
        let states = try await client.get(path).expect(200)
        let ids = Dictionary(uniqueKeysWithValues: zip(states.texts("name"), states.texts("id")))
        let (todo, done, backlog) = (ids["To do"] ?? "", ids["Done"] ?? "", ids["Backlog"] ?? "")
        #expect(try await client.delete("\(path)/\(todo)").code == "state-is-needed")
        #expect(try await client.delete("\(path)/\(done)").code == "state-is-needed")
        #expect(try await client.patch("\(path)/\(done)", ["is_initial": true]).status == 422)
        #expect(try await client.patch("\(path)/\(todo)", ["is_initial": false]).code == "state-is-needed")
        try await client.patch("\(path)/\(backlog)", ["is_initial": true]).expect(200)
        try await client.delete("\(path)/\(todo)").expect(204)
        let left = try await client.get(path).expect(200).json["data"]?.arrayValue ?? []
        #expect(left.filter { $0["is_initial"] == true }.map { $0["name"] } == ["Backlog"])
    }

    @Test func `only those who manage the project change its states`() async throws {
        let world = try await World()
        let member = try await world.owner.colleague(.member)
        let path = "/v1/projects/\(try await world.project())/states"
        #expect(try await member.client.get(path).status == 200)
        #expect(try await member.client.post(path, ["name": "New", "category": "started"]).status == 403)
    }

    @Test func `a state with tasks is deleted when it is said where they go`() async throws {
        let world = try await World()
        let client = world.owner.client
        let project = try await world.project()
        let path = "/v1/projects/\(project)/states"
        let states = try await client.get(path).expect(200)
        let ids = Dictionary(uniqueKeysWithValues: zip(states.texts("name"), states.texts("id")))
        let (review, done) = (ids["In review"] ?? "", ids["Done"] ?? "")
        let task = try await client.post(
            "/v1/tasks", ["project_id": .string(project), "title": "Write", "state_id": .string(review)]
        ).expect(201).json.text("id")
        #expect(try await client.delete("\(path)/\(review)").code == "state-in-use")
        #expect(try await client.delete("\(path)/\(review)?move_to=\(review)").status == 422)
        try await client.delete("\(path)/\(review)?move_to=\(done)").expect(204)
        let moved = try await client.get("/v1/tasks/\(task)").expect(200)
        #expect(moved.json["category"] == "completed" && moved.json["completed_at"] != .null, "\(moved)")
        let acts = try await client.get("/v1/projects/\(project)/activity").expect(200).texts("action")
        #expect(acts.contains("task.state") && acts.contains("project.state_deleted"), "\(acts)")
        let summary = try await client.get("/v1/projects/\(project)/summary").expect(200).json
        #expect(summary["completed"] == 1 && summary["progress_percent"]?.doubleValue == 100, "\(summary)")
    }
}
