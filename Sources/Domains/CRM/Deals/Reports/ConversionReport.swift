import API
import Core
import Postgres
import Wire

/// What became of the leads that came in a month: converted, made a deal, won.
struct ConversionReport: Codable, DrawnReport, FieldNotes {
    struct Month: Codable, Sendable {
        let month: String
        let leads: Int
        let converted: Int
        let deals: Int
        let won: Int
        let conversionBp: Int?
    }

    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let months: [Month]

    static let fieldNotes = [
        "months": "By the month a lead came; each counts once in every column it has reached."
    ]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/crm/conversion", "the conversion of leads",
            "What became of the leads that came in each month: converted, made a deal, won.",
            example: SalesReportExamples.conversion, ofCompany: load)
    }

    static func load(_ call: Call, _ asked: ReportAsked) async throws -> ConversionReport {
        let company = try call.company
        let owner: SQL =
            asked.owner.map { DealFilter.Owner.condition($0, "l.owner_id", me: call.principal?.memberId) }
            ?? "TRUE"
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            sums AS (
                SELECT date_trunc('month', l.created_at AT TIME ZONE house.zone) AS month, count(*) AS leads,
                       count(*) FILTER (WHERE l.status = 'converted') AS converted, count(c.deal_id) AS deals,
                       count(*) FILTER (WHERE d.stage_kind = 'won') AS won
                  FROM leads l CROSS JOIN house
                  LEFT JOIN lead_conversions c ON c.company_id = l.company_id AND c.lead_id = l.id
                  LEFT JOIN deals d ON d.company_id = c.company_id AND d.id = c.deal_id
                 WHERE l.company_id = \(company) AND l.created_at >= house.begins AND l.created_at < house.ends
                   AND \(fragment: try CRMAccess.visible(call, "l")) AND \(fragment: owner)
                 GROUP BY 1)
            SELECT house.zone, house.first, house.last, to_char(months.month, 'YYYY-MM') AS month,
                   coalesce(sums.leads, 0) AS leads, coalesce(sums.converted, 0) AS converted,
                   coalesce(sums.deals, 0) AS deals, coalesce(sums.won, 0) AS won
              FROM house
             CROSS JOIN LATERAL generate_series(date_trunc('month', house.first::timestamp), house.last::timestamp, interval '1 month')
                        AS months (month)
              LEFT JOIN sums ON sums.month = months.month
             ORDER BY months.month
            """)
        guard let head = rows.first else { throw Problem.notFound }
        return ConversionReport(
            timeZone: try head.get("zone"), from: try head.get("first"), to: try head.get("last"),
            months: try rows.map { row in
                let (leads, converted) = (
                    try row.get("leads", as: Int.self), try row.get("converted", as: Int.self)
                )
                return Month(
                    month: try row.get("month"), leads: leads, converted: converted,
                    deals: try row.get("deals"),
                    won: try row.get("won"), conversionBp: CRMReports.share(converted, of: leads))
            })
    }

    var chart: Chart {
        let isEmpty = months.allSatisfy { $0.leads == 0 }
        let (leads, converted) = (months.reduce(0) { $0 + $1.leads }, months.reduce(0) { $0 + $1.converted })
        return Chart(
            "Conversion of leads",
            description:
                "\(converted) of \(leads) leads converted: \(CRMReports.text(CRMReports.share(converted, of: leads))).",
            horizontal: .names(months.map(\.month), "Month the leads came"),
            vertical: .counts("Leads", months.map { Double($0.leads) }),
            layers: isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([.init("Came", .waiting, months.map { Double($0.leads) })]),
                        ChartBars([.init("Converted", .open, months.map { Double($0.converted) })]),
                        ChartBars([.init("Won", .done, months.map { Double($0.won) })]),
                    ])
                ],
            emptyText: "No lead came in these days")
    }
}
