import API
import Core
import Postgres
import Wire

/// One change made to many tasks: all of them or none, or each for itself.
enum TaskBulk {
    @RouteList static var routes: [Route] {
        POST("/v1/tasks/bulk", "Change many tasks at once", .can(.tasksRead), change)
            .operation("changeTasks")
            .describe(
                "Up to \(TaskLimits.bulkMax) tasks. `atomic` (the default) changes all of them or, when one cannot be, none; "
                    + "`per_item` changes those that can be and says of each what became of it. Exactly one of `set` and "
                    + "`action`."
            )
            .problems(
                .projectArchived, .taskSprintClosed, .taskBlocked, .wipLimitReached, .tooManyAssignees,
                .tooManyMoved,
                .taskCircle, .taskTooDeep, .tooManySubtasks, .tooManyTaskParts
            )
            .example(
                body: [
                    "task_ids": [TaskExamples.id, TaskExamples.other], "mode": "per_item",
                    "set": [
                        "priority": "high", "add_assignee_ids": [TaskExamples.member], "due_on": "2026-12-11",
                    ],
                ],
                answer: [
                    "changed": 1, "unchanged": 0, "failed": 1,
                    "results": [
                        ["task_id": TaskExamples.id, "outcome": "changed", "code": nil, "detail": nil],
                        [
                            "task_id": TaskExamples.other, "outcome": "failed", "code": "not-found",
                            "detail": "There is no such thing, or you may not see it.",
                        ],
                    ],
                ])
    }

    static func change(_ call: Call, _ body: Body<BulkChange>) async throws -> Single<BulkAnswer> {
        let company = try call.company
        let ids = body.taskIds.items.unique
        if ids.isEmpty { throw Problem.unprocessable("/task_ids", "required", "names no task") }
        let change = try body.value.change()
        let mode = body.mode ?? .atomic
        let results = try await call.db.transaction { tx in
            try await run(ids, change, mode, call, company, tx)
        }
        let counts = Dictionary(grouping: results, by: \.outcome).mapValues(\.count)
        return Single(
            BulkAnswer(
                changed: counts[.changed] ?? 0, unchanged: counts[.unchanged] ?? 0,
                failed: counts[.failed] ?? 0,
                results: results))
    }

