import API
import Core
import Postgres
import Wire

/// How long deals stay in the stages of a pipeline, and how much it sells in a day.
///
/// Counted are the stays that ended in these days. What is sold in a day is open deals × win rate × value of a won deal, by
/// the days from a deal's first step to its being won.
struct StageTimes: Codable, DrawnReport, FieldNotes {
    struct Stage: Codable, Sendable {
        let stageId: UUID
        let name: String
        let stays: Int
        let medianHours: Int?
        let p80Hours: Int?
    }

    let pipelineId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let stages: [Stage]
    let open: Int
    let won: Int
    let lost: Int
    let winRateBp: Int?
    let cycleHours: Int?
    let averageWonMinor: Int64?
    let perDayMinor: Int64?
    let currency: String

    static let fieldNotes = [
        "p80_hours": "Four of five stays were no longer.",
        "cycle_hours": "From a deal's first step to its being won, on average.",
        "per_day_minor": "Open deals × win rate × value of a won deal ÷ days of a cycle.",
    ]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/pipelines/{id}/velocity", "the velocity of a pipeline",
            "How long the stays in each stage were that ended in these days, and how much the pipeline sells in a day.",
            example: SalesReportExamples.velocity, ofPipeline: load)
    }

    static func load(_ call: Call, _ pipeline: UUID, _ asked: ReportAsked) async throws -> StageTimes {
        let company = try call.company
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            ways AS (
                SELECT e.deal_id, e.to_stage, e.to_kind, e.at, e.base_minor, d.stage_kind AS kind,
                       lead(e.at) OVER way AS left_at, first_value(e.at) OVER way AS began, lead(e.seq) OVER way IS NULL AS is_last
                  FROM deal_stage_events e
                  JOIN deals d ON d.company_id = e.company_id AND d.id = e.deal_id
                 WHERE e.company_id = \(company) AND e.pipeline_id = \(pipeline) AND \(fragment: try asked.deals(call))
                WINDOW way AS (PARTITION BY e.deal_id ORDER BY e.seq)),
            stays AS (
                SELECT to_stage, count(*) AS stays,
                       percentile_cont(ARRAY[0.5, 0.8]) WITHIN GROUP (ORDER BY extract(epoch FROM left_at - at)) AS seconds
                  FROM ways CROSS JOIN house
                 WHERE left_at >= house.begins AND left_at < house.ends GROUP BY to_stage),
            ends AS (
                SELECT count(*) FILTER (WHERE kind = 'open') AS open,
                       count(*) FILTER (WHERE to_kind = 'won' AND at >= house.begins AND at < house.ends) AS won,
                       count(*) FILTER (WHERE to_kind = 'lost' AND at >= house.begins AND at < house.ends) AS lost,
                       avg(extract(epoch FROM at - began))
                           FILTER (WHERE to_kind = 'won' AND at >= house.begins AND at < house.ends) AS cycle,
                       avg(base_minor) FILTER (WHERE to_kind = 'won' AND at >= house.begins AND at < house.ends) AS minor
                  FROM ways CROSS JOIN house WHERE is_last)
            SELECT house.zone, house.first, house.last, house.currency, s.id, s.name, coalesce(stays.stays, 0) AS stays,
                   round(stays.seconds[1] / 3600)::bigint AS median, round(stays.seconds[2] / 3600)::bigint AS p80,
                   ends.open, ends.won, ends.lost, round(ends.cycle / 3600)::bigint AS cycle, round(ends.minor)::bigint AS minor,
                   round(ends.open::numeric * ends.won / nullif(ends.won + ends.lost, 0) * ends.minor
                         / nullif(ends.cycle / 86400, 0))::bigint AS per_day
              FROM pipelines p CROSS JOIN house CROSS JOIN ends
              LEFT JOIN stages s ON s.company_id = p.company_id AND s.pipeline_id = p.id AND s.kind = 'open'
              LEFT JOIN stays ON stays.to_stage = s.id
             WHERE p.company_id = \(company) AND p.id = \(pipeline)
             ORDER BY s.position, s.id
            """)
        guard let head = rows.first else { throw Problem.notFound }
        let (won, lost) = (try head.get("won", as: Int.self), try head.get("lost", as: Int.self))
        let hasAmounts = CRMReports.hasAmounts(call)
        let (minor, perDay) = (
            try head.get("minor", as: Int64?.self), try head.get("per_day", as: Int64?.self)
        )
        return StageTimes(
            pipelineId: pipeline, timeZone: try head.get("zone"), from: try head.get("first"),
            to: try head.get("last"),
            stages: try rows.filter { !$0.isNull("id") }.map { row in
                Stage(
                    stageId: try row.get("id"), name: try row.get("name"), stays: try row.get("stays"),
                    medianHours: try row.get("median"), p80Hours: try row.get("p80"))
            },
            open: try head.get("open"), won: won, lost: lost,
            winRateBp: CRMReports.share(won, of: won + lost),
            cycleHours: try head.get("cycle"), averageWonMinor: hasAmounts ? minor : nil,
            perDayMinor: hasAmounts ? perDay : nil, currency: try head.get("currency"))
    }

    private static func days(_ hours: Int?) -> Double { Double(hours ?? 0) / 24 }

    var chart: Chart {
        let isEmpty = stages.allSatisfy { $0.stays == 0 }
        return Chart(
            "Time in stage",
            description:
                "Days that half and four of five deals stayed in each stage; won \(won), lost \(lost), "
                + "\(ChartAxis.text(Self.days(cycleHours))) days to be won on average.",
            horizontal: .names(stages.map(\.name)),
            vertical: .numbers("Days", stages.map { Self.days($0.p80Hours) }),
            layers: isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Half stayed no longer", .done, stages.map { Self.days($0.medianHours) })
                        ]),
                        ChartBars([
                            .init(
                                "Four of five stayed no longer", .started,
                                stages.map { Self.days($0.p80Hours) })
                        ]),
                    ])
                ],
            emptyText: "No stay ended in these days")
    }
}
