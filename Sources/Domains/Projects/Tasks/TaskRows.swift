import API
import Postgres
import Wire

/// How tasks are read: one SELECT for lists, boards and details, so that they all say the same.
enum TaskRows {
    /// The moment by which a row with `due_on` and `due_time` is due in a zone.
    static func dueAt(_ alias: String, zone: SQL) -> SQL {
        let row = alias
        return """
            (\(unescaped: row).due_on + coalesce(\(unescaped: row).due_time, time '24:00')) AT TIME ZONE \(fragment: zone)
            """
    }

    static let isOverdue: SQL = "(t.due_at < now() AND t.category IN ('backlog', 'unstarted', 'started'))"

    /// The rows of the company that the caller may see; conditions on `t` can be added.
    ///
    /// Project and state are joined from the outside, which leaves the order of the tasks alone: each is read once for all
    /// rows. What else is only shown is looked up beside the rows that are shown, and which projects may be seen is found out once
    /// (IS TRUE keeps it from being made a join): so the planner reads tasks in the order asked for, and stops.
    ///
    /// - Parameter assignee: of whom alone: then his tasks are read in the order in which they were made.
    static func select(_ columns: SQL, company: UUID, visible: SQL, assignee: UUID? = nil) -> SQL {
        let mine: SQL =
            assignee.map { member in
                """
                JOIN task_assignees mine ON mine.company_id = \(company) AND mine.member_id = \(member)
                                        AND mine.task_id = t.id AND mine.task_created_at = t.created_at
                """
            } ?? ""
        return """
            SELECT \(fragment: columns)
              FROM tasks t \(fragment: mine)
              LEFT JOIN projects own ON own.company_id = \(company) AND own.id = t.project_id
              LEFT JOIN project_states state ON state.company_id = \(company) AND state.id = t.state_id
             WHERE t.company_id = \(company) AND t.deleted_at IS NULL
               AND (t.project_id IN (SELECT p.id FROM projects p
                                      WHERE p.company_id = \(company) AND \(fragment: visible))) IS TRUE
            """
    }

    static func select(_ columns: SQL, _ call: Call, assignee: UUID? = nil) throws -> SQL {
        select(
            columns, company: try call.company, visible: try ProjectAccess.visible(call), assignee: assignee)
    }

    /// What a list can be sorted by beside what it shows.
    static let sorts: SQL = "t.priority_rank, coalesce(t.due_at, timestamptz '9999-12-31 00:00:00+00') AS due"

    /// Where a task is read in the product.
    static let link: SQL = "'/projects/' || own.key || '/tasks/' || t.number"

    static let summary: SQL = """
        t.id, own.key || '-' || t.number AS key, t.project_id, t.number, t.type, t.title, t.state_id,
        state.name AS state_name,
        t.category, t.priority, t.rank, t.parent_id, t.sprint_id, t.reporter_id,
        t.assignee_ids, \(fragment: tags) AS tag_ids,
        trim_scale(t.points) AS points, t.estimate_minutes, t.start_on, t.due_on, to_char(t.due_time, 'HH24:MI') AS due_time, t.due_at,
        coalesce(\(fragment: isOverdue), false) AS is_overdue, \(fragment: isBlocked) AS is_blocked,
        t.subtask_count, t.subtask_done_count, t.custom, t.completed_at, t.archived_at, t.version, t.created_at, t.updated_at
        """

    static let detail: SQL = """
        \(fragment: summary), t.description,
        (SELECT count(*) FROM task_checklist_items i WHERE i.company_id = t.company_id AND i.task_id = t.id)
            AS checklist_count,
        (SELECT count(*) FROM task_checklist_items i
          WHERE i.company_id = t.company_id AND i.task_id = t.id AND i.is_done) AS checklist_done_count
        """

    /// Whom it waits for, or who waits for it, among the tasks the caller may see.
    static func references(from own: String, to other: String, _ call: Call) throws -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'key', bp.key || '-' || b.number, 'title', b.title,
                                                      'category', b.category) ORDER BY bp.key, b.number), '[]')
           FROM task_relations r
           JOIN tasks b ON b.company_id = r.company_id AND b.id = r.\(unescaped: other) AND b.deleted_at IS NULL
           JOIN projects bp ON bp.company_id = b.company_id AND bp.id = b.project_id
          WHERE r.company_id = t.company_id AND r.kind = 'blocks' AND r.\(unescaped: own) = t.id
            AND \(fragment: try ProjectAccess.visible(call, "bp")))
        """
    }

    /// The whole of tasks, in the shape of `ProjectTask`.
    static func selectDetail(_ call: Call) throws -> SQL {
        let columns: SQL = """
            \(fragment: detail), \(fragment: try references(from: "to_id", to: "from_id", call)) AS blocked_by,
            \(fragment: try references(from: "from_id", to: "to_id", call)) AS blocks
            """
        return try select(columns, call)
    }

    /// In the order in which they were made, as the key has them.
    private static let tags: SQL = """
        ARRAY(SELECT tagged.tag_id FROM task_tags tagged
               WHERE tagged.company_id = t.company_id AND tagged.task_id = t.id ORDER BY tagged.tag_id)
        """

    /// Most tasks have never waited for another. LIMIT keeps the question to the task itself: without it the planner looks
    /// up all that blocks anything in the company.
    static let isBlocked: SQL = """
        CASE WHEN t.has_blockers
             THEN coalesce((SELECT true FROM task_relations r
                              JOIN tasks b ON b.company_id = r.company_id AND b.id = r.from_id
                             WHERE r.company_id = t.company_id AND r.to_id = t.id AND r.kind = 'blocks'
                               AND b.deleted_at IS NULL AND b.category IN ('backlog', 'unstarted', 'started')
                             LIMIT 1), false)
             ELSE false END
        """
}
