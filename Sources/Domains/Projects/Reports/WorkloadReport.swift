import API
import Core
import Postgres
import Wire

/// Who has how much open work in a project.
struct WorkloadReport: Codable, DrawnReport {
    struct Person: Codable, Sendable, Equatable {
        let memberId: UUID?
        let name: String?
        let waitingCount: Int
        let startedCount: Int
        let overdueCount: Int
        let points: Double
        let estimateMinutes: Int
    }

    let projectId: UUID
    let people: [Person]

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/workload", "the workload of a project",
            "The open tasks of each member, most first; a task of several counts for each of them. The one without a name "
                + "is nobody: tasks that are not assigned.",
            example: ReportExamples.workload, load)
    }

    struct Asked: Codable, Sendable {
        /// Only the tasks of a sprint.
        let sprintId: UUID?
    }

    static func load(_ call: Call, _ project: UUID, _ asked: Asked) async throws -> WorkloadReport {
        let rows = try await call.db.replica(
            """
            SELECT w.member_id, u.name, w.waiting_count, w.started_count, w.overdue_count, w.points, w.estimate_minutes
              FROM projects p
              LEFT JOIN LATERAL (
                SELECT a.member_id, count(*) FILTER (WHERE t.category <> 'started')::int AS waiting_count,
                       count(*) FILTER (WHERE t.category = 'started')::int AS started_count,
                       count(*) FILTER (WHERE t.due_at < \(call.now))::int AS overdue_count,
                       coalesce(sum(t.points), 0)::float8 AS points,
                       coalesce(sum(t.estimate_minutes), 0)::int AS estimate_minutes
                  FROM tasks t
                  LEFT JOIN task_assignees a ON a.company_id = t.company_id AND a.task_id = t.id
                 WHERE t.company_id = p.company_id AND t.project_id = p.id AND t.deleted_at IS NULL
                   AND t.archived_at IS NULL AND t.category IN ('backlog', 'unstarted', 'started')
                   AND (\(asked.sprintId)::uuid IS NULL OR t.sprint_id = \(asked.sprintId)::uuid)
                 GROUP BY a.member_id) w ON true
              LEFT JOIN memberships m ON m.company_id = p.company_id AND m.id = w.member_id
              LEFT JOIN users u ON u.id = m.user_id
             WHERE p.company_id = \(try call.company) AND p.id = \(project) AND \(fragment: try ProjectAccess.visible(call))
             ORDER BY w.member_id IS NULL, w.waiting_count + w.started_count DESC, u.name, w.member_id
             LIMIT \(ReportLimits.listedMax)
            """)
        if rows.isEmpty { throw Problem.notFound }
        return WorkloadReport(
            projectId: project,
            people: try rows.filter { !$0.isNull("waiting_count") }.map { try $0.decode(Person.self) })
    }

    var chart: Chart {
        let shown = people.prefix(20)
        let open = people.reduce(0) { $0 + $1.waitingCount + $1.startedCount }
        return Chart(
            "Workload", description: "\(open) open tasks of \(people.count) people, most first.",
            horizontal: .names(shown.map { $0.name ?? "Nobody" }),
            vertical: .counts("tasks", shown.map { Double($0.waitingCount + $0.startedCount) }),
            layers: shown.isEmpty
                ? []
                : [
                    .bars([
                        ChartBars([
                            .init("Started", .started, shown.map { Double($0.startedCount) }),
                            .init("Not started", .open, shown.map { Double($0.waitingCount) }),
                        ])
                    ])
                ],
            emptyText: "No task is open")
    }
}
