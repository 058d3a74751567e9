import API
import Core
import Postgres
import Wire

/// The time that was entered for a project's tasks, against what was estimated for them.
struct TimeSpentReport: Codable, DrawnReport {
    struct TaskTime: Codable, Sendable, Equatable {
        let taskId: UUID
        let key: String
        let title: String
        let category: StateCategory
        let estimateMinutes: Int?
        let spentMinutes: Int
    }

    let projectId: UUID
    let timeZone: String
    let from: LocalDate?
    let to: LocalDate?
    /// Of the tasks that have an estimate, and what was spent on them.
    let estimateMinutes: Int
    let spentOnEstimatedMinutes: Int
    /// On tasks without an estimate, and on no task of the project.
    let spentOnUnestimatedMinutes: Int
    let spentElsewhereMinutes: Int
    /// The largest first.
    let tasks: [TaskTime]

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/time-spent", "time spent against estimates in a project",
            "The time entered for the project's tasks (of a sprint, or between two days of the project's zone) beside their "
                + "estimates, the tasks with most time first; `tasks` holds the first \(ReportLimits.listedMax). A running "
                + "timer does not count yet. Takes time:read, or the right to manage the project.",
            example: ReportExamples.timeSpent, load)
    }

    struct Asked: Codable, Sendable {
        let sprintId: UUID?
        let from: LocalDate?
        let to: LocalDate?
    }

    static func load(_ call: Call, _ project: UUID, _ asked: Asked) async throws -> TimeSpentReport {
        if let from = asked.from, let to = asked.to, to < from { throw Problem(.reportSpan) }
        let right: ProjectRight = call.can(.timeRead) ? .see : .manage
        let head = try await ProjectAccess.require(right, in: project, call, evenArchived: true)
        let rows = try await call.db.replica(select(project, asked, try call.company))
        guard let totals = rows.first else { throw Problem.notFound }
        let tasks = totals.isNull("task_id") ? [] : try rows.map { try $0.decode(TaskTime.self) }
        return TimeSpentReport(
            projectId: project, timeZone: head.timeZone, from: asked.from, to: asked.to,
            estimateMinutes: try totals.get("estimated"),
            spentOnEstimatedMinutes: try totals.get("on_estimated"),
            spentOnUnestimatedMinutes: try totals.get("on_unestimated"),
            spentElsewhereMinutes: try totals.get("elsewhere"),
            tasks: tasks)
    }

    /// The totals, in as many rows as there are tasks to list, in one at least.
    private static func select(_ project: UUID, _ asked: Asked, _ company: UUID) -> SQL {
        """
        WITH sides AS (
            SELECT t.id AS task_id, true AS is_task, t.number, t.title, t.category, t.estimate_minutes, 0 AS minutes
              FROM tasks t
             WHERE t.company_id = \(company) AND t.project_id = \(project) AND t.deleted_at IS NULL
               AND (\(asked.sprintId)::uuid IS NULL OR t.sprint_id = \(asked.sprintId)::uuid)
            UNION ALL
            SELECT e.task_id, false, NULL, NULL, NULL, NULL, e.minutes
              FROM time_entries e
             WHERE e.company_id = \(company) AND e.project_id = \(project) AND e.minutes IS NOT NULL
               AND (\(asked.from)::date IS NULL OR e.worked_on >= \(asked.from)::date)
               AND (\(asked.to)::date IS NULL OR e.worked_on <= \(asked.to)::date)),
        -- Grouped and not joined: the planner takes a project for smaller than it is, and would join row by row.
        held AS (
            SELECT task_id, bool_or(is_task) AS is_task, max(number) AS number, max(title) AS title,
                   max(category) AS category, max(estimate_minutes) AS estimate_minutes, sum(minutes)::int AS spent_minutes
              FROM sides GROUP BY task_id),
        totals AS (
            SELECT coalesce(sum(estimate_minutes), 0)::int AS estimated,
                   coalesce(sum(spent_minutes) FILTER (WHERE estimate_minutes IS NOT NULL), 0)::int AS on_estimated,
                   coalesce(sum(spent_minutes) FILTER (WHERE is_task AND estimate_minutes IS NULL), 0)::int
                       AS on_unestimated,
                   coalesce(sum(spent_minutes) FILTER (WHERE NOT is_task AND \(asked.sprintId)::uuid IS NULL), 0)::int
                       AS elsewhere
              FROM held)
        SELECT listed.task_id, p.key || '-' || listed.number AS key, listed.title, listed.category,
               listed.estimate_minutes, listed.spent_minutes, totals.*
          FROM totals
          JOIN projects p ON p.company_id = \(company) AND p.id = \(project)
          LEFT JOIN (SELECT * FROM held WHERE is_task AND (estimate_minutes IS NOT NULL OR spent_minutes > 0)
                      ORDER BY spent_minutes DESC, estimate_minutes DESC NULLS LAST, task_id
                      LIMIT \(ReportLimits.listedMax)) listed ON true
         ORDER BY listed.spent_minutes DESC, listed.estimate_minutes DESC NULLS LAST, listed.task_id
        """
    }

    var chart: Chart {
        let shown = tasks.prefix(12)
        let hours: (Int) -> Double = { (Double($0) / 60 * 100).rounded() / 100 }
        let (estimated, spent) = (
            shown.map { hours($0.estimateMinutes ?? 0) }, shown.map { hours($0.spentMinutes) }
        )
        return Chart(
            "Time spent against estimates",
            description: "\(ChartAxis.text(hours(estimateMinutes))) hours were estimated, and "
                + "\(ChartAxis.text(hours(spentOnEstimatedMinutes))) spent on the same tasks.",
            horizontal: .names(shown.map { "#\($0.key.split(separator: "-").last ?? "")" }),
            vertical: .numbers("hours", estimated + spent),
            layers: shown.isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([.init("Estimated", .ideal, estimated)]),
                        ChartBars([.init("Spent", .started, spent)]),
                    ])
                ],
            emptyText: "No time has been entered, and nothing estimated")
    }
}
