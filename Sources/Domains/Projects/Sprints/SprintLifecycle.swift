import API
import Core
import Postgres
import Wire

/// A sprint is started, closed and, if need be, reopened.
enum SprintLifecycle {
    @RouteList static var routes: [Route] {
        POST("/v1/sprints/{id}/start", "Start a sprint", .can(.tasksRead), start)
            .describe(
                "Takes the right to manage the project. What is in it now is what the team commits to; what comes and goes "
                    + "from here on is a change of scope. One sprint of a project is active at a time, unless the project "
                    + "allows parallel ones."
            )
            .problems(.projectArchived, .sprintNotPlanned, .sprintAlreadyActive)
            .example(answer: SprintExamples.sprint)
        POST("/v1/sprints/{id}/close", "Close a sprint", .can(.tasksRead), close)
            .describe(
                "Freezes its report and takes what is not done to the backlog, to another sprint of the project or to a new "
                    + "one; `stay` leaves it where it is. All of it happens, or nothing."
            )
            .problems(
                .projectArchived, .sprintNotActive, .sprintClosed, .sprintOverlaps, .sprintDatesReversed,
                .sprintTooLong,
                .tooManySprints, .sprintFull
            )
            .example(
                body: [
                    "unfinished": "new_sprint",
                    "new_sprint": ["name": "Sprint 13", "starts_on": "2026-12-07", "ends_on": "2026-12-18"],
                ], answer: SprintExamples.closed)
        POST("/v1/sprints/{id}/reopen", "Reopen a closed sprint", .can(.tasksRead), reopen)
            .describe(
                "It is active again. The report of its closing stays; closing it again makes another. `bring_back` takes the "
                    + "work back that was carried over and is still open."
            )
            .problems(.projectArchived, .sprintNotClosed, .sprintAlreadyActive, .sprintOverlaps)
            .example(body: ["bring_back": true], answer: SprintExamples.sprint)
    }

    static func start(_ call: Call, _ id: Path<UUID>) async throws -> Single<Sprint> {
        try await call.db.transaction { tx in try await begin(id.value, call, tx) }
        return try Single(await Sprints.rows(id.value, call))
    }

