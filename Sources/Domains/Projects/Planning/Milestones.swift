import API
import Core
import Postgres
import Wire

/// The days by which a project wants to have got somewhere.
enum Milestones {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/milestones", "List a project's milestones", .can(.projectsRead), list)
        POST("/v1/projects/{id}/milestones", "Set a milestone", .can(.projectsRead), create)
            .operation("createMilestone").problems(.projectArchived, .tooManyMilestones)
            .describe("Takes the right to manage the project, as all changes of milestones do.")
            .example(body: ["name": "Design approved", "due_on": "2026-03-20"])
        PATCH(
            "/v1/projects/{id}/milestones/{milestone_id}", "Change a milestone", .can(.projectsRead), change
        )
        .operation("changeMilestone").problems(.projectArchived)
        .describe("`is_completed` reaches it, or takes that back.")
        .example(body: ["is_completed": true])
        DELETE(
            "/v1/projects/{id}/milestones/{milestone_id}", "Delete a milestone", .can(.projectsRead), delete
        )
        .operation("deleteMilestone").problems(.projectArchived).describe("Its tasks stay.")
        PUT(
            "/v1/projects/{id}/milestones/{milestone_id}/tasks/{task_id}", "Link a task to a milestone",
            .can(.tasksRead), PlanLinks.milestone.link
        )
        .operation("linkMilestoneTask").problems(.projectArchived)
        .describe("A task of the same project. Takes the right to contribute to it.")
        DELETE(
            "/v1/projects/{id}/milestones/{milestone_id}/tasks/{task_id}", "Unlink a task from a milestone",
            .can(.tasksRead), PlanLinks.milestone.unlink
        ).operation("unlinkMilestoneTask").problems(.projectArchived)
    }

    struct Milestone: Codable, Sendable, FieldNotes {
        let id: UUID
        let projectId: UUID
        let name: String
        let description: String?
        let dueOn: LocalDate
        let isCompleted: Bool
        let isOverdue: Bool
        let tasks: Int
        let tasksDone: Int
        let progressPercent: Double?
        let completedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "is_overdue": "Not reached, and its day is over in the project's time zone.",
            "tasks": "Linked tasks that are not cancelled.",
            "progress_percent": "Linked tasks that are done; null while there are none.",
        ]
    }

    struct NewMilestone: Codable, Sendable {
        let name: Text<120>
        let description: Prose<10_000>?
        let dueOn: LocalDate
    }

    struct MilestoneChange: Codable, Sendable {
        let name: Text<120>?
        let description: Clearable<Prose<10_000>>
        let dueOn: LocalDate?
        let isCompleted: Bool?
    }

    struct Filter: ListFilter {
        let isCompleted: Bool?
        let dueOn: Bounds<LocalDate>?
        static let sorts = ["due_on", "name", "-created_at"]
        static let search = ["name", "description"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Milestone> {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        return try await call.page(list, select(of: head.id, call.company))
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewMilestone>) async throws -> Created<
        Milestone
    > {
        let (draft, new) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, new, in: id.value, call, tx) }
        return try Created(
            await row(new, of: id.value, call), at: "/v1/projects/\(id.value)/milestones/\(new)")
    }

    @inline(never)
    private static func insert(
        _ draft: NewMilestone, _ id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx, locking: true)
        let isBelow = SQL.below(
            ProjectLimits.milestonesMax,
            "SELECT count(*) FROM project_milestones WHERE company_id = \(company) AND project_id = \(project)",
            else: .tooManyMilestones)
        _ = try await tx.query(
            """
            INSERT INTO project_milestones (company_id, id, project_id, name, description, due_on)
            SELECT \(company), \(id), \(project), \(draft.name), \(draft.description), \(draft.dueOn)
             WHERE \(fragment: isBelow)
            """)
        try await record(
            "project.milestone_created", PlanEvents.milestoneCreated, head, id, draft.name.text, draft.dueOn,
            call, tx)
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ milestone: Path<UUID>, _ body: Patch<MilestoneChange>
    ) async throws -> Single<Milestone> {
        let change = body.value
        try await call.db.transaction { tx in
            try await apply(change, to: milestone.value, in: id.value, call, tx)
        }
        return try Single(await row(milestone.value, of: id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: MilestoneChange, to id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx, locking: true)
        let before = try await tx.query(
            """
            SELECT name, due_on, completed_at IS NOT NULL AS is_completed, version FROM project_milestones
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id) FOR UPDATE
            """)
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let wasCompleted = try row.get("is_completed", as: Bool.self)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("due_on", change.dueOn)
        if let isCompleted = change.isCompleted {
            changes.set("completed_at", to: isCompleted ? "coalesce(completed_at, now())" : "NULL")
        }
        _ = try await tx.query(
            "UPDATE project_milestones SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
        )
        let isReached = change.isCompleted == true && !wasCompleted
        let name = try change.name?.text ?? row.get("name")
        try await record(
            isReached ? "project.milestone_completed" : "project.milestone_changed",
            isReached ? PlanEvents.milestoneCompleted : PlanEvents.milestoneUpdated, head, id, name,
            change.dueOn ?? row.get("due_on"), call, tx)
        if isReached { try await ProjectNews.reached(name, in: head, by: call.actor, company, tx) }
    }

    static func delete(_ call: Call, _ id: Path<UUID>, _ milestone: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(milestone.value, from: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, from project: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx, locking: true)
        let gone = try await tx.query(
            """
            DELETE FROM project_milestones
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id) RETURNING name, due_on
            """)
        guard let row = gone.first else { throw Problem.notFound }
        try await record(
            "project.milestone_deleted", PlanEvents.milestoneDeleted, head, id, row.get("name"),
            row.get("due_on"), call, tx)
    }

    @inline(never)
    private static func record(
        _ action: String, _ event: EventType<PlanEvents.MilestoneData>, _ head: ProjectHead, _ id: UUID,
        _ name: String,
        _ dueOn: LocalDate, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let data = PlanEvents.MilestoneData(milestoneId: id, projectId: head.id, name: name, dueOn: dueOn)
        let entry = Audit.Entry(action, on: "project", head.id, after: try JSON(encoding: data))
        _ = try await tx.batch([
            Audit.sql(entry, by: call.actor, company: company),
            Events.sql(event, data, on: "milestone", id, by: call.actor, company: company),
        ])
    }

    private static func row(_ id: UUID, of project: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(of: project, call.company)) AND g.id = \(id)")
    }

    private static func select(of project: UUID, _ company: UUID) -> SQL {
        """
        SELECT g.id, g.project_id, g.name, g.description, g.due_on, g.completed_at IS NOT NULL AS is_completed,
               g.completed_at IS NULL AND g.due_on < (now() AT TIME ZONE p.time_zone)::date AS is_overdue,
               linked.tasks, linked.tasks_done,
               round(100.0 * linked.tasks_done / nullif(linked.tasks, 0), 1)::float8 AS progress_percent,
               g.completed_at, g.version, g.created_at, g.updated_at
          FROM project_milestones g
          JOIN projects p ON p.company_id = g.company_id AND p.id = g.project_id
         CROSS JOIN LATERAL (\(fragment: PlanLinks.milestone.counts("g"))) linked
         WHERE g.company_id = \(company) AND g.project_id = \(project)
        """
    }
}
