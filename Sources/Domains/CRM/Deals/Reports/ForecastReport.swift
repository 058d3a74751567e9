import API
import Core
import Postgres
import Wire

/// What will be sold in the months to come, by how sure it is.
///
/// Closed is what is won in the month. Of open deals, by the day they are to be closed, commit is what is at least 75 %
/// likely, best case at least 40 %, pipeline the rest; those past their day stand in this month. Weighted is the sum of
/// amount × probability, divided by 10,000 and rounded half up once, in whole minor units.
struct ForecastReport: Codable, DrawnReport, FieldNotes {
    struct Month: Codable, Sendable {
        let month: String
        let deals: Int
        let closedMinor: Int64
        let commitMinor: Int64
        let bestCaseMinor: Int64
        let pipelineMinor: Int64
        let weightedMinor: Int64
        let targetMinor: Int64?
    }

    struct CurrencySum: Codable, Sendable {
        let currency: String
        let deals: Int
        let openMinor: Int64
        let weightedMinor: Int64
        let hasNoRate: Bool
    }

    let pipelineId: UUID?
    let timeZone: String
    let currency: String
    let months: [Month]
    let undatedMinor: Int64
    let undatedWeightedMinor: Int64
    let currencies: [CurrencySum]

    static let fieldNotes = [
        "months":
            "In the company's currency, each deal at its stored rate. `weighted_minor` is closed and open ones together.",
        "target_minor": "The company's target for the month, when there is one.",
        "undated_minor": "Open deals without a day.",
        "currencies": "Open deals in their own currencies, with those that no rate is known for.",
    ]

    static let commitBp = 7_500
    static let bestCaseBp = 4_000

    struct Asked: Codable, Sendable {
        let months: Whole<1, 24>?
        let owner: [DealFilter.Owner]?
    }

