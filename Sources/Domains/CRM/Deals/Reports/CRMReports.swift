import API
import Core
import Postgres
import Wire

/// The reports of sales: each as JSON and, under the same path with `.svg`, as a picture.
///
/// They tell of the deals the caller sees, from the steps of their ways alone, by the days and months of the company's time
/// zone, on the replica when there is one. Money is in the company's currency; without crm:amounts there is none.
enum CRMReports {
    static var routes: [Route] {
        FunnelReport.routes + StageTimes.routes + WinRateReport.routes + CohortReport.routes
            + ForecastReport.routes
            + Leaderboard.routes + ConversionReport.routes
    }

    /// The two routes of a report on one pipeline.
    static func pair<Asked: Decodable & Sendable, Report: DrawnReport>(
        _ path: String, _ name: String, _ details: String, example: JSON,
        ofPipeline load: @escaping @Sendable (Call, UUID, Asked) async throws -> Report
    ) -> [Route] {
        let json = GET(path, "Read \(name)", .can(.crmRead)) {
            (call: Call, id: Path<UUID>, asked: Query<Asked>) async throws -> ReportAnswer<Report> in
            let report = try await load(call, id.value, asked.value)
            return ReportAnswer(report: report)
        }
        let picture = GET("\(path).svg", "Draw \(name)", .can(.crmRead)) {
            (call: Call, id: Path<UUID>, asked: Query<Asked>) async throws -> Raw in
            let report = try await load(call, id.value, asked.value)
            return Raw(report.chart.response)
        }
        return described(json, picture, details, example)
    }

    /// The two routes of a report on the whole company.
    static func pair<Asked: Decodable & Sendable, Report: DrawnReport>(
        _ path: String, _ name: String, _ details: String, example: JSON,
        ofCompany load: @escaping @Sendable (Call, Asked) async throws -> Report
    ) -> [Route] {
        let json = GET(path, "Read \(name)", .can(.crmRead)) {
            (call: Call, asked: Query<Asked>) async throws -> ReportAnswer<Report> in
            let report = try await load(call, asked.value)
            return ReportAnswer(report: report)
        }
        let picture = GET("\(path).svg", "Draw \(name)", .can(.crmRead)) {
            (call: Call, asked: Query<Asked>) async throws -> Raw in
            let report = try await load(call, asked.value)
            return Raw(report.chart.response)
        }
        return described(json, picture, details, example)
    }

    private static func described(_ json: Route, _ picture: Route, _ details: String, _ example: JSON)
        -> [Route]
    {
        [
            json.describe(details).example(answer: example),
            picture.describe("\(details) A picture that reads well on light and on dark ground.").media(
                "image/svg+xml"),
        ]
    }

    /// A share in hundredths of a per cent; null of nothing.
    static func share(_ part: Int, of whole: Int) -> Int? {
        whole == 0 ? nil : (part * 10_000 + whole / 2) / whole
    }

    /// As in a sentence: `42.5 %`.
    static func text(_ share: Int?) -> String { share.map { "\(ChartAxis.text(Double($0) / 100)) %" } ?? "–" }
}

/// Which days and whose deals a report is made of.
struct ReportAsked: Codable, Sendable, FieldNotes {
    let from: LocalDate?
    let to: LocalDate?
    let owner: [DealFilter.Owner]?

    static let fieldNotes = [
        "from": "180 days before the last day when absent.", "to": "Today when absent.",
        "owner": "Members by id, `me`, or `none` for deals that nobody owns.",
    ]

    /// One row: the company's `currency` and `zone`, the days `first` and `last`, and the moments `begins` and `ends`
    /// between which they lie.
    func days(_ call: Call) throws -> SQL {
        let end = to?.daysSince1970 ?? Int(call.now.seconds / 86_400) + 1
        if let from, to.map({ $0 < from }) ?? false || end - from.daysSince1970 > CRMReports.daysMax {
            throw Problem.unprocessable([
                .parameter(
                    "from", "out-of-range",
                    "must be no later than `to`, and at most \(CRMReports.daysMax) days before it")
            ])
        }
        return """
            SELECT c.currency, c.time_zone AS zone, d.first, d.last, d.first::timestamp AT TIME ZONE c.time_zone AS begins,
                   (d.last + 1)::timestamp AT TIME ZONE c.time_zone AS ends
              FROM companies c
             CROSS JOIN LATERAL (
                SELECT coalesce(\(from)::date, z.last - \(CRMReports.daysUsual)::integer) AS first, z.last
                  FROM (SELECT coalesce(\(to)::date, (\(call.now) AT TIME ZONE c.time_zone)::date) AS last) AS z) AS d
             WHERE c.id = \(try call.company)
            """
    }

    /// A condition on `d`: the caller sees it, and it is one of those asked for.
    func deals(_ call: Call) throws -> SQL {
        let visible = try CRMAccess.visible(call, "d")
        guard let owner else { return visible }
        return
            "\(fragment: visible) AND \(fragment: DealFilter.Owner.condition(owner, "d.owner_id", me: call.principal?.memberId))"
    }
}

extension CRMReports {
    /// Five years by month are as much as a picture can show.
    static let daysMax = 1_830
    static let daysUsual = 180

    /// 404 unless the pipeline is one of the company's; its name.
    static func pipeline(_ id: UUID, _ call: Call) async throws -> String {
        let rows = try await call.db.query(
            "SELECT name FROM pipelines WHERE company_id = \(call.company) AND id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        return try row.get("name")
    }

    static func hasAmounts(_ call: Call) -> Bool { call.principal.map(DealRows.hasAmounts) ?? false }
}
