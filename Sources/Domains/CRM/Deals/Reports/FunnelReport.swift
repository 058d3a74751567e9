import API
import Core
import Postgres
import Wire

/// How far the deals came that entered a pipeline in some days.
///
/// A deal has passed every stage that stands before the furthest it came to, also one that it skipped, and a won deal all of
/// them: so no stage passes on more deals than entered it.
struct FunnelReport: Codable, DrawnReport, FieldNotes {
    struct Step: Codable, Sendable {
        let stageId: UUID
        let name: String
        let entered: Int
        let passed: Int
        let lost: Int
        let open: Int
        let conversionBp: Int?
    }

    let pipelineId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let deals: Int
    let won: Int
    let lost: Int
    let winRateBp: Int?
    let wonMinor: Int64?
    let currency: String
    let stages: [Step]

    static let fieldNotes = [
        "deals": "Deals that entered the pipeline in these days.",
        "win_rate_bp": "Won of those that are won or lost, in hundredths of a per cent.",
        "stages":
            "Open stages in their order: deals that entered, went on, were lost there, and have come no further yet.",
    ]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/pipelines/{id}/funnel", "the funnel of a pipeline",
            "How far the deals came that entered the pipeline in these days. Skipped stages count as passed.",
            example: SalesReportExamples.funnel, ofPipeline: load)
    }

    static func load(_ call: Call, _ pipeline: UUID, _ asked: ReportAsked) async throws -> FunnelReport {
        let company = try call.company
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            steps AS (
                SELECT s.id, s.name, row_number() OVER (ORDER BY s.position, s.id) AS n FROM stages s
                 WHERE s.company_id = \(company) AND s.pipeline_id = \(pipeline) AND s.kind = 'open'),
            ways AS (
                SELECT d.stage_kind AS kind, d.base_minor, coalesce(way.reach, 0) AS reach
                  FROM (SELECT e.deal_id, min(e.at) AS began, max(step.n) AS reach
                          FROM deal_stage_events e LEFT JOIN steps step ON step.id = e.to_stage
                         WHERE e.company_id = \(company) AND e.pipeline_id = \(pipeline) GROUP BY e.deal_id) AS way
                  JOIN deals d ON d.company_id = \(company) AND d.id = way.deal_id AND d.pipeline_id = \(pipeline)
                 CROSS JOIN house
                 WHERE way.began >= house.begins AND way.began < house.ends AND \(fragment: try asked.deals(call))),
            sums AS (
                SELECT reach, count(*) AS deals, count(*) FILTER (WHERE kind = 'won') AS won,
                       count(*) FILTER (WHERE kind = 'lost') AS lost, sum(base_minor) FILTER (WHERE kind = 'won') AS minor
                  FROM ways GROUP BY reach)
            SELECT house.zone, house.first, house.last, house.currency, step.id, step.name, step.n,
                   count_of.entered, count_of.passed, count_of.lost, count_of.open, count_of.deals, count_of.won,
                   count_of.all_lost, count_of.minor
              FROM pipelines p CROSS JOIN house LEFT JOIN steps step ON TRUE
             CROSS JOIN LATERAL (
                SELECT coalesce(sum(s.deals) FILTER (WHERE s.reach >= step.n), 0)::bigint
                         + coalesce(sum(s.won) FILTER (WHERE s.reach < step.n), 0)::bigint AS entered,
                       coalesce(sum(s.deals) FILTER (WHERE s.reach > step.n), 0)::bigint
                         + coalesce(sum(s.won) FILTER (WHERE s.reach <= step.n), 0)::bigint AS passed,
                       coalesce(sum(s.lost) FILTER (WHERE s.reach = step.n), 0)::bigint AS lost,
                       coalesce(sum(s.deals - s.won - s.lost) FILTER (WHERE s.reach = step.n), 0)::bigint AS open,
                       coalesce(sum(s.deals), 0)::bigint AS deals, coalesce(sum(s.won), 0)::bigint AS won,
                       coalesce(sum(s.lost), 0)::bigint AS all_lost, coalesce(sum(s.minor), 0)::bigint AS minor
                  FROM sums s) AS count_of
             WHERE p.company_id = \(company) AND p.id = \(pipeline)
             ORDER BY step.n
            """)
        guard let head = rows.first else { throw Problem.notFound }
        let (won, lost) = (try head.get("won", as: Int.self), try head.get("all_lost", as: Int.self))
        let minor: Int64 = try head.get("minor")
        return FunnelReport(
            pipelineId: pipeline, timeZone: try head.get("zone"), from: try head.get("first"),
            to: try head.get("last"),
            deals: try head.get("deals"), won: won, lost: lost,
            winRateBp: CRMReports.share(won, of: won + lost),
            wonMinor: CRMReports.hasAmounts(call) ? minor : nil, currency: try head.get("currency"),
            stages: try rows.filter { !$0.isNull("id") }.map { row in
                let (entered, passed) = (
                    try row.get("entered", as: Int.self), try row.get("passed", as: Int.self)
                )
                return Step(
                    stageId: try row.get("id"), name: try row.get("name"), entered: entered, passed: passed,
                    lost: try row.get("lost"), open: try row.get("open"),
                    conversionBp: CRMReports.share(passed, of: entered))
            })
    }

    var chart: Chart {
        Chart(
            "Funnel",
            description:
                "\(deals) deals entered, \(won) are won, \(lost) lost: \(CRMReports.text(winRateBp)) of those decided.",
            horizontal: .names(stages.map { "\($0.name) \(CRMReports.text($0.conversionBp))" }),
            vertical: .counts("Deals", stages.map { Double($0.entered) }),
            layers: deals == 0
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Went on", .done, stages.map { Double($0.passed) }),
                            .init("Came no further yet", .open, stages.map { Double($0.open) }),
                            .init("Lost there", .warning, stages.map { Double($0.lost) }),
                        ])
                    ])
                ],
            emptyText: "No deal entered the pipeline in these days")
    }
}
