import API
import Core
import Postgres
import Wire

/// What a change finds out before it is made.
struct ChangeChecks: Sendable {
    /// The state to change to.
    var state: ProjectPlace.State?
    var warnings: [TaskWarning] = []

    /// Throws the reason why the change cannot be made to these tasks, whose rows are locked.
    @inline(never)
    static func check(
        _ change: TaskWriting.Change, of tasks: [TaskSnapshot], _ company: UUID, _ tx: Transaction
    ) async throws -> ChangeChecks {
        let projects = Set(tasks.map(\.projectId))
        for case let sprint?? in [change.sprint] where tasks.contains(where: { $0.sprintId != sprint }) {
            for project in projects { try await TaskChecks.checkSprint(sprint, of: project, company, tx) }
        }
        for case let parent?? in [change.parent] {
            for task in tasks where task.parentId != parent {
                try await TaskGraph.checkParent(parent, of: task.id, in: task.projectId, company, tx)
            }
        }
        if case let reporter?? = change.reporter { try await TaskChecks.checkReporter(reporter, company, tx) }
        let asked = Set((change.assignees ?? []) + change.addedAssignees)
        let people = asked.filter { person in tasks.contains { !$0.assigneeIds.contains(person) } }
        if !people.isEmpty {
            try await TaskChecks.checkAssignees(Array(people), in: Array(projects), company, tx)
        }
        try await Tags.mustExist(
            ((change.tags ?? []) + change.addedTags).unique, at: "/tag_ids", company: company, in: tx)
        guard let state = change.state else { return ChangeChecks() }
        return try await check(state: state, change.force, of: tasks, projects, company, tx)
    }

    @inline(never)
    private static func check(
        state id: UUID, _ force: Bool, of tasks: [TaskSnapshot], _ projects: Set<UUID>, _ company: UUID,
        _ tx: Transaction
    ) async throws -> ChangeChecks {
        let rows = try await tx.query(
            """
            SELECT s.project_id, s.name, s.category, s.is_initial, s.wip_limit, p.wip_policy
              FROM project_states s
              JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
             WHERE s.company_id = \(company) AND s.id = \(id)
            """)
        guard let row = rows.first, projects == [try row.get("project_id", as: UUID.self)] else {
            throw Problem.unprocessable("/state_id", "not-found", "is no state of the task's project")
        }
        let state = ProjectPlace.State(
            id: id, name: try row.get("name"), category: try row.get("category"),
            isInitial: try row.get("is_initial"),
            wipLimit: try row.get("wip_limit"))
        let entering = tasks.filter { $0.stateId != id }
        var checks = ChangeChecks(state: state)
        if try await isBlocked(entering, to: state.category, force, company, tx) {
            checks.warnings.append(.blocked)
        }
        let refuses = try row.get("wip_policy", as: String.self) == "refuse" && !force
        if try await exceedsLimit(state, entering.count, refuses: refuses, company, tx) {
            checks.warnings.append(.wipLimitExceeded)
        }
        return checks
    }

    /// Whether a blocked task begins or ends by force; without it that is refused.
    @inline(never)
    private static func isBlocked(
        _ tasks: [TaskSnapshot], to category: StateCategory, _ force: Bool, _ company: UUID, _ tx: Transaction
    ) async throws -> Bool {
        guard category == .started || category == .completed else { return false }
        let moving = tasks.filter { $0.category != category }.map(\.id)
        if moving.isEmpty { return false }
        let blockers = try await tx.query(TaskChecks.blockers(of: moving, company))
        guard let first = blockers.first else { return false }
        if force { return true }
        let keys = try blockers.map { try $0.get("key", as: String.self) }.unique
        let blocked: UUID = try first.get("blocked")
        let key = tasks.first { $0.id == blocked }?.key ?? ""
        throw Problem(.taskBlocked, "\(key) waits for \(keys.joined(separator: ", ")).")
            .with("blocked_by", .array(keys.map(JSON.string)))
    }

    /// Whether the state holds more tasks than it should with these; refused where the project wants it so.
    @inline(never)
    private static func exceedsLimit(
        _ state: ProjectPlace.State, _ entering: Int, refuses: Bool, _ company: UUID, _ tx: Transaction
    ) async throws -> Bool {
        guard let limit = state.wipLimit, entering > 0 else { return false }
        var statements: [SQL] = []
        // The state's row is locked: two who enter at once must not both be the last.
        if refuses {
            statements.append(
                "SELECT 1 FROM project_states WHERE company_id = \(company) AND id = \(state.id) FOR NO KEY UPDATE"
            )
        }
        statements.append(
            """
            SELECT count(*) FROM tasks t
              JOIN project_states s ON s.company_id = t.company_id AND s.project_id = t.project_id AND s.id = t.state_id
             WHERE t.company_id = \(company) AND s.id = \(state.id) AND t.deleted_at IS NULL AND t.archived_at IS NULL
            """)
        let answers = try await tx.batch(statements)
        let count = try answers[answers.count - 1][0].get(0, as: Int.self) + entering
        if count <= limit { return false }
        if refuses {
            throw Problem(
                .wipLimitReached, "\(state.name) takes \(limit) tasks at a time; there would be \(count)."
            )
            .with("limit", JSON(limit))
        }
        return true
    }
}
