import API
import Core
import HTTP
import Postgres
import Wire

/// The reports of sprints and projects: each as JSON and, under the same path with `.svg`, as a picture.
///
/// They are read from the history alone, by the project's days, on the replica when there is one.
enum ReportRoutes {
    static var routes: [Route] {
        BurnReports.routes + VelocityReport.routes + FlowReport.routes + CycleTimes.routes
            + ForecastReport.routes
            + WorkloadReport.routes + OverdueReport.routes + TimeSpentReport.routes
    }

    /// The two routes of one report.
    static func pair<Asked: Decodable & Sendable, Report: DrawnReport>(
        _ path: String, _ name: String, _ details: String, example: JSON,
        _ load: @escaping @Sendable (Call, UUID, Asked) async throws -> Report
    ) -> [Route] {
        let json = GET(path, "Read \(name)", .can(.tasksRead)) {
            (call: Call, id: Path<UUID>, asked: Query<Asked>) async throws -> ReportAnswer<Report> in
            let report = try await load(call, id.value, asked.value)
            return ReportAnswer(report: report)
        }
        let picture = GET("\(path).svg", "Draw \(name)", .can(.tasksRead)) {
            (call: Call, id: Path<UUID>, asked: Query<Asked>) async throws -> Raw in
            let report = try await load(call, id.value, asked.value)
            return Raw(report.chart.response)
        }
        return [
            json.describe(details).problems(.reportSpan).example(answer: example),
            picture.describe("\(details) A picture that reads well on light and on dark ground.")
                .problems(.reportSpan).media("image/svg+xml"),
        ]
    }
}

extension ProblemCode {
    static let reportSpan = ProblemCode(
        "report-span", 422, "A report cannot be made of these days",
        advice: "Let `from` be no later than `to`, and no more than \(ReportLimits.daysMax) days before it.")
}

/// How much a report may hold.
enum ReportLimits {
    /// Two years by day are as much as a picture can show.
    static let daysMax = 732
    static let daysUsual = 90
    /// Points of a scatter that can still be told apart.
    static let pointsMax = 1000
    static let listedMax = 200
    static let sprintsUsual = 8
    /// Enough for the 95th of a hundred to stand still.
    static let runsUsual = 2000
    /// What takes longer than two years cannot be foretold from how the last weeks went.
    static let forecastDaysMax = 730
}

/// The days a report is made of, in the project's zone.
struct ReportDays: Codable, Sendable {
    let from: LocalDate?
    let to: LocalDate?

    /// The project's zone and these days as its SQL knows them: `key`, `zone`, `today`, `first`, `last`, and the moments
    /// `begins` and `ends` between which they lie. No row when the caller may not see the project.
    func head(_ project: UUID, _ call: Call, usual: Int = ReportLimits.daysUsual) throws -> SQL {
        // Tomorrow in UTC is today's latest anywhere.
        let end = to?.daysSince1970 ?? Int(call.now.seconds / 86_400) + 1
        if let from, to.map({ $0 < from }) ?? false || end - from.daysSince1970 >= ReportLimits.daysMax {
            throw Problem(.reportSpan)
        }
        return """
            SELECT p.key, d.zone, d.today, d.first, d.last,
                   d.first::timestamp AT TIME ZONE d.zone AS begins, (d.last + 1)::timestamp AT TIME ZONE d.zone AS ends
              FROM projects p
             CROSS JOIN LATERAL (
                SELECT z.zone, z.today, least(z.last, coalesce(\(from)::date, z.last - \(usual - 1)::integer)) AS first, z.last
                  FROM (SELECT p.time_zone AS zone, (\(call.now) AT TIME ZONE p.time_zone)::date AS today,
                               least(coalesce(\(to)::date, (\(call.now) AT TIME ZONE p.time_zone)::date),
                                     (\(call.now) AT TIME ZONE p.time_zone)::date) AS last) z) d
             WHERE p.company_id = \(try call.company) AND p.id = \(project) AND \(fragment: try ProjectAccess.visible(call))
            """
    }
}
