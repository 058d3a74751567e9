import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

/// A sprint from its planning to its report, over the wire.
@Suite struct SprintStory {
    private let shop: Workshop
    private var client: Client { shop.owner.client }

    init() async throws { shop = try await Workshop() }

    private func sprint(
        _ name: String = "Sprint 1", _ from: String = "2026-11-23", _ to: String = "2026-12-04"
    ) async throws -> String {
        try await plan(name, from, to).expect(201).json.id
    }

    private func plan(_ name: String, _ from: String, _ to: String) async throws -> Answer {
        try await client.post(
            "/v1/projects/\(shop.project)/sprints",
            ["name": .string(name), "starts_on": .string(from), "ends_on": .string(to)])
    }

    private func tasks(_ points: [Int], in sprint: String? = nil) async throws -> [String] {
        var ids: [String] = []
        for (index, points) in points.enumerated() {
            var more: JSON.Object = ["points": JSON(points), "estimate_minutes": JSON(points * 60)]
            if let sprint { more["sprint_id"] = .string(sprint) }
            ids.append(try await shop.task("Task \(index + 1)", .object(more)).id)
        }
        return ids
    }

    private func put(_ task: String, into state: String) async throws {
        let company = shop.company
        let (task, state) = (try #require(UUID(task)), try #require(shop.states[state]))
        try await shop.server.instance.database.transaction(as: Tenant(company: company)) { tx in
            var change = TaskWriting.Change()
            change.state = state
            try await TaskWriting.change([task], change, by: .system, company: company, in: tx)
        }
    }

    private func ids(_ ids: [String]) -> JSON { ["task_ids": .array(ids.map(JSON.string))] }

    @Test func `a sprint is planned, started and closed, and its report never changes`() async throws {
        let sprint = try await sprint()
        let tasks = try await tasks([1, 2, 3, 5])
        let moved = try await client.post("/v1/sprints/\(sprint)/tasks", ids(Array(tasks[0...2]))).expect(200)
            .json
        #expect(moved["moved"]?.intValue == 3)
        let started = try await client.post("/v1/sprints/\(sprint)/start").expect(200).json
        #expect(started["status"]?.stringValue == "active")
        #expect(started["points"]?.doubleValue == 6)

        try await client.post("/v1/sprints/\(sprint)/tasks", ids([tasks[3]])).expect(200)
        try await client.delete("/v1/sprints/\(sprint)/tasks/\(tasks[2])").expect(204)
        try await put(tasks[0], into: "Done")
        let live = try await client.get("/v1/sprints/\(sprint)/report").expect(200).json
        #expect(live["closing"] == .null)
        #expect(live["carried_over"]?["points"]?.doubleValue == 7)

        let closed = try await client.post(
            "/v1/sprints/\(sprint)/close",
            [
                "unfinished": "new_sprint",
                "new_sprint": ["name": "Sprint 2", "starts_on": "2026-12-07", "ends_on": "2026-12-18"],
            ]
        ).expect(200).json
        let next = try #require(closed["carried_to"]?.stringValue)
        let report = try #require(closed["report"])
        for (part, count, points) in [
            ("committed", 3, 6.0), ("added", 1, 5), ("removed", 1, 3), ("cancelled", 0, 0), ("done", 1, 1),
            ("carried_over", 2, 7),
        ] {
            #expect(report[part]?["count"]?.intValue == count, "\(part)")
            #expect(report[part]?["points"]?.doubleValue == points, "\(part)")
        }
        let carried = try await client.get("/v1/sprints/\(next)/tasks?sort=number").expect(200)
        #expect(carried.texts("id") == [tasks[1], tasks[3]])

        // Whatever happens afterwards, what was found at the end stays.
        try await put(tasks[0], into: "To do")
        try await put(tasks[1], into: "Done")
        #expect(try await client.get("/v1/sprints/\(sprint)/report").expect(200).json == report)
        #expect(
            try await shop.events(on: sprint) == ["sprint.created", "sprint.started", "sprint.completed"])
    }

    @Test func `scope changes tell what came and went after the start`() async throws {
        let sprint = try await sprint()
        let tasks = try await tasks([1, 2], in: sprint)
        try await client.post("/v1/sprints/\(sprint)/start").expect(200)
        try await put(tasks[0], into: "Cancelled")
        _ = try await self.tasks([8], in: sprint)
        let all = try await client.get("/v1/sprints/\(sprint)/scope-changes").expect(200)
        #expect(all.texts("kind") == ["added", "cancelled", "added", "added"])
        let later = try await client.get("/v1/sprints/\(sprint)/scope-changes?is_planning=false").expect(200)
        #expect(later.texts("kind") == ["added", "cancelled"])
    }