    @inline(never)
    private static func begin(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        var sprint = try await SprintHead.locked(id, company, tx)
        guard sprint.status == .planned else { throw Problem(.sprintNotPlanned) }
        sprint.status = .active
        // By the clock: what was put into it before this moment is what was committed to.
        _ = try await tx.batch([
            """
            UPDATE sprints SET status = 'active', started_at = clock_timestamp(), is_parallel = \(sprint.allowsParallel),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(Audit.Entry("sprint.started", on: "sprint", id), by: call.actor, company: company),
            SprintEvents.sql(SprintEvents.started, sprint, by: call.actor, company),
        ])
        try await SprintNews.tell(
            SprintNews.started, sprint, ["ends_on": .string(sprint.endsOn.description)], by: call.actor,
            company, tx)
    }

    static func close(_ call: Call, _ id: Path<UUID>, _ body: Body<SprintClosing>) async throws -> Single<
        ClosedSprint
    > {
        let closing = body.value
        let (report, carriedTo) = try await call.db.transaction { tx in
            try await end(id.value, closing, call, tx)
        }
        let rows = try await Sprints.rows(id.value, call)
        guard let sprint = rows.first else { throw Problem.notFound }
        return Single(ClosedSprint(sprint: try sprint.decode(), report: report, carriedTo: carriedTo))
    }

    @inline(never)
    private static func end(
        _ id: UUID, _ closing: SprintClosing, _ call: Call, _ tx: Transaction
    ) async throws -> (SprintReport, UUID?) {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        let sprint = try await SprintHead.locked(id, company, tx)
        guard sprint.status == .active else { throw Problem(.sprintNotActive) }
        // The tasks first: what is being done to one of them belongs to the sprint or comes after its end, never both.
        _ = try await tx.query(
            "SELECT 1 FROM tasks WHERE company_id = \(company) AND sprint_id = \(id) ORDER BY id FOR UPDATE")
        _ = try await tx.query(
            """
            UPDATE sprints SET status = 'closed', closed_at = clock_timestamp(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """)
        let report = try await SprintReports.freeze(id, company, tx)
        let carriedTo = try await carryOver(report.unfinished, from: sprint, closing, call, tx)
        try await tell(sprint, report, carriedTo, by: call.actor, company, tx)
        return (report, carriedTo)
    }

    /// Takes the unfinished tasks where they are to go; gives the sprint that has them now, if one has.
    @inline(never)
    private static func carryOver(
        _ tasks: [UUID], from sprint: SprintHead, _ closing: SprintClosing, _ call: Call, _ tx: Transaction
    ) async throws -> UUID? {
        let company = try call.company
        var next: UUID?
        switch closing.unfinished {
        case .stay: return nil
        case .backlog: break
        case .sprint:
            guard let target = closing.sprintId else {
                throw Problem.unprocessable("/sprint_id", "required", "is required for `sprint`")
            }
            try await requireOpen(target, in: sprint.projectId, company, tx)
            next = target
        case .newSprint:
            guard let draft = closing.newSprint else {
                throw Problem.unprocessable("/new_sprint", "required", "is required for `new_sprint`")
            }
            let id = UUID.v7()
            try await Sprints.plan(id, draft, in: sprint.projectId, by: call.actor, company, tx)
            next = id
        }
        try await SprintTasks.move(tasks, to: next, by: call.actor, company, tx)
        return next
    }

    @inline(never)
    private static func requireOpen(_ id: UUID, in project: UUID, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let rows = try await tx.query(
            """
            SELECT status FROM sprints
             WHERE company_id = \(company) AND id = \(id) AND project_id = \(project) FOR SHARE
            """)
        guard let row = rows.first else {
            throw Problem.unprocessable("/sprint_id", "not-found", "is no sprint of this project")
        }
        if try row.get("status", as: SprintStatus.self) == .closed { throw Problem(.sprintClosed) }
    }

    @inline(never)
    private static func tell(
        _ sprint: SprintHead, _ report: SprintReport, _ carriedTo: UUID?, by actor: Audit.Actor,
        _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let data = SprintEvents.CompletionData(
            sprintId: sprint.id, projectId: sprint.projectId, name: sprint.name,
            committedCount: report.committed.count,
            committedPoints: report.committed.points, doneCount: report.done.count,
            donePoints: report.done.points,
            carriedOverCount: report.carriedOver.count, carriedTo: carriedTo)
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry("sprint.closed", on: "sprint", sprint.id, after: JSON(encoding: data)), by: actor,
                company: company),
            Events.sql(SprintEvents.completed, data, on: "sprint", sprint.id, by: actor, company: company),
        ])
        try await SprintNews.tell(
            SprintNews.completed, sprint,
            [
                "done": .string(String(report.done.count)),
                "committed": .string(String(report.committed.count)),
            ], by: actor,
            company, tx)
    }

    struct Reopening: Codable, Sendable {
        let bringBack: Bool?
    }

    static func reopen(_ call: Call, _ id: Path<UUID>, _ body: Body<Reopening>) async throws -> Single<Sprint>
    {
        let bringsBack = body.bringBack ?? false
        try await call.db.transaction { tx in try await goOn(id.value, bringsBack: bringsBack, call, tx) }
        return try Single(await Sprints.rows(id.value, call))
    }

    @inline(never)
    private static func goOn(_ id: UUID, bringsBack: Bool, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        var sprint = try await SprintHead.locked(id, company, tx)
        guard sprint.status == .closed else { throw Problem(.sprintNotClosed) }
        try await SprintCalendar.require(
            sprint.startsOn, sprint.endsOn, in: sprint.projectId, except: id, company, tx)
        sprint.status = .active
        _ = try await tx.batch([
            """
            UPDATE sprints SET status = 'active', closed_at = NULL, is_parallel = \(sprint.allowsParallel),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(Audit.Entry("sprint.reopened", on: "sprint", id), by: call.actor, company: company),
            SprintEvents.sql(SprintEvents.reopened, sprint, by: call.actor, company),
        ])
        if bringsBack {
            let tasks = try await tx.query(SprintReports.carriedOver(from: id, in: sprint.projectId, company))
            try await SprintTasks.move(
                try tasks.map { try $0.get("id") }, to: id, by: call.actor, company, tx)
        }
    }
}
