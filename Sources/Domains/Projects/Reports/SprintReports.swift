import API
import Core
import Postgres
import Wire

/// What a sprint came to: computed from its history while it runs, frozen when it is closed.
enum SprintReports {
    @RouteList static var routes: [Route] {
        GET("/v1/sprints/{id}/report", "Read the report of a sprint", .can(.tasksRead), read)
            .describe(
                "Computed while the sprint runs; of a closed one as it was frozen, whatever happens to its tasks afterwards. "
                    + "A sprint that was closed several times has a report of each closing."
            )
            .problems(.sprintNoReport).example(answer: SprintExamples.report)
        GET(
            "/v1/sprints/{id}/scope-changes", "List what happened to the scope of a sprint", .can(.tasksRead),
            changes
        )
        .describe(
            "Everything that was added, removed, estimated anew, completed, reopened or cancelled, from its history."
        )
        .example(answer: SprintExamples.scopeChange)
    }

    struct Which: Codable, Sendable {
        let closing: Whole<1, 1000>?
    }

    static func read(_ call: Call, _ id: Path<UUID>, _ query: Query<Which>) async throws -> Single<
        SprintReport
    > {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onSprint: id.value, call)
        let rows = try await call.db.replica(
            """
            SELECT s.status, f.report FROM sprints s
              LEFT JOIN LATERAL (
                SELECT r.report::text AS report FROM sprint_reports r
                 WHERE r.company_id = s.company_id AND r.sprint_id = s.id
                   AND (r.closing = \(query.closing)::integer OR \(query.closing)::integer IS NULL AND s.status = 'closed')
                 ORDER BY r.closing DESC LIMIT 1) f ON true
             WHERE s.company_id = \(company) AND s.id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        if let frozen = try row.get("report", as: String?.self) {
            return Single(try JSON.parse(frozen).decode(SprintReport.self))
        }
        if query.closing != nil { throw Problem.notFound }
        if try row.get("status", as: SprintStatus.self) == .planned { throw Problem(.sprintNoReport) }
        let scopes = try await call.db.replica(scopes(of: id.value, company))
        return Single(
            SprintReport(of: id.value, closing: nil, frozenAt: nil, try scopes.map { try $0.decode() }))
    }

    /// Computes the report of a sprint that has just been closed and keeps it for ever.
    @inline(never)
    static func freeze(_ sprint: UUID, _ company: UUID, _ tx: Transaction) async throws -> SprintReport {
        let answers = try await tx.batch([
            """
            SELECT s.closed_at, (SELECT coalesce(max(r.closing), 0) + 1 FROM sprint_reports r
                                  WHERE r.company_id = s.company_id AND r.sprint_id = s.id) AS closing
              FROM sprints s WHERE s.company_id = \(company) AND s.id = \(sprint)
            """,
            scopes(of: sprint, company),
        ])
        let head = answers[0][0]
        let report = SprintReport(
            of: sprint, closing: try head.get("closing"), frozenAt: try head.get("closed_at"),
            try answers[1].map { try $0.decode() })
        let (committed, done) = (report.committed, report.done)
        _ = try await tx.query(
            """
            INSERT INTO sprint_reports (company_id, id, sprint_id, closing, frozen_at, committed_count, committed_points,
                                        committed_minutes, done_count, done_points, done_minutes, report)
            VALUES (\(company), \(UUID.v7()), \(sprint), \(report.closing), \(report.frozenAt), \(committed.count),
                    \(committed.points), \(committed.minutes), \(done.count), \(done.points), \(done.minutes),
                    \(JSONText(JSON(encoding: report)))::jsonb)
            """)
        return report
    }

    /// The tasks a sprint's last closing left unfinished that are still open and in its project.
    static func carriedOver(from sprint: UUID, in project: UUID, _ company: UUID) -> SQL {
        """
        SELECT t.id FROM tasks t
         WHERE t.company_id = \(company) AND t.project_id = \(project) AND t.deleted_at IS NULL
           AND t.category IN ('backlog', 'unstarted', 'started')
           AND t.id IN (
               SELECT (task->>'task_id')::uuid
                 FROM (SELECT r.report FROM sprint_reports r
                        WHERE r.company_id = \(company) AND r.sprint_id = \(sprint)
                        ORDER BY r.closing DESC LIMIT 1) last
                CROSS JOIN jsonb_array_elements(last.report->'tasks') task
                WHERE task->>'outcome' = 'carried_over')
        """
    }

    /// One row for each task that was in the sprint at its start or since, as `TaskScope`.
    private static func scopes(of sprint: UUID, _ company: UUID) -> SQL {
        """
        SELECT e.task_id, p.key || '-' || t.number AS key, t.title,
               e.committed_count, e.committed_points, e.committed_minutes, e.count, e.points, e.minutes,
               e.last_points, e.last_minutes, e.last_kind, e.is_done
          FROM (SELECT e.task_id,
                       coalesce(sum(e.count_after - e.count_before) FILTER (WHERE e.at <= s.started_at), 0)::int
                           AS committed_count,
                       coalesce(sum(e.points_after - e.points_before) FILTER (WHERE e.at <= s.started_at), 0)::float8
                           AS committed_points,
                       coalesce(sum(e.minutes_after - e.minutes_before) FILTER (WHERE e.at <= s.started_at), 0)::int
                           AS committed_minutes,
                       sum(e.count_after - e.count_before)::int AS count,
                       sum(e.points_after - e.points_before)::float8 AS points,
                       sum(e.minutes_after - e.minutes_before)::int AS minutes,
                       (array_agg(e.points_before ORDER BY e.at DESC, e.id DESC))[1]::float8 AS last_points,
                       (array_agg(e.minutes_before ORDER BY e.at DESC, e.id DESC))[1] AS last_minutes,
                       (array_agg(e.kind ORDER BY e.at DESC, e.id DESC))[1] AS last_kind,
                       (array_agg(e.done_after ORDER BY e.at DESC, e.id DESC))[1] AS is_done,
                       bool_or(e.at > s.started_at AND e.count_after = 1) AS was_in
                  FROM sprint_events e
                  JOIN sprints s ON s.company_id = e.company_id AND s.id = e.sprint_id
                 WHERE e.company_id = \(company) AND e.sprint_id = \(sprint)
                   AND e.at <= coalesce(s.closed_at, 'infinity')
                 GROUP BY e.task_id) e
          LEFT JOIN tasks t ON t.company_id = \(company) AND t.id = e.task_id
          LEFT JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
         WHERE e.committed_count > 0 OR e.was_in
         ORDER BY p.key, t.number, e.task_id
        """
    }

    struct ChangeFilter: ListFilter {
        let kind: [ScopeKind]?
        let taskId: UUID?
        let isPlanning: Bool?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    static func changes(_ call: Call, _ id: Path<UUID>, _ list: List<ChangeFilter>) async throws -> Page<
        ScopeChange
    > {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onSprint: id.value, call)
        return try await call.page(
            list,
            """
            SELECT e.id, e.at, e.task_id, p.key || '-' || t.number AS key, t.title, e.kind,
                   s.started_at IS NULL OR e.at <= s.started_at AS is_planning, e.count_before, e.count_after,
                   e.points_before::float8 AS points_before, e.points_after::float8 AS points_after,
                   e.minutes_before, e.minutes_after, e.done_before AS is_done_before, e.done_after AS is_done_after,
                   e.actor_kind, e.actor_id
              FROM sprint_events e
              JOIN sprints s ON s.company_id = e.company_id AND s.id = e.sprint_id
              LEFT JOIN tasks t ON t.company_id = e.company_id AND t.id = e.task_id
              LEFT JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE e.company_id = \(company) AND e.sprint_id = \(id) AND e.at <= coalesce(s.closed_at, 'infinity')
            """)
    }
}