    @Test func `two sprints of a project never have the same days, unless the project allows it`()
        async throws
    {
        let first = try await sprint()
        let refused = try await plan("Sprint 2", "2026-12-04", "2026-12-11")
        #expect(refused.code == "sprint-overlaps")
        #expect(refused.json["conflicts"]?[0]?["id"]?.stringValue == first)
        let check = try await client.post(
            "/v1/projects/\(shop.project)/sprints/check-dates",
            ["starts_on": "2026-12-04", "ends_on": "2026-12-11"]
        ).expect(200).json
        #expect(check["is_free"] == false)
        #expect(check["working_days"]?.intValue == 6)
        #expect(try await plan("Backwards", "2026-12-11", "2026-12-04").code == "sprint-dates-reversed")

        try await client.patch("/v1/projects/\(shop.project)/sprint-settings", ["allows_parallel": true])
            .expect(200)
        let second = try await sprint("Sprint 2", "2026-12-04", "2026-12-11")
        for id in [first, second] { try await client.post("/v1/sprints/\(id)/start").expect(200) }
        let settings = try await client.patch(
            "/v1/projects/\(shop.project)/sprint-settings", ["allows_parallel": false])
        #expect(settings.code == "sprints-are-parallel")
    }

    @Test func `of many who plan the same days at once one does`() async throws {
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<8 {
                group.addTask { try await plan("Sprint \(index)", "2027-01-04", "2027-01-15").status }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(answers.filter { $0 == 201 }.count == 1)
        #expect(answers.filter { $0 == 409 }.count == 7)
    }

    @Test func `one sprint is active at a time, also when two are started at once`() async throws {
        let sprints = [try await sprint(), try await sprint("Sprint 2", "2026-12-07", "2026-12-18")]
        let answers = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
            for id in sprints {
                group.addTask {
                    let answer = try await client.post("/v1/sprints/\(id)/start")
                    return (answer.status, answer.status == 200 ? nil : answer.code)
                }
            }
            return try await group.reduce(into: [(Int, String?)]()) { $0.append($1) }
        }
        #expect(answers.map(\.0).sorted() == [200, 409])
        #expect(answers.compactMap(\.1) == ["sprint-already-active"])
    }

