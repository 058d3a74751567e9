import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

/// What is kept with tasks so that lists need not count is what counting gives.
@Suite struct KeptNumbersStory {
    private func expectTrue(_ shop: Workshop, at location: SourceLocation = #_sourceLocation) async throws {
        let wrong = try await shop.sql(
            """
            SELECT t.title FROM tasks t
             WHERE t.assignee_ids IS DISTINCT FROM ARRAY(
                       SELECT a.member_id FROM task_assignees a WHERE a.task_id = t.id ORDER BY a.assigned_at, a.member_id)
                OR t.subtask_count <> (SELECT count(*) FROM tasks s
                                        WHERE s.parent_id = t.id AND s.deleted_at IS NULL AND s.category <> 'cancelled')
                OR t.subtask_done_count <> (SELECT count(*) FROM tasks s
                                             WHERE s.parent_id = t.id AND s.deleted_at IS NULL AND s.category = 'completed')
                OR NOT t.has_blockers AND EXISTS (SELECT 1 FROM task_relations r WHERE r.to_id = t.id AND r.kind = 'blocks')
                OR EXISTS (SELECT 1 FROM task_assignees a WHERE a.task_id = t.id AND a.task_created_at <> t.created_at)
            """)
        #expect(try wrong.map { try $0.get("title", as: String.self) } == [], sourceLocation: location)
    }

    private func patch(_ shop: Workshop, _ task: String, _ body: JSON) async throws {
        let client = shop.owner.client
        let version = try await client.get("/v1/tasks/\(task)").expect(200).json["version"]?.intValue ?? 0
        _ = try await client.with(header: "If-Match", "\"\(version)\"").patch("/v1/tasks/\(task)", body)
            .expect(200)
    }

    @Test func `sub-tasks are counted through all that may become of them`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let (app, _) = try await Workshop.makeProject("APP", "UTC", "company", by: shop.owner, shop.server)
        let parent = try await shop.task("Parent")
        let other = try await shop.task("Other")
        var parts: [String] = []
        for (name, state) in [
            ("One", "To do"), ("Two", "Done"), ("Three", "Cancelled"), ("Four", "In progress"),
        ] {
            let part = try await shop.task(
                name, ["parent_id": .string(parent.id), "state_id": shop.state(state)])
            parts.append(part.id)
        }
        try await expectTrue(shop)
        for (part, state) in zip(parts, ["Done", "Cancelled", "To do", "Done"]) {
            _ = try await client.put("/v1/tasks/\(part)/state", ["state_id": shop.state(state)]).expect(200)
            try await expectTrue(shop)
        }
        try await patch(shop, parts[0], ["parent_id": .string(other.id)])
        try await expectTrue(shop)
        try await client.delete("/v1/tasks/\(parts[3])").expect(204)
        try await expectTrue(shop)
        try await client.post("/v1/tasks/\(parts[3])/restore").expect(200)
        try await expectTrue(shop)
        try await client.post("/v1/tasks/\(parts[2])/move", ["project_id": .string(app.description)]).expect(
            200)
        try await expectTrue(shop)
        try await client.delete("/v1/tasks/\(parent.id)").expect(204)
        try await expectTrue(shop)
        try await client.post("/v1/tasks/\(parent.id)/restore").expect(200)
        try await expectTrue(shop)
        let seen = try await client.get("/v1/tasks/\(parent.id)").json
        #expect(seen["subtask_count"] == 1 && seen["subtask_done_count"] == 1)
    }

    @Test func `two who end two sub-tasks at once are both counted`() async throws {
        let shop = try await Workshop()
        let parent = try await shop.task("Parent")
        var parts: [String] = []
        for number in 0..<12 {
            parts.append(try await shop.task("Part \(number)", ["parent_id": .string(parent.id)]).id)
        }
        let done = shop.state("Done")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts {
                group.addTask {
                    _ = try await shop.owner.client.put("/v1/tasks/\(part)/state", ["state_id": done]).expect(
                        200)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await shop.owner.client.get("/v1/tasks/\(parent.id)").json["subtask_done_count"] == 12)
        try await expectTrue(shop)
    }

    @Test func `assignees stand with the task as they were assigned`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let helper = try await shop.owner.colleague(.member)
        let (one, two) = (shop.member, try await shop.member(of: helper))
        let task = try await shop.task("Shared", ["assignee_ids": [.string(two)]])
        try await patch(shop, task.id, ["assignee_ids": [.string(one), .string(two)]])
        #expect(
            try await client.get("/v1/tasks/\(task.id)").json["assignee_ids"] == [.string(two), .string(one)])
        try await expectTrue(shop)
        #expect(try await client.get("/v1/tasks?assignee=me").json.all("id") == [task.id])
        #expect(try await client.get("/v1/tasks?assignee=\(two)&sort=rank").json.all("id") == [task.id])
        try await patch(shop, task.id, ["assignee_ids": [.string(one)]])
        try await expectTrue(shop)
        let blocker = try await shop.task("Blocker")
        try await client.post(
            "/v1/tasks/\(task.id)/relations", ["kind": "blocked_by", "task_id": .string(blocker.id)]
        ).expect(201)
        try await expectTrue(shop)
        #expect(try await client.get("/v1/tasks?is_blocked=true").json.all("id") == [task.id])
    }
}
