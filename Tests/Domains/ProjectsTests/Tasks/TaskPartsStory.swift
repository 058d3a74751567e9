import API
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskPartsStory {
    @Test func `people are assigned one by one, and told once`() async throws {
        let shop = try await Workshop()
        let member = try await shop.owner.colleague(.member)
        let id = try await shop.member(of: member)
        let task = try await shop.task("Write")
        let path = "/v1/tasks/\(task.id)/assignees/\(id)"
        #expect(try await shop.owner.client.put(path, [:]).expect(200).json["assignee_ids"] == [.string(id)])
        #expect(try await shop.owner.client.put(path, [:]).expect(200).json["version"] == 2)
        try await shop.owner.client.put("/v1/tasks/\(task.id)/state", ["state_id": shop.state("In progress")])
            .expect(200)
        let news = try await shop.sql(
            "SELECT type FROM notification_events WHERE company_id = \(shop.company) AND object_id = \(UUID(task.id)) ORDER BY id"
        )
        #expect(
            try news.map { try $0.get("type", as: String.self) } == ["task.assigned", "task.state_changed"])
        let inbox = try await member.client.get("/v1/notifications").expect(200).json
        #expect(Set(inbox.all("title")) == ["WEB-1 is assigned to you", "WEB-1 is in In progress"])
        #expect(try await shop.owner.client.delete(path).status == 204)
        #expect(try await shop.owner.client.delete(path).status == 404)
    }

    @Test func `who watches a task hears of it`() async throws {
        let shop = try await Workshop()
        let watcher = try await shop.owner.colleague(.viewer)
        let task = try await shop.task("Write")
        try await watcher.client.put("/v1/subscriptions/task/\(task.id)", [:]).expect(200)
        try await shop.owner.client.put("/v1/tasks/\(task.id)/state", ["state_id": shop.state("Done")])
            .expect(200)
        #expect(try await watcher.client.get("/v1/notifications").json.all("title") == ["WEB-1 is in Done"])
        try await shop.owner.client.patch("/v1/projects/\(shop.project)", ["visibility": "private"]).expect(
            200)
        try await shop.owner.client.put("/v1/tasks/\(task.id)/state", ["state_id": shop.state("To do")])
            .expect(200)
        #expect(
            try await watcher.client.get("/v1/notifications").json.all("title") == ["WEB-1 is in Done"],
            "what one may not see any more one does not hear of")
        let hidden = try await Workshop.makeProject("SEC", "UTC", "private", by: shop.owner, shop.server).0
        let secret = try await shop.task("Secret", ["project_id": .string(hidden.description)])
        #expect(try await watcher.client.put("/v1/subscriptions/task/\(secret.id)", [:]).status == 404)
    }

    @Test func `progress is summed over all levels without what was cancelled`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task("Epic", ["type": "epic"])
        let part = try await client.post("/v1/tasks/\(task.id)/subtasks", ["title": "Part", "points": 3])
            .expect(201).json
        #expect(part["parent_id"] == .string(task.id))
        for (title, state, points) in [("a", "Done", 2.0), ("b", "Cancelled", 8.0), ("c", "To do", 1.0)] {
            let body: JSON = [
                "title": .string(title), "state_id": shop.state(state), "points": .init(floatLiteral: points),
            ]
            try await client.post("/v1/tasks/\(part.id)/subtasks", body).expect(201)
        }
        let progress = try await client.get("/v1/tasks/\(task.id)/progress").expect(200).json
        #expect(progress["task_count"] == 3 && progress["done_count"] == 1 && progress["percent"] == 33)
        #expect(progress["points"] == 6 && progress["points_done"] == 2)
        #expect(try await client.get("/v1/tasks/\(part.id)/subtasks").json.all("title") == ["a", "b", "c"])
        let read = try await client.get("/v1/tasks/\(part.id)").json
        #expect(read["subtask_count"] == 2 && read["subtask_done_count"] == 1)
    }

    @Test func `a checklist is kept in order and ticked off`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let path = "/v1/tasks/\(try await shop.task("Print").id)/checklist"
        let first = try await client.post(path, ["text": "Ask for a quote"]).expect(201).json
        let last = try await client.post(path, ["text": "Order"]).expect(201).json
        let middle = try await client.post(path, ["text": "Compare", "after": .string(first.id)]).expect(201)
            .json
        #expect(try await client.get(path).json.all("id") == [first.id, middle.id, last.id])
        try await client.patch("\(path)/\(last.id)", ["after": nil]).expect(200)
        let done = try await client.patch("\(path)/\(middle.id)", ["is_done": true, "text": "Compare three"])
            .expect(200).json
        #expect(done["done_at"]?.stringValue != nil)
        try await client.delete("\(path)/\(first.id)").expect(204)
        #expect(try await client.get(path).json.all("text") == ["Order", "Compare three"])
        let task = try await client.get(String(path.dropLast("/checklist".count))).json
        #expect(task["checklist_count"] == 2 && task["checklist_done_count"] == 1)
    }

    @Test func `what blocks never leads back to itself, and a blocked task does not start unless forced`()
        async throws
    {
        let shop = try await Workshop()
        let client = shop.owner.client
        let (a, b, c) = (try await shop.task("A"), try await shop.task("B"), try await shop.task("C"))
        func relate(_ task: JSON, _ kind: String, _ other: JSON) async throws -> Answer {
            try await client.post(
                "/v1/tasks/\(task.id)/relations", ["kind": .string(kind), "task_id": .string(other.id)])
        }
        let first = try await relate(a, "blocks", b).expect(201).json
        #expect(first["task"]?["key"] == "WEB-2")
        try await relate(c, "blocked_by", b).expect(201)
        #expect(try await relate(c, "blocks", a).code == "task-circle")
        #expect(try await relate(b, "blocked_by", a).code == "task-relation-exists")
        try await relate(c, "relates", a).expect(201)
        #expect(try await relate(a, "relates", c).code == "task-relation-exists")
        let seen = try await client.get("/v1/tasks/\(b.id)/relations").expect(200).json
        #expect(Set(seen.all("kind")) == ["blocks", "blocked_by"])
        let read = try await client.get("/v1/tasks/\(b.id)").json
        #expect(
            read["is_blocked"] == true && read["blocked_by"]?[0]?["key"] == "WEB-1"
                && read["blocks"]?[0]?["key"] == "WEB-3")

        let start: JSON = ["state_id": shop.state("In progress")]
        let refused = try await client.put("/v1/tasks/\(b.id)/state", start)
        #expect(refused.code == "task-blocked" && refused.json["blocked_by"] == ["WEB-1"])
        let forced: JSON = ["state_id": shop.state("In progress"), "force": true]
        #expect(
            try await client.put("/v1/tasks/\(b.id)/state", forced).expect(200).json["warnings"] == [
                "blocked"
            ])
        try await client.put("/v1/tasks/\(a.id)/state", ["state_id": shop.state("Done")]).expect(200)
        try await client.put("/v1/tasks/\(b.id)/state", ["state_id": shop.state("Done")]).expect(200)
        #expect(try await client.get("/v1/tasks?is_blocked=true").json.all("id") == [])
        try await client.delete("/v1/tasks/\(b.id)/relations/\(first.id)").expect(204)
        #expect(try await client.get("/v1/tasks/\(a.id)/relations").json.all("kind") == ["relates"])
        let history = try await client.get("/v1/tasks/\(b.id)/history?field=relation.blocked_by").expect(200)
            .json
        #expect(history["data"]?.arrayValue?.map { $0["after"] ?? .null } == [.null, "WEB-1"])
    }

    @Test func `links and files hang on a task, and a file stays while it does`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task("Brief")
        let path = "/v1/tasks/\(task.id)"
        let link = try await client.post(
            "\(path)/links", ["url": "https://example.com/brief", "title": "The brief"]
        ).expect(201).json
        #expect(
            try await client.post("\(path)/links", ["url": "https://example.com/brief"]).code
                == "task-link-exists")
        #expect(try await client.post("\(path)/links", ["title": "Nothing"]).status == 422)
        let thing: JSON = ["object_type": "campaign", "object_id": .string(UUID.v7().description)]
        try await client.post("\(path)/links", thing).expect(201)
        try await client.delete("\(path)/links/\(link.id)").expect(204)
        #expect(try await client.get("\(path)/links").json.all("object_type") == ["campaign"])

        let upload =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"brief.txt\"\r\n"
            + "Content-Type: text/plain\r\n\r\nAll of it.\r\n--b--\r\n"
        let file = try await client.send(
            "POST", "/v1/files", body: Array(upload.utf8), type: "multipart/form-data; boundary=b"
        ).expect(201).json.id
        let attached = try await client.post("\(path)/attachments", ["file_id": .string(file)]).expect(201)
            .json
        #expect(attached["name"] == "brief.txt")
        #expect(
            try await client.post("\(path)/attachments", ["file_id": .string(file)]).code
                == "task-file-attached")
        #expect(try await client.delete("/v1/files/\(file)").code == "file-in-use")
        let url = try await client.get("\(path)/attachments/\(file)/link").expect(200).json.text("url")
        #expect(url.contains("/"))
        let copy = try await client.post("\(path)/duplicate").expect(201).json.id
        #expect(try await client.get("/v1/tasks/\(copy)/attachments").json.all("file_id") == [file])
        try await client.delete("\(path)/attachments/\(file)").expect(204)
        #expect(try await client.get("/v1/tasks/\(copy)/attachments/\(file)/link").status == 200)
        try await client.delete("/v1/tasks/\(copy)/attachments/\(file)").expect(204)
        #expect(try await client.get("\(path)/attachments").json.all("id") == [])
        #expect(try await client.delete("/v1/files/\(file)").status == 204)
    }
}
