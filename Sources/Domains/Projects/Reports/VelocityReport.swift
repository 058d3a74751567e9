import API
import Core
import Postgres
import Wire

/// What the last closed sprints committed to and what they did, as it was frozen at their end.
struct VelocityReport: Codable, DrawnReport {
    struct SprintResult: Codable, Sendable {
        let sprintId: UUID
        let name: String
        let closedAt: Timestamp
        let committed: Double
        let done: Double
    }

    let projectId: UUID
    let unit: WorkUnit
    let sprints: [SprintResult]
    /// Of what was done; null without a closed sprint.
    let mean: Double?
    let least: Double?
    let most: Double?

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/velocity", "the velocity of a project",
            "What the last closed sprints committed to and what they did, oldest first, as it was frozen at their end.",
            example: ReportExamples.velocity, load)
    }

    struct Asked: Codable, Sendable {
        let unit: WorkUnit?
        let sprints: Whole<1, 50>?
    }

    static func load(_ call: Call, _ project: UUID, _ asked: Asked) async throws -> VelocityReport {
        let unit = asked.unit ?? .points
        let column =
            switch unit {
            case .points: "points"
            case .count: "count"
            case .hours: "minutes"
            }
        let rows = try await call.db.replica(
            """
            SELECT s.id AS sprint_id, s.name, s.closed_at, r.committed_\(unescaped: column)::float8 AS committed,
                   r.done_\(unescaped: column)::float8 AS done
              FROM projects p
              LEFT JOIN LATERAL (
                SELECT s.company_id, s.id, s.name, s.closed_at FROM sprints s
                 WHERE s.company_id = p.company_id AND s.project_id = p.id AND s.status = 'closed'
                 ORDER BY s.closed_at DESC LIMIT \(asked.sprints?.value ?? ReportLimits.sprintsUsual)) s ON true
              LEFT JOIN LATERAL (
                SELECT * FROM sprint_reports r WHERE r.company_id = s.company_id AND r.sprint_id = s.id
                 ORDER BY r.closing DESC LIMIT 1) r ON true
             WHERE p.company_id = \(try call.company) AND p.id = \(project) AND \(fragment: try ProjectAccess.visible(call))
             ORDER BY s.closed_at
            """)
        if rows.isEmpty { throw Problem.notFound }
        let share = unit == .hours ? 60.0 : 1
        let sprints = try rows.filter { !$0.isNull("committed") }.map { row in
            SprintResult(
                sprintId: try row.get("sprint_id"), name: try row.get("name"),
                closedAt: try row.get("closed_at"),
                committed: try row.get("committed", as: Double.self) / share,
                done: try row.get("done", as: Double.self) / share)
        }
        let done = sprints.map(\.done)
        return VelocityReport(
            projectId: project, unit: unit, sprints: sprints,
            mean: done.isEmpty ? nil : (done.reduce(0, +) / Double(done.count) * 100).rounded() / 100,
            least: done.min(),
            most: done.max())
    }

    var chart: Chart {
        let text = mean.map {
            "\(sprints.count) sprints, \(ChartAxis.text($0)) \(unit.label) done on average."
        }
        return Chart(
            "Velocity", description: text ?? "No sprint has been closed yet.",
            horizontal: .names(sprints.map(\.name)),
            vertical: unit.axis(sprints.flatMap { [$0.committed, $0.done] }),
            layers: [
                .bars([
                    ChartBars([.init("Committed", .ideal, sprints.map(\.committed))]),
                    ChartBars([.init("Done", .done, sprints.map(\.done))]),
                ])
            ] + (mean.map { [.level("Mean \(ChartAxis.text($0))", .scope, $0)] } ?? []),
            emptyText: "No sprint has been closed yet")
    }
}
