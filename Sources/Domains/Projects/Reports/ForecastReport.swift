import API
import Core
import Postgres
import Wire

/// When a project's open work will be done, with what probability.
struct ForecastReport: Codable, DrawnReport {
    struct Chance: Codable, Sendable, Equatable {
        /// Of a hundred.
        let probability: Int
        let days: Int?
        let doneOn: LocalDate?
    }

    let projectId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let remaining: Int
    let completed: Int
    let tasksPerDay: Double
    let runs: Int
    let seed: Int
    let chances: [Chance]
    let curve: [Point]

    struct Point: Codable, Sendable, Equatable {
        let day: LocalDate
        let probability: Double
    }

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/forecast", "a forecast for a project",
            "When the open tasks (or so many as `tasks` says) will be done: `runs` times, days of the past are drawn at "
                + "random until nothing is left. The same `seed` gives the same answer. Null where fewer runs than that "
                + "came to an end within two years. It tells what follows if the coming days are like those from `from` to "
                + "`to`, and no more.",
            example: ReportExamples.forecast, load)
    }

    struct Asked: Codable, Sendable {
        let from: LocalDate?
        let to: LocalDate?
        let tasks: Whole<1, 10_000>?
        /// More would hold up whoever shares the processor.
        let runs: Whole<100, 5000>?
        let seed: Whole<0, 1_000_000>?
    }

    static func load(_ call: Call, _ project: UUID, _ asked: Asked) async throws -> ForecastReport {
        let head = try ReportDays(from: asked.from, to: asked.to).head(project, call)
        let rows = try await call.db.replica(
            """
            WITH p AS (\(fragment: head)),
            ends AS (
                SELECT DISTINCT ON (f.task_id) f.at, f.category
                  FROM p
                  JOIN task_flow f ON f.company_id = \(try call.company) AND f.project_id = \(project)
                                  AND f.at >= p.begins AND f.at < p.ends AND f.category IS DISTINCT FROM f.category_before
                                  AND 'completed' IN (f.category, f.category_before)
                 ORDER BY f.task_id, f.at DESC, f.id DESC)
            SELECT p.zone, p.first, p.last, p.today,
                   (SELECT count(*) FROM tasks t
                     WHERE t.company_id = \(try call.company) AND t.project_id = \(project) AND t.deleted_at IS NULL
                       AND t.archived_at IS NULL AND t.category IN ('backlog', 'unstarted', 'started')) AS open,
                   coalesce(s.days, '{}') AS days, coalesce(s.counts, '{}') AS counts
              FROM p
             CROSS JOIN LATERAL (
                SELECT array_agg(c.day) AS days, array_agg(c.count) AS counts
                  FROM (SELECT (e.at AT TIME ZONE p.zone)::date AS day, count(*) AS count FROM ends e
                         WHERE e.category = 'completed' GROUP BY 1) c) s
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let (days, counts): ([LocalDate], [Int]) = (try row.get("days"), try row.get("counts"))
        let byDay = Dictionary(uniqueKeysWithValues: zip(days, counts))
        let (from, to, today): (LocalDate, LocalDate, LocalDate) = (
            try row.get("first"), try row.get("last"), try row.get("today")
        )
        let remaining = try asked.tasks?.value ?? row.get("open")
        let throughput = from.days(through: to).map { byDay[$0] ?? 0 }
        let runs = asked.runs?.value ?? ReportLimits.runsUsual
        let seed = asked.seed?.value ?? 1
        // Thousands of runs may take milliseconds, for which the loop's other connections do not wait.
        let forecast = await Task.detached {
            Forecast(
                remaining: remaining, throughput: throughput, runs: runs, seed: UInt64(seed),
                daysMax: ReportLimits.forecastDaysMax)
        }.value
        return ForecastReport(
            projectId: project, timeZone: try row.get("zone"), from: from, to: to, remaining: remaining,
            completed: counts.reduce(0, +),
            tasksPerDay: (Double(counts.reduce(0, +)) / Double(throughput.count) * 100).rounded() / 100,
            runs: runs,
            seed: seed,
            chances: [50, 70, 85, 95].map { share in
                let days = forecast.days(forShare: share)
                return Chance(probability: share, days: days, doneOn: days.map(today.adding))
            },
            curve: curve(forecast, today))
    }

    /// From the first run that was done to the last, in no more than sixty steps.
    private static func curve(_ forecast: Forecast, _ today: LocalDate) -> [Point] {
        guard let first = forecast.daysTaken.first, let last = forecast.daysTaken.last else { return [] }
        let step = max(1, (last - first) / 60)
        return Swift.stride(from: first, through: last + step - 1, by: step).map { days in
            Point(day: today.adding(days), probability: (forecast.share(within: days) * 100).rounded() / 100)
        }
    }

    var chart: Chart {
        let moments = chances.filter { $0.probability != 70 }.compactMap { chance in
            chance.doneOn.map { ChartLayer.moment("\(chance.probability) %", ChartAxis.end(of: $0)) }
        }
        let first = curve.first?.day ?? to
        let likely = chances.first { $0.probability == 85 }?.doneOn
        return Chart(
            "Forecast: \(remaining) open tasks",
            description: likely.map { "With 85 % probability they are done on \($0)." }
                ?? "Nothing can be foretold from these days.",
            horizontal: .days(first...(curve.last?.day ?? first), "done on"), vertical: .numbers("%", [100]),
            layers: [
                .line(
                    "Probability", .done, curve.map { ChartPoint(ChartAxis.end(of: $0.day), $0.probability) })
            ]
                + moments,
            emptyText: "Nothing can be foretold: too little was completed")
    }
}
