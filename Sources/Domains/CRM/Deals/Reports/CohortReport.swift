import API
import Core
import Postgres
import Wire

/// What became of the deals that were made in a month, by the months it took to win them.
struct CohortReport: Codable, DrawnReport, FieldNotes {
    struct Cohort: Codable, Sendable {
        let month: String
        let deals: Int
        let won: Int
        let lost: Int
        /// Won so far after 0, 1, 2 … months.
        let wonByMonth: [Int]
        let winRateBp: Int?
    }

    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let cohorts: [Cohort]

    static let fieldNotes = [
        "cohorts": "By the month a deal was made.",
        "won_by_month":
            "Won no later than in the month it was made, the one after that, and so on until today.",
        "win_rate_bp": "Won of all that were made, so far.",
    ]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/crm/cohorts", "the cohorts of deals",
            "What became of the deals that were made in each month, by the months it took to win them.",
            example: SalesReportExamples.cohorts, ofCompany: load)
    }

    static func load(_ call: Call, _ asked: ReportAsked) async throws -> CohortReport {
        let company = try call.company
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            made AS (
                SELECT date_trunc('month', d.created_at AT TIME ZONE house.zone) AS month, d.stage_kind AS kind,
                       CASE WHEN d.stage_kind = 'won' THEN date_trunc('month', d.closed_at AT TIME ZONE house.zone) END AS won_in
                  FROM deals d CROSS JOIN house
                 WHERE d.company_id = \(company) AND d.created_at >= house.begins AND d.created_at < house.ends
                   AND \(fragment: try asked.deals(call))),
            counted AS (
                SELECT month,
                       CASE WHEN won_in IS NOT NULL THEN
                            (extract(year FROM won_in) - extract(year FROM month))::integer * 12
                            + (extract(month FROM won_in) - extract(month FROM month))::integer END AS after,
                       count(*) AS deals, count(*) FILTER (WHERE kind = 'won') AS won,
                       count(*) FILTER (WHERE kind = 'lost') AS lost
                  FROM made GROUP BY 1, 2)
            SELECT house.zone, house.first, house.last, to_char(months.month, 'YYYY-MM') AS month,
                   coalesce(sum(c.deals), 0)::bigint AS deals, coalesce(sum(c.won), 0)::bigint AS won,
                   coalesce(sum(c.lost), 0)::bigint AS lost,
                   coalesce(jsonb_object_agg(c.after::text, c.won) FILTER (WHERE c.after IS NOT NULL), '{}')::text AS won_after,
                   ((extract(year FROM \(call.now) AT TIME ZONE house.zone) - extract(year FROM months.month))::integer * 12
                    + (extract(month FROM \(call.now) AT TIME ZONE house.zone) - extract(month FROM months.month))::integer)::integer AS age
              FROM house
             CROSS JOIN LATERAL generate_series(date_trunc('month', house.first::timestamp), house.last::timestamp, interval '1 month')
                        AS months (month)
              LEFT JOIN counted c ON c.month = months.month
             GROUP BY house.zone, house.first, house.last, months.month ORDER BY months.month
            """)
        guard let head = rows.first else { throw Problem.notFound }
        return CohortReport(
            timeZone: try head.get("zone"), from: try head.get("first"), to: try head.get("last"),
            cohorts: try rows.map { row in
                let after = try JSON.parse(row.get("won_after", as: String.self))
                let age = max(try row.get("age", as: Int.self), 0)
                var sum = 0
                let wonByMonth = (0...age).map { month -> Int in
                    sum += after[String(month)]?.intValue ?? 0
                    return sum
                }
                let (deals, won) = (try row.get("deals", as: Int.self), try row.get("won", as: Int.self))
                return Cohort(
                    month: try row.get("month"), deals: deals, won: won, lost: try row.get("lost"),
                    wonByMonth: wonByMonth,
                    winRateBp: CRMReports.share(won, of: deals))
            })
    }

    private func won(_ cohort: Cohort, within month: Int) -> Double {
        Double(cohort.wonByMonth.isEmpty ? 0 : cohort.wonByMonth[min(month, cohort.wonByMonth.count - 1)])
    }

    var chart: Chart {
        let isEmpty = cohorts.allSatisfy { $0.deals == 0 }
        return Chart(
            "Cohorts",
            description:
                "Of the deals made in each month: won at once, within three months, later, lost, and still open.",
            horizontal: .names(cohorts.map(\.month), "Month the deals were made"),
            vertical: .counts("Deals", cohorts.map { Double($0.deals) }),
            layers: isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Won within a month", .done, cohorts.map { won($0, within: 1) }),
                            .init(
                                "Within three", .started,
                                cohorts.map { won($0, within: 3) - won($0, within: 1) }),
                            .init("Later", .scope, cohorts.map { Double($0.won) - won($0, within: 3) }),
                            .init("Lost", .warning, cohorts.map { Double($0.lost) }),
                            .init("Open", .waiting, cohorts.map { Double($0.deals - $0.won - $0.lost) }),
                        ])
                    ])
                ],
            emptyText: "No deal was made in these days")
    }
}
