import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// What the ways of deals add up to.
@Suite struct SalesReportStory {
    private let span = "from=2026-01-01&to=2026-06-30"

    /// Six deals of the first half of a year, one of which skipped two stages.
    private func floor() async throws -> SalesFloor {
        let floor = try await SalesFloor("Report Works")
        try await floor.told(
            "Straight", amount: 100_000,
            [
                ("New", "2026-01-05T09:00:00Z"), ("Qualified", "2026-01-07T09:00:00Z"),
                ("Proposal", "2026-01-11T09:00:00Z"),
                ("Negotiation", "2026-01-15T09:00:00Z"), ("Won", "2026-01-25T09:00:00Z"),
            ])
        try await floor.told(
            "Skipped", amount: 300_000,
            [
                ("New", "2026-02-01T09:00:00Z"), ("Negotiation", "2026-02-03T09:00:00Z"),
                ("Won", "2026-04-02T09:00:00Z"),
            ])
        try await floor.told(
            "Lost early", amount: 50_000, [("New", "2026-02-02T09:00:00Z"), ("Lost", "2026-02-08T09:00:00Z")])
        try await floor.told(
            "Lost late", amount: 70_000,
            [
                ("New", "2026-03-01T09:00:00Z"), ("Proposal", "2026-03-11T09:00:00Z"),
                ("Lost", "2026-03-31T09:00:00Z"),
            ])
        try await floor.told(
            "Went back",
            [
                ("New", "2026-03-01T09:00:00Z"), ("Proposal", "2026-03-05T09:00:00Z"),
                ("Qualified", "2026-03-09T09:00:00Z"),
            ])
        try await floor.told("Straight to won", amount: 10_000, [("Won", "2026-05-01T09:00:00Z")])
        return floor
    }

