import API
import TestSupport
import Testing
import Wire

/// Time and money: entered, timed, approved and added up.
@Suite struct TimeStory {
    private func task(_ title: String, in project: String, _ person: Person) async throws -> String {
        try await person.client.post("/v1/tasks", ["project_id": .string(project), "title": .string(title)])
            .expect(201).json.text("id")
    }

    private func entry(_ more: JSON.Object, minutes: Int = 90) -> JSON {
        var body: JSON.Object = ["started_at": "2026-03-03T09:00:00Z", "minutes": JSON(minutes)]
        for (key, value) in more.members { body[key] = value }
        return .object(body)
    }

    @Test func `time is entered at the rate of the day and added up by task, member, project and day`()
        async throws
    {
        let world = try await World()
        let (owner, member) = (world.owner.client, try await world.owner.colleague(.member))
        let project = try await world.project()
        let memberId = try await member.member()
        try await owner.put(
            "/v1/projects/\(project)/budget",
            [
                "currency": "EUR", "amount_minor": 100_000, "rate_minor": 10_000,
                "rates": [["member_id": .string(memberId), "rate_minor": 5_000]],
            ]
        ).expect(200)
        let task = try await task("Write", in: project, world.owner)
        let made = try await member.client.post("/v1/time-entries", entry(["task_id": .string(task)])).expect(
            201
        ).json
        #expect(made["rate_minor"] == 5_000 && made["currency"] == "EUR" && made["is_billable"] == true)
        #expect(made["worked_on"] == "2026-03-03" && made["task_key"] == "WR-1")
        try await owner.post("/v1/time-entries", entry(["project_id": .string(project)], minutes: 61)).expect(
            201)
        let byMember =
            try await owner.get("/v1/time-entries/totals?group_by=member").expect(200).json["data"]?
            .arrayValue ?? []
        #expect(byMember.map { $0["amount_minor"]?.intValue } == [7_500, 10_167])
        let byTask = try await owner.get("/v1/time-entries/totals?group_by=task&project_id=\(project)")
            .expect(200)
        #expect(byTask.texts("label") == ["WR-1"])
        let byDay =
            try await owner.get("/v1/time-entries/totals?group_by=day").expect(200).json["data"]?.arrayValue
            ?? []
        #expect(byDay.first?["minutes"] == 151 && byDay.count == 1)
        #expect(try await member.client.get("/v1/time-entries").texts("member_id") == [memberId])
        let csv = try await owner.get("/v1/time-entries.csv?project_id=\(project)").expect(200)
        #expect(
            csv.text.hasPrefix("day,project,task,") && csv.text.contains("2026-03-03,WR,WR-1,Write,"),
            "\(csv.text)")
    }

    @Test func `one timer runs at a time, and starting another stops it`() async throws {
        let world = try await World()
        let client = world.owner.client
        let project = try await world.project()
        #expect(try await client.get("/v1/timer").code == "timer-not-running")
        let first = try await client.post("/v1/timer/start", ["project_id": .string(project)]).expect(201)
            .json
        #expect(first["is_running"] == true && first["minutes"] == .null)
        let second = try await client.post(
            "/v1/timer/start", ["project_id": .string(project), "note": "Next"]
        ).expect(201)
        let stopped = try await client.get("/v1/time-entries/\(try first.text("id"))").expect(200).json
        #expect(stopped["minutes"] == 1 && stopped["is_running"] == false)
        #expect(try await client.get("/v1/timer").expect(200).json["id"] == second.json["id"])
        #expect(try await client.post("/v1/timer/stop").expect(200).json["minutes"] == 1)
        #expect(try await client.post("/v1/timer/stop").status == 404)
    }

    @Test func `whoever is shut out leaves no clock running`() async throws {
        let world = try await World()
        let member = try await world.owner.colleague(.member)
        let project = try await world.project()
        try await member.client.post("/v1/timer/start", ["project_id": .string(project)]).expect(201)
        let id = try await member.member()
        try await world.owner.client.delete("/v1/members/\(id)").expect(204)
        let time = "/v1/time-entries?member_id=\(id)"
        try await eventually {
            try await world.owner.client.get("\(time)&is_running=true").texts("id").isEmpty ? () : nil
        }
        let entries = try await world.owner.client.get(time).expect(200).json["data"]?.arrayValue ?? []
        #expect(entries.count == 1 && entries[0]["minutes"] == 1)
    }

    @Test func `of twenty starts at once one timer is left`() async throws {
        let world = try await World()
        let project = try await world.project()
        let codes = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await world.owner.client.post("/v1/timer/start", ["project_id": .string(project)])
                        .status
                }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(codes.allSatisfy { $0 == 201 || $0 == 409 }, "\(codes)")
        #expect(try await world.owner.client.get("/v1/time-entries?is_running=true").texts("id").count == 1)
    }

    @Test func `a week is handed in, approved and then locked`() async throws {
        let world = try await World()
        let (owner, member) = (world.owner.client, try await world.owner.colleague(.member))
        let project = try await world.project()
        let made = try await member.client.post("/v1/time-entries", entry(["project_id": .string(project)]))
            .expect(201)
        let path = "/v1/time-entries/\(try made.json.text("id"))"
        let sheet = try #require(try await member.client.get("/v1/timesheets").texts("id").first)
        #expect(try await owner.post("/v1/timesheets/\(sheet)/approve").code == "timesheet-step-refused")
        #expect(try await owner.post("/v1/timesheets/\(sheet)/submit").status == 403)
        let submitted = try await member.client.post("/v1/timesheets/\(sheet)/submit").expect(200).json
        #expect(submitted["week_starts_on"] == "2026-03-02" && submitted["minutes"] == 90)
        #expect(try await member.client.patch(path, ["minutes": 30]).code == "timesheet-locked")
        try await owner.post("/v1/timesheets/\(sheet)/reject", ["note": "Thursday is missing"]).expect(200)
        try await member.client.patch(path, ["minutes": 30]).expect(200)
        try await member.client.post("/v1/timesheets/\(sheet)/submit").expect(200)
        #expect(try await member.client.post("/v1/timesheets/\(sheet)/approve").status == 403)
        try await owner.post("/v1/timesheets/\(sheet)/approve").expect(200)
        #expect(try await member.client.delete(path).code == "timesheet-locked")
        #expect(try await member.client.get(path).json["is_locked"] == true)
        #expect(
            try await member.client.post("/v1/time-entries", entry(["project_id": .string(project)])).code
                == "timesheet-locked")
        #expect(try await member.client.post("/v1/timesheets/\(sheet)/reopen").status == 403)
        try await owner.post("/v1/timesheets/\(sheet)/reopen").expect(200)
        try await member.client.delete(path).expect(204)
    }

    @Test func `others' time is theirs alone, unless one manages the project`() async throws {
        let world = try await World()
        let (one, two) = (try await world.owner.colleague(.member), try await world.owner.colleague(.member))
        let project = try await world.project()
        let path =
            "/v1/time-entries/\(try await one.client.post("/v1/time-entries", entry(["project_id": .string(project)])).expect(201).json.text("id"))"
        #expect(try await two.client.get(path).status == 404)
        #expect(try await two.client.patch(path, ["minutes": 1]).status == 404)
        let foreign = entry(["project_id": .string(project), "member_id": .string(try await one.member())])
        #expect(try await two.client.post("/v1/time-entries", foreign).status == 403)
        try await world.owner.client.patch(
            "/v1/projects/\(project)", ["lead_id": .string(try await two.member())]
        ).expect(200)
        #expect(
            try await two.client.patch(path, ["minutes": 45, "rate_minor": 8_000]).expect(200).json[
                "currency"] == "EUR")
        #expect(try await one.client.patch(path, ["rate_minor": 9_000]).status == 403)
    }

    @Test func `half, four fifths and all of a budget are told once each`() async throws {
        let world = try await World()
        let client = world.owner.client
        let project = try await world.project("Site")
        let path = "/v1/projects/\(project)"
        #expect(try await client.get("\(path)/budget").status == 404)
        #expect(
            try await client.post(
                "\(path)/costs", ["name": "Photos", "amount_minor": 1, "spent_on": "2026-03-03"]
            ).code == "project-has-no-budget")
        try await client.put(
            "\(path)/budget", ["currency": "EUR", "amount_minor": 20_000, "rate_minor": 6_000]
        ).expect(200)
        try await client.post("/v1/time-entries", entry(["project_id": .string(project)], minutes: 100))
            .expect(201)
        try await client.post("/v1/time-entries", entry(["project_id": .string(project)], minutes: 10))
            .expect(201)
        let half = try await client.get("\(path)/budget").expect(200).json
        #expect(
            half["spent_minor"] == 11_000 && half["percent"]?.doubleValue == 55
                && half["remaining_minor"] == 9_000)
        try await client.post(
            "\(path)/costs", ["name": "Photos", "amount_minor": 9_500, "spent_on": "2026-03-03"]
        ).expect(201)
        let titles = try await client.get("/v1/notifications?limit=50").expect(200).texts("title").filter {
            $0.contains("budget")
        }
        #expect(titles.sorted() == ["Site has used 100 % of its budget", "Site has used 50 % of its budget"])
        #expect(try await client.put("\(path)/budget", ["currency": "USD"]).code == "budget-currency-fixed")
        let stranger = try await world.owner.colleague(.member)
        #expect(try await stranger.client.get("\(path)/budget").status == 403)
        #expect(try await stranger.client.get("\(path)/summary").expect(200).json["budget_percent"] == .null)
        #expect(
            try await stranger.client.get("\(path)/activity").expect(200).texts("action") == [
                "project.created"
            ])
        #expect(try await client.get("\(path)/activity").texts("action").contains("project.cost_added"))
        let cost = try #require(try await client.get("\(path)/costs").texts("id").first)
        try await client.delete("\(path)/costs/\(cost)").expect(204)
        #expect(try await client.get("\(path)/budget").json["costs_minor"] == 0)
    }
}
