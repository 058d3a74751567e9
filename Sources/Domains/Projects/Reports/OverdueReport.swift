import API
import Core
import Postgres
import Wire

/// What is open in a project and should have been done.
struct OverdueReport: Codable, DrawnReport {
    struct Late: Codable, Sendable, Equatable {
        let taskId: UUID
        let key: String
        let title: String
        let dueAt: Timestamp
        let daysOverdue: Int
        let assigneeIds: [UUID]
    }

    struct Span: Codable, Sendable, Equatable {
        let daysFrom: Int
        /// Null for the last: and more.
        let daysTo: Int?
        let count: Int
    }

    let projectId: UUID
    let timeZone: String
    let count: Int
    let spans: [Span]
    let tasks: [Late]

    static var routes: [Route] {
        ReportRoutes.pair(
            "/v1/projects/{id}/overdue", "the overdue tasks of a project",
            "Open tasks whose moment is over, those due longest first, by the days of the project's zone that have passed. "
                + "`tasks` holds the first \(ReportLimits.listedMax).",
            example: ReportExamples.overdue, load)
    }

    struct Asked: Codable, Sendable {
        /// Only the tasks of a member.
        let assigneeId: UUID?
    }

    static func load(_ call: Call, _ project: UUID, _ asked: Asked) async throws -> OverdueReport {
        let rows = try await call.db.replica(
            """
            SELECT p.time_zone, t.id AS task_id, p.key || '-' || t.number AS key, t.title, t.due_at,
                   (\(call.now) AT TIME ZONE p.time_zone)::date - t.due_on AS days_overdue,
                   ARRAY(SELECT a.member_id FROM task_assignees a WHERE a.company_id = t.company_id AND a.task_id = t.id
                          ORDER BY a.assigned_at, a.member_id) AS assignee_ids
              FROM projects p
              LEFT JOIN tasks t ON t.company_id = p.company_id AND t.project_id = p.id AND t.deleted_at IS NULL
                               AND t.archived_at IS NULL AND t.category IN ('backlog', 'unstarted', 'started')
                               AND t.due_at < \(call.now)
                               AND (\(asked.assigneeId)::uuid IS NULL OR EXISTS (
                                    SELECT 1 FROM task_assignees a WHERE a.company_id = t.company_id AND a.task_id = t.id
                                       AND a.member_id = \(asked.assigneeId)::uuid))
             WHERE p.company_id = \(try call.company) AND p.id = \(project) AND \(fragment: try ProjectAccess.visible(call))
             ORDER BY t.due_at, t.id
            """)
        guard let head = rows.first else { throw Problem.notFound }
        let late = head.isNull("task_id") ? [] : try rows.map { try $0.decode(Late.self) }
        return OverdueReport(
            projectId: project, timeZone: try head.get("time_zone"), count: late.count,
            spans: Self.spans(late.map(\.daysOverdue)), tasks: Array(late.prefix(ReportLimits.listedMax)))
    }

    static func spans(_ days: [Int]) -> [Span] {
        [(0, 1), (2, 3), (4, 7), (8, 14), (15, 30), (31, nil)].map { (from: Int, to: Int?) in
            Span(daysFrom: from, daysTo: to, count: days.count { $0 >= from && $0 <= to ?? .max })
        }
    }

    var chart: Chart {
        let names = spans.map { span in
            span.daysTo.map { "\(span.daysFrom)–\($0) days" } ?? "\(span.daysFrom) days and more"
        }
        return Chart(
            "Overdue tasks", description: "\(count) open tasks are overdue.", horizontal: .names(names),
            vertical: .counts("tasks", spans.map { Double($0.count) }),
            layers: count == 0
                ? [] : [.bars([ChartBars([.init("Overdue", .warning, spans.map { Double($0.count) })])])],
            emptyText: "Nothing is overdue")
    }
}
