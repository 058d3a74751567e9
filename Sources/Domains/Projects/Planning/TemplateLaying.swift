import API
import Core
import Postgres
import Wire

/// Lays what a template holds into a project that has just been made, and takes it from one that is there.
struct TemplateLaying: Sendable {
    let project: UUID
    let startOn: LocalDate
    let reporter: UUID
    let company: UUID

    private func day(_ offset: Int?) -> LocalDate? {
        offset.map { LocalDate(daysSince1970: startOn.daysSince1970 + $0) }
    }

    @inline(never)
    func lay(_ content: TemplateContent, by actor: Audit.Actor, in tx: Transaction) async throws {
        let milestones = (content.milestones?.items ?? []).map { (id: UUID.v7(), milestone: $0) }
        let tasks = content.tasks?.items ?? []
        let drafts = drafts(of: tasks)
        try await TaskWriting.create(drafts, by: actor, company: company, quietly: true, in: tx)
        let linked = zip(tasks, drafts).compactMap { task, draft in
            task.milestone.map { (milestones[$0.value].id, draft.id) }
        }
        _ = try await tx.batch([
            """
            INSERT INTO project_milestones (company_id, id, project_id, name, due_on)
            SELECT \(company), m.id, \(project), m.name, \(startOn)::date + m.day
              FROM unnest(\(milestones.map(\.id))::uuid[], \(milestones.map(\.milestone.name.text))::text[],
                          \(milestones.map(\.milestone.day.value))::integer[]) AS m (id, name, day)
            """,
            """
            INSERT INTO milestone_tasks (company_id, milestone_id, task_id)
            SELECT \(company), link.milestone, link.task
              FROM unnest(\(linked.map(\.0))::uuid[], \(linked.map(\.1))::uuid[]) AS link (milestone, task)
            """,
        ])
    }

    /// Parents stand before their children, as they do in a template.
    private func drafts(of tasks: [TemplateContent.Task]) -> [TaskWriting.Draft] {
        var drafts: [TaskWriting.Draft] = []
        for task in tasks {
            var draft = TaskWriting.Draft(project: project, title: task.title.text)
            draft.description = task.description?.text
            draft.type = task.type ?? .task
            draft.priority = task.priority ?? .none
            draft.parent = task.parent.map { drafts[$0.value].id }
            draft.reporter = reporter
            draft.pointsHundredths = task.points?.hundredths
            draft.estimateMinutes = task.estimateMinutes?.value
            draft.startOn = day(task.startDay?.value)
            draft.dueOn = day(task.dueDay?.value)
            drafts.append(draft)
        }
        return drafts
    }

    /// What a project would be as a template, and the day it is counted from.
    @inline(never)
    static func content(
        of project: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> (content: TemplateContent, base: LocalDate) {
        let states = try await ProjectDuplicate.states(of: project, company, tx)
        let rows = try await tx.query(base(project, company))
        let base = try rows[0].get("base", as: LocalDate.self)
        let goals = try await tx.query(
            """
            SELECT name, greatest(due_on - \(base)::date, 0) AS day FROM project_milestones
             WHERE company_id = \(company) AND project_id = \(project) ORDER BY due_on, id LIMIT 100
            """)
        let milestones = try goals.map { row in
            TemplateContent.Milestone(
                name: .init(unchecked: try row.get("name")), day: .init(unchecked: try row.get("day")))
        }
        let tasks = try await tx.query(self.tasks(of: project, from: base, company))
        let content = TemplateContent(
            states: UpTo(states.map(state)), milestones: UpTo(milestones), tasks: UpTo(try tasks.map(task)))
        return (content, base)
    }

    /// The project's start, or the first date there is in it; today where there is none.
    private static func base(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT coalesce(p.start_on,
                        least((SELECT min(least(t.start_on, t.due_on)) FROM tasks t
                                WHERE t.company_id = p.company_id AND t.project_id = p.id AND t.deleted_at IS NULL),
                              (SELECT min(m.due_on) FROM project_milestones m
                                WHERE m.company_id = p.company_id AND m.project_id = p.id)),
                        current_date) AS base
          FROM projects p WHERE p.company_id = \(company) AND p.id = \(project)
        """
    }

    /// Parents first, then by rank; `parent` is the place of the parent among them.
    private static func tasks(of project: UUID, from base: LocalDate, _ company: UUID) -> SQL {
        """
        WITH RECURSIVE tree AS (
            SELECT t.id, 0 AS depth FROM tasks t
             WHERE t.company_id = \(company) AND t.project_id = \(project) AND t.parent_id IS NULL
               AND t.deleted_at IS NULL AND t.archived_at IS NULL
            UNION ALL
            SELECT t.id, tree.depth + 1 FROM tree
              JOIN tasks t ON t.company_id = \(company) AND t.parent_id = tree.id
                          AND t.deleted_at IS NULL AND t.archived_at IS NULL
             WHERE tree.depth < 32),
        chosen AS (
            SELECT t.*, (row_number() OVER (ORDER BY tree.depth, t.rank) - 1)::integer AS place
              FROM tree JOIN tasks t ON t.company_id = \(company) AND t.id = tree.id
             ORDER BY tree.depth, t.rank LIMIT \(ProjectTemplates.tasksMax)),
        goals AS (
            SELECT id, (row_number() OVER (ORDER BY due_on, id) - 1)::integer AS place FROM project_milestones
             WHERE company_id = \(company) AND project_id = \(project))
        SELECT c.title, c.description, c.type, c.priority, c.points::float8 AS points, c.estimate_minutes,
               CASE WHEN c.start_on IS NOT NULL THEN greatest(c.start_on - \(base)::date, 0) END AS start_day,
               CASE WHEN c.due_on IS NOT NULL THEN greatest(c.due_on - \(base)::date, 0) END AS due_day,
               parent.place AS parent,
               (SELECT min(g.place) FROM milestone_tasks link JOIN goals g ON g.id = link.milestone_id
                 WHERE link.company_id = \(company) AND link.task_id = c.id AND g.place < 100) AS milestone
          FROM chosen c LEFT JOIN chosen parent ON parent.id = c.parent_id
         ORDER BY c.place
        """
    }

    private static func state(_ draft: StateDraft) -> TemplateContent.State {
        TemplateContent.State(
            name: .init(unchecked: draft.name), category: draft.category,
            color: draft.color.map { .init(unchecked: $0) },
            isInitial: draft.isInitial, wipLimit: draft.wipLimit.map { .init(unchecked: $0) })
    }

    private static func task(_ row: Row) throws -> TemplateContent.Task {
        TemplateContent.Task(
            title: .init(unchecked: try row.get("title")),
            description: try row.get("description", as: String?.self).map { .init(unchecked: $0) },
            type: try row.get("type"), priority: try row.get("priority"),
            points: try row.get("points", as: Double?.self).map { .init(unchecked: $0) },
            estimateMinutes: try row.get("estimate_minutes", as: Int?.self).map { .init(unchecked: $0) },
            startDay: try row.get("start_day", as: Int?.self).map { .init(unchecked: $0) },
            dueDay: try row.get("due_day", as: Int?.self).map { .init(unchecked: $0) },
            parent: try row.get("parent", as: Int?.self).map { .init(unchecked: $0) },
            milestone: try row.get("milestone", as: Int?.self).map { .init(unchecked: $0) })
    }
}
