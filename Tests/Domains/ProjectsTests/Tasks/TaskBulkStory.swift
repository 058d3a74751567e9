import API
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskBulkStory {
    private func bulk(_ shop: Workshop, _ ids: [String], _ more: JSON, by person: Person? = nil) async throws
        -> Answer
    {
        var body: JSON.Object = ["task_ids": .array(ids.map(JSON.string))]
        for (key, value) in more.objectValue?.members ?? [] { body[key] = value }
        return try await (person ?? shop.owner).client.post("/v1/tasks/bulk", .object(body))
    }

    @Test func `an atomic change reaches all tasks or none`() async throws {
        let shop = try await Workshop()
        var ids: [String] = []
        for index in 0..<30 { ids.append(try await shop.task("Task \(index)").id) }
        let set: JSON = [
            "set": ["priority": "high", "due_on": "2030-05-01", "add_assignee_ids": [.string(shop.member)]]
        ]
        let answer = try await bulk(shop, ids, set).expect(200).json
        #expect(answer["changed"] == 30 && answer["failed"] == 0)
        #expect(try await bulk(shop, ids, set).expect(200).json["unchanged"] == 30)
        #expect(
            try await shop.owner.client.get("/v1/tasks?priority=high&assignee=me&limit=100").json.all("id")
                .count == 30)
        let refused = try await bulk(shop, ids + [UUID.v7().description], ["set": ["priority": "low"]])
        #expect(refused.status == 404)
        #expect(try await shop.owner.client.get("/v1/tasks?priority=low").json.all("id") == [])
    }

    @Test func `many that move at once are one piece of news to each whom they concern`() async throws {
        let shop = try await Workshop()
        let worker = try await shop.owner.colleague(.member)
        var ids: [String] = []
        for index in 0..<21 { ids.append(try await shop.task("Task \(index)").id) }
        let set: JSON = ["set": ["add_assignee_ids": [.string(try await worker.member())]]]
        try await bulk(shop, ids, set).expect(200)
        try await bulk(shop, ids, ["set": ["state_id": shop.state("Done")]]).expect(200)
        let told = try await worker.client.get("/v1/notifications").expect(200).json.all("title")
        #expect(Set(told) == ["21 tasks are assigned to you", "21 of your tasks are in another state"])
    }

    @Test func `each for itself tells what became of it`() async throws {
        let shop = try await Workshop()
        let (other, _) = try await Workshop.makeProject("APP", "UTC", "company", by: shop.owner, shop.server)
        let mine = try await shop.task("Mine")
        let foreign = try await shop.task("Foreign", ["project_id": .string(other.description)])
        let done = try await shop.task("Done", ["state_id": shop.state("Done")])
        let nowhere = UUID.v7().description
        let answer = try await bulk(
            shop, [mine.id, foreign.id, done.id, nowhere],
            ["mode": "per_item", "set": ["state_id": shop.state("Done")]]
        ).expect(200).json
        let results = answer["results"]?.arrayValue ?? []
        #expect(
            results.compactMap { $0["outcome"]?.stringValue } == ["changed", "failed", "unchanged", "failed"])
        #expect(
            results[1]["detail"]?.stringValue?.contains("no state") == true
                && results[3]["code"] == "not-found")
        #expect(try await shop.owner.client.get("/v1/tasks/\(foreign.id)").json["category"] == "unstarted")
    }

    @Test func `many are deleted, and none by those who may not`() async throws {
        let shop = try await Workshop()
        let viewer = try await shop.owner.colleague(.viewer)
        let parent = try await shop.task("Parent")
        let child = try await shop.task("Child", ["parent_id": .string(parent.id)])
        let other = try await shop.task("Other")
        #expect(try await bulk(shop, [other.id], ["action": "delete"], by: viewer).status == 403)
        #expect(
            try await bulk(shop, [other.id], ["action": "delete", "set": ["priority": "low"]]).status == 422)
        // A sub-task named beside its parent goes with it.
        #expect(
            try await bulk(shop, [parent.id, child.id, other.id], ["action": "delete"]).expect(200).json[
                "changed"] == 3)
        #expect(try await shop.owner.client.get("/v1/tasks").json.all("id") == [])
        try await shop.owner.client.post("/v1/tasks/\(parent.id)/restore").expect(200)
        #expect(try await shop.owner.client.post("/v1/tasks/\(other.id)/restore").status == 200)
    }

    @Test func `a state's limit counts all who enter together`() async throws {
        let shop = try await Workshop()
        let state = shop.states["In progress"]!
        _ = try await shop.sql(
            "UPDATE project_states SET wip_limit = 2 WHERE company_id = \(shop.company) AND id = \(state)")
        _ = try await shop.sql("UPDATE projects SET wip_policy = 'refuse' WHERE company_id = \(shop.company)")
        var ids: [String] = []
        for index in 0..<3 { ids.append(try await shop.task("Task \(index)").id) }
        let set: JSON = ["set": ["state_id": .string(state.description)]]
        #expect(try await bulk(shop, ids, set).code == "wip-limit-reached")
        var each = set.objectValue ?? [:]
        each["mode"] = "per_item"
        #expect(try await bulk(shop, ids, .object(each)).expect(200).json["changed"] == 2)
    }
}
