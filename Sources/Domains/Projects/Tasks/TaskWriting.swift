import API
import Core
import Postgres
import Wire

/// The one way tasks are written: by routes, in bulk, by recurrences, imports, templates and the end of a sprint.
///
/// Each write locks what it decides on, and leaves history, flow, events and news in the same transaction. Locks are
/// taken in one order, so that writers wait for each other and never in a circle: the company's graph of tasks, then
/// projects by their ids, then tasks by theirs.
enum TaskWriting {
    /// A task to be made.
    struct Draft: Sendable {
        /// Chosen here, so that a draft can be the parent of another.
        var id = UUID.v7()
        var project: UUID
        var title: String
        var description: String?
        var type = TaskType.task
        /// The project's initial state when absent.
        var state: UUID?
        var priority = TaskPriority.none
        var parent: UUID?
        var sprint: UUID?
        var reporter: UUID?
        var assignees: [UUID] = []
        var pointsHundredths: Int?
        var estimateMinutes: Int?
        var startOn: LocalDate?
        var dueOn: LocalDate?
        var dueTime: DayTime?
        var custom: JSON = [:]
        var tags: [UUID] = []

        init(project: UUID, title: String) {
            self.project = project
            self.title = title
        }
    }

    struct CreatedTask: Sendable {
        let id: UUID
        let key: String
    }

    /// Makes tasks, each at the end of its project's order, with numbers that nobody else has. Those who are assigned are
    /// told and each task is recorded, unless `quietly`: then the act of which they are part is recorded by whoever asks.
    @inline(never) @discardableResult
    static func create(
        _ drafts: [Draft], by actor: Audit.Actor, company: UUID, quietly: Bool = false, in tx: Transaction
    ) async throws -> [CreatedTask] {
        if drafts.isEmpty { return [] }
        if drafts.contains(where: { $0.parent != nil }) { _ = try await tx.query(TaskGraph.lock(company)) }
        var made: [UUID: CreatedTask] = [:]
        let projects = Set(drafts.map(\.project)).sorted { $0.description < $1.description }
        for project in projects {
            let own = drafts.filter { $0.project == project }
            let tasks = try await create(own, in: project, by: actor, company, quietly: quietly, tx)
            for task in tasks { made[task.id] = task }
        }
        return drafts.compactMap { made[$0.id] }
    }

    @inline(never)
    private static func create(
        _ drafts: [Draft], in project: UUID, by actor: Audit.Actor, _ company: UUID, quietly: Bool,
        _ tx: Transaction
    ) async throws -> [CreatedTask] {
        let place = try await ProjectPlace.take(numbers: drafts.count, of: project, company, tx)
        try await TaskChecks.check(drafts, in: place, company, tx)
        let ranks = Rank.following(place.lastRank, count: drafts.count)
        var images: [TaskImage] = []
        var rows: [JSON] = []
        var made: [CreatedTask] = []
        var parts: [(parent: UUID?, category: StateCategory)] = []
        for (index, draft) in drafts.enumerated() {
            guard let state = place.state(draft.state) else {
                throw Problem.unprocessable("/state_id", "not-found", "is no state of this project")
            }
            let number = place.firstNumber + index
            rows.append(row(draft, state, number, ranks[index]))
            parts.append((draft.parent, state.category))
            made.append(CreatedTask(id: draft.id, key: "\(place.key)-\(number)"))
            images.append(
                TaskImage(
                    id: draft.id, projectId: project, stateId: state.id, category: state.category,
                    sprintId: draft.sprint, pointsHundredths: draft.pointsHundredths,
                    estimateMinutes: draft.estimateMinutes))
        }
        _ = try await tx.batch(
            insert(rows, place, company) + SubtaskCounts.added(parts, company)
                + TaskFlow.sql(images.map { (nil, $0) }, by: actor, company: company)
                + [history(made.map { ($0.id, "created", .null, .string($0.key)) }, by: actor, company)]
                + TaskEvents.created(drafts, made, images, by: actor, company: company) + [
                    TaskUpkeep.list(company)
                ]
                + (quietly ? [] : made.map { record($0, by: actor, company) })
                + TaskSearch.added(
                    drafts.enumerated().map { ($1.id, place.firstNumber + $0, $1.title, $1.description) },
                    company))
        if !quietly {
            let assigned = zip(drafts, made).flatMap { draft, task in
                draft.assignees.map {
                    TaskNews.Assigned(member: $0, task: task.id, key: task.key, title: draft.title)
                }
            }
            try await TaskNews.tell(assigned, by: actor, company, tx)
        }
        return made
    }

