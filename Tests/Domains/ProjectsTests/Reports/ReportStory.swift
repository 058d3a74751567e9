import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

/// Reports over the wire, of a past told by its moments.
@Suite struct ReportStory {
    private let shop: Workshop
    private var client: Client { shop.owner.client }

    init() async throws { shop = try await Workshop(timeZone: "Europe/Berlin") }

    /// A week in which the clocks of Berlin went from +01:00 to +02:00, on Sunday the 29th.
    private func springWeek() async throws -> Past {
        let past = try await Past(
            in: shop, "2026-03-27", "2026-03-31", startedAt: "2026-03-27T08:00:00Z",
            closedAt: "2026-03-31T16:00:00Z")
        // Done at 23:30 of Saturday by the winter's offset, and at 00:30 of Monday by the summer's.
        try await past.task([
            .init(at: "2026-03-26T09:00:00Z", state: "To do"),
            .init(at: "2026-03-28T22:30:00Z", state: "Done"),
        ])
        try await past.task([
            .init(at: "2026-03-26T09:00:00Z", state: "To do"),
            .init(at: "2026-03-29T22:30:00Z", state: "Done"),
        ])
        // Half past midnight of the 31st is not yet the 31st in UTC.
        try await past.task([
            .init(at: "2026-03-30T22:30:00Z", state: "To do", points: 500),
            .init(at: "2026-03-31T18:00:00Z", state: "Done", points: 500),
        ])
        return past
    }

    private func numbers(_ days: JSON?, _ key: String) -> [Double?] {
        (days?.arrayValue ?? []).map { $0[key]?.doubleValue }
    }

    @Test func `a day is the project's own, also when the clocks change`() async throws {
        let past = try await springWeek()
        let burn = try await client.get("/v1/sprints/\(past.sprint)/burndown").expect(200).json
        #expect(numbers(burn["days"], "remaining") == [6, 3, 3, 0, 5])
        #expect(numbers(burn["days"], "scope") == [6, 6, 6, 6, 11])
        #expect(numbers(burn["days"], "ideal") == [4, 4, 4, 2, 0])
        #expect(numbers(burn["days"], "added") == [0, 0, 0, 0, 5])
        let count = try await client.get("/v1/sprints/\(past.sprint)/burnup?unit=count").expect(200).json
        #expect(numbers(count["days"], "done") == [0, 1, 1, 2, 2])
    }

    @Test func `what happens after the end changes nothing`() async throws {
        let past = try await springWeek()
        let before = try await client.get("/v1/sprints/\(past.sprint)/burndown").expect(200).json
        try await past.task([.init(at: "2026-04-02T08:00:00Z", state: "Done", points: 800)])
        #expect(try await client.get("/v1/sprints/\(past.sprint)/burndown").expect(200).json == before)
    }

