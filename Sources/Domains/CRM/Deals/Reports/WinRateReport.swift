import API
import Core
import Postgres
import Wire

/// What of the deals of a pipeline that were decided in a month was won.
struct WinRateReport: Codable, DrawnReport, FieldNotes {
    struct Month: Codable, Sendable {
        let month: String
        let won: Int
        let lost: Int
        let winRateBp: Int?
        let wonMinor: Int64?
    }

    let pipelineId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let currency: String
    let months: [Month]

    static let fieldNotes = ["months": "By the day a deal was won or lost for the last time."]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/pipelines/{id}/win-rate", "the win rate of a pipeline",
            "What of the deals that were won or lost in each month of these days was won.",
            example: SalesReportExamples.winRate,
            ofPipeline: load)
    }

    static func load(_ call: Call, _ pipeline: UUID, _ asked: ReportAsked) async throws -> WinRateReport {
        let company = try call.company
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            decided AS (
                SELECT date_trunc('month', e.at AT TIME ZONE house.zone)::date AS month, e.to_kind AS kind, e.base_minor
                  FROM house
                  JOIN deal_stage_events e ON e.company_id = \(company) AND e.pipeline_id = \(pipeline)
                   AND e.at >= house.begins AND e.at < house.ends AND e.to_kind <> 'open'
                  JOIN deals d ON d.company_id = e.company_id AND d.id = e.deal_id AND d.stage_kind = e.to_kind
                   AND d.closed_at = e.at
                 WHERE \(fragment: try asked.deals(call)))
            SELECT house.zone, house.first, house.last, house.currency, to_char(months.month, 'YYYY-MM') AS month,
                   count(*) FILTER (WHERE decided.kind = 'won') AS won, count(*) FILTER (WHERE decided.kind = 'lost') AS lost,
                   coalesce(sum(decided.base_minor) FILTER (WHERE decided.kind = 'won'), 0)::bigint AS minor
              FROM pipelines p CROSS JOIN house
             CROSS JOIN LATERAL generate_series(date_trunc('month', house.first::timestamp), house.last::timestamp, interval '1 month')
                        AS months (month)
              LEFT JOIN decided ON decided.month = months.month::date
             WHERE p.company_id = \(company) AND p.id = \(pipeline)
             GROUP BY house.zone, house.first, house.last, house.currency, months.month ORDER BY months.month
            """)
        guard let head = rows.first else { throw Problem.notFound }
        let hasAmounts = CRMReports.hasAmounts(call)
        return WinRateReport(
            pipelineId: pipeline, timeZone: try head.get("zone"), from: try head.get("first"),
            to: try head.get("last"),
            currency: try head.get("currency"),
            months: try rows.map { row in
                let (won, lost) = (try row.get("won", as: Int.self), try row.get("lost", as: Int.self))
                let minor: Int64 = try row.get("minor")
                return Month(
                    month: try row.get("month"), won: won, lost: lost,
                    winRateBp: CRMReports.share(won, of: won + lost),
                    wonMinor: hasAmounts ? minor : nil)
            })
    }

    var chart: Chart {
        let (won, lost) = (months.reduce(0) { $0 + $1.won }, months.reduce(0) { $0 + $1.lost })
        return Chart(
            "Win rate",
            description:
                "\(won) deals won, \(lost) lost: \(CRMReports.text(CRMReports.share(won, of: won + lost))).",
            horizontal: .names(months.map(\.month)),
            vertical: .counts("Deals", months.map { Double($0.won + $0.lost) }),
            layers: won + lost == 0
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Won", .done, months.map { Double($0.won) }),
                            .init("Lost", .warning, months.map { Double($0.lost) }),
                        ])
                    ])
                ],
            emptyText: "Nothing was won or lost in these days")
    }
}
