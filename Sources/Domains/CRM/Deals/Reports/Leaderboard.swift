import API
import Core
import Postgres
import Wire

/// Who won how much in some days.
struct Leaderboard: Codable, DrawnReport, FieldNotes {
    struct Seller: Codable, Sendable {
        let memberId: UUID?
        let name: String?
        let made: Int
        let won: Int
        let lost: Int
        let open: Int
        let winRateBp: Int?
        let wonMinor: Int64?
        let openMinor: Int64?
    }

    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let currency: String
    let people: [Seller]

    static let fieldNotes = [
        "people": "By what they own today, most won first; at most 100.",
        "member_id": "Null for deals that nobody owns.",
        "made": "Deals made in these days, as won and lost are those decided in them; open is today.",
    ]

    static var routes: [Route] {
        CRMReports.pair(
            "/v1/crm/leaderboard", "the leaderboard", "Who won how many deals in these days, and how much.",
            example: SalesReportExamples.leaderboard, ofCompany: load)
    }

    static func load(_ call: Call, _ asked: ReportAsked) async throws -> Leaderboard {
        let company = try call.company
        let rows = try await call.db.replica(
            """
            WITH house AS (\(fragment: try asked.days(call))),
            sums AS (
                SELECT d.owner_id, count(*) FILTER (WHERE d.created_at >= house.begins AND d.created_at < house.ends) AS made,
                       count(*) FILTER (WHERE d.stage_kind = 'won' AND d.closed_at >= house.begins AND d.closed_at < house.ends) AS won,
                       count(*) FILTER (WHERE d.stage_kind = 'lost' AND d.closed_at >= house.begins AND d.closed_at < house.ends) AS lost,
                       count(*) FILTER (WHERE d.stage_kind = 'open') AS open,
                       coalesce(sum(d.base_minor) FILTER (
                           WHERE d.stage_kind = 'won' AND d.closed_at >= house.begins AND d.closed_at < house.ends), 0)::bigint AS won_minor,
                       coalesce(sum(d.base_minor) FILTER (WHERE d.stage_kind = 'open'), 0)::bigint AS open_minor
                  FROM deals d CROSS JOIN house
                 WHERE d.company_id = \(company) AND \(fragment: try asked.deals(call)) GROUP BY d.owner_id)
            SELECT house.zone, house.first, house.last, house.currency, sums.owner_id, sums.made, sums.won, sums.lost, sums.open,
                   sums.won_minor, sums.open_minor,
                   (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
                     WHERE m.company_id = \(company) AND m.id = sums.owner_id) AS name, sums.made IS NOT NULL AS is_there
              FROM house LEFT JOIN sums ON TRUE
             ORDER BY \(unescaped: CRMReports.hasAmounts(call) ? "sums.won_minor DESC NULLS LAST, " : "")sums.won DESC NULLS LAST,
                      sums.open DESC NULLS LAST, sums.owner_id
             LIMIT 100
            """)
        guard let head = rows.first else { throw Problem.notFound }
        let hasAmounts = CRMReports.hasAmounts(call)
        return Leaderboard(
            timeZone: try head.get("zone"), from: try head.get("first"), to: try head.get("last"),
            currency: try head.get("currency"),
            people: try rows.filter { try $0.get("is_there", as: Bool.self) }.map { row in
                let (won, lost) = (try row.get("won", as: Int.self), try row.get("lost", as: Int.self))
                let (wonMinor, openMinor) = (
                    try row.get("won_minor", as: Int64.self), try row.get("open_minor", as: Int64.self)
                )
                return Seller(
                    memberId: try row.get("owner_id"), name: try row.get("name"), made: try row.get("made"),
                    won: won,
                    lost: lost, open: try row.get("open"), winRateBp: CRMReports.share(won, of: won + lost),
                    wonMinor: hasAmounts ? wonMinor : nil, openMinor: hasAmounts ? openMinor : nil)
            })
    }

    var chart: Chart {
        let first = Array(people.prefix(12))
        let won = people.reduce(0) { $0 + $1.won }
        return Chart(
            "Leaderboard", description: "\(won) deals won by \(people.count) people.",
            horizontal: .names(first.map { $0.name ?? "Nobody" }),
            vertical: .counts("Deals", first.flatMap { [Double($0.won), Double($0.open)] }),
            layers: first.isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([.init("Won", .done, first.map { Double($0.won) })]),
                        ChartBars([.init("Open now", .open, first.map { Double($0.open) })]),
                    ])
                ],
            emptyText: "There are no deals yet")
    }
}
