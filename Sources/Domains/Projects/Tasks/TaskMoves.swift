import API
import Core
import Postgres
import Wire

/// Tasks that go to another project, or are made again there or here.
enum TaskMoves {
    @RouteList static var routes: [Route] {
        POST("/v1/tasks/{id}/move", "Move a task to another project", .can(.tasksRead), move).ifMatch(
            .accepted
        )
        .describe(
            "With its sub-tasks. Each gets a number there, and its old key goes on leading to it; its state becomes the one "
                + "of the same name, else of the same category. It leaves its sprint and its parent, and those who cannot "
                + "see the other project are assigned no longer."
        )
        .problems(.projectArchived, .taskSameProject, .tooManyMoved)
        .example(body: ["project_id": TaskExamples.project], answer: TaskExamples.task)
        POST("/v1/tasks/{id}/duplicate", "Make a copy of a task", .can(.tasksRead), duplicate)
            .describe(
                "It begins in the initial state, in no sprint, with nothing done of its checklist. It shows the same files."
            )
            .problems(.projectArchived, .tooManyMoved, .tooManySubtasks)
            .example(
                body: ["title": "Write the second page", "with_subtasks": true], answer: TaskExamples.task)
    }

    static func move(_ call: Call, _ id: Path<UUID>, _ body: Body<TaskMove>) async throws -> Single<
        ProjectTask
    > {
        let company = try call.company
        try await call.db.transaction { tx in try await move(id.value, body.value, call, company, tx) }
        return try Single(await Tasks.rows(id.value, call))
    }

    @inline(never)
    private static func move(_ id: UUID, _ body: TaskMove, _ call: Call, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let from = try await ProjectAccess.require(.contribute, onTask: id, call, tx)
        _ = try await ProjectAccess.require(.contribute, in: body.projectId, call, tx)
        if from.id == body.projectId { throw Problem(.taskSameProject) }
        _ = try await tx.batch([
            TaskGraph.lock(company),
            """
            SELECT 1 FROM projects WHERE company_id = \(company) AND id = ANY(\([from.id, body.projectId])::uuid[])
             ORDER BY id FOR NO KEY UPDATE
            """,
        ])
        let ids = try await tree(of: id, withDeleted: true, company, tx)
        let before = try await TaskWriting.snapshots(ids, company, tx)
        guard let root = before.first(where: { $0.id == id }), !root.isDeleted else { throw Problem.notFound }
        try call.requireVersion(root.version)
        let place = try await ProjectPlace.take(numbers: before.count, of: body.projectId, company, tx)
        if let state = body.stateId, place.state(state) == nil {
            throw Problem.unprocessable("/state_id", "not-found", "is no state of that project")
        }
        let ranks = Rank.following(place.lastRank, count: before.count)
        let members = Set(before.flatMap(\.assigneeIds))
        let outsiders = try await TaskChecks.outsiders(Array(members), in: [place.id], company, tx)
        let strangers = Set(outsiders.map(\.member))
        let after = before.enumerated().map { index, task in
            let state = task.id == id ? body.stateId.flatMap(place.state) : nil
            return arrived(
                task, at: place, state, index, ranks[index], isRoot: task.id == id, without: strangers)
        }
        _ = try await tx.batch([
            keepKeys(of: before, company),
            // Milestones and goals are a project's own.
            "DELETE FROM milestone_tasks WHERE company_id = \(company) AND task_id = ANY(\(ids)::uuid[])",
            "DELETE FROM goal_tasks WHERE company_id = \(company) AND task_id = ANY(\(ids)::uuid[])",
        ])
        _ = try await TaskWriting.write(before, after, by: call.actor, company, tx)
    }

    private static func arrived(
        _ task: TaskSnapshot, at place: ProjectPlace, _ wanted: ProjectPlace.State?, _ index: Int,
        _ rank: Rank,
        isRoot: Bool, without strangers: Set<UUID>
    ) -> TaskSnapshot {
        var new = task
        (new.projectId, new.projectKey, new.number, new.newRank) = (
            place.id, place.key, place.firstNumber + index, rank
        )
        let state = wanted ?? place.counterpart(of: task.stateName, task.category)
        if let state { (new.stateId, new.stateName, new.category) = (state.id, state.name, state.category) }
        new.sprintId = nil
        if isRoot { new.parentId = nil }
        new.assigneeIds.removeAll(where: strangers.contains)
        return new
    }

    private static func keepKeys(of tasks: [TaskSnapshot], _ company: UUID) -> SQL {
        """
        INSERT INTO task_keys (company_id, project_id, number, task_id)
        SELECT company_id, project_id, number, id FROM tasks
         WHERE company_id = \(company) AND id = ANY(\(tasks.map(\.id))::uuid[])
        """
    }