    private static let details =
        "This month and those to come, by how sure it is. Takes crm:amounts. Weighted sums are whole numbers: Σ amount × "
        + "probability ÷ 10,000, rounded half up."

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/pipelines/{id}/forecast", "the forecast of a pipeline", details,
            example: SalesReportExamples.forecast(true)
        ) { (call: Call, id: UUID, asked: Asked) async throws -> ForecastReport in
            try await load(call, id, asked)
        }
            + CRMReports.pair(
                "/v1/forecast", "the forecast of all pipelines", details,
                example: SalesReportExamples.forecast(false)
            ) { (call: Call, asked: Asked) async throws -> ForecastReport in try await load(call, nil, asked)
            }
    }

    static func load(_ call: Call, _ pipeline: UUID?, _ asked: Asked) async throws -> ForecastReport {
        try call.require(.crmAmounts)
        if let pipeline { _ = try await CRMReports.pipeline(pipeline, call) }
        let company = try call.company
        let seen = try ReportAsked(from: nil, to: nil, owner: asked.owner).deals(call)
        let ofPipeline: SQL = pipeline.map { "d.pipeline_id = \($0)" } ?? "TRUE"
        let targetOf: SQL = pipeline.map { "t.pipeline_id = \($0)" } ?? "t.pipeline_id IS NULL"
        let rows = try await call.db.replica(
            """
            WITH house AS (
                SELECT c.currency, c.time_zone AS zone, date_trunc('month', \(call.now) AT TIME ZONE c.time_zone) AS month
                  FROM companies c WHERE c.id = \(company)),
            mine AS (
                SELECT d.stage_kind AS kind, d.base_minor, d.amount_minor, d.currency, \(fragment: DealRows.probability) AS bp,
                       CASE WHEN d.stage_kind = 'won' THEN date_trunc('month', d.closed_at AT TIME ZONE house.zone)
                            ELSE greatest(date_trunc('month', d.close_on::timestamp), house.month) END AS month,
                       d.close_on IS NULL AND d.stage_kind = 'open' AS is_undated
                  FROM house CROSS JOIN deals d
                  JOIN stages s ON s.company_id = d.company_id AND s.pipeline_id = d.pipeline_id AND s.id = d.stage_id
                 WHERE d.company_id = \(company) AND d.archived_at IS NULL AND \(fragment: ofPipeline) AND \(fragment: seen)
                   AND (d.stage_kind = 'open'
                        OR d.stage_kind = 'won' AND d.closed_at >= house.month AT TIME ZONE house.zone)),
            sums AS (
                SELECT CASE WHEN is_undated THEN NULL ELSE month END AS month, count(*) AS deals,
                       coalesce(sum(base_minor) FILTER (WHERE kind = 'won'), 0)::bigint AS closed,
                       coalesce(sum(base_minor) FILTER (WHERE kind = 'open' AND bp >= \(commitBp)), 0)::bigint AS commit,
                       coalesce(sum(base_minor) FILTER (
                           WHERE kind = 'open' AND bp >= \(bestCaseBp) AND bp < \(commitBp)), 0)::bigint AS best,
                       coalesce(sum(base_minor) FILTER (WHERE kind = 'open' AND bp < \(bestCaseBp)), 0)::bigint AS pipeline,
                       div(coalesce(sum(base_minor::numeric * bp), 0) + 5000, 10000)::bigint AS weighted
                  FROM mine GROUP BY 1),
            own AS (
                SELECT currency, count(*) AS deals, coalesce(sum(amount_minor), 0)::bigint AS open,
                       div(coalesce(sum(amount_minor::numeric * bp), 0) + 5000, 10000)::bigint AS weighted,
                       bool_or(base_minor IS NULL) AS has_no_rate
                  FROM mine WHERE kind = 'open' AND currency IS NOT NULL GROUP BY currency)
            SELECT house.zone, house.currency, to_char(months.month, 'YYYY-MM') AS month, coalesce(sums.deals, 0) AS deals,
                   coalesce(sums.closed, 0) AS closed, coalesce(sums.commit, 0) AS commit, coalesce(sums.best, 0) AS best,
                   coalesce(sums.pipeline, 0) AS pipeline, coalesce(sums.weighted, 0) AS weighted,
                   (SELECT t.amount_minor FROM sales_targets t
                     WHERE t.company_id = \(company) AND t.period = 'month' AND t.starts_on = months.month::date
                       AND t.member_id IS NULL AND t.team_id IS NULL AND \(fragment: targetOf)) AS target,
                   (SELECT coalesce(sum(u.commit + u.best + u.pipeline), 0)::bigint FROM sums u WHERE u.month IS NULL) AS undated,
                   (SELECT coalesce(sum(u.weighted), 0)::bigint FROM sums u WHERE u.month IS NULL) AS undated_weighted,
                   (SELECT coalesce(jsonb_agg(jsonb_build_object(
                               'currency', own.currency, 'deals', own.deals, 'open_minor', own.open,
                               'weighted_minor', own.weighted, 'has_no_rate', own.has_no_rate)
                               ORDER BY own.currency), '[]')::text FROM own) AS currencies
              FROM house
             CROSS JOIN LATERAL generate_series(
                 house.month, house.month + make_interval(months => \(asked.months.map { $0.value - 1 } ?? 5)::integer),
                 interval '1 month') AS months (month)
              LEFT JOIN sums ON sums.month = months.month
             ORDER BY months.month
            """)
        guard let head = rows.first else { throw Problem.notFound }
        return ForecastReport(
            pipelineId: pipeline, timeZone: try head.get("zone"), currency: try head.get("currency"),
            months: try rows.map { row in
                Month(
                    month: try row.get("month"), deals: try row.get("deals"),
                    closedMinor: try row.get("closed"),
                    commitMinor: try row.get("commit"), bestCaseMinor: try row.get("best"),
                    pipelineMinor: try row.get("pipeline"), weightedMinor: try row.get("weighted"),
                    targetMinor: try row.get("target"))
            },
            undatedMinor: try head.get("undated"), undatedWeightedMinor: try head.get("undated_weighted"),
            currencies: try JSON.parse(head.get("currencies", as: String.self)).decode())
    }

    var chart: Chart {
        let whole = (0..<(CurrencyCode(currency)?.minorDigits ?? 2)).reduce(1.0) { value, _ in value * 10 }
        func bars(_ value: (Month) -> Int64) -> [Double] { months.map { Double(value($0)) / whole } }
        let isEmpty = months.allSatisfy { $0.deals == 0 }
        let weighted = months.reduce(Int64(0)) { $0 + $1.weightedMinor }
        let points = months.enumerated().map {
            ChartPoint(Double($0.offset), Double($0.element.weightedMinor) / whole)
        }
        return Chart(
            "Forecast",
            description:
                "\(ChartAxis.text(Double(weighted) / whole)) \(currency) weighted, in \(months.count) months.",
            horizontal: .names(months.map(\.month)),
            vertical: .numbers(
                currency, bars { $0.closedMinor + $0.commitMinor + $0.bestCaseMinor + $0.pipelineMinor }),
            layers: isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Closed", .done, bars(\.closedMinor)),
                            .init("Commit", .open, bars(\.commitMinor)),
                            .init("Best case", .started, bars(\.bestCaseMinor)),
                            .init("Pipeline", .waiting, bars(\.pipelineMinor)),
                        ])
                    ]),
                    .line("Weighted", .scope, points),
                ],
            emptyText: "Nothing is to be closed in these months")
    }
}
