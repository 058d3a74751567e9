import API
import Core
import Postgres
import Wire

/// Puts a made-up project into the database, with a past: two finished sprints and one half-way, so that every report has
/// something to show. A project that is there already is left as it is.
public enum ProjectsSeed {
    /// The company and its people must be there already.
    public static func plant(_ story: DemoProject, in company: UUID, _ db: Database) async throws {
        try await db.transaction(as: Tenant(company: company)) { tx in try await plant(story, company, tx) }
    }

    private struct Cast {
        let members: [String: UUID]
        let lead: UUID
        let actor: Audit.Actor
    }

    @inline(never)
    private static func plant(_ story: DemoProject, _ company: UUID, _ tx: Transaction) async throws {
        let known = try await tx.query(
            "SELECT 1 FROM projects WHERE company_id = \(company) AND key = \(story.key)")
        guard known.isEmpty, let cast = try await cast(of: story, company, tx) else { return }
        let project = try await found(story, cast, company, tx)
        let sprints = story.sprints.map { _ in UUID.v7() }
        let rows = try await tx.query(
            "SELECT id, name FROM project_states WHERE company_id = \(company) AND project_id = \(project)")
        var states: [String: UUID] = [:]
        for row in rows { states[try row.get("name")] = try row.get("id", as: UUID.self) }
        let telling = DemoTelling(project, sprints: sprints, states: states, now: .now)
        _ = try await tx.batch(
            story.sprints.enumerated().map { place, sprint in
                insert(sprint, sprints[place], isLast: place == sprints.count - 1, telling, company)
            })
        let tasks = story.tasks.map { _ in UUID.v7() }
        _ = try await tx.batch(money(story, cast, telling, company))
        _ = try await tx.batch(self.tasks(story, tasks, cast, telling, company))
        _ = try await tx.batch(plans(story, tasks, telling, company) + [TaskUpkeep.list(company)])
        for sprint in sprints.dropLast() { _ = try await SprintReports.freeze(sprint, company, tx) }
    }

    @inline(never)
    private static func cast(of story: DemoProject, _ company: UUID, _ tx: Transaction) async throws -> Cast?
    {
        let rows = try await tx.query(
            """
            SELECT m.id, u.id AS user_id, u.email_norm FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.company_id = \(company) AND m.status = 'active'
            """)
        var members: [String: UUID] = [:]
        var actor: Audit.Actor?
        for row in rows {
            let email = try row.get("email_norm", as: String.self)
            members[email] = try row.get("id", as: UUID.self)
            if email == story.lead { actor = Audit.Actor(.user, id: try row.get("user_id")) }
        }
        guard let lead = members[story.lead], let actor else { return nil }
        return Cast(members: members, lead: lead, actor: actor)
    }

    @inline(never)
    private static func found(_ story: DemoProject, _ cast: Cast, _ company: UUID, _ tx: Transaction)
        async throws -> UUID
    {
        var draft = ProjectDraft(name: story.name)
        (draft.key, draft.description, draft.color) = (story.key, story.description, story.color)
        (draft.leadId, draft.createdBy, draft.isActive) = (cast.lead, cast.lead, true)
        draft.members = story.members.compactMap { member in
            cast.members[member.email].map { ($0, member.role) }
        }
        _ = try await ProjectFounding.found(draft, by: cast.actor, company: company, in: tx)
        return draft.id
    }

    private static func insert(
        _ sprint: DemoProject.Sprint, _ id: UUID, isLast: Bool, _ telling: DemoTelling, _ company: UUID
    ) -> SQL {
        let (started, closed) = (
            telling.moment(sprint.starts, 10), isLast ? nil : telling.moment(sprint.ends, 17)
        )
        return """
            INSERT INTO sprints (company_id, id, project_id, name, goal, status, starts_on, ends_on, started_at, closed_at,
                                 created_at)
            VALUES (\(company), \(id), \(telling.project), \(sprint.name), \(sprint.goal), \(isLast ? "active" : "closed"),
                    \(telling.day(sprint.starts)), \(telling.day(sprint.ends)), \(started), \(closed),
                    \(telling.moment(sprint.starts - 3, 9)))
            """
    }