    /// A task and all that is part of it, parents first.
    @inline(never)
    static func tree(of task: UUID, withDeleted: Bool, _ company: UUID, _ tx: Transaction) async throws
        -> [UUID]
    {
        let rows = try await tx.query(
            """
            WITH RECURSIVE part AS (
                SELECT \(task)::uuid AS id, 1 AS level
                UNION ALL
                SELECT t.id, part.level + 1 FROM part
                  JOIN tasks t ON t.company_id = \(company) AND t.parent_id = part.id
                 WHERE part.level < 50 AND (\(withDeleted) OR t.deleted_at IS NULL))
            SELECT id FROM part ORDER BY level, id
            """)
        if rows.count > TaskLimits.bulkMax { throw Problem(.tooManyMoved) }
        return try rows.map { try $0.get("id") }
    }

    static func duplicate(_ call: Call, _ id: Path<UUID>, _ body: Body<TaskCopy>) async throws -> Created<
        ProjectTask
    > {
        let company = try call.company
        let copy = try await call.db.transaction { tx in
            try await duplicate(id.value, body.value, call, company, tx)
        }
        return try Created(await Tasks.rows(copy, call), at: "/v1/tasks/\(copy)")
    }

    @inline(never)
    private static func duplicate(
        _ id: UUID, _ body: TaskCopy, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> UUID {
        let from = try await ProjectAccess.require(.see, onTask: id, call, tx)
        let project = body.projectId ?? from.id
        _ = try await ProjectAccess.require(.contribute, in: project, call, tx)
        let ids = body.withSubtasks ?? false ? try await tree(of: id, withDeleted: false, company, tx) : [id]
        let originals = try await TaskWriting.snapshots(ids, company, tx)
        let members = Array(Set(originals.flatMap(\.assigneeIds)))
        let outsiders = try await TaskChecks.outsiders(members, in: [project], company, tx)
        let strangers = Set(outsiders.map(\.member))
        var copies: [UUID: UUID] = [:]
        for original in ids { copies[original] = UUID.v7() }
        let byId = Dictionary(uniqueKeysWithValues: originals.map { ($0.id, $0) })
        let drafts = try ids.compactMap { byId[$0] }.map { original in
            var draft = TaskWriting.Draft(copyOf: original, in: project)
            draft.id = copies[original.id] ?? draft.id
            draft.reporter = try call.member
            draft.assignees =
                body.withAssignees ?? true ? original.assigneeIds.filter { !strangers.contains($0) } : []
            draft.parent =
                original.parentId.flatMap { copies[$0] } ?? (project == from.id ? original.parentId : nil)
            if original.id == id, let title = body.title { draft.title = title.text }
            return draft
        }
        try await TaskWriting.create(drafts, by: call.actor, company: company, in: tx)
        for (original, copy) in copies { _ = try await tx.batch(copyParts(of: original, to: copy, company)) }
        try await TaskAttachments.copy(to: copies, call.environment[FileKeeping.self], company, tx)
        return copies[id] ?? id
    }

    private static func copyParts(of task: UUID, to copy: UUID, _ company: UUID) -> [SQL] {
        [
            """
            INSERT INTO task_checklist_items (company_id, id, task_id, text, rank)
            SELECT i.company_id, md5(i.id::text || \(copy.description))::uuid, \(copy), i.text, i.rank
              FROM task_checklist_items i WHERE i.company_id = \(company) AND i.task_id = \(task)
            """,
            """
            INSERT INTO task_links (company_id, id, task_id, url, object_type, object_id, title)
            SELECT l.company_id, md5(l.id::text || \(copy.description))::uuid, \(copy), l.url, l.object_type, l.object_id, l.title
              FROM task_links l WHERE l.company_id = \(company) AND l.task_id = \(task)
            """,
        ]
    }
}

extension TaskWriting.Draft {
    /// What a copy takes over of the task itself.
    init(copyOf task: TaskSnapshot, in project: UUID) {
        self.init(project: project, title: task.title)
        description = task.description
        type = task.type
        priority = task.priority
        pointsHundredths = task.pointsHundredths
        estimateMinutes = task.estimateMinutes
        startOn = task.startOn
        dueOn = task.dueOn
        tags = task.tagIds
        dueTime = task.dueTime.map(DayTime.init(unchecked:))
        custom = project == task.projectId ? task.custom : [:]
    }
}

struct TaskMove: Codable, Sendable {
    let projectId: UUID
    let stateId: UUID?
}

struct TaskCopy: Codable, Sendable {
    let projectId: UUID?
    let title: Text<250>?
    let withSubtasks: Bool?
    let withAssignees: Bool?
}
