import API
import Core
import Postgres
import Wire

/// The sprints of a project: planned, looked at, moved and given up.
enum Sprints {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/sprints", "List a project's sprints", .can(.tasksRead), list)
            .example(answer: SprintExamples.sprint)
        POST("/v1/projects/{id}/sprints", "Plan a sprint", .can(.tasksRead), create)
            .describe(
                "Takes the right to manage the project. Its days may be no other sprint's, unless the project allows "
                    + "parallel sprints."
            )
            .problems(
                .projectArchived, .sprintDatesReversed, .sprintTooLong, .sprintOverlaps, .tooManySprints
            )
            .example(
                body: [
                    "name": "Sprint 12", "goal": "The shop can be ordered from.", "starts_on": "2026-11-23",
                    "ends_on": "2026-12-04",
                ],
                answer: SprintExamples.sprint)
        POST(
            "/v1/projects/{id}/sprints/check-dates", "Ask whether a sprint may have these days",
            .can(.tasksRead), checkDates
        )
        .idempotent(.none).problems(.sprintDatesReversed, .sprintTooLong)
        .example(
            body: ["starts_on": "2026-11-30", "ends_on": "2026-12-11"],
            answer: ["is_free": false, "working_days": 10, "conflicts": [SprintExamples.reference]])
        GET("/v1/sprints/{id}", "Read a sprint", .can(.tasksRead), read).example(
            answer: SprintExamples.sprint)
        PATCH("/v1/sprints/{id}", "Change a sprint", .can(.tasksRead), change)
            .describe("Takes the right to manage the project. A closed sprint keeps its dates.")
            .problems(.projectArchived, .sprintClosed, .sprintDatesReversed, .sprintTooLong, .sprintOverlaps)
            .example(
                body: ["goal": "The shop can be ordered from and paid in."], answer: SprintExamples.sprint)
        DELETE("/v1/sprints/{id}", "Delete a planned sprint", .can(.tasksRead), delete).ifMatch(.accepted)
            .describe("Its tasks stay in the project. What has been started can be closed, not deleted.")
            .problems(.projectArchived, .sprintNotPlanned)
    }

    struct Filter: ListFilter {
        let status: [SprintStatus]?
        let startsOn: Bounds<LocalDate>?
        let endsOn: Bounds<LocalDate>?

        static let sorts = ["-starts_on", "name"]
        static let search = ["name", "goal"]
    }

    static func list(_ call: Call, _ project: Path<UUID>, _ list: List<Filter>) async throws -> Page<Sprint> {
        _ = try await ProjectAccess.require(.see, in: project.value, call)
        return try await call.page(list, "\(fragment: try select(call)) AND s.project_id = \(project)")
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Sprint> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ project: Path<UUID>, _ body: Body<NewSprint>) async throws -> Created<
        Sprint
    > {
        let id = UUID.v7()
        let sprint = body.value
        try await call.db.transaction { tx in
            _ = try await ProjectAccess.require(.manage, in: project.value, call, tx)
            try await plan(id, sprint, in: project.value, by: call.actor, try call.company, tx)
        }
        return try Created(await rows(id, call), at: "/v1/sprints/\(id)")
    }

    /// Writes a planned sprint; its project's row is locked, so that two cannot take the same days.
    @inline(never)
    static func plan(
        _ id: UUID, _ sprint: NewSprint, in project: UUID, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let locked = try await tx.query(
            """
            SELECT name, (SELECT count(*) FROM sprints s WHERE s.company_id = p.company_id AND s.project_id = p.id) AS sprints
              FROM projects p WHERE p.company_id = \(company) AND p.id = \(project) FOR NO KEY UPDATE
            """)
        guard let row = locked.first else { throw Problem.notFound }
        if try row.get("sprints", as: Int.self) >= SprintLimits.perProjectMax {
            throw Problem(.tooManySprints)
        }
        try await SprintCalendar.require(
            sprint.startsOn, sprint.endsOn, in: project, except: nil, company, tx)
        let head = SprintHead(
            id: id, projectId: project, projectName: try row.get("name"), name: sprint.name.text,
            status: .planned,
            startsOn: sprint.startsOn, endsOn: sprint.endsOn, allowsParallel: false, version: 1)
        _ = try await tx.batch([
            """
            INSERT INTO sprints (company_id, id, project_id, name, goal, starts_on, ends_on)
            VALUES (\(company), \(id), \(project), \(sprint.name), \(sprint.goal), \(sprint.startsOn), \(sprint.endsOn))
            """,
            Audit.sql(
                Audit.Entry("sprint.created", on: "sprint", id, after: JSON(encoding: sprint)), by: actor,
                company: company),
            SprintEvents.sql(SprintEvents.created, head, by: actor, company),
        ])
    }

    static func checkDates(
        _ call: Call, _ project: Path<UUID>, _ body: Body<SprintDates>
    ) async throws -> Single<SprintDatesCheck> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, in: project.value, call)
        try SprintCalendar.check(body.startsOn, body.endsOn)
        let conflicts = SprintCalendar.conflicts(
            body.startsOn, body.endsOn, in: project.value, except: body.value.sprintId, company)
        let answers = try await call.db.batch([
            conflicts, SprintSettingsRoutes.select(project.value, company),
        ])
        let settings = try answers[1][0].decode(SprintSettings.self)
        let days = WorkingDays(settings.workingDays)
        return Single(
            SprintDatesCheck(
                isFree: settings.allowsParallel || answers[0].isEmpty,
                workingDays: days.count(from: body.startsOn, through: body.endsOn),
                conflicts: try answers[0].map { try $0.decode(SprintReference.self) }))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<SprintChange>) async throws -> Single<
        Sprint
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func apply(_ change: SprintChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        var sprint = try await SprintHead.locked(id, company, tx)
        try call.requireVersion(sprint.version)
        if change.startsOn != nil || change.endsOn != nil {
            if sprint.status == .closed { throw Problem(.sprintClosed) }
            (sprint.startsOn, sprint.endsOn) = (
                change.startsOn ?? sprint.startsOn, change.endsOn ?? sprint.endsOn
            )
            try await SprintCalendar.require(
                sprint.startsOn, sprint.endsOn, in: sprint.projectId, except: id, company, tx)
        }
        sprint.name = change.name?.text ?? sprint.name
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("goal", change.goal)
        changes.set("starts_on", change.startsOn)
        changes.set("ends_on", change.endsOn)
        _ = try await tx.batch([
            "UPDATE sprints SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                Audit.Entry("sprint.changed", on: "sprint", id, after: JSON(encoding: change)),
                by: call.actor,
                company: company),
            SprintEvents.sql(SprintEvents.updated, sprint, by: call.actor, company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        let sprint = try await SprintHead.locked(id, company, tx)
        try call.requireVersion(sprint.version)
        guard sprint.status == .planned else { throw Problem(.sprintNotPlanned) }
        try await SprintTasks.moveOut(of: id, by: call.actor, company, tx)
        _ = try await tx.batch([
            // Tasks in the trash come back without it.
            "UPDATE tasks SET sprint_id = NULL WHERE company_id = \(company) AND sprint_id = \(id) AND deleted_at IS NOT NULL",
            "DELETE FROM sprints WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                Audit.Entry("sprint.deleted", on: "sprint", id, before: ["name": .string(sprint.name)]),
                by: call.actor,
                company: company),
            SprintEvents.sql(SprintEvents.deleted, sprint, by: call.actor, company),
        ])
    }

    /// The sprint, when the caller may see its project.
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: try select(call)) AND s.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT s.id, s.project_id, s.name, s.goal, s.status, s.starts_on, s.ends_on, s.started_at, s.closed_at, s.is_parallel,
               held.task_count, held.done_count, held.points, held.done_points, s.version, s.created_at, s.updated_at
          FROM sprints s
          JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
         CROSS JOIN LATERAL (
            SELECT count(*) AS task_count, count(*) FILTER (WHERE t.category = 'completed') AS done_count,
                   coalesce(sum(t.points), 0)::float8 AS points,
                   coalesce(sum(t.points) FILTER (WHERE t.category = 'completed'), 0)::float8 AS done_points
              FROM tasks t
             WHERE t.company_id = s.company_id AND t.sprint_id = s.id AND t.deleted_at IS NULL
               AND t.category <> 'cancelled') held
         WHERE s.company_id = \(try call.company) AND \(fragment: try ProjectAccess.visible(call))
        """
    }
}
