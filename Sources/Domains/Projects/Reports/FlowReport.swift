import API
import Core
import Postgres
import Wire

/// How many tasks of a project were in each category at the end of each day.
struct FlowReport: Codable, DrawnReport {
    struct Day: Codable, Sendable, Equatable {
        let day: LocalDate
        var backlog = 0
        var unstarted = 0
        var started = 0
        var completed = 0
        var cancelled = 0

        subscript(category: StateCategory) -> Int {
            get {
                switch category {
                case .backlog: backlog
                case .unstarted: unstarted
                case .started: started
                case .completed: completed
                case .cancelled: cancelled
                }
            }
            set {
                switch category {
                case .backlog: backlog = newValue
                case .unstarted: unstarted = newValue
                case .started: started = newValue
                case .completed: completed = newValue
                case .cancelled: cancelled = newValue
                }
            }
        }
    }

    let projectId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let days: [Day]

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/cumulative-flow", "the cumulative flow of a project",
            "How many tasks were in each category at the end of each day of the project's zone; the last "
                + "\(ReportLimits.daysUsual) days unless `from` and `to` say others.",
            example: ReportExamples.flow, load)
    }

    /// How many more tasks (or fewer) are in a category because of what happened on a day.
    struct Step: Sendable, Equatable {
        let day: LocalDate
        let category: StateCategory
        let change: Int
    }

    static func load(_ call: Call, _ project: UUID, _ asked: ReportDays) async throws -> FlowReport {
        let rows = try await call.db.replica(
            """
            WITH p AS (\(fragment: try asked.head(project, call))),
            moves AS (
                -- What came before the first day is its beginning.
                SELECT CASE WHEN f.at < p.begins THEN p.first - 1 ELSE (f.at AT TIME ZONE p.zone)::date END AS day,
                       f.category_before, f.category, count(*) AS count
                  FROM p
                  JOIN task_flow f ON f.company_id = \(try call.company) AND f.project_id = \(project) AND f.at < p.ends
                                  AND f.category IS DISTINCT FROM f.category_before
                 GROUP BY 1, 2, 3)
            SELECT p.zone, p.first, p.last, s.days, s.categories, s.changes
              FROM p
             CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(c.day), '{}') AS days, coalesce(array_agg(c.category), '{}') AS categories,
                       coalesce(array_agg(c.change), '{}') AS changes
                  FROM (SELECT m.day, side.category, sum(side.change * m.count)::bigint AS change
                          FROM moves m
                         CROSS JOIN LATERAL (VALUES (m.category, 1), (m.category_before, -1)) side(category, change)
                         WHERE side.category IS NOT NULL
                         GROUP BY 1, 2) c) s
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let (days, changes): ([LocalDate], [Int]) = (try row.get("days"), try row.get("changes"))
        let categories: [StateCategory] = try row.get("categories")
        return FlowReport(
            of: project, timeZone: try row.get("zone"), from: try row.get("first"), to: try row.get("last"),
            days.indices.map { Step(day: days[$0], category: categories[$0], change: changes[$0]) })
    }

    /// Adds up the steps; those before the first day are its beginning.
    init(of project: UUID, timeZone: String, from: LocalDate, to: LocalDate, _ steps: [Step]) {
        let byDay = Dictionary(grouping: steps) { max($0.day, from) }
        var sums: [StateCategory: Int] = [:]
        days = from.days(through: to).map { date in
            for step in byDay[date] ?? [] { sums[step.category, default: 0] += step.change }
            var day = Day(day: date)
            for (category, sum) in sums { day[category] = sum }
            return day
        }
        projectId = project
        self.timeZone = timeZone
        self.from = from
        self.to = to
    }

    /// From the bottom up.
    private static let bands: [(StateCategory, String, ChartTone)] = [
        (.completed, "Completed", .done), (.started, "Started", .started), (.unstarted, "Unstarted", .open),
        (.backlog, "Backlog", .waiting), (.cancelled, "Cancelled", .stopped),
    ]

    var chart: Chart {
        var base = [Double](repeating: 0, count: days.count)
        let layers = Self.bands.map { category, name, tone in
            let bands = days.indices.map { index -> ChartBand in
                let low = base[index]
                base[index] += Double(days[index][category])
                return ChartBand(ChartAxis.end(of: days[index].day), low: low, high: base[index])
            }
            return ChartLayer.area(name, tone, bands)
        }
        let last = days.last
        return Chart(
            "Cumulative flow",
            description:
                "On \(to) \(last?.completed ?? 0) tasks are completed, \(last?.started ?? 0) started, "
                + "\((last?.unstarted ?? 0) + (last?.backlog ?? 0)) waiting.",
            horizontal: .days(from...to), vertical: .counts("tasks", base),
            layers: base.contains { $0 > 0 } ? layers : [])
    }
}
