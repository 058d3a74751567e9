import API
import Core
import Postgres
import Wire

/// The states a project's tasks pass through.
///
/// What a state means, its category, is said when it is made and never again: reports tell of days long past by it.
enum ProjectStates {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/states", "List a project's states, in their order", .can(.projectsRead), list)
        POST("/v1/projects/{id}/states", "Add a state to a project", .can(.projectsRead), create)
            .operation("createProjectState").problems(.projectArchived, .stateNameTaken, .tooManyStates)
            .describe(
                "It stands behind the others. Takes the right to manage the project, as all changes of states do."
            )
            .example(body: ["name": "Waiting for the client", "category": "started", "wip_limit": 5])
        PATCH("/v1/projects/{id}/states/{state_id}", "Change a state", .can(.projectsRead), change)
            .problems(.projectArchived, .stateNameTaken, .stateIsNeeded)
            .describe(
                "Its category never changes. The initial state is the one of new tasks: making one so unmakes the other."
            )
            .example(body: ["name": "Waiting", "wip_limit": 8])
        DELETE("/v1/projects/{id}/states/{state_id}", "Delete a state", .can(.projectsRead), delete)
            .problems(.projectArchived, .stateInUse, .stateIsNeeded)
            .describe(
                """
                Its tasks go to the state `move_to` names. The initial state stays, and so does the last one that means \
                completed.
                """)
        PUT("/v1/projects/{id}/states/order", "Put a project's states in order", .can(.projectsRead), order)
            .operation("orderProjectStates").problems(.projectArchived)
            .describe("Names every state of the project once.")
    }

    struct ProjectState: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let category: StateCategory
        let color: String?
        let position: Int
        let isInitial: Bool
        let wipLimit: Int?
        let taskCount: Int
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "wip_limit": "How many tasks should be in it at most.",
            "task_count": "Tasks in it now, without those in the archive or the trash.",
        ]
    }

    struct NewProjectState: Codable, Sendable {
        let name: Text<60>
        let category: StateCategory
        let color: Color?
        let wipLimit: Whole<1, 10_000>?
    }

    struct ProjectStateChange: Codable, Sendable {
        let name: Text<60>?
        let color: Clearable<Color>
        let wipLimit: Clearable<Whole<1, 10_000>>
        let isInitial: Bool?
    }

    struct Removal: Codable, Sendable {
        let moveTo: UUID?
    }

    struct StateOrder: Codable, Sendable {
        let ids: UpTo<50, UUID>
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<ProjectState> {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        return Page(all: try await rows(of: head.id, call))
    }

    static func create(_ call: Call, _ id: Path<UUID>, _ body: Body<NewProjectState>) async throws -> Created<
        ProjectState
    > {
        let (draft, state) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, state, in: id.value, call, tx) }
        return try Created(
            await row(state, in: id.value, call), at: "/v1/projects/\(id.value)/states/\(state)")
    }

    @inline(never)
    private static func insert(
        _ draft: NewProjectState, _ id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await lock(project, call, tx)
        let isBelow = SQL.below(
            ProjectLimits.statesMax,
            "SELECT count(*) FROM project_states WHERE company_id = \(company) AND project_id = \(project)",
            else: .tooManyStates)
        _ = try await tx.query(
            """
            INSERT INTO project_states (company_id, id, project_id, name, category, color, wip_limit, position)
            SELECT \(company), \(id), \(project), \(draft.name), \(draft.category), \(draft.color), \(draft.wipLimit),
                   (SELECT coalesce(max(position), 0) + 1 FROM project_states
                     WHERE company_id = \(company) AND project_id = \(project))
             WHERE \(fragment: isBelow)
            """)
        let after: JSON = ["name": .string(draft.name.text), "category": .string(draft.category.rawValue)]
        try await record("project.state_created", head, after: after, call, tx)
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ state: Path<UUID>, _ body: Patch<ProjectStateChange>
    ) async throws -> Single<ProjectState> {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: state.value, in: id.value, call, tx)
        }
        return try Single(await row(state.value, in: id.value, call))
    }

    @inline(never)
    private static func apply(
        _ change: ProjectStateChange, to id: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await lock(project, call, tx)
        let before = try await find(id, in: project, company, tx)
        try call.requireVersion(before.version)
        if change.isInitial == true, !before.category.isOpen {
            throw Problem.unprocessable(
                "/is_initial", "not-open", "a new task is open, and this state is \(before.category)")
        }
        if change.isInitial == false, before.isInitial { throw Problem(.stateIsNeeded) }
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("color", change.color)
        changes.set("wip_limit", change.wipLimit)
        changes.set("is_initial", change.isInitial)
        if change.isInitial == true, !before.isInitial {
            _ = try await tx.query(
                """
                UPDATE project_states SET is_initial = false, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND project_id = \(project) AND is_initial
                """)
        }
        _ = try await tx.query(
            """
            UPDATE project_states SET \(fragment: changes.sql)
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id)
            """)
        try await record(
            "project.state_changed", head, before: ["name": .string(before.name)],
            after: try JSON(encoding: change), call, tx)
    }

    static func delete(
        _ call: Call, _ id: Path<UUID>, _ state: Path<UUID>, _ query: Query<Removal>
    ) async throws -> NoContent {
        let target = query.value.moveTo
        try await call.db.transaction { tx in
            try await remove(state.value, moving: target, in: id.value, call, tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func remove(
        _ id: UUID, moving target: UUID?, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await lock(project, call, tx)
        let state = try await find(id, in: project, company, tx)
        if state.isInitial { throw Problem(.stateIsNeeded, "New tasks begin in it.") }
        if let target { try await move(from: id, to: target, in: project, call, tx) }
        let gone = try await tx.query(
            """
            DELETE FROM project_states s
             WHERE s.company_id = \(company) AND s.project_id = \(project) AND s.id = \(id)
               AND (s.category <> 'completed' OR EXISTS (
                    SELECT 1 FROM project_states o
                     WHERE o.company_id = s.company_id AND o.project_id = s.project_id AND o.category = 'completed'
                       AND o.id <> s.id))
            """)
        if gone.affected == 0 { throw Problem(.stateIsNeeded, "It is the only one that means completed.") }
        try await record("project.state_deleted", head, before: ["name": .string(state.name)], call, tx)
    }

    @inline(never)
    private static func move(
        from id: UUID, to target: UUID, in project: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let known = try await tx.query(
            """
            SELECT 1 FROM project_states
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(target) AND id <> \(id)
            """)
        if known.isEmpty {
            throw Problem.unprocessable([
                .parameter("move_to", "unknown-state", "names no other state of this project")
            ])
        }
        let rows = try await tx.query(
            """
            SELECT id FROM tasks
             WHERE company_id = \(company) AND project_id = \(project) AND state_id = \(id) AND deleted_at IS NULL
            """)
        var change = TaskWriting.Change()
        change.state = target
        // Nobody asks a task whether its state may go.
        change.force = true
        let tasks = try rows.map { try $0.get("id", as: UUID.self) }
        if !tasks.isEmpty {
            try await TaskWriting.change(tasks, change, by: call.actor, company: company, in: tx)
        }
        _ = try await tx.query(moveTrash(from: id, to: target, in: project, company))
    }

    /// What is in the trash counts nowhere, so it has no history to write.
    private static func moveTrash(from id: UUID, to target: UUID, in project: UUID, _ company: UUID) -> SQL {
        """
        UPDATE tasks t
           SET state_id = s.id, category = s.category,
               completed_at = CASE WHEN s.category = 'completed' THEN coalesce(t.completed_at, now()) END
          FROM project_states s
         WHERE t.company_id = \(company) AND t.project_id = \(project) AND t.state_id = \(id) AND t.deleted_at IS NOT NULL
           AND s.company_id = t.company_id AND s.id = \(target)
        """
    }

    static func order(_ call: Call, _ id: Path<UUID>, _ body: Body<StateOrder>) async throws -> Page<
        ProjectState
    > {
        let ids = body.ids.items
        try await call.db.transaction { tx in try await arrange(ids, in: id.value, call, tx) }
        return Page(all: try await rows(of: id.value, call))
    }

    @inline(never)
    private static func arrange(_ ids: [UUID], in project: UUID, _ call: Call, _ tx: Transaction) async throws
    {
        let company = try call.company
        let head = try await lock(project, call, tx)
        let known = try await tx.query(
            "SELECT id FROM project_states WHERE company_id = \(company) AND project_id = \(project)")
        let all = try known.map { try $0.get("id", as: UUID.self) }
        guard Set(ids) == Set(all), ids.count == all.count else {
            throw Problem.unprocessable(
                "/ids", "incomplete", "must name each of the project's \(all.count) states once")
        }
        _ = try await tx.query(
            """
            UPDATE project_states s SET position = place.n, version = version + 1, updated_at = now()
              FROM unnest(\(ids)::uuid[]) WITH ORDINALITY AS place (id, n)
             WHERE s.company_id = \(company) AND s.project_id = \(project) AND s.id = place.id AND s.position <> place.n
            """)
        try await record("project.states_ordered", head, call, tx)
    }

    private struct Found {
        let name: String
        let category: StateCategory
        let isInitial: Bool
        let version: Int64
    }

    @inline(never)
    private static func find(_ id: UUID, in project: UUID, _ company: UUID, _ tx: Transaction) async throws
        -> Found
    {
        let rows = try await tx.query(
            """
            SELECT name, category, is_initial, version FROM project_states
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return Found(
            name: try row.get("name"), category: try row.get("category"),
            isInitial: try row.get("is_initial"),
            version: try row.get("version"))
    }

    /// Changes of a project's states wait for each other: together they keep an initial and a final one.
    @inline(never)
    private static func lock(_ project: UUID, _ call: Call, _ tx: Transaction) async throws -> ProjectHead {
        let head = try await ProjectAccess.require(.manage, in: project, call, tx)
        _ = try await tx.query(
            "SELECT 1 FROM projects WHERE company_id = \(try call.company) AND id = \(project) FOR NO KEY UPDATE"
        )
        return head
    }

    @inline(never)
    private static func record(
        _ action: String, _ head: ProjectHead, before: JSON? = nil, after: JSON? = nil, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry(action, on: "project", head.id, before: before, after: after), by: call.actor,
                company: company),
            ProjectEvents.updated(head, ["states"], by: call.actor, company),
        ])
    }

    private static func rows(of project: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(project, call.company)) ORDER BY s.position, s.id")
    }

    private static func row(_ id: UUID, in project: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(project, call.company)) AND s.id = \(id)")
    }

    private static func select(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT s.id, s.name, s.category, s.color, s.position, s.is_initial, s.wip_limit,
               (SELECT count(*) FROM tasks t
                 WHERE t.company_id = s.company_id AND t.project_id = s.project_id AND t.state_id = s.id
                   AND t.deleted_at IS NULL AND t.archived_at IS NULL) AS task_count,
               s.version, s.created_at, s.updated_at
          FROM project_states s
         WHERE s.company_id = \(company) AND s.project_id = \(project)
        """
    }
}
