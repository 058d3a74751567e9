import API
import App
import Postgres
import TestSupport
import Testing
import Wire

/// Tasks and projects with what all things share: comments, tags, fields, imports, exports, calendars, search.
@Suite struct RegisteredStory {
    private func task(_ world: World, _ project: String, _ more: JSON.Object = [:], by person: Person? = nil)
        async throws -> JSON
    {
        var body: JSON.Object = ["project_id": .string(project), "title": "Write the page"]
        for (key, value) in more.members { body[key] = value }
        return try await (person ?? world.owner).client.post("/v1/tasks", .object(body)).expect(201).json
    }

    private func say(_ text: String, on kind: String, _ id: String, by person: Person) async throws -> Answer
    {
        try await person.client.post(
            "/v1/comments", ["subject_kind": .string(kind), "subject_id": .string(id), "body": .string(text)])
    }

    @Test func `a task is discussed among those who see its project, and nobody else`() async throws {
        let world = try await World()
        let (insider, outsider) = (
            try await world.owner.colleague(.member), try await world.owner.colleague(.member)
        )
        let project = try await world.project("Secret launch", ["visibility": "private"])
        let id = try await task(world, project).text("id")
        let (inside, outside) = (try await insider.member(), try await outsider.member())
        let company = UUID(world.owner.companyId!)!
        _ = try await world.server.instance.database.query(
            """
            INSERT INTO project_members (company_id, project_id, member_id, role)
            VALUES (\(company), \(UUID(project)!), \(UUID(inside)!), 'commenter')
            """, as: Tenant(company: company, user: nil))
        #expect(try await say("<@\(inside)>, ready?", on: "task", id, by: world.owner).status == 201)
        #expect(try await say("<@\(outside)>?", on: "task", id, by: world.owner).status == 422)
        #expect(try await say("Yes", on: "task", id, by: insider).status == 201)
        #expect(try await say("Me?", on: "task", id, by: outsider).status == 404)
        #expect(try await say("On the whole", on: "project", project, by: insider).status == 201)
        let news =
            try await insider.client.get("/v1/notifications").expect(200).json["data"]?.arrayValue ?? []
        let told = news.filter { $0["type"] == "comment.mentioned" }
        #expect(told.count == 1 && told[0]["link"]?.stringValue?.hasPrefix("/tasks/") == true)
        #expect(try await outsider.client.get("/v1/search?q=write").expect(200).texts("kind").isEmpty)
        #expect(try await insider.client.get("/v1/search?q=write").expect(200).texts("kind") == ["task"])
        #expect(try await insider.client.get("/v1/search?q=secret").expect(200).texts("kind") == ["project"])
    }

    @Test func `a viewer of a project reads what is said and says nothing`() async throws {
        let world = try await World()
        let viewer = try await world.owner.colleague(.viewer)
        let project = try await world.project()
        let id = try await task(world, project).text("id")
        #expect(try await say("Hm", on: "task", id, by: viewer).status == 403)
        #expect(try await viewer.client.get("/v1/comments?subject_kind=task&subject_id=\(id)").status == 200)
    }

