import API
import Core
import Postgres
import Wire

/// How long tasks took that were completed: from the beginning of work (cycle), and from their appearance (lead).
struct CycleTimeReport: Codable, Sendable {
    struct Completion: Codable, Sendable, Equatable {
        let taskId: UUID
        let key: String?
        let completedAt: Timestamp
        let completedOn: LocalDate
        let cycleDays: Double
        let leadDays: Double
    }

    /// The values below which so many of a hundred lie.
    struct Percentiles: Codable, Sendable, Equatable {
        let p50: Double
        let p75: Double
        let p85: Double
        let p95: Double
    }

    let projectId: UUID
    let timeZone: String
    let from: LocalDate
    let to: LocalDate
    let count: Int
    let cycleDays: Percentiles?
    let leadDays: Percentiles?
    /// The newest first.
    let completions: [Completion]
}

/// The report as it is made: its completions are printed straight from their rows.
struct CycleTimes: DrawnReport {
    typealias Shape = CycleTimeReport

    /// One row for each completion, in the shape of `Completion` with the days of the report behind it; one row with
    /// these days alone when there is none.
    private let rows: Rows
    private let project: UUID
    private let from: LocalDate
    private let to: LocalDate
    private let cycles: [Double]
    private let leads: [Double]

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/cycle-time", "cycle and lead times of a project",
            "Each task that was completed in these days and not reopened in them, with the time since work on it began "
                + "(cycle) and since it was made (lead), in days of 24 hours. `completions` holds the newest "
                + "\(ReportLimits.pointsMax); the percentiles are over all.",
            example: ReportExamples.cycleTime, load)
    }

    static func load(_ call: Call, _ project: UUID, _ asked: ReportDays) async throws -> CycleTimes {
        let rows = try await call.db.replica(
            """
            WITH p AS (\(fragment: try asked.head(project, call)))
            SELECT c.task_id, p.key || '-' || t.number AS key, c.at AS completed_at,
                   (c.at AT TIME ZONE p.zone)::date AS completed_on,
                   (extract(epoch FROM c.at - c.started_at) / 86400)::float8 AS cycle_days,
                   (extract(epoch FROM c.at - c.entered_at) / 86400)::float8 AS lead_days,
                   p.zone, p.first, p.last
              FROM p
              LEFT JOIN (
                SELECT DISTINCT ON (f.task_id) f.task_id, f.at, f.category, f.entered_at, f.started_at
                  FROM p
                  JOIN task_flow f ON f.company_id = \(try call.company) AND f.project_id = \(project)
                                  AND f.at >= p.begins AND f.at < p.ends AND f.category IS DISTINCT FROM f.category_before
                                  AND 'completed' IN (f.category, f.category_before)
                 ORDER BY f.task_id, f.at DESC, f.id DESC) c ON c.category = 'completed'
              LEFT JOIN tasks t ON t.company_id = \(try call.company) AND t.id = c.task_id AND t.project_id = \(project)
             ORDER BY c.at DESC
            """)
        return try CycleTimes(of: project, rows)
    }

    private init(of project: UUID, _ rows: Rows) throws {
        guard let head = rows.first else { throw Problem.notFound }
        self.rows = rows
        self.project = project
        from = try head.get("first")
        to = try head.get("last")
        cycles = head.isNull("task_id") ? [] : try rows.map { try $0.get("cycle_days") }
        leads = head.isNull("task_id") ? [] : try rows.map { try $0.get("lead_days") }
    }

    func write(into out: ByteWriter) throws {
        out.write(#"{"project_id":""#)
        out.write(project)
        out.write(#"","time_zone":"#)
        out.writeJSONString(try rows[0].get("zone"))
        out.write(#","from":""#)
        out.write(from)
        out.write(#"","to":""#)
        out.write(to)
        out.write(#"","count":"#)
        out.write(cycles.count)
        out.write(#","cycle_days":"#)
        try out.writeJSON(CycleTimeReport.Percentiles(of: cycles))
        out.write(#","lead_days":"#)
        try out.writeJSON(CycleTimeReport.Percentiles(of: leads))
        out.write(#","completions":"#)
        if cycles.isEmpty {
            out.write("[]")
        } else {
            rows.writeJSONArray(into: out, limit: ReportLimits.pointsMax, hiddenColumns: 3)
        }
        out.write("}")
    }

    var chart: Chart {
        let percentiles = CycleTimeReport.Percentiles(of: cycles)
        let points = cycles.indices.prefix(ReportLimits.pointsMax).compactMap { index -> ChartPoint? in
            guard let day: LocalDate = try? rows[index].get("completed_on") else { return nil }
            let key: String? = try? rows[index].get("key")
            return ChartPoint(
                ChartAxis.beginning(of: day) + 0.5, cycles[index],
                note: "\(key ?? ""): \(ChartAxis.text(cycles[index])) days")
        }
        let levels = percentiles.map { percentiles -> [ChartLayer] in
            [
                .level("50 %: \(ChartAxis.text(percentiles.p50)) days", .done, percentiles.p50),
                .level("85 %: \(ChartAxis.text(percentiles.p85)) days", .warning, percentiles.p85),
            ]
        }
        return Chart(
            "Cycle time",
            description: "\(cycles.count) tasks were completed from \(from) to \(to); half of them within "
                + "\(ChartAxis.text(percentiles?.p50 ?? 0)) days, 85 of a hundred within \(ChartAxis.text(percentiles?.p85 ?? 0)).",
            horizontal: .days(from...to, "completed on"), vertical: .numbers("days", cycles),
            layers: [.points("Task", .open, points)] + (levels ?? []),
            emptyText: "No task was completed in these days")
    }
}

extension CycleTimeReport.Percentiles {
    /// Nil of nothing.
    init?(of values: [Double]) {
        if values.isEmpty { return nil }
        let sorted = values.sorted()
        func below(_ share: Int) -> Double {
            // The nearest rank: a value that was really measured.
            let rank = (share * sorted.count + 99) / 100
            return (sorted[max(rank, 1) - 1] * 100).rounded() / 100
        }
        self.init(p50: below(50), p75: below(75), p85: below(85), p95: below(95))
    }
}
