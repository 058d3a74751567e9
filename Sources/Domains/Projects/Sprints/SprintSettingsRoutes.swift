import API
import Core
import Postgres
import Wire

/// What a project says of its sprints.
enum SprintSettingsRoutes {
    @RouteList static var routes: [Route] {
        GET(
            "/v1/projects/{id}/sprint-settings", "Read how a project does its sprints", .can(.tasksRead), read
        )
        .example(answer: SprintExamples.settings)
        PATCH(
            "/v1/projects/{id}/sprint-settings", "Change how a project does its sprints", .can(.tasksRead),
            change
        )
        .describe(
            "Takes the right to manage the project. Parallel sprints cannot be forbidden while some are planned or "
                + "active side by side."
        )
        .problems(.projectArchived, .sprintsAreParallel)
        .example(
            body: ["allows_parallel": true, "working_days": [1, 2, 3, 4]], answer: SprintExamples.settings)
    }

    static func read(_ call: Call, _ project: Path<UUID>) async throws -> Single<SprintSettings> {
        _ = try await ProjectAccess.require(.see, in: project.value, call)
        return try Single(await call.db.query(select(project.value, try call.company)))
    }

    static func change(
        _ call: Call, _ project: Path<UUID>, _ body: Patch<SprintSettingsChange>
    ) async throws -> Single<SprintSettings> {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: project.value, call, tx) }
        return try Single(await call.db.query(select(project.value, try call.company)))
    }

    @inline(never)
    private static func apply(
        _ change: SprintSettingsChange, to project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, in: project, call, tx)
        // The same lock as that of planning and starting: none is planned in between.
        _ = try await tx.query(
            "SELECT 1 FROM projects WHERE company_id = \(company) AND id = \(project) FOR NO KEY UPDATE")
        let before = try await tx.query(select(project, company))
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let old = try row.decode(SprintSettings.self)
        if old.allowsParallel, change.allowsParallel == false {
            try await requireOneAtATime(project, company, tx)
        }
        let days = change.workingDays.map { Set($0.items.map(\.value)).sorted() } ?? old.workingDays
        if days.isEmpty {
            throw Problem.unprocessable("/working_days", "required", "must name a day at least")
        }
        let allows = change.allowsParallel ?? old.allowsParallel
        _ = try await tx.batch([
            """
            INSERT INTO sprint_settings AS s (company_id, project_id, allows_parallel, working_days, version)
            VALUES (\(company), \(project), \(allows), \(days), 2)
            ON CONFLICT (company_id, project_id) DO UPDATE
               SET allows_parallel = excluded.allows_parallel, working_days = excluded.working_days,
                   version = s.version + 1, updated_at = now()
            """,
            Audit.sql(
                Audit.Entry(
                    "project.sprint_settings_changed", on: "project", project, after: JSON(encoding: change)),
                by: call.actor, company: company),
        ])
    }

    @inline(never)
    private static func requireOneAtATime(_ project: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let overlaps = try await tx.query(
            """
            SELECT 1 FROM sprints a
              JOIN sprints b ON b.company_id = a.company_id AND b.project_id = a.project_id AND b.id > a.id
                            AND b.status <> 'closed'
             WHERE a.company_id = \(company) AND a.project_id = \(project) AND a.status <> 'closed'
               AND (a.status = 'active' AND b.status = 'active' OR a.starts_on <= b.ends_on AND b.starts_on <= a.ends_on)
             LIMIT 1
            """)
        if !overlaps.isEmpty { throw Problem(.sprintsAreParallel) }
        _ = try await tx.query(
            """
            UPDATE sprints SET is_parallel = false
             WHERE company_id = \(company) AND project_id = \(project) AND status = 'active' AND is_parallel
            """)
    }

    /// The settings of a project; those it has not changed are the usual ones.
    static func select(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT p.id AS project_id, coalesce(s.allows_parallel, false) AS allows_parallel,
               coalesce(s.working_days, '{1,2,3,4,5}') AS working_days, coalesce(s.version, 1) AS version
          FROM projects p
          LEFT JOIN sprint_settings s ON s.company_id = p.company_id AND s.project_id = p.id
         WHERE p.company_id = \(company) AND p.id = \(project)
        """
    }
}
