import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskSharedStory {
    @Test func `tasks bear tags and fields, and are found by them`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let tag = try await client.post("/v1/tags", ["name": "Launch"]).expect(201).json.id
        let field: JSON = [
            "kind": "task", "scope_id": .string(shop.project.description), "name": "Size", "type": "select",
            "options": [["name": "Small"], ["name": "Large"]],
        ]
        try await client.post("/v1/custom-fields", field).expect(201)
        let task = try await shop.task("Poster", ["tag_ids": [.string(tag)], "custom": ["size": "large"]])
        _ = try await shop.task("Flyer", ["custom": ["size": "small"]])
        #expect(task["tag_ids"] == [.string(tag)] && task["custom"] == ["size": "large"])
        func found(_ query: String) async throws -> [String] {
            try await client.get("/v1/tasks?\(query)").expect(200).json.all("id")
        }
        #expect(try await found("tag=\(tag)") == [task.id])
        #expect(try await found("custom%5Bsize%5D=large") == [task.id])
        #expect(try await client.get("/v1/tasks?custom%5Bweight%5D=1").status == 422)
        let wrong: JSON = [
            "project_id": .string(shop.project.description), "title": "X", "custom": ["size": "huge"],
        ]
        #expect(try await client.post("/v1/tasks", wrong).json["errors"]?[0]?["pointer"] == "/custom/size")
        let bulk: JSON = ["task_ids": [.string(task.id)], "set": ["remove_tag_ids": [.string(tag)]]]
        #expect(try await client.post("/v1/tasks/bulk", bulk).expect(200).json["changed"] == 1)
        let changed = try await client.with(header: "If-Match", "*").patch(
            "/v1/tasks/\(task.id)", ["custom": ["size": nil]])
        #expect(changed.json["custom"] == [:] && changed.json["tag_ids"] == [])
        let history = try await client.get("/v1/tasks/\(task.id)/history").json.all("field")
        #expect(Set(history) == ["created", "tags", "custom.size"])
    }

    @Test func `a task bears thirty tags and no more, however they are added`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        var tags: [JSON] = []
        for index in 0..<31 {
            tags.append(
                .string(
                    try await client.post("/v1/tags", ["name": .string("Tag \(index)")]).expect(201).json.id))
        }
        let task = try await shop.task("Poster", ["tag_ids": .array(Array(tags.prefix(30)))])
        let bulk: JSON = ["task_ids": [.string(task.id)], "set": ["add_tag_ids": [tags[30]]]]
        #expect(try await client.post("/v1/tasks/bulk", bulk).code == "too-many-task-parts")
        let swap: JSON = [
            "task_ids": [.string(task.id)], "set": ["add_tag_ids": [tags[30]], "remove_tag_ids": [tags[0]]],
        ]
        #expect(try await client.post("/v1/tasks/bulk", swap).expect(200).json["changed"] == 1)
    }

    @Test func `a table brings sub-tasks, and a parent that is not there is a fault of its row`() async throws
    {
        let shop = try await Workshop()
        let client = shop.owner.client
        let parent = try await shop.task("Campaign")
        let csv = "Title,Parent\nPoster,web-1\nFlyer,WEB-99\n"
        let made: JSON = [
            "kind": "task", "csv": .string(csv), "target": ["project_id": .string(shop.project.description)],
        ]
        let path = "/v1/imports/\(try await client.post("/v1/imports", made).expect(201).json.id)"
        try await client.post("\(path)/start").expect(202)
        let done = try await eventually(within: .seconds(20)) {
            let found = try await client.get(path).expect(200).json
            return found["state"] == "done" ? .some(found) : .none
        }
        #expect(done["created_count"] == 1 && done["failed_count"] == 1)
        #expect(try await client.get("/v1/tasks?parent=\(parent.id)").json.all("title") == ["Poster"])
    }
}
