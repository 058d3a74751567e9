import API
import Core
import Postgres
import Wire

/// How long tasks took that were completed: from the beginning of work (cycle), and from their appearance (lead).
struct CycleTimeReport: DrawnReport {
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

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/cycle-time", "cycle and lead times of a project",
            "Each task that was completed in these days and not reopened in them, with the time since work on it began "
                + "(cycle) and since it was made (lead), in days of 24 hours. `completions` holds the newest "
                + "\(ReportLimits.pointsMax); the percentiles are over all.",
            example: ReportExamples.cycleTime, load)
    }

    static func load(_ call: Call, _ project: UUID, _ asked: ReportDays) async throws -> CycleTimeReport {
        let rows = try await call.db.replica(
            """
            WITH p AS (\(fragment: try asked.head(project, call)))
            SELECT p.zone, p.first, p.last, c.task_id, p.key || '-' || t.number AS key, c.at AS completed_at,
                   (c.at AT TIME ZONE p.zone)::date AS completed_on,
                   (extract(epoch FROM c.at - c.started_at) / 86400)::float8 AS cycle_days,
                   (extract(epoch FROM c.at - c.entered_at) / 86400)::float8 AS lead_days
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
        guard let head = rows.first else { throw Problem.notFound }
        let all = head.isNull("task_id") ? [] : try rows.map { try $0.decode(Completion.self) }
        return CycleTimeReport(
            projectId: project, timeZone: try head.get("zone"), from: try head.get("first"), to: try head.get("last"),
            count: all.count, cycleDays: Percentiles(of: all.map(\.cycleDays)), leadDays: Percentiles(of: all.map(\.leadDays)),
            completions: Array(all.prefix(ReportLimits.pointsMax)))
    }

    var chart: Chart {
        let points = completions.map { completion -> ChartPoint in
            // Side by side within their day, by the hour of the zone they were completed in would need its rules again.
            ChartPoint(
                ChartAxis.beginning(of: completion.completedOn) + 0.5, completion.cycleDays,
                note: "\(completion.key ?? ""): \(ChartAxis.text(completion.cycleDays)) days")
        }
        let levels = cycleDays.map { percentiles -> [ChartLayer] in
            [
                .level("50 %: \(ChartAxis.text(percentiles.p50)) days", .done, percentiles.p50),
                .level("85 %: \(ChartAxis.text(percentiles.p85)) days", .warning, percentiles.p85),
            ]
        }
        return Chart(
            "Cycle time",
            description: "\(count) tasks were completed from \(from) to \(to); half of them within "
                + "\(ChartAxis.text(cycleDays?.p50 ?? 0)) days, 85 of a hundred within \(ChartAxis.text(cycleDays?.p85 ?? 0)).",
            horizontal: .days(from...to, "completed on"), vertical: .numbers("days", completions.map(\.cycleDays)),
            layers: [.points("Task", .open, points)] + (levels ?? []), emptyText: "No task was completed in these days")
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
