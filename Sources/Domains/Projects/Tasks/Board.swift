import API
import Postgres
import Wire

/// A project's tasks side by side: in columns by state, assignee or priority, the first of each.
enum Board {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/board", "Show a project's board", .can(.tasksRead), show)
            .operation("showBoard")
            .describe(
                "Every column with all it holds counted, and its first tasks in the order of the project; the rest of one is "
                    + "read by GET /v1/tasks. Archived tasks are left out. A task of several assignees stands with each."
            )
    }

    static func show(_ call: Call, _ id: Path<UUID>, _ query: Query<BoardQuery>) async throws -> Single<
        BoardView
    > {
        let company = try call.company
        let grouping = query.groupBy ?? .state
        let limit = query.limit?.value ?? 20
        let wanted = try query.value.conditions(call)
        let from: SQL = """
            FROM tasks t
             WHERE t.company_id = \(company) AND t.deleted_at IS NULL AND t.archived_at IS NULL
               AND \(fragment: grouping.membership)\(fragment: wanted)
            """
        return try Single(
            await call.db.query(
                """
                SELECT p.id AS project_id, \(grouping)::text AS group_by,
                       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                   'id', c.id, 'name', c.name, 'category', c.category, 'wip_limit', c.wip_limit,
                                   'count', held.count, 'points', held.points,
                                   'is_over_limit', coalesce(held.count > c.wip_limit, false),
                                   'tasks', firsts.tasks) ORDER BY c.position, c.name, c.id), '[]')
                          FROM (\(fragment: grouping.columns(company)) LIMIT \(TaskLimits.boardColumnsMax)) AS c
                         CROSS JOIN LATERAL (
                            SELECT count(*) AS count, trim_scale(coalesce(sum(t.points), 0)) AS points \(fragment: from)
                         ) AS held
                         CROSS JOIN LATERAL (
                            SELECT coalesce(jsonb_agg(\(fragment: card) ORDER BY t.rank), '[]') AS tasks
                              FROM (SELECT t.* \(fragment: from) ORDER BY t.rank LIMIT \(limit)) AS t
                         ) AS firsts) AS columns
                  FROM projects p
                 WHERE p.company_id = \(company) AND p.id = \(id) AND \(fragment: try ProjectAccess.visible(call))
                """))
    }

    private static let card: SQL = """
        jsonb_build_object(
            'id', t.id, 'key', p.key || '-' || t.number, 'title', t.title, 'type', t.type, 'state_id', t.state_id,
            'priority', t.priority, 'rank', t.rank, 'points', trim_scale(t.points), 'due_on', t.due_on,
            'is_overdue', coalesce(\(fragment: TaskRows.isOverdue), false), 'is_blocked', \(fragment: TaskRows.isBlocked),
            'assignee_ids', t.assignee_ids, 'subtask_count', t.subtask_count,
            'subtask_done_count', t.subtask_done_count, 'version', t.version)
        """
}

enum BoardGrouping: String, Codable, CaseIterable, SQLBindable, Sendable {
    case state, assignee, priority

    /// The columns of a project `p`: id, key (the id as a uuid), name, category, wip_limit, position.
    ///
    /// A cast may fail and tell by that what a row holds, so under row-level security it is never part of a look-up in an
    /// index: ids that are compared are uuids from the start.
    func columns(_ company: UUID) -> SQL {
        switch self {
        case .state:
            """
            SELECT s.id::text AS id, s.id AS key, s.name, s.category, s.wip_limit, s.position FROM project_states s
             WHERE s.company_id = \(company) AND s.project_id = p.id ORDER BY s.position, s.id
            """
        case .assignee:
            """
            SELECT 'none' AS id, NULL::uuid AS key, NULL::text AS name, NULL::text AS category, NULL::integer AS wip_limit, 0 AS position
            UNION ALL
            SELECT * FROM (
                SELECT m.id::text, m.id, u.name, NULL::text, NULL::integer, 1
                  FROM memberships m JOIN users u ON u.id = m.user_id
                 WHERE m.company_id = \(company) AND m.id IN (
                       SELECT unnest(t.assignee_ids) FROM tasks t
                        WHERE t.company_id = \(company) AND t.project_id = p.id AND t.deleted_at IS NULL
                          AND t.archived_at IS NULL)
                 ORDER BY u.name, m.id) AS people
            """
        case .priority:
            """
            SELECT level.name AS id, NULL::uuid AS key, level.name, NULL::text AS category, NULL::integer AS wip_limit, level.position::integer
              FROM unnest(ARRAY['urgent', 'high', 'medium', 'low', 'none']) WITH ORDINALITY AS level (name, position)
            """
        }
    }

    /// The task `t` belongs into the column `c`.
    var membership: SQL {
        switch self {
        // A state is one project's: without the project there is no other index to read its tasks from.
        case .state: "t.state_id = c.key"
        case .assignee:
            """
            t.project_id = p.id
               AND CASE WHEN c.key IS NULL THEN t.assignee_ids = '{}' ELSE c.key = ANY(t.assignee_ids) END
            """
        case .priority: "t.project_id = p.id AND t.priority = c.id"
        }
    }
}

/// What of a project a board shows.
struct BoardQuery: Codable, Sendable {
    let groupBy: BoardGrouping?
    let limit: Whole<1, 100>?
    let assignee: [AssigneeChoice]?
    let priority: [TaskPriority]?
    let type: [TaskType]?
    let category: [StateCategory]?
    let sprint: [IdOrNone]?
    let parent: IdOrNone?
    let q: Text<200>?

    func conditions(_ call: Call) throws -> SQL {
        var all: [SQL] = []
        if let assignee {
            all.append(TaskFilter.assigned(to: assignee, try call.company, me: try call.member))
        }
        if let priority { all.append("t.priority = ANY(\(priority))") }
        if let type { all.append("t.type = ANY(\(type))") }
        if let category { all.append("t.category = ANY(\(category))") }
        if let sprint { all.append(TaskFilter.oneOf(sprint, "t.sprint_id")) }
        if let parent { all.append(TaskFilter.oneOf([parent], "t.parent_id")) }
        if let q { all.append(TaskSearch.condition(q.text, try call.company)) }
        return all.map { " AND \(fragment: $0)" as SQL }.joined(separator: "")
    }
}

extension BoardQuery: FieldNotes {
    static var fieldNotes: [String: String] {
        ["limit": "How many tasks of each column are shown; 20 when absent."]
    }
}

struct BoardView: Codable, Sendable {
    let projectId: UUID
    let groupBy: BoardGrouping
    let columns: [BoardColumn]
}

struct BoardColumn: Codable, Sendable {
    let id: String
    let name: String?
    let category: StateCategory?
    let wipLimit: Int?
    let count: Int
    let points: Double
    let isOverLimit: Bool
    let tasks: [BoardCard]
}

extension BoardColumn: FieldNotes {
    static var fieldNotes: [String: String] {
        [
            "id":
                "Of the state or the member, or the name of the priority; `none` for tasks without an assignee."
        ]
    }
}

struct BoardCard: Codable, Sendable {
    let id: UUID
    let key: String
    let title: String
    let type: TaskType
    let stateId: UUID
    let priority: TaskPriority
    let rank: String
    let points: Double?
    let dueOn: LocalDate?
    let isOverdue: Bool
    let isBlocked: Bool
    let assigneeIds: [UUID]
    let subtaskCount: Int
    let subtaskDoneCount: Int
    let version: Int
}