    @Test func `cumulative flow, cycle time and forecast are read from the history`() async throws {
        let past = try await springWeek()
        try await past.task([
            .init(at: "2026-03-26T09:00:00Z", state: "To do"),
            .init(at: "2026-03-27T09:00:00Z", state: "In progress"),
            .init(at: "2026-03-28T09:00:00Z", state: "Done"),
            .init(at: "2026-03-30T09:00:00Z", state: "In progress"),
        ])
        try await past.task([
            .init(at: "2026-03-27T09:00:00Z", state: "Backlog"),
            .init(at: "2026-03-28T09:00:00Z", state: "In progress"),
            .init(at: "2026-03-30T09:00:00Z", state: "Done"),
        ])
        let project = "/v1/projects/\(shop.project)"
        let days = "from=2026-03-27&to=2026-03-31"
        let flow = try await client.get("\(project)/cumulative-flow?\(days)").expect(200).json
        #expect(numbers(flow["days"], "unstarted") == [2, 1, 1, 0, 0])
        #expect(numbers(flow["days"], "started") == [1, 1, 1, 1, 1])
        #expect(numbers(flow["days"], "completed") == [0, 2, 2, 3, 4])
        #expect(numbers(flow["days"], "backlog") == [1, 0, 0, 0, 0])

        let cycle = try await client.get("\(project)/cycle-time?\(days)").expect(200).json
        #expect(cycle["count"]?.intValue == 4, "the reopened task is not completed")
        #expect(cycle["cycle_days"]?["p95"]?.doubleValue == 2)
        let forecast = try await client.get("\(project)/forecast?\(days)&tasks=10&seed=7").expect(200).json
        #expect(forecast["completed"]?.intValue == 4)
        #expect(forecast["tasks_per_day"]?.doubleValue == 0.8)
        #expect(
            try await client.get("\(project)/forecast?\(days)&tasks=10&seed=7").expect(200).json == forecast)
    }

    @Test func `velocity holds what was frozen at the end of sprints`() async throws {
        let past = try await Past(in: shop, "2026-11-23", "2026-12-04", startedAt: "2026-11-23T08:00:00Z")
        try await past.task([
            .init(at: "2026-11-22T08:00:00Z", state: "To do", points: 450),
            .init(at: "2026-11-24T08:00:00Z", state: "Done", points: 450),
        ])
        try await past.task([.init(at: "2026-11-22T08:00:00Z", state: "To do", points: 200)])
        try await client.post("/v1/sprints/\(past.sprint)/close", ["unfinished": "backlog"]).expect(200)
        let velocity = try await client.get("/v1/projects/\(shop.project)/velocity").expect(200).json
        #expect(velocity["sprints"]?[0]?["committed"]?.doubleValue == 6.5)
        #expect(velocity["sprints"]?[0]?["done"]?.doubleValue == 4.5)
        #expect(velocity["mean"]?.doubleValue == 4.5)
    }

    @Test func `workload and overdue tasks are those of now`() async throws {
        _ = try await shop.task(
            "Late", ["due_on": "2026-01-05", "assignee_ids": [.string(shop.member)], "points": 2])
        _ = try await shop.task("Free", ["estimate_minutes": 30])
        let load = try await client.get("/v1/projects/\(shop.project)/workload").expect(200).json
        let people = load["people"]?.arrayValue ?? []
        #expect(people.count == 2)
        #expect(people.first?["overdue_count"]?.intValue == 1)
        #expect(people.last?["member_id"] == .null)
        let overdue = try await client.get("/v1/projects/\(shop.project)/overdue").expect(200).json
        #expect(overdue["count"]?.intValue == 1)
        #expect(overdue["tasks"]?[0]?["title"]?.stringValue == "Late")
    }

    @Test func `time spent stands beside what was estimated, for those who may read it`() async throws {
        let planned = try await shop.task("Planned", ["estimate_minutes": 60])
        let surprise = try await shop.task("Surprise")
        _ = try await shop.task("Untouched", ["estimate_minutes": 30])
        for (task, minutes) in [(planned, 90), (surprise, 20)] {
            _ = try await shop.sql(
                """
                INSERT INTO time_entries (company_id, id, project_id, task_id, member_id, started_at, worked_on, minutes, is_billable)
                VALUES (\(shop.company), \(UUID.v7()), \(shop.project), \(UUID(task.id)), \(UUID(shop.member)),
                        '2026-11-20T09:00:00Z', '2026-11-20', \(minutes), true)
                """)
        }
        let path = "/v1/projects/\(shop.project)/time-spent"
        let report = try await client.get(path).expect(200).json
        #expect(report["estimate_minutes"]?.intValue == 90)
        #expect(report["spent_on_estimated_minutes"]?.intValue == 90)
        #expect(report["spent_on_unestimated_minutes"]?.intValue == 20)
        #expect(
            report["tasks"]?.arrayValue?.compactMap { $0["title"]?.stringValue } == [
                "Planned", "Surprise", "Untouched",
            ])
        let before = try await client.get("\(path)?to=2026-11-19").expect(200).json
        #expect(before["spent_on_estimated_minutes"]?.intValue == 0)
        let member = try await shop.owner.colleague(.member)
        try await member.client.get(path).expect(403)
    }

    static let pictures = [
        "velocity", "cumulative-flow", "cycle-time", "forecast", "workload", "overdue", "time-spent",
    ]

    @Test func `every report is a picture too, under the policy of its style sheet`() async throws {
        let past = try await springWeek()
        let paths =
            Self.pictures.map { "/v1/projects/\(shop.project)/\($0).svg" }
            + ["burndown", "burnup"].map { "/v1/sprints/\(past.sprint)/\($0).svg" }
        for path in paths {
            let answer = try await client.get(path).expect(200)
            #expect(answer.header("content-type") == "image/svg+xml; charset=utf-8", "\(path)")
            #expect(answer.headers("content-security-policy") == [ChartStyle.securityPolicy], "\(path)")
            #expect(answer.text.hasPrefix("<svg ") && answer.text.contains("<title"), "\(path)")
        }
    }

    @Test func `reports of what one may not see do not exist`() async throws {
        let past = try await springWeek()
        let stranger = try await Person(signedUpOn: shop.server, company: "Elsewhere")
        for path in Self.pictures {
            for end in ["", ".svg"] {
                try await stranger.client.get("/v1/projects/\(shop.project)/\(path)\(end)").expect(404)
            }
        }
        try await stranger.client.get("/v1/sprints/\(past.sprint)/burndown.svg").expect(404)
    }

    @Test func `days in the wrong order are refused`() async throws {
        let answer = try await client.get(
            "/v1/projects/\(shop.project)/cycle-time?from=2026-03-02&to=2026-03-01")
        #expect(answer.code == "report-span")
        #expect(
            try await client.get("/v1/projects/\(shop.project)/cumulative-flow?from=2001-01-01").code
                == "report-span")
    }
}