    private static func money(_ story: DemoProject, _ cast: Cast, _ telling: DemoTelling, _ company: UUID)
        -> [SQL]
    {
        let budget: SQL = """
            INSERT INTO project_budgets (company_id, project_id, currency, amount_minor, rate_minor, alerted_percent)
            VALUES (\(company), \(telling.project), \(story.budget.currency), \(story.budget.amountMinor),
                    \(story.budget.rateMinor), 50)
            """
        let rates = story.members.compactMap { member -> SQL? in
            guard let rate = member.rateMinor, let id = cast.members[member.email] else { return nil }
            return """
                INSERT INTO project_rates (company_id, project_id, member_id, rate_minor)
                VALUES (\(company), \(telling.project), \(id), \(rate))
                """
        }
        let costs = story.costs.map { cost -> SQL in
            """
            INSERT INTO project_costs (company_id, id, project_id, name, amount_minor, spent_on, created_by)
            VALUES (\(company), \(UUID.v7()), \(telling.project), \(cost.name), \(cost.amountMinor),
                    \(telling.day(cost.day)), \(cast.lead))
            """
        }
        return [budget] + rates + costs
    }

    private static func tasks(
        _ story: DemoProject, _ ids: [UUID], _ cast: Cast, _ telling: DemoTelling, _ company: UUID
    ) -> [SQL] {
        let ranks = Rank.following(nil, count: ids.count)
        var statements: [SQL] = []
        for (place, task) in story.tasks.enumerated() {
            let steps = telling.steps(of: task, ids[place])
            let assignee = task.who.flatMap { cast.members[$0] }
            statements.append(insert(task, place + 1, ranks[place], steps, assignee, cast, telling, company))
            if let assignee {
                statements.append(
                    """
                    INSERT INTO task_assignees (company_id, task_id, member_id, task_created_at)
                    VALUES (\(company), \(ids[place]), \(assignee), \(steps[0].at))
                    """)
            }
            for step in steps {
                statements += TaskFlow.sql(
                    [(step.before, step.after)], by: cast.actor, company: company, at: step.at)
                statements.append(history(step, by: assignee ?? cast.lead, company))
            }
            for (turn, entry) in (task.log ?? []).enumerated() {
                let start = telling.moment(entry[0], 7 + turn % 3)
                statements.append(
                    worked(entry[1], from: start, on: ids[place], by: assignee ?? cast.lead, telling, company)
                )
            }
        }
        return statements
            + TaskSearch.added(story.tasks.enumerated().map { (ids[$0], $0 + 1, $1.title, nil) }, company) + [
                """
                UPDATE projects SET next_number = \(ids.count + 1), created_at = \(telling.moment(-35, 9)),
                       start_on = \(telling.day(-28)), due_on = \(telling.day(25))
                 WHERE company_id = \(company) AND id = \(telling.project)
                """, timesheets(telling, by: cast.lead, company),
            ]
    }

    private static func insert(
        _ task: DemoProject.Task, _ number: Int, _ rank: Rank, _ steps: [DemoTelling.Step],
        _ assignee: UUID?, _ cast: Cast, _ telling: DemoTelling, _ company: UUID
    ) -> SQL {
        let (first, last) = (steps[0], steps[steps.count - 1])
        let due = task.due.map(telling.day)
        return """
            INSERT INTO tasks (company_id, id, project_id, number, type, title, state_id, category, priority, rank,
                               sprint_id, reporter_id, points, estimate_minutes, due_on, due_at, completed_at, created_at,
                               updated_at, assignee_ids)
            SELECT \(company), \(last.after.id), p.id, \(number), \(task.type ?? .task), \(task.title),
                   \(last.after.stateId), \(last.after.category), \(task.priority ?? .none), \(rank.text),
                   \(last.after.sprintId), \(cast.lead), \(task.points), \(task.minutes), \(due)::date,
                   (\(due)::date + time '24:00') AT TIME ZONE p.time_zone,
                   CASE WHEN \(last.after.category.rawValue) = 'completed' THEN \(last.at)::timestamptz END, \(first.at),
                   \(last.at), array_remove(ARRAY[\(assignee)::uuid], NULL)
              FROM projects p WHERE p.company_id = \(company) AND p.id = \(telling.project)
            """
    }

