import API
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskStory {
    @Test func `an empty choice finds nothing, in lists and on boards`() async throws {
        let shop = try await Workshop()
        let task = try await shop.task("Somewhere", [:])
        for query in ["sprint=", "assignee="] {
            let list = try await shop.owner.client.get("/v1/tasks?\(query)").expect(200).json
            #expect(list["data"] == [])
            let project = try #require(task["project_id"]?.stringValue)
            try await shop.owner.client.get("/v1/projects/\(project)/board?\(query)").expect(200)
        }
    }

    @Test func `a task is made, found, changed and leaves its history`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        try await client.post("/v1/custom-fields", ["kind": "task", "name": "Channel", "type": "text"])
            .expect(201)
        try await client.post("/v1/custom-fields", ["kind": "task", "name": "Size", "type": "number"]).expect(
            201)
        let task = try await shop.task(
            "Write the launch page",
            [
                "description": "Headline, offer, form.", "type": "story", "priority": "high", "points": 2.5,
                "assignee_ids": [.string(shop.member)], "due_on": "2030-07-04", "due_time": "17:30",
                "custom": ["channel": "web"],
            ])
        #expect(task["key"] == "WEB-1" && task["state_name"] == "To do" && task["category"] == "unstarted")
        // Berlin is two hours ahead in July.
        #expect(task["due_at"] == "2030-07-04T15:30:00.000000Z")
        #expect(task["points"] == 2.5 && task["assignee_ids"] == [.string(shop.member)])
        #expect(task["reporter_id"] == .string(shop.member))

        let read = try await client.get("/v1/tasks/by-key/web-1").expect(200)
        #expect(read.json.id == task.id)
        let changed = try await client.with(header: "If-Match", read.header("etag")!).patch(
            "/v1/tasks/\(task.id)",
            [
                "title": "Write the page", "due_on": "2030-12-24", "due_time": nil,
                "custom": ["channel": nil, "size": 4],
            ]
        ).expect(200).json
        // The end of the day in winter.
        #expect(changed["due_at"] == "2030-12-24T23:00:00.000000Z" && changed["due_time"] == .null)
        #expect(changed["custom"] == ["size": 4] && changed["version"] == 2)

        let history = try await shop.sql(
            "SELECT field, after::text FROM task_history WHERE company_id = \(shop.company) AND task_id = \(UUID(task.id)) ORDER BY at, field"
        )
        let fields = try history.map { try $0.get("field", as: String.self) }
        #expect(fields == ["created", "custom.channel", "custom.size", "due_on", "due_time", "title"])
        #expect(try await shop.events(on: task.id) == ["task.created", "task.assigned", "task.updated"])
    }

    @Test func `of two who edit one task at once the second is told so, and nothing is lost`() async throws {
        let shop = try await Workshop()
        let task = try await shop.task("Draft")
        let client = shop.owner.client
        let tag = try await client.get("/v1/tasks/\(task.id)").header("etag")!
        #expect(try await client.patch("/v1/tasks/\(task.id)", ["title": "Blind"]).status == 428)
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for title in ["Ada's", "Grace's"] {
                group.addTask {
                    try await client.with(header: "If-Match", tag).patch(
                        "/v1/tasks/\(task.id)", ["title": .string(title)])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.map(\.status).sorted() == [200, 412])
        let won = try #require(answers.first { $0.status == 200 })
        let now = try await client.get("/v1/tasks/\(task.id)").json
        #expect(now["title"] == won.json["title"] && now["version"] == 2)
    }

    @Test func `numbers are never given twice, however many make tasks at once`() async throws {
        let shop = try await Workshop()
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<40 { group.addTask { try await shop.task("Task \(index)").text("key") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(keys) == Set((1...40).map { "WEB-\($0)" }))
        let ranks = try await shop.owner.client.get("/v1/tasks?sort=rank&limit=100").json.all("rank")
        #expect(Set(ranks).count == 40)
    }

    @Test func `what a task points at must be there`() async throws {
        let shop = try await Workshop()
        let stranger = try await Workshop()
        let alien = try await stranger.task("Elsewhere")
        func refusal(_ more: JSON) async throws -> String? {
            var body: JSON.Object = ["project_id": .string(shop.project.description), "title": "X"]
            for (key, value) in more.objectValue?.members ?? [] { body[key] = value }
            let answer = try await shop.owner.client.post("/v1/tasks", .object(body))
            return answer.status == 422
                ? answer.json["errors"]?[0]?["pointer"]?.stringValue : answer.description
        }
        #expect(try await refusal(["parent_id": .string(alien.id)]) == "/parent_id")
        #expect(try await refusal(["state_id": stranger.state("Done")]) == "/state_id")
        #expect(try await refusal(["sprint_id": .string(UUID.v7().description)]) == "/sprint_id")
        #expect(try await refusal(["assignee_ids": [.string(stranger.member)]]) == "/assignee_ids")
        #expect(try await refusal(["reporter_id": .string(stranger.member)]) == "/reporter_id")
        #expect(try await refusal(["start_on": "2030-02-02", "due_on": "2030-02-01"]) == "/due_on")
        #expect(try await refusal(["due_time": "09:00"]) == "/due_time")
        let elsewhere: JSON = ["project_id": .string(stranger.project.description), "title": "X"]
        #expect(try await shop.owner.client.post("/v1/tasks", elsewhere).status == 404)
    }

    @Test func `lists are filtered, sorted and searched`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let done = try await shop.task(
            "Ship the newsletter", ["state_id": shop.state("Done"), "priority": "low"])
        let late = try await shop.task(
            "Design: banner/hero (März)",
            ["due_on": "2020-01-01", "priority": "urgent", "assignee_ids": [.string(shop.member)]])
        let child = try await shop.task("Pick colours", ["parent_id": .string(late.id), "type": "bug"])
        func keys(_ query: String) async throws -> [String] {
            try await client.get("/v1/tasks?sort=number&\(query)").expect(200).json.all("key")
        }
        #expect(try await keys("") == ["WEB-1", "WEB-2", "WEB-3"])
        #expect(try await keys("category=completed") == ["WEB-1"])
        #expect(try await keys("is_overdue=true") == ["WEB-2"])
        #expect(try await keys("is_overdue=false") == ["WEB-1", "WEB-3"])
        #expect(try await keys("assignee=me") == ["WEB-2"])
        #expect(try await keys("assignee=none") == ["WEB-1", "WEB-3"])
        #expect(try await keys("assignee=me,none") == ["WEB-1", "WEB-2", "WEB-3"])
        #expect(try await keys("parent=\(late.id)") == ["WEB-3"])
        #expect(try await keys("parent=none") == ["WEB-1", "WEB-2"])
        #expect(try await keys("type=bug,epic") == ["WEB-3"])
        #expect(try await keys("sprint=none&priority=low") == ["WEB-1"])
        #expect(try await keys("due_on%5Blt%5D=2021-01-01") == ["WEB-2"])
        #expect(try await keys("completed_at%5Bgte%5D=2020-01-01T00:00:00Z") == ["WEB-1"])
        #expect(
            try await keys("project_id=\(shop.project)&state_id=\(shop.states["To do"]!)") == [
                "WEB-2", "WEB-3",
            ])
        #expect(try await keys("q=desi%20b%C3%A4nn") == ["WEB-2"])
        #expect(try await keys("q=desi%20bunn") == [])
        #expect(try await keys("q=desi%20BANN") == ["WEB-2"])
        #expect(try await keys("q=m%C3%A4rz") == ["WEB-2"])
        #expect(try await keys("q=hero%27%20%7C%20%26%21:*") == ["WEB-2"])
        #expect(try await keys("q=web-3") == ["WEB-3"])
        #expect(try await keys("q=3") == ["WEB-3"])
        #expect(try await keys("archived=yes") == [])
        let byPriority = try await client.get("/v1/tasks?sort=priority_rank").json.all("key")
        #expect(byPriority == ["WEB-2", "WEB-1", "WEB-3"])
        let byDue = try await client.get("/v1/tasks?sort=due&limit=1").json
        #expect(byDue.all("id") == [late.id])
        let next = try #require(byDue["page"]?["next_cursor"]?.stringValue)
        #expect(
            try await client.get("/v1/tasks?sort=due&cursor=\(next)").json.all("id").sorted()
                == [done.id, child.id].sorted())
        let whole = try await client.get("/v1/tasks?expand=project,assignees,parent,sprint,reporter&q=pick")
            .expect(200).json["data"]?[0]
        #expect(
            whole?["project"]?["key"] == "WEB" && whole?["parent"]?["title"] == late["title"]
                && whole?["sprint"] == .null)
        #expect(whole?["assignees"] == [] && whole?["reporter"]?["id"] == .string(shop.member))
        let plain = Client(port: shop.server.port, token: shop.owner.token)
        #expect(
            try await plain.get("/v1/tasks?fields=key,title&limit=1").json["data"]?[0]?.objectValue?.count
                == 2)
    }

    @Test func `only who may contribute changes tasks, and a private project is not there for others`()
        async throws
    {
        let shop = try await Workshop()
        let hidden = try await Workshop.makeProject("SEC", "UTC", "private", by: shop.owner, shop.server).0
        let viewer = try await shop.owner.colleague(.viewer)
        let member = try await shop.owner.colleague(.member)
        let open = try await shop.task("Open", by: member)
        let secret = try await shop.task("Secret", ["project_id": .string(hidden.description)])
        #expect(try await viewer.client.get("/v1/tasks").json.all("id") == [open.id])
        #expect(try await viewer.client.get("/v1/tasks/\(secret.id)").status == 404)
        #expect(try await viewer.client.get("/v1/tasks/by-key/SEC-1").status == 404)
        let body: JSON = ["project_id": .string(shop.project.description), "title": "No"]
        #expect(try await viewer.client.post("/v1/tasks", body).status == 403)
        #expect(try await viewer.client.delete("/v1/tasks/\(open.id)").status == 403)
        #expect(try await member.client.delete("/v1/tasks/\(secret.id)").status == 404)
        let outsider: JSON = ["assignee_ids": [.string(try await shop.member(of: member))]]
        let refused = try await shop.owner.client.with(header: "If-Match", "\"1\"").patch(
            "/v1/tasks/\(secret.id)", outsider)
        #expect(refused.status == 422)
        _ = try await shop.sql(
            "UPDATE projects SET status = 'archived', archived_at = now() WHERE company_id = \(shop.company) AND id = \(shop.project)"
        )
        #expect(try await member.client.post("/v1/tasks", body).code == "project-archived")
    }
}
