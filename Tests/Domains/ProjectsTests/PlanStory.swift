import API
import TestSupport
import Testing
import Wire

/// Milestones and goals: set, measured and reached.
@Suite struct PlanStory {
    private func task(_ title: String, in project: String, _ world: World, isDone: Bool = false) async throws
        -> String
    {
        let states = try await world.owner.client.get("/v1/projects/\(project)/states").expect(200).texts(
            "id")
        return try await world.owner.client.post(
            "/v1/tasks",
            [
                "project_id": .string(project), "title": .string(title),
                "state_id": .string(states[isDone ? 4 : 1]),
            ]
        ).expect(201).json.text("id")
    }

    @Test func `tasks are listed by their milestone, and leave it and their goal with their project`()
        async throws
    {
        let world = try await World()
        let client = world.owner.client
        let (project, other) = (try await world.project("Site"), try await world.project("Other"))
        let path = "/v1/projects/\(project)"
        let milestone = try await client.post(
            "\(path)/milestones", ["name": "Design", "due_on": "2026-01-10"]
        ).expect(201).json.text("id")
        let goal = try await client.post("\(path)/goals", ["name": "Readers"]).expect(201).json.text("id")
        let (one, two) = (
            try await task("One", in: project, world, isDone: true), try await task("Two", in: project, world)
        )
        try await client.send("PUT", "\(path)/milestones/\(milestone)/tasks/\(one)", nil).expect(204)
        try await client.send("PUT", "\(path)/goals/\(goal)/tasks/\(one)", nil).expect(204)
        #expect(try await client.get("/v1/tasks?milestone=\(milestone)").texts("id") == [one])
        #expect(
            try await client.get("\(path)/goals").expect(200).json["data"]?[0]?["progress_percent"]?
                .doubleValue == 100)
        #expect(try await client.get("/v1/tasks?milestone=none").texts("id") == [two])
        #expect(try await Set(client.get("/v1/tasks?milestone=none,\(milestone)").texts("id")) == [one, two])
        try await client.post("/v1/tasks/\(one)/move", ["project_id": .string(other)]).expect(200)
        try await client.post("/v1/tasks/\(one)/move", ["project_id": .string(project)]).expect(200)
        #expect(try await client.get("/v1/tasks?milestone=\(milestone)").texts("id") == [])
        #expect(
            try await client.get("\(path)/goals").expect(200).json["data"]?[0]?["progress_percent"]?
                .doubleValue == 0)
    }

    @Test func `a milestone is measured by its tasks, reached and told`() async throws {
        let world = try await World()
        let client = world.owner.client
        let member = try await world.owner.colleague(.member)
        let project = try await world.project("Site")
        let path = "/v1/projects/\(project)/milestones"
        try await client.post(
            "/v1/projects/\(project)/members",
            ["member_id": .string(try await member.member()), "role": "contributor"]
        ).expect(201)
        let id = try await client.post(path, ["name": "Design", "due_on": "2026-01-10"]).expect(201).json
            .text("id")
        let (one, two) = (
            try await task("One", in: project, world, isDone: true), try await task("Two", in: project, world)
        )
        for task in [one, two] {
            try await member.client.send("PUT", "\(path)/\(id)/tasks/\(task)", nil).expect(204)
        }
        let half = try #require(try await client.get(path).expect(200).json["data"]?.arrayValue?.first)
        #expect(half["progress_percent"]?.doubleValue == 50 && half["is_overdue"] == true, "\(half)")
        try await member.client.delete("\(path)/\(id)/tasks/\(two)").expect(204)
        #expect(try await member.client.patch("\(path)/\(id)", ["is_completed": true]).status == 403)
        let reached = try await client.patch("\(path)/\(id)", ["is_completed": true]).expect(200).json
        #expect(reached["is_completed"] == true && reached["is_overdue"] == false && reached["tasks"] == 1)
        #expect(try await member.client.get("/v1/notifications").texts("title").contains("Site: Design"))
        #expect(try await client.get("\(path)?is_completed=false").texts("id") == [])
        let foreign = try await task("Elsewhere", in: try await world.project("Other"), world)
        #expect(try await client.send("PUT", "\(path)/\(id)/tasks/\(foreign)", nil).status == 404)
        try await client.delete("\(path)/\(id)").expect(204)
    }

    @Test func `a goal is a value told by hand, or tasks that are counted`() async throws {
        let world = try await World()
        let client = world.owner.client
        let member = try await world.owner.colleague(.member)
        let project = try await world.project()
        let path = "/v1/projects/\(project)/goals"
        let value = try await client.post(
            path, ["name": "Subscribers", "target_value": 200, "unit": "people"]
        )
        .expect(201).json.text("id")
        let told = try await member.client.patch("\(path)/\(value)", ["current_value": 50]).expect(200).json
        #expect(told["progress_percent"]?.doubleValue == 25 && told["is_reached"] == false)
        #expect(try await member.client.patch("\(path)/\(value)", ["target_value": 50]).status == 403)
        #expect(
            try await client.patch("\(path)/\(value)", ["target_value": 50]).expect(200).json["is_reached"]
                == true)
        let counted = try await client.post(path, ["name": "All pages"]).expect(201).json.text("id")
        let page = try await task("Page", in: project, world, isDone: true)
        try await client.send("PUT", "\(path)/\(counted)/tasks/\(page)", nil).expect(204)
        #expect(try await client.patch("\(path)/\(counted)", ["current_value": 1]).status == 422)
        #expect(
            try await client.get("\(path)?is_reached=true&sort=name").texts("name") == [
                "All pages", "Subscribers",
            ])
    }
}
