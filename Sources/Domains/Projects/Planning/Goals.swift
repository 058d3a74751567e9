import API
import Core
import Postgres
import Wire

/// What a project is to achieve: a value to reach, told by hand, or tasks to be done.
enum Goals {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/goals", "List a project's goals", .can(.projectsRead), list)
        POST("/v1/projects/{id}/goals", "Set a goal", .can(.projectsRead), create)
            .operation("createGoal").problems(.projectArchived, .tooManyGoals)
            .describe(
                """
                With `target_value` it is reached when `current_value` gets there; without, when its linked tasks are done. \
                Takes the right to manage the project.
                """
            )
            .example(body: [
                "name": "New subscribers", "target_value": 2_000, "unit": "people", "due_on": "2026-06-30",
            ])
        PATCH("/v1/projects/{id}/goals/{goal_id}", "Change a goal", .can(.projectsRead), change)
            .operation("changeGoal").problems(.projectArchived)
            .describe(
                "Telling `current_value` takes the right to contribute; the rest takes the right to manage."
            )
            .example(body: ["current_value": 640])
        DELETE("/v1/projects/{id}/goals/{goal_id}", "Delete a goal", .can(.projectsRead), delete)
            .operation("deleteGoal").problems(.projectArchived)
        PUT(
            "/v1/projects/{id}/goals/{goal_id}/tasks/{task_id}", "Link a task to a goal", .can(.tasksRead),
            PlanLinks.goal.link
        )
        .operation("linkGoalTask").problems(.projectArchived)
        DELETE(
            "/v1/projects/{id}/goals/{goal_id}/tasks/{task_id}", "Unlink a task from a goal",
            .can(.tasksRead), PlanLinks.goal.unlink
        )
        .operation("unlinkGoalTask").problems(.projectArchived)
    }

    enum Measure: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable { case value, tasks }

    struct Goal: Codable, Sendable, FieldNotes {
        let id: UUID
        let projectId: UUID
        let name: String
        let description: String?
        let measure: Measure
        let unit: String?
        let targetValue: Double
        let currentValue: Double
        let progressPercent: Double
        let isReached: Bool
        let dueOn: LocalDate?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "target_value": "For a goal of tasks: how many are linked and not cancelled.",
            "current_value": "For a goal of tasks: how many of them are done.",
        ]
    }

    struct NewGoal: Codable, Sendable {
        let name: Text<120>
        let description: Prose<10_000>?
        let targetValue: Whole<1, 1_000_000_000>?
        let unit: Text<40>?
        let dueOn: LocalDate?
    }

    struct GoalChange: Codable, Sendable {
        let name: Text<120>?
        let description: Clearable<Prose<10_000>>
        let currentValue: Whole<0, 1_000_000_000>?
        let targetValue: Whole<1, 1_000_000_000>?
        let unit: Clearable<Text<40>>
        let dueOn: Clearable<LocalDate>

        var tellsOnlyProgress: Bool {
            name == nil && description == nil && targetValue == nil && unit == nil && dueOn == nil
        }
    }

    struct Filter: ListFilter {
        let isReached: Bool?
        static let sorts = ["created_at", "name", "-progress_percent"]
        static let search = ["name", "description"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Goal> {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        return try await call.page(list, select(of: head.id, call.company))
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewGoal>) async throws -> Created<Goal> {
        let (draft, new) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, new, in: id.value, call, tx) }
        return try Created(await row(new, of: id.value, call), at: "/v1/projects/\(id.value)/goals/\(new)")
    }

    @inline(never)
    private static func insert(
        _ draft: NewGoal, _ id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx, locking: true)
        let measure: Measure = draft.targetValue == nil ? .tasks : .value
        let isBelow = SQL.below(
            ProjectLimits.goalsMax,
            "SELECT count(*) FROM project_goals WHERE company_id = \(company) AND project_id = \(project)",
            else: .tooManyGoals)
        _ = try await tx.query(
            """
            INSERT INTO project_goals (company_id, id, project_id, name, description, measure, unit, target_value, due_on)
            SELECT \(company), \(id), \(project), \(draft.name), \(draft.description), \(measure), \(draft.unit),
                   \(draft.targetValue), \(draft.dueOn) WHERE \(fragment: isBelow)
            """)
        try await record("project.goal_created", head, ["name": .string(draft.name.text)], call, tx)
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ goal: Path<UUID>, _ body: Patch<GoalChange>
    ) async throws -> Single<Goal> {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: goal.value, in: id.value, call, tx)
        }
        return try Single(await row(goal.value, of: id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: GoalChange, to id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let right: ProjectRight = change.tellsOnlyProgress ? .contribute : .manage
        let head = try await ProjectAccess.require(right, in: project, call, tx, locking: true)
        let before = try await tx.query(
            """
            SELECT measure, version FROM project_goals
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id) FOR UPDATE
            """)
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        if try row.get("measure", as: Measure.self) == .tasks,
            change.currentValue != nil || change.targetValue != nil
        {
            throw Problem.unprocessable("/current_value", "counted", "is counted from the linked tasks")
        }
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("current_value", change.currentValue)
        changes.set("target_value", change.targetValue)
        changes.set("unit", change.unit)
        changes.set("due_on", change.dueOn)
        _ = try await tx.query(
            "UPDATE project_goals SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)")
        try await record("project.goal_changed", head, try JSON(encoding: change), call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>, _ goal: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(goal.value, from: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, from project: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: project, call, tx, locking: true)
        let gone = try await tx.query(
            """
            DELETE FROM project_goals
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id) RETURNING name
            """)
        guard let row = gone.first else { throw Problem.notFound }
        try await record("project.goal_deleted", head, ["name": .string(try row.get("name"))], call, tx)
    }

    @inline(never)
    private static func record(
        _ action: String, _ head: ProjectHead, _ after: JSON, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry(action, on: "project", head.id, after: after), by: call.actor, company: company),
            ProjectEvents.updated(head, ["goals"], by: call.actor, company),
        ])
    }

    private static func row(_ id: UUID, of project: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(of: project, call.company)) AND g.id = \(id)")
    }

    private static func select(of project: UUID, _ company: UUID) -> SQL {
        """
        SELECT g.id, g.project_id, g.name, g.description, g.measure, g.unit, so_far.target::float8 AS target_value,
               so_far.current::float8 AS current_value,
               coalesce(round(100 * so_far.current / nullif(so_far.target, 0), 1), 0)::float8 AS progress_percent,
               so_far.target > 0 AND so_far.current >= so_far.target AS is_reached, g.due_on, g.version, g.created_at,
               g.updated_at
          FROM project_goals g
         CROSS JOIN LATERAL (\(fragment: PlanLinks.goal.counts("g"))) linked
         CROSS JOIN LATERAL (
               SELECT CASE g.measure WHEN 'tasks' THEN linked.tasks ELSE g.target_value END AS target,
                      CASE g.measure WHEN 'tasks' THEN linked.tasks_done ELSE g.current_value END AS current) so_far
         WHERE g.company_id = \(company) AND g.project_id = \(project)
        """
    }
}
