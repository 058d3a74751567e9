import API
import TestSupport
import Testing
import Wire

/// What is asked of a project, and what becomes of it.
@Suite struct IntakeStory {
    @Test func `a client asks, and the request becomes a task whose reporter he is`() async throws {
        let world = try await World()
        let owner = world.owner.client
        let guest = try await world.owner.colleague(.client)
        let project = try await world.project("Menu")
        let ask: JSON = ["project_id": .string(project), "title": "The menu as a PDF", "priority": "high"]
        #expect(try await guest.client.post("/v1/intake", ask).status == 404)
        let guestId = try await world.owner.memberId(of: guest)
        try await owner.post(
            "/v1/projects/\(project)/members", ["member_id": .string(guestId), "role": "viewer"]
        ).expect(201)
        let request = try await guest.client.post("/v1/intake", ask).expect(201)
        let path = "/v1/intake/\(try request.json.text("id"))"
        #expect(try await owner.get("/v1/notifications").texts("title").contains("Menu: The menu as a PDF"))
        #expect(try await guest.client.post("\(path)/accept").status == 403)
        let accepted = try await owner.post("\(path)/accept").expect(200).json
        #expect(accepted["status"] == "accepted" && accepted["task_key"] == "MEN-1")
        let task = try await owner.get("/v1/tasks/\(try accepted.text("task_id"))").expect(200).json
        #expect(task["priority"] == "high" && task["reporter_id"]?.stringValue == guestId)
        #expect(try await owner.post("\(path)/decline").code == "intake-decided")
        #expect(
            try await guest.client.get("/v1/notifications").texts("title").contains(
                "The menu as a PDF: accepted"))
        let stranger = try await world.owner.colleague(.member)
        #expect(try await stranger.client.get(path).status == 404)
    }

    @Test func `a request is put off, declined, or found to be asked already`() async throws {
        let world = try await World()
        let client = world.owner.client
        let project = try await world.project()
        func ask(_ title: String) async throws -> String {
            "/v1/intake/"
                + (try await client.post(
                    "/v1/intake", ["project_id": .string(project), "title": .string(title)]
                )
                .expect(201).json.text("id"))
        }
        let (one, two) = (try await ask("One"), try await ask("Two"))
        #expect(try await client.post("\(one)/snooze", ["until": "2020-01-01T00:00:00Z"]).status == 422)
        #expect(
            try await client.post("\(one)/snooze", ["until": "2090-01-01T00:00:00Z"]).expect(200).json[
                "status"] == "snoozed")
        #expect(try await client.get("/v1/intake?status=pending").texts("title") == ["Two"])
        let declined = try await client.post("\(one)/decline", ["note": "Not this year"]).expect(200).json
        #expect(
            declined["status"] == "declined" && declined["note"] == "Not this year"
                && declined["snoozed_until"] == .null)
        let task = try await client.post("/v1/tasks", ["project_id": .string(project), "title": "Two"])
            .expect(201).json.text("id")
        #expect(
            try await client.post("\(two)/duplicate", ["task_id": .string(UUID.v7().description)]).status
                == 422)
        let same = try await client.post("\(two)/duplicate", ["task_id": .string(task)]).expect(200).json
        #expect(same["status"] == "duplicate" && same["task_id"]?.stringValue == task)
    }
}