    @Test func `tasks come in as a table, with states, people, tags and fields, and go again`() async throws {
        let world = try await World()
        let grace = try await world.owner.colleague(.member)
        let project = try await world.project()
        let field: JSON = [
            "kind": "task", "scope_id": .string(project), "name": "Channel", "type": "select",
            "options": [["name": "Print"], ["name": "Web"]],
        ]
        try await world.owner.client.post("/v1/custom-fields", field).expect(201)
        let csv = """
            Title;Status;Assignee;Labels;Due date;Story points;Channel
            Poster;In progress;\(grace.email.uppercased());Print, Launch;2026-12-01;2,5;print
            Flyer;Somewhere;nobody@example.com;;01.12.2026;2.5;radio
            Page;;;Launch;2026-12-02;2.5;web
            """
        let upload: JSON = ["kind": "task", "target": ["project_id": .string(project)], "csv": .string(csv)]
        let id = try await world.owner.client.post("/v1/imports", upload).expect(201).json.text("id")
        try await world.owner.client.post("/v1/imports/\(id)/start").expect(202)
        let done = try await state(of: id, "done", world)
        #expect(done["created_count"] == 1 && done["failed_count"] == 2)
        let failed =
            try await world.owner.client.get("/v1/imports/\(id)/rows?state=failed&sort=n").json["data"]?
            .arrayValue ?? []
        let columns = failed.map { ($0["faults"]?.arrayValue ?? []).compactMap { $0["column"]?.stringValue } }
        #expect(columns[0] == ["points"])
        #expect(Set(columns[1]) == ["state", "assignees", "due_on", "custom.channel"])
        let page = try await world.owner.client.get("/v1/tasks?project_id=\(project)").expect(200)
        #expect(page.texts("title") == ["Page"])
        #expect(
            page.json["data"]?[0]?["custom"] == ["channel": "web"] && page.json["data"]?[0]?["points"] == 2.5)
        #expect(try await world.owner.client.get("/v1/tags?sort=name").json["data"]?[0]?["uses"] == 1)
        try await world.owner.client.post("/v1/imports/\(id)/undo").expect(202)
        #expect(try await state(of: id, "undone", world)["undone_count"] == 1)
        #expect(try await world.owner.client.get("/v1/tasks?project_id=\(project)").texts("title").isEmpty)
    }

    private func state(of id: String, _ state: String, _ world: World) async throws -> JSON {
        try await eventually {
            let found = try await world.owner.client.get("/v1/imports/\(id)").expect(200).json
            return found["state"] == .string(state) ? .some(found) : .none
        }
    }

    @Test func `tasks go out with names for ids, as the list is filtered`() async throws {
        let world = try await World()
        let grace = try await world.owner.colleague(.member, name: "Grace Hopper")
        let project = try await world.project()
        let member = try await grace.member()
        _ = try await task(
            world, project,
            ["title": "Hers", "assignee_ids": [.string(member)], "due_on": "2026-12-01", "points": 3])
        _ = try await task(world, project, ["title": "Nobody's"])
        let body: JSON = [
            "kind": "task", "format": "csv", "columns": ["title", "state", "assignees", "due_on", "points"],
            "filter": ["assignee": [.string(member)], "project_id": [.string(project)]],
        ]
        let taken = try await world.owner.client.post("/v1/exports/direct", body).expect(200)
        #expect(taken.text == "Title,State,Assignees,Due,Points\r\nHers,To do,Grace Hopper,2026-12-01,3\r\n")
        let mine: JSON = [
            "kind": "task", "format": "csv", "columns": ["title"], "filter": ["assignee": ["me"]],
        ]
        #expect(
            try await grace.client.post("/v1/exports/direct", mine).expect(200).text == "Title\r\nHers\r\n")
        let view: JSON = [
            "kind": "task", "name": "Mine", "filter": ["assignee": ["me"], "priority": ["high"]],
            "group_by": "state",
        ]
        #expect(try await grace.client.post("/v1/saved-views", view).status == 201)
    }

    @Test func `what is due stands in the calendar of whom it is assigned to`() async throws {
        let world = try await World()
        let grace = try await world.owner.colleague(.member)
        let project = try await world.project()
        let soon = LocalDate(daysSince1970: Int(Timestamp.now.seconds / 86_400) + 3).description
        _ = try await task(
            world, project,
            ["title": "Hers", "assignee_ids": [.string(try await grace.member())], "due_on": .string(soon)])
        _ = try await task(
            world, project, ["title": "Nobody's", "due_on": .string(soon), "due_time": "17:30"])
        let url = try await grace.client.post("/v1/calendar/feeds", ["name": "Mine"]).expect(201).json.text(
            "url")
        let path = String(url[(url.range(of: "/v1/")!.lowerBound)...])
        let feed = try await world.server.client.get(path).expect(200).text
        #expect(feed.contains("Hers\r\n") && !feed.contains("Nobody"))
        let window = "/v1/calendar?from=\(soon)T00:00:00Z&to=\(soon)T23:59:59Z&kinds=task"
        let entries = try await grace.client.get(window).expect(200).json["data"]?.arrayValue ?? []
        #expect(entries.contains { $0["starts_at"]?.stringValue != nil })
    }
}
