import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

@Suite struct RecurringStory {
    private func rule(_ shop: Workshop, _ more: JSON = [:]) async throws -> JSON {
        var body: JSON.Object = [
            "project_id": .string(shop.project.description), "title": "Weekly report", "frequency": "daily",
            "starts_on": "2030-10-26", "at": "09:00",
        ]
        for (key, value) in more.objectValue?.members ?? [] { body[key] = value }
        return try await shop.owner.client.post("/v1/recurring-tasks", .object(body)).expect(201).json
    }

    /// As if the days had gone by and nobody had been there.
    private func letFallDue(_ id: String, _ shop: Workshop) async throws {
        _ = try await shop.sql(
            """
            UPDATE recurring_tasks
               SET starts_on = current_date - 10, next_on = current_date - 3, at = '00:00',
                   next_at = (current_date - 3) AT TIME ZONE time_zone
             WHERE company_id = \(shop.company) AND id = \(UUID(id))
            """)
    }

    @Test func `the clock of the zone decides, also when it changes`() async throws {
        let shop = try await Workshop()
        let made = try await rule(shop)
        #expect(made["next_at"] == "2030-10-26T07:00:00.000000Z" && made["time_zone"] == "Europe/Berlin")
        // Clocks go back in the night to the 27th: nine o'clock is an hour later from then on.
        let skipped = try await shop.owner.client.post("/v1/recurring-tasks/\(made.id)/skip-next").expect(200)
            .json
        #expect(skipped["next_on"] == "2030-10-27" && skipped["next_at"] == "2030-10-27T08:00:00.000000Z")
        let moved = try await shop.owner.client.patch(
            "/v1/recurring-tasks/\(made.id)", ["time_zone": "Asia/Tokyo", "at": "08:30"]
        )
        .expect(200).json
        #expect(moved["next_at"] == "2030-10-25T23:30:00.000000Z")
    }

    @Test func `a day is met once, whoever comes first, and what was missed is made up for once`()
        async throws
    {
        let shop = try await Workshop()
        let made = try await rule(
            shop,
            [
                "task": [
                    "assignee_ids": [.string(shop.member)], "points": 2, "due_after_days": 1,
                    "priority": "high",
                    "due_time": "12:00",
                ]
            ])
        try await letFallDue(made.id, shop)
        let database = shop.server.instance.database
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await RecurringRun.run(shop.company, database) } }
            try await group.waitForAll()
        }
        let tasks = try await shop.owner.client.get("/v1/tasks?assignee=me").expect(200).json
        #expect(tasks.all("title") == ["Weekly report"])
        #expect(tasks["data"]?[0]?["points"] == 2 && tasks["data"]?[0]?["due_time"] == "12:00")
        let now = try await shop.owner.client.get("/v1/recurring-tasks/\(made.id)").expect(200).json
        #expect(now["occurrences"] == 1 && now["last_error"] == .null)
        let next = try #require(now["next_at"]?.stringValue.flatMap { Timestamp($0) })
        #expect(next > .now)
    }

    @Test func `a rule that was paused, has ended or whose project is archived makes nothing`() async throws {
        let shop = try await Workshop()
        let client = shop.owner.client
        let paused = try await rule(shop)
        try await client.post("/v1/recurring-tasks/\(paused.id)/pause").expect(200)
        let last = try await rule(shop, ["occurrences_max": 1])
        for id in [paused.id, last.id] { try await letFallDue(id, shop) }
        for _ in 0..<2 { try await RecurringRun.run(shop.company, shop.server.instance.database) }
        #expect(try await client.get("/v1/tasks").json.all("id").count == 1)
        #expect(try await client.get("/v1/recurring-tasks/\(last.id)").json["next_on"] == .null)
        #expect(try await client.post("/v1/recurring-tasks/\(last.id)/skip-next").code == "recurrence-ended")
        let resumed = try await client.post("/v1/recurring-tasks/\(paused.id)/resume").expect(200).json
        #expect(resumed["paused_at"] == .null)
        try await letFallDue(paused.id, shop)
        _ = try await shop.sql(
            "UPDATE projects SET status = 'archived', archived_at = now() WHERE company_id = \(shop.company) AND id = \(shop.project)"
        )
        try await RecurringRun.run(shop.company, shop.server.instance.database)
        let stopped = try await client.get("/v1/recurring-tasks/\(paused.id)").json
        #expect(
            stopped["paused_at"] != .null && stopped["last_error"] == "The project is archived or deleted.")
    }

    @Test func `a rule that cannot be is refused, and one is changed by those who may`() async throws {
        let shop = try await Workshop()
        let viewer = try await shop.owner.colleague(.viewer)
        let made = try await rule(shop, ["frequency": "weekly", "weekdays": [1, 3]])
        #expect(made["next_on"] == "2030-10-28")
        for wrong: JSON in [["weekdays": [1]], ["day_of_month": 3], ["ends_on": "2030-10-01"], ["every": 0]] {
            var body: JSON.Object = [
                "project_id": .string(shop.project.description), "title": "X", "frequency": "daily",
                "starts_on": "2030-10-26",
            ]
            for (key, value) in wrong.objectValue?.members ?? [] { body[key] = value }
            #expect(try await shop.owner.client.post("/v1/recurring-tasks", .object(body)).status == 422)
        }
        #expect(try await viewer.client.get("/v1/recurring-tasks").json.all("id") == [made.id])
        #expect(try await viewer.client.delete("/v1/recurring-tasks/\(made.id)").status == 403)
        try await shop.owner.client.delete("/v1/recurring-tasks/\(made.id)").expect(204)
    }
}