    private static func history(_ step: DemoTelling.Step, by member: UUID, _ company: UUID) -> SQL {
        let (field, before, after): (String, UUID?, UUID?) =
            if let old = step.before {
                old.stateId == step.after.stateId
                    ? ("sprint", old.sprintId, step.after.sprintId)
                    : ("state", old.stateId, step.after.stateId)
            } else {
                ("created", nil, nil)
            }
        return """
            INSERT INTO task_history (company_id, id, task_id, at, actor_kind, member_id, field, before, after)
            VALUES (\(company), \(UUID.v7()), \(step.after.id), \(step.at), 'user', \(member), \(field),
                    to_jsonb(\(before)::uuid), to_jsonb(\(after)::uuid))
            """
    }

    private static func worked(
        _ minutes: Int, from start: Timestamp, on task: UUID, by member: UUID, _ telling: DemoTelling,
        _ company: UUID
    ) -> SQL {
        """
        INSERT INTO time_entries (company_id, id, project_id, task_id, member_id, started_at, worked_on, minutes,
                                  is_billable, rate_minor, currency)
        SELECT \(company), \(UUID.v7()), p.id, \(task), \(member), \(start),
               (\(start)::timestamptz AT TIME ZONE p.time_zone)::date, \(minutes), true,
               coalesce(own.rate_minor, b.rate_minor), b.currency
          FROM projects p
          JOIN project_budgets b ON b.company_id = p.company_id AND b.project_id = p.id
          LEFT JOIN project_rates own ON own.company_id = p.company_id AND own.project_id = p.id
                                     AND own.member_id = \(member)
         WHERE p.company_id = \(company) AND p.id = \(telling.project) AND \(start)::timestamptz < \(telling.now)::timestamptz
        """
    }

    /// The weeks of the finished sprints are approved; those of the running one are open.
    private static func timesheets(_ telling: DemoTelling, by lead: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO timesheets (company_id, id, member_id, week_starts_on, status, submitted_at, decided_at, decided_by)
        SELECT \(company), gen_random_uuid(), w.member_id, w.week, CASE WHEN w.is_past THEN 'approved' ELSE 'open' END,
               CASE WHEN w.is_past THEN (w.week + 5)::timestamptz END, CASE WHEN w.is_past THEN (w.week + 7)::timestamptz END,
               CASE WHEN w.is_past THEN \(lead)::uuid END
          FROM (SELECT DISTINCT member_id, date_trunc('week', worked_on)::date AS week,
                       worked_on < \(telling.day(0)) AS is_past
                  FROM time_entries WHERE company_id = \(company) AND project_id = \(telling.project)) w
        ON CONFLICT DO NOTHING
        """
    }

    private static func plans(_ story: DemoProject, _ tasks: [UUID], _ telling: DemoTelling, _ company: UUID)
        -> [SQL]
    {
        var statements: [SQL] = []
        for (place, milestone) in story.milestones.enumerated() {
            let id = UUID.v7()
            let reached = milestone.isCompleted == true ? telling.moment(milestone.day, 15) : nil
            let linked = zip(story.tasks, tasks).filter { $0.0.milestone == place }.map(\.1)
            statements += [
                """
                INSERT INTO project_milestones (company_id, id, project_id, name, due_on, completed_at)
                VALUES (\(company), \(id), \(telling.project), \(milestone.name), \(telling.day(milestone.day)), \(reached))
                """,
                """
                INSERT INTO milestone_tasks (company_id, milestone_id, task_id)
                SELECT \(company), \(id), task FROM unnest(\(linked)::uuid[]) AS task
                """,
            ]
        }
        return statements
            + story.goals.map { goal in
                """
                INSERT INTO project_goals (company_id, id, project_id, name, measure, unit, target_value, current_value)
                VALUES (\(company), \(UUID.v7()), \(telling.project), \(goal.name), 'value', \(goal.unit), \(goal.target),
                        \(goal.current))
                """
            }
    }
}