    @Test func `a closed sprint that is reopened takes its work back and is closed again`() async throws {
        let sprint = try await sprint()
        let tasks = try await tasks([1, 2], in: sprint)
        try await client.post("/v1/sprints/\(sprint)/start").expect(200)
        try await client.post("/v1/sprints/\(sprint)/close", ["unfinished": "backlog"]).expect(200)
        #expect(try await client.get("/v1/tasks/\(tasks[0])").expect(200).json["sprint_id"] == .null)
        try await client.post("/v1/sprints/\(sprint)/reopen", ["bring_back": true]).expect(200)
        #expect(
            try await client.get("/v1/tasks/\(tasks[0])").expect(200).json["sprint_id"]?.stringValue == sprint
        )
        for task in tasks { try await put(task, into: "Done") }
        try await client.post("/v1/sprints/\(sprint)/close", ["unfinished": "stay"]).expect(200)
        let second = try await client.get("/v1/sprints/\(sprint)/report").expect(200).json
        #expect(second["closing"]?.intValue == 2)
        #expect(second["done"]?["count"]?.intValue == 2)
        let first = try await client.get("/v1/sprints/\(sprint)/report?closing=1").expect(200).json
        #expect(first["carried_over"]?["count"]?.intValue == 2)
    }

    @Test func `many tasks are put in and taken out at once, all or none`() async throws {
        let sprint = try await sprint()
        let tasks = try await tasks([1, 2, 3])
        let refused = try await client.post(
            "/v1/sprints/\(sprint)/tasks", ids([tasks[0], UUID.v7().description]))
        #expect(refused.status == 404)
        #expect(try await client.get("/v1/sprints/\(sprint)/tasks").expect(200).texts("id") == [])
        try await client.post("/v1/sprints/\(sprint)/tasks", ids(tasks)).expect(200)
        let again = try await client.post("/v1/sprints/\(sprint)/tasks", ids(tasks)).expect(200).json
        #expect(again["moved"]?.intValue == 0)
        let removed = try await client.post(
            "/v1/sprints/\(sprint)/tasks/remove", ids([tasks[0], tasks[1], UUID.v7().description])
        ).expect(200).json
        #expect(removed["moved"]?.intValue == 2)
        try await client.delete("/v1/sprints/\(sprint)/tasks/\(tasks[0])").expect(404)
    }

    @Test func `of two who change a sprint at once the second is told so`() async throws {
        let sprint = try await sprint()
        let seen = client.with(header: "If-Match", "\"1\"")
        let changed = try await seen.patch(
            "/v1/sprints/\(sprint)", ["goal": "Sell", "ends_on": "2026-12-11"]
        ).expect(200).json
        #expect(changed["ends_on"]?.stringValue == "2026-12-11")
        #expect(try await seen.patch("/v1/sprints/\(sprint)", ["goal": "Give"]).code == "version-mismatch")
        let list = try await client.get("/v1/projects/\(shop.project)/sprints?status=planned").expect(200)
        #expect(list.texts("goal") == ["Sell"])
    }

    @Test func `a closed sprint takes no tasks and keeps its dates`() async throws {
        let sprint = try await sprint()
        try await client.post("/v1/sprints/\(sprint)/start").expect(200)
        try await client.post("/v1/sprints/\(sprint)/close", ["unfinished": "stay"]).expect(200)
        let task = try await tasks([1])[0]
        #expect(try await client.post("/v1/sprints/\(sprint)/tasks", ids([task])).code == "sprint-closed")
        #expect(
            try await client.patch("/v1/sprints/\(sprint)", ["ends_on": "2026-12-24"]).code == "sprint-closed"
        )
        #expect(
            try await client.post("/v1/sprints/\(sprint)/close", ["unfinished": "stay"]).code
                == "sprint-not-active")
        // Its days are free again.
        try await plan("Sprint 2", "2026-12-01", "2026-12-11").expect(201)
    }

    @Test func `an end that cannot be carried through leaves the sprint active`() async throws {
        let sprint = try await sprint()
        _ = try await tasks([1], in: sprint)
        try await client.post("/v1/sprints/\(sprint)/start").expect(200)
        let elsewhere = UUID.v7().description
        let refused = try await client.post(
            "/v1/sprints/\(sprint)/close", ["unfinished": "sprint", "sprint_id": .string(elsewhere)])
        #expect(refused.status == 422)
        #expect(
            try await client.get("/v1/sprints/\(sprint)").expect(200).json["status"]?.stringValue == "active")
        #expect(try await client.get("/v1/sprints/\(sprint)/report").expect(200).json["closing"] == .null)
    }

    @Test func `a planned sprint is deleted and its tasks stay`() async throws {
        let sprint = try await sprint()
        let tasks = try await tasks([3], in: sprint)
        try await client.delete("/v1/sprints/\(sprint)").expect(204)
        #expect(try await client.get("/v1/tasks/\(tasks[0])").expect(200).json["sprint_id"] == .null)
        let other = try await self.sprint()
        try await client.post("/v1/sprints/\(other)/start").expect(200)
        #expect(try await client.delete("/v1/sprints/\(other)").code == "sprint-not-planned")
        #expect(try await client.get("/v1/sprints/\(other)/report").expect(200).json["tasks"] == [])
    }

    @Test func `capacity counts working days without days off, and shows who has too much`() async throws {
        let sprint = try await sprint()
        _ = try await shop.task(
            "Much",
            [
                "sprint_id": .string(sprint), "estimate_minutes": 4000,
                "assignee_ids": [.string(shop.member)],
            ])
        _ = try await shop.task("Nobody's", ["sprint_id": .string(sprint), "estimate_minutes": 120])
        let plan = try await client.put(
            "/v1/sprints/\(sprint)/capacity",
            [
                "members": [
                    [
                        "member_id": .string(shop.member), "minutes_per_day": 360,
                        "days_off": ["2026-11-27", "2026-11-28"],
                    ]
                ]
            ]
        ).expect(200).json
        #expect(plan["working_days"]?.intValue == 10)
        #expect(plan["unassigned_minutes"]?.intValue == 120)
        let member = try #require(plan["members"]?[0])
        #expect(member["available_minutes"]?.intValue == 9 * 360)
        #expect(member["is_overbooked"] == true)
        #expect(member["overbooked_minutes"]?.intValue == 4000 - 9 * 360)
    }

    @Test func `who may not manage the project may not start its sprints`() async throws {
        let sprint = try await sprint()
        let member = try await shop.owner.colleague(.member)
        try await member.client.post("/v1/sprints/\(sprint)/start").expect(403)
        let task = try await tasks([1])[0]
        try await member.client.post("/v1/sprints/\(sprint)/tasks", ids([task])).expect(200)
        let stranger = try await Person(signedUpOn: shop.server, company: "Elsewhere")
        try await stranger.client.get("/v1/sprints/\(sprint)").expect(404)
        try await stranger.client.post("/v1/sprints/\(sprint)/start").expect(404)
    }

    @Test func `members hear of the start and the end of a sprint`() async throws {
        let member = try await shop.owner.colleague(.member)
        let sprint = try await sprint()
        _ = try await shop.task(
            "Theirs",
            ["sprint_id": .string(sprint), "assignee_ids": [.string(try await shop.member(of: member))]])
        try await client.post("/v1/sprints/\(sprint)/start").expect(200)
        try await client.post("/v1/sprints/\(sprint)/close", ["unfinished": "stay"]).expect(200)
        let types = try await member.client.get("/v1/notifications?limit=20").expect(200).texts("type")
        #expect(types.contains("sprint.started") && types.contains("sprint.completed"))
    }
}