    @Test func `no stage of a funnel passes on more than entered it, and a skipped one is passed`()
        async throws
    {
        let floor = try await floor()
        let report = try await floor.client.get("/v1/pipelines/\(floor.pipeline)/funnel?\(span)").expect(200)
            .json
        #expect(
            report["deals"] == 6 && report["won"] == 3 && report["lost"] == 2
                && report["win_rate_bp"] == 6_000, "\(report)")
        #expect(report["won_minor"] == 410_000)
        let stages = report["stages"]?.arrayValue ?? []
        #expect(stages.map { $0["name"] } == ["New", "Qualified", "Proposal", "Negotiation"])
        #expect(stages.map { $0["entered"]?.intValue } == [6, 5, 5, 3], "\(report)")
        #expect(stages.map { $0["passed"]?.intValue } == [5, 5, 3, 3], "\(report)")
        #expect(stages.map { $0["lost"]?.intValue } == [1, 0, 1, 0], "\(report)")
        #expect(stages.map { $0["open"]?.intValue } == [0, 0, 1, 0], "\(report)")
        #expect(stages.map { $0["conversion_bp"]?.intValue } == [8_333, 10_000, 6_000, 10_000], "\(report)")
        let empty = try await floor.client.get(
            "/v1/pipelines/\(floor.pipeline)/funnel?from=2025-01-01&to=2025-01-31"
        ).expect(200)
        #expect(empty.json["deals"] == 0 && empty.json["win_rate_bp"] == .null)
        #expect(try await floor.client.get("/v1/pipelines/\(UUID.v7())/funnel").status == 404)
        #expect(
            try await floor.client.get("/v1/pipelines/\(floor.pipeline)/funnel?from=2026-02-01&to=2026-01-01")
                .status == 422)
    }

    @Test func `stays are measured by the steps of the way, and sales by the day`() async throws {
        let floor = try await floor()
        let report = try await floor.client.get("/v1/pipelines/\(floor.pipeline)/velocity?\(span)").expect(
            200
        ).json
        let stages = report["stages"]?.arrayValue ?? []
        // New: 2, 2, 6, 10 and 4 days.
        #expect(stages[0]["stays"] == 5 && stages[0]["median_hours"] == 96, "\(report)")
        #expect(report["open"] == 1 && report["won"] == 3 && report["lost"] == 2, "\(report)")
        // 20, 60 and 0 days to be won.
        #expect(report["cycle_hours"] == 640 && report["average_won_minor"] == 136_667, "\(report)")
        #expect(report["per_day_minor"] == 3_075, "\(report)")
    }

    @Test func `what was decided in a month counts there, by the company's clock`() async throws {
        let floor = try await floor()
        let report = try await floor.client.get("/v1/pipelines/\(floor.pipeline)/win-rate?\(span)").expect(
            200
        ).json
        let months = report["months"]?.arrayValue ?? []
        #expect(
            months.map { $0["month"] } == ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"])
        #expect(
            months.map { $0["won"]?.intValue } == [1, 0, 0, 1, 1, 0]
                && months.map { $0["lost"]?.intValue } == [0, 1, 1, 0, 0, 0])
        let cohorts =
            try await floor.client.get("/v1/crm/cohorts?\(span)").expect(200).json["cohorts"]?.arrayValue
            ?? []
        #expect(cohorts.map { $0["deals"]?.intValue } == [1, 2, 2, 0, 1, 0], "\(cohorts)")
        let february = cohorts[1]["won_by_month"]?.arrayValue?.prefix(3).map(\.intValue)
        #expect(february == [0, 0, 1], "\(cohorts[1])")
        #expect(cohorts[0]["won_by_month"]?.arrayValue?.first == 1)
    }

    @Test func `a forecast adds whole numbers, by how sure they are`() async throws {
        let floor = try await SalesFloor("Forecast Works")
        let client = floor.client
        let today = try #require(await floor.database.query("SELECT now()::date AS day").first).get(
            "day", as: LocalDate.self)
        let day = JSON.string(today.description)
        for (stage, amount) in [("New", 10_001), ("Proposal", 20_003), ("Negotiation", 30_005)] {
            try await floor.deal(
                stage,
                ["stage_id": .string(try floor.stage(stage)), "amount_minor": JSON(amount), "close_on": day])
        }
        try await floor.deal("Late", ["amount_minor": 1_000, "close_on": "2020-01-01"])
        try await floor.deal("Some day", ["amount_minor": 5_000])
        try await floor.deal("Abroad", ["amount_minor": 7_000, "currency": "USD", "close_on": day])
        let won = try await floor.deal("Won", ["amount_minor": 40_000])
        try await client.post("/v1/deals/\(won)/win").expect(200)
        for path in ["/v1/forecast", "/v1/pipelines/\(floor.pipeline)/forecast"] {
            let report = try await client.get(path).expect(200).json
            let month = try #require(report["months"]?.arrayValue?.first)
            #expect(month["closed_minor"] == 40_000 && month["commit_minor"] == 30_005, "\(report)")
            #expect(month["best_case_minor"] == 20_003 && month["pipeline_minor"] == 11_001, "\(report)")
            // 40000 + 22503.75 + 10001.5 + 1000.1 + 100 = 73605.35
            #expect(month["weighted_minor"] == 73_605, "\(report)")
            #expect(report["undated_minor"] == 5_000 && report["undated_weighted_minor"] == 500, "\(report)")
            let dollars = report["currencies"]?.arrayValue?.first { $0["currency"] == "USD" }
            #expect(
                dollars?["has_no_rate"] == true && dollars?["open_minor"] == 7_000
                    && dollars?["weighted_minor"] == 700)
        }
        let first = JSON.string("\(today.description.prefix(7))-01")
        let target = try await client.post(
            "/v1/sales-targets", ["period": "month", "starts_on": first, "amount_minor": 80_000]
        ).expect(201).json
        #expect(target["attained_minor"] == 40_000 && target["attained_bp"] == 5_000, "\(target)")
        #expect(
            try await client.post(
                "/v1/sales-targets", ["period": "month", "starts_on": first, "amount_minor": 1]
            ).code
                == "sales-target-taken")
        #expect(
            try await client.post(
                "/v1/sales-targets", ["period": "month", "starts_on": "2026-01-02", "amount_minor": 1]
            ).status == 422)
        try await client.patch("/v1/sales-targets/\(try target.text("id"))", ["amount_minor": 40_000]).expect(
            200)
        #expect(
            try await client.get("/v1/sales-targets").expect(200).json["data"]?.arrayValue?.first?[
                "attained_bp"] == 10_000)
        #expect(
            try await client.get("/v1/forecast").json["months"]?.arrayValue?.first?["target_minor"] == 40_000)
        try await client.delete("/v1/sales-targets/\(try target.text("id"))").expect(204)
        let people = try await client.get("/v1/crm/leaderboard").expect(200).json["people"]?.arrayValue ?? []
        #expect(
            people.count == 1 && people[0]["won"] == 1 && people[0]["won_minor"] == 40_000
                && people[0]["open"] == 6, "\(people)")
    }

    @Test func `leads are told by what became of them`() async throws {
        let floor = try await SalesFloor("Lead Works")
        let company = floor.company
        let deal = try await floor.told(
            "Sold", [("New", "2026-03-01T09:00:00Z"), ("Won", "2026-03-05T09:00:00Z")])
        _ = try await floor.write { tx in
            try await tx.batch([
                "INSERT INTO contacts (company_id, id, name) VALUES (\(company), \(company), 'Mara')",
                """
                INSERT INTO leads (company_id, id, contact_id, title, status, converted_at, created_at)
                SELECT \(company), lead.id, \(company), 'A lead', lead.status, lead.at, '2026-02-10'
                  FROM (VALUES (\(deal)::uuid, 'converted', timestamptz '2026-03-01'), (\(UUID.v7())::uuid, 'new', NULL))
                       AS lead (id, status, at)
                """,
                """
                INSERT INTO lead_conversions (company_id, lead_id, contact_id, deal_id)
                VALUES (\(company), \(deal), \(company), \(deal))
                """,
            ])
        }
        let months = try await floor.client.get("/v1/crm/conversion?from=2026-02-01&to=2026-03-31").expect(
            200
        ).json["months"]
        let february = try #require(months?.arrayValue?.first)
        #expect(
            february["leads"] == 2 && february["converted"] == 1 && february["won"] == 1
                && february["conversion_bp"] == 5_000)
    }

    @Test func `every report is a picture too`() async throws {
        let floor = try await floor()
        let own = ["funnel", "velocity", "win-rate", "forecast"].map {
            "/v1/pipelines/\(floor.pipeline)/\($0)"
        }
        for path in own + ["/v1/forecast", "/v1/crm/cohorts", "/v1/crm/leaderboard", "/v1/crm/conversion"] {
            let query = path.contains("forecast") ? "" : "?\(span)"
            let picture = try await floor.client.get("\(path).svg\(query)").expect(200)
            #expect(
                picture.header("content-type")?.hasPrefix("image/svg+xml") == true
                    && picture.text.hasPrefix("<svg"), "\(path)")
        }
    }
}
