import API
import TestSupport
import Testing
import Wire

/// Projects made from templates, and templates made from projects.
@Suite struct TemplateStory {
    @Test func `a webinar is planned from the built-in template`() async throws {
        let world = try await World()
        let client = world.owner.client
        let templates = try await client.get("/v1/project-templates/built-in").expect(200)
        #expect(templates.texts("key") == ["product-launch", "webinar", "content-piece"])
        let webinar = try await client.get("/v1/project-templates/built-in/webinar").expect(200)
        #expect(webinar.json["content"]?["tasks"]?.arrayValue?.count == 9)
        let order: JSON = ["name": "Webinar in June", "start_on": "2026-06-01"]
        #expect(
            try await client.post("/v1/project-templates/built-in/opera/instantiate", order).status == 404)
        let project = try await client.post("/v1/project-templates/built-in/webinar/instantiate", order)
            .expect(201)
        #expect(project.json["key"] == "WIJ" && project.json["status"] == "draft")
        let id = try project.json.text("id")
        let milestones = try await client.get("/v1/projects/\(id)/milestones").expect(200)
        #expect(milestones.texts("due_on") == ["2026-06-11", "2026-06-29"])
        #expect((milestones.json["data"]?.arrayValue ?? []).map { $0["tasks"]?.intValue } == [3, 4])
        let tasks = try await client.get("/v1/tasks?project_id=\(id)&limit=50").expect(200)
        #expect(tasks.texts("title").count == 9 && tasks.texts("due_on").contains("2026-06-29"))
    }

    @Test func `a project is saved as a template and comes out of it the same, other days`() async throws {
        let world = try await World()
        let client = world.owner.client
        let project = try await world.project("Issue", ["start_on": "2026-03-02"])
        try await client.post(
            "/v1/projects/\(project)/states", ["name": "At the printer", "category": "started"]
        ).expect(201)
        try await client.post(
            "/v1/projects/\(project)/milestones", ["name": "Printed", "due_on": "2026-03-12"]
        ).expect(201)
        let parent = try await client.post(
            "/v1/tasks",
            ["project_id": .string(project), "title": "Write", "points": 2.5, "due_on": "2026-03-05"]
        ).expect(201).json.text("id")
        try await client.post(
            "/v1/tasks", ["project_id": .string(project), "title": "Correct", "parent_id": .string(parent)]
        ).expect(201)
        let saved = try await client.post("/v1/projects/\(project)/template", ["name": "Issue"]).expect(201)
        let content = try #require(saved.json["content"])
        #expect(
            content["tasks"]?[0]?["points"]?.doubleValue == 2.5 && content["tasks"]?[0]?["due_day"] == 3,
            "\(content)")
        #expect(content["tasks"]?[1]?["parent"] == 0 && content["milestones"]?[0]?["day"] == 10)
        #expect(
            try await client.post("/v1/projects/\(project)/template", ["name": "issue"]).code
                == "template-name-taken")
        let copy = try await client.post(
            "/v1/project-templates/\(try saved.json.text("id"))/instantiate",
            ["name": "Issue two", "start_on": "2026-04-06"]
        ).expect(201).json.text("id")
        #expect(try await client.get("/v1/projects/\(copy)/states").texts("name").contains("At the printer"))
        let tasks =
            try await client.get("/v1/tasks?project_id=\(copy)").expect(200).json["data"]?.arrayValue ?? []
        #expect(tasks.first { $0["title"] == "Write" }?["due_on"] == "2026-04-09")
        let child = tasks.first { $0["title"] == "Correct" }
        let again = try await client.post(
            "/v1/projects/\(project)/duplicate",
            ["name": "Issue three", "with_tasks": true, "start_on": "2026-05-04"]
        ).expect(201).json.text("id")
        #expect(try await client.get("/v1/projects/\(again)/milestones").texts("due_on") == ["2026-05-14"])
        let moved = try await client.get("/v1/tasks?project_id=\(again)").expect(200)
        #expect(moved.texts("due_on") == ["2026-05-07"] && moved.texts("title").count == 2, "\(moved)")
        #expect(child?["parent_id"] == tasks.first { $0["title"] == "Write" }?["id"])
    }

    @Test func `a template that refers to nothing is refused at its place`() async throws {
        let world = try await World()
        let answer = try await world.owner.client.post(
            "/v1/project-templates",
            [
                "name": "Broken",
                "content": [
                    "tasks": [["title": "One", "parent": 3, "milestone": 0, "start_day": 5, "due_day": 1]]
                ],
            ])
        let pointers = (answer.json["errors"]?.arrayValue ?? []).compactMap { $0["pointer"]?.stringValue }
        #expect(answer.status == 422)
        #expect(
            pointers == [
                "/content/tasks/0/parent", "/content/tasks/0/milestone", "/content/tasks/0/due_day",
            ], "\(answer)")
        let own = try await world.owner.client.post(
            "/v1/project-templates", ["name": "Own", "content": ["tasks": [["title": "One"]]]]
        ).expect(201).json.text("id")
        try await world.owner.client.patch("/v1/project-templates/\(own)", ["name": "Ours"]).expect(200)
        try await world.owner.client.delete("/v1/project-templates/\(own)").expect(204)
        #expect(try await world.owner.client.get("/v1/project-templates/\(own)").status == 404)
    }
}