    private static func record(_ task: CreatedTask, by actor: Audit.Actor, _ company: UUID) -> SQL {
        Audit.sql(
            Audit.Entry("task.created", on: "task", task.id, after: ["key": .string(task.key)]), by: actor,
            company: company)
    }

    private static func row(_ draft: Draft, _ state: ProjectPlace.State, _ number: Int, _ rank: Rank) -> JSON
    {
        [
            "id": .id(draft.id), "number": JSON(number), "type": .string(draft.type.rawValue),
            "title": .string(draft.title), "description": .optional(draft.description),
            "state_id": .id(state.id),
            "category": .string(state.category.rawValue), "priority": .string(draft.priority.rawValue),
            "rank": .string(rank.text), "parent_id": .id(draft.parent), "sprint_id": .id(draft.sprint),
            "reporter_id": .id(draft.reporter),
            "points_hundredths": draft.pointsHundredths.map { JSON($0) } ?? .null,
            "estimate_minutes": draft.estimateMinutes.map { JSON($0) } ?? .null,
            "start_on": .optional(draft.startOn?.description), "due_on": .optional(draft.dueOn?.description),
            "due_time": .optional(draft.dueTime?.text), "custom": draft.custom,
            "assignee_ids": .array(draft.assignees.inOrder.map { .id($0) }),
            "tag_ids": .array(draft.tags.map { .id($0) }),
        ]
    }

    private static func insert(_ rows: [JSON], _ place: ProjectPlace, _ company: UUID) -> [SQL] {
        let json = JSONText(.array(rows))
        return [
            """
            INSERT INTO tasks (company_id, id, project_id, number, type, title, description, state_id, category, priority,
                               rank, parent_id, sprint_id, reporter_id, points, estimate_minutes, start_on, due_on,
                               due_time, due_at, custom, completed_at, assignee_ids)
            SELECT \(company), d.id, \(place.id), d.number, d.type, d.title, d.description, d.state_id, d.category,
                   d.priority, d.rank, d.parent_id, d.sprint_id, d.reporter_id, d.points_hundredths / 100.0,
                   d.estimate_minutes, d.start_on, d.due_on, d.due_time,
                   \(fragment: TaskRows.dueAt("d", zone: "\(place.timeZone)")), d.custom,
                   CASE WHEN d.category = 'completed' THEN now() END,
                   ARRAY(SELECT jsonb_array_elements_text(d.assignee_ids)::uuid)
              FROM jsonb_to_recordset(\(json)::jsonb) AS d (
                   id uuid, number integer, type text, title text, description text, state_id uuid, category text,
                   priority text, rank text, parent_id uuid, sprint_id uuid, reporter_id uuid, points_hundredths integer,
                   estimate_minutes integer, start_on date, due_on date, due_time time, custom jsonb,
                   assignee_ids jsonb)
            """,
            """
            INSERT INTO task_assignees (company_id, task_id, member_id, task_created_at)
            SELECT \(company), d.id, member.value::uuid, now()
              FROM jsonb_to_recordset(\(json)::jsonb) AS d (id uuid, assignee_ids jsonb)
             CROSS JOIN jsonb_array_elements_text(d.assignee_ids) AS member
            """,
            """
            INSERT INTO task_tags (company_id, task_id, tag_id)
            SELECT \(company), d.id, tag.value::uuid
              FROM jsonb_to_recordset(\(json)::jsonb) AS d (id uuid, tag_ids jsonb)
             CROSS JOIN jsonb_array_elements_text(d.tag_ids) AS tag
            """,
        ]
    }

    /// Rows of the history; each names the task, the field, and what it was and is.
    static func history(
        _ changes: [(task: UUID, field: String, before: JSON, after: JSON)], by actor: Audit.Actor,
        _ company: UUID
    ) -> SQL {
        let rows = changes.map { change -> JSON in
            [
                "id": .id(UUID.v7()), "task": .id(change.task), "field": .string(change.field),
                "before": change.before, "after": change.after,
            ]
        }
        return """
            INSERT INTO task_history (company_id, id, task_id, actor_kind, member_id, field, before, after)
            SELECT \(company), h.id, h.task, \(actor.kind),
                   (SELECT m.id FROM memberships m WHERE m.company_id = \(company) AND m.user_id = \(actor.person)::uuid),
                   h.field, h.before, h.after
              FROM jsonb_to_recordset(\(JSONText(.array(rows)))::jsonb)
                   AS h (id uuid, task uuid, field text, before jsonb, after jsonb)
            """
    }
}