    @inline(never)
    private static func run(
        _ ids: [UUID], _ change: Work, _ mode: BulkMode, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> [BulkResult] {
        let projects = try await projects(of: ids, company, tx)
        let refusals = try await refusals(Array(Set(projects.values)), call, tx)
        var results: [UUID: BulkResult] = [:]
        var open: [UUID] = []
        for id in ids {
            let refusal: Problem? = projects[id].map { refusals[$0] } ?? .notFound
            if let refusal {
                if mode == .atomic { throw named(refusal, id) }
                results[id] = BulkResult(id, refusal)
            } else {
                open.append(id)
            }
        }
        switch mode {
        case .atomic:
            let changed = try await apply(change, to: open, by: call.actor, company, tx)
            for id in open { results[id] = BulkResult(id, isChanged: changed.contains(id)) }
        case .perItem:
            for id in open { results[id] = try await one(id, change, call, company, tx) }
        }
        let done = results.values.count { $0.outcome == .changed }
        try await Audit.record(
            Audit.Entry(
                "tasks.changed", on: "task", nil,
                after: ["tasks": JSON(done), "what": .string(change.summary)]),
            by: call.actor, company: company, in: tx)
        return ids.compactMap { results[$0] }
    }

    /// One task in a savepoint of its own.
    @inline(never)
    private static func one(
        _ id: UUID, _ change: Work, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> BulkResult {
        do {
            let changed = try await tx.savepoint {
                try await apply(change, to: [id], by: call.actor, company, tx)
            }
            return BulkResult(id, isChanged: !changed.isEmpty)
        } catch let problem as Problem {
            return BulkResult(id, problem)
        }
    }

    /// What is to be done to each task.
    enum Work: Sendable {
        case change(TaskWriting.Change)
        case delete

        var summary: String {
            switch self {
            case .change: "changed"
            case .delete: "deleted"
            }
        }
    }

    @inline(never)
    private static func apply(
        _ work: Work, to tasks: [UUID], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws -> Set<UUID> {
        switch work {
        case .delete:
            try await TaskTrash.delete(tasks, by: actor, company, tx)
            return Set(tasks)
        case .change(let change):
            let outcome = try await TaskWriting.change(tasks, change, by: actor, company: company, in: tx)
            return Set(outcome.changed.map(\.after.id))
        }
    }

    /// The projects of those tasks that are there.
    @inline(never)
    private static func projects(of ids: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [UUID:
        UUID]
    {
        let rows = try await tx.query(
            """
            SELECT id, project_id FROM tasks
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) AND deleted_at IS NULL
            """)
        var projects: [UUID: UUID] = [:]
        for row in rows { projects[try row.get("id")] = try row.get("project_id", as: UUID.self) }
        return projects
    }

    /// Why the caller may change nothing in a project; those where he may are absent.
    @inline(never)
    private static func refusals(_ projects: [UUID], _ call: Call, _ tx: Transaction) async throws -> [UUID:
        Problem]
    {
        var refusals: [UUID: Problem] = [:]
        for project in projects {
            do {
                _ = try await ProjectAccess.require(.contribute, in: project, call, tx)
            } catch let problem as Problem {
                refusals[project] = problem
            }
        }
        return refusals
    }

    private static func named(_ problem: Problem, _ task: UUID) -> Problem {
        problem.with("task_id", .string(task.description))
    }
}

enum BulkMode: String, Codable, CaseIterable, Sendable {
    case atomic
    case perItem = "per_item"
}

enum BulkAction: String, Codable, CaseIterable, Sendable { case archive, unarchive, delete }

struct BulkChange: Codable, Sendable {
    let taskIds: UpTo<500, UUID>
    let mode: BulkMode?
    let set: BulkValues?
    let action: BulkAction?
    /// Blocked tasks start and end all the same.
    let force: Bool?

    func change() throws -> TaskBulk.Work {
        if (set == nil) == (action == nil) {
            throw Problem.unprocessable("/set", "one-of", "send one of `set` and `action`")
        }
        var change = TaskWriting.Change()
        switch action {
        case .delete: return .delete
        case .archive: change.isArchived = true
        case .unarchive: change.isArchived = false
        case nil: set?.write(into: &change)
        }
        change.force = force ?? false
        return .change(change)
    }
}

/// The values that all of the tasks get.
struct BulkValues: Codable, Sendable {
    let stateId: UUID?
    let priority: TaskPriority?
    let type: TaskType?
    let assigneeIds: UpTo<20, UUID>?
    let addAssigneeIds: UpTo<20, UUID>?
    let removeAssigneeIds: UpTo<20, UUID>?
    let addTagIds: UpTo<30, UUID>?
    let removeTagIds: UpTo<30, UUID>?
    let sprintId: UUID?
    let parentId: UUID?
    let points: Points?
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let clear: UpTo<6, ClearableField>?

    func write(into change: inout TaskWriting.Change) {
        change.state = stateId
        change.priority = priority
        change.type = type
        change.assignees = assigneeIds?.items
        change.addedAssignees = addAssigneeIds?.items ?? []
        change.removedAssignees = removeAssigneeIds?.items ?? []
        change.addedTags = addTagIds?.items ?? []
        change.removedTags = removeTagIds?.items ?? []
        if let sprintId { change.sprint = .some(sprintId) }
        if let parentId { change.parent = .some(parentId) }
        if let points { change.pointsHundredths = .some(points.hundredths) }
        if let startOn { change.startOn = .some(startOn) }
        if let dueOn { change.dueOn = .some(dueOn) }
        for field in clear?.items ?? [] {
            switch field {
            case .sprint: change.sprint = .some(nil)
            case .parent: change.parent = .some(nil)
            case .points: change.pointsHundredths = .some(nil)
            case .startOn: change.startOn = .some(nil)
            case .dueOn: change.dueOn = .some(nil)
            case .assignees: change.assignees = []
            }
        }
    }
}

extension BulkValues: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "state_id": "A state of the tasks' project: tasks of other projects fail.",
            "assignee_ids": "Replaces all; `add_assignee_ids` and `remove_assignee_ids` leave the others.",
            "clear": "Empties these.",
        ]
    }
}

enum ClearableField: String, Codable, CaseIterable, Sendable {
    case sprint, parent, points
    case startOn = "start_on"
    case dueOn = "due_on"
    case assignees
}

enum BulkOutcome: String, Codable, CaseIterable, Sendable { case changed, unchanged, failed }

struct BulkResult: Codable, Sendable {
    let taskId: UUID
    let outcome: BulkOutcome
    let code: String?
    let detail: String?

    init(_ task: UUID, isChanged: Bool) {
        taskId = task
        outcome = isChanged ? .changed : .unchanged
        (code, detail) = (nil, nil)
    }

    init(_ task: UUID, _ problem: Problem) {
        taskId = task
        outcome = .failed
        code = problem.code.name
        detail = problem.faults.first?.detail ?? problem.detail ?? problem.code.title
    }
}

struct BulkAnswer: Codable, Sendable {
    let changed: Int
    let unchanged: Int
    let failed: Int
    let results: [BulkResult]
}
