import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct TaskFlowStory {
    @Test func `a task goes through the states, and is done exactly while its state says so`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task("Ship")
        let done = try await client.put("/v1/tasks/\(task.id)/state", ["state_id": shop.state("Done")])
            .expect(200).json
        #expect(done["warnings"] == [] && done["task"]?["category"] == "completed")
        #expect(done["task"]?["completed_at"]?.stringValue != nil)
        let again = try await client.put("/v1/tasks/\(task.id)/state", ["state_id": shop.state("In review")])
            .json
        #expect(again["task"]?["completed_at"] == .null && again["task"]?["version"] == 3)
        let flow = try await shop.sql(
            "SELECT category FROM task_flow WHERE company_id = \(shop.company) AND task_id = \(UUID(task.id)) ORDER BY at, id"
        )
        #expect(
            try flow.map { try $0.get("category", as: String.self) } == ["unstarted", "completed", "started"])
        #expect(
            try await shop.events(on: task.id).filter { $0 != "task.updated" }
                == ["task.created", "task.state_changed", "task.completed", "task.state_changed"])
        let alien = try await Workshop()
        #expect(
            try await client.put("/v1/tasks/\(task.id)/state", ["state_id": alien.state("Done")]).status
                == 422)
    }

    @Test func `a full state warns, or refuses where the project has it so`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let state = shop.states["In progress"]!
        _ = try await shop.sql(
            "UPDATE project_states SET wip_limit = 1 WHERE company_id = \(shop.company) AND id = \(state)")
        let body: JSON = ["state_id": .string(state.description)]
        func enter(_ body: JSON) async throws -> Answer {
            try await client.put("/v1/tasks/\(try await shop.task("Work").id)/state", body)
        }
        #expect(try await enter(body).expect(200).json["warnings"] == [])
        #expect(try await enter(body).expect(200).json["warnings"] == ["wip_limit_exceeded"])
        _ = try await shop.sql(
            "UPDATE projects SET wip_policy = 'refuse' WHERE company_id = \(shop.company) AND id = \(shop.project)"
        )
        #expect(try await enter(body).code == "wip-limit-reached")
        let forced: JSON = ["state_id": .string(state.description), "force": true]
        #expect(try await enter(forced).expect(200).json["warnings"] == ["wip_limit_exceeded"])
    }

    @Test func `a hundred parallel re-orderings end in one consistent order`() async throws {
        let shop = try await Workshop()
        var ids: [String] = []
        for index in 0..<10 { ids.append(try await shop.task("Task \(index)").id) }
        let tasks = ids
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<100 {
                let task = tasks[index % 10]
                let other = tasks[(index * 7 + 3) % 10]
                group.addTask {
                    let body: JSON =
                        index.isMultiple(of: 2) ? ["before": .string(other)] : ["after": .string(other)]
                    return try await shop.owner.client.put("/v1/tasks/\(task)/rank", body).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let selves = (0..<100).filter { $0 % 10 == ($0 * 7 + 3) % 10 }.count
        #expect(statuses.count { $0 == 200 } == 100 - selves)
        let list = try await shop.owner.client.get("/v1/tasks?sort=rank").json
        #expect(Set(list.all("id")) == Set(ids))
        let ranks = list.all("rank")
        #expect(
            Set(ranks).count == 10 && ranks == ranks.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(ranks.allSatisfy { Rank($0) != nil })
        // What is said last holds.
        let moved = try await shop.owner.client.put("/v1/tasks/\(ids[4])/rank", ["after": .string(ids[7])])
            .expect(200)
        #expect(moved.json.id == ids[4])
        let order = try await shop.owner.client.get("/v1/tasks?sort=rank").json.all("id")
        #expect(order.firstIndex(of: ids[4]) == order.firstIndex(of: ids[7]).map { $0 + 1 })
    }

    @Test func `keys that have grown long are dealt anew in the same order`() async throws {
        let shop = try await Workshop()
        var ids: [String] = []
        for index in 0..<4 { ids.append(try await shop.task("Task \(index)").id) }
        // Two that are so close that what comes between them is longer than keys may be.
        let close = "a0" + String(repeating: "0", count: TaskLimits.rankLengthMax - 2)
        _ = try await shop.sql(
            "UPDATE tasks SET rank = \(close + "1") WHERE company_id = \(shop.company) AND id = \(UUID(ids[0]))"
        )
        _ = try await shop.sql(
            "UPDATE tasks SET rank = \(close + "2") WHERE company_id = \(shop.company) AND id = \(UUID(ids[1]))"
        )
        try await shop.owner.client.put("/v1/tasks/\(ids[3])/rank", ["after": .string(ids[0])]).expect(200)
        let list = try await shop.owner.client.get("/v1/tasks?sort=rank").json
        #expect(list.all("id") == [ids[0], ids[3], ids[1], ids[2]])
        #expect(list.all("rank").allSatisfy { $0.utf8.count < 6 })
    }

    @Test func `the board shows columns with all they hold counted and their first tasks`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let first = try await shop.task(
            "One", ["points": 2, "assignee_ids": [.string(shop.member)], "priority": "urgent"])
        let second = try await shop.task("Two", ["points": 1.5])
        _ = try await shop.task("Three", ["state_id": shop.state("Done")])
        let path = "/v1/projects/\(shop.project)/board"
        let board = try await client.get("\(path)?limit=1").expect(200).json
        let columns = board["columns"]?.arrayValue ?? []
        #expect(
            columns.compactMap { $0["name"]?.stringValue } == [
                "Backlog", "To do", "In progress", "In review", "Done", "Cancelled",
            ])
        #expect(columns[1]["count"] == 2 && columns[1]["points"]?.doubleValue == 3.5)
        #expect(columns[1]["tasks"]?.arrayValue?.map(\.id) == [first.id])
        let move: JSON = ["state_id": shop.state("Done"), "before": .string(second.id)]
        try await client.put("/v1/tasks/\(first.id)/state", move).expect(200)
        let people =
            try await client.get("\(path)?group_by=assignee").expect(200).json["columns"]?.arrayValue ?? []
        #expect(people.map(\.id) == ["none", shop.member] && people.map { $0["count"]?.intValue } == [2, 1])
        let priorities =
            try await client.get("\(path)?group_by=priority&category=completed").json["columns"]?.arrayValue
            ?? []
        #expect(priorities.map { $0["count"]?.intValue } == [1, 0, 0, 0, 1])
        let outsider = try await Workshop()
        #expect(try await outsider.owner.client.get(path).status == 404)
    }

    @Test func `a task that moves takes its sub-tasks along, and its old key still leads to it`() async throws
    {
        let shop = try await Workshop()
        let client = shop.owner.client
        let (other, _) = try await Workshop.makeProject("APP", "UTC", "company", by: shop.owner, shop.server)
        let task = try await shop.task(
            "Parent", ["state_id": shop.state("In review"), "due_on": "2030-01-10"])
        let child = try await shop.task("Child", ["parent_id": .string(task.id)])
        let grandchild = try await shop.task("Grandchild", ["parent_id": .string(child.id)])
        try await client.delete("/v1/tasks/\(grandchild.id)").expect(204)
        let moved = try await client.post(
            "/v1/tasks/\(task.id)/move", ["project_id": .string(other.description)]
        ).expect(200).json
        #expect(moved["key"] == "APP-1" && moved["state_name"] == "In review")
        // The end of the day in the other project's zone.
        #expect(moved["due_at"] == "2030-01-11T00:00:00.000000Z")
        #expect(try await client.get("/v1/tasks/by-key/WEB-1").expect(200).json["key"] == "APP-1")
        #expect(try await client.get("/v1/tasks?q=web-2").json.all("id") == [child.id])
        #expect(try await client.get("/v1/tasks/\(child.id)").json["parent_id"] == .string(task.id))
        #expect(
            try await client.post("/v1/tasks/\(task.id)/move", ["project_id": .string(other.description)])
                .code
                == "task-in-this-project")
        // Whatever comes next in the old project has a number of its own.
        #expect(try await shop.task("Next")["key"] == "WEB-4")
        #expect(try await shop.events(on: task.id).contains("task.moved"))
    }

    @Test func `a copy begins anew`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task(
            "Page", ["state_id": shop.state("Done"), "points": 3, "assignee_ids": [.string(shop.member)]])
        _ = try await shop.task("Part", ["parent_id": .string(task.id)])
        let copy = try await client.post(
            "/v1/tasks/\(task.id)/duplicate", ["title": "Second page", "with_subtasks": true]
        )
        .expect(201).json
        #expect(copy["title"] == "Second page" && copy["category"] == "unstarted" && copy["points"] == 3)
        #expect(copy["subtask_count"] == 1 && copy["assignee_ids"] == [.string(shop.member)])
        let bare = try await client.post("/v1/tasks/\(task.id)/duplicate", ["with_assignees": false]).expect(
            201
        ).json
        #expect(bare["title"] == "Page" && bare["assignee_ids"] == [] && bare["subtask_count"] == 0)
    }

    @Test func `a task becomes part of another, never of itself`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        var chain = [try await shop.task("1")]
        for level in 2...5 {
            chain.append(try await shop.task("\(level)", ["parent_id": .string(chain.last!.id)]))
        }
        func convert(_ task: JSON, under parent: JSON) async throws -> Answer {
            try await client.post(
                "/v1/tasks/\(task.id)/convert", ["to": "subtask", "parent_id": .string(parent.id)])
        }
        #expect(try await convert(chain[0], under: chain[2]).code == "task-circle")
        let loose = try await shop.task("Loose")
        #expect(try await convert(loose, under: chain[4]).code == "task-too-deep")
        #expect(try await convert(loose, under: chain[3]).status == 200)
        let epic = try await client.post("/v1/tasks/\(loose.id)/convert", ["to": "epic"]).expect(200).json
        #expect(epic["type"] == "epic" && epic["parent_id"] == .null)
        let (other, _) = try await Workshop.makeProject("APP", "UTC", "company", by: shop.owner, shop.server)
        let alien = try await shop.task("Alien", ["project_id": .string(other.description)])
        #expect(try await convert(loose, under: alien).status == 422)
        // Two changes, each sound by itself, that would close a circle together.
        let (a, b) = (try await shop.task("A"), try await shop.task("B"))
        async let first = convert(a, under: b)
        async let second = convert(b, under: a)
        let statuses = [try await first.status, try await second.status]
        #expect(statuses.sorted() == [200, 409])
    }

    @Test func `what was deleted comes back with its sub-tasks, what was archived as well`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let task = try await shop.task("Parent")
        let child = try await shop.task("Child", ["parent_id": .string(task.id)])
        let gone = try await shop.task("Gone before", ["parent_id": .string(task.id)])
        try await client.delete("/v1/tasks/\(gone.id)").expect(204)
        try await client.delete("/v1/tasks/\(task.id)").expect(204)
        #expect(try await client.get("/v1/tasks/\(child.id)").status == 404)
        #expect(try await client.get("/v1/tasks?q=parent").json.all("id") == [])
        let trash = try await client.get("/v1/tasks/trash?sort=title").expect(200).json
        #expect(trash.all("id") == [gone.id, task.id] && trash["data"]?[1]?["subtask_count"] == 1)
        #expect(try await client.post("/v1/tasks/\(task.id)/restore").expect(200).json["subtask_count"] == 1)
        #expect(try await client.get("/v1/tasks/\(child.id)").status == 200)
        #expect(try await client.get("/v1/tasks/\(gone.id)").status == 404)
        #expect(try await client.post("/v1/tasks/\(task.id)/restore").code == "task-not-in-trash")

        try await client.post("/v1/tasks/\(child.id)/archive").expect(200)
        #expect(try await client.get("/v1/tasks").json.all("id") == [task.id])
        #expect(try await client.get("/v1/tasks?archived=yes").json.all("id") == [child.id])
        #expect(
            try await client.post("/v1/tasks/\(child.id)/restore").expect(200).json["archived_at"] == .null)
        #expect(try await shop.events(on: task.id) == ["task.created", "task.deleted", "task.restored"])
    }
}
