import API
import Core
import Postgres
import Wire

/// How tasks stand to each other, also across projects.
enum TaskRelations {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/relations", "List a task's relations", .can(.tasksRead), list)
            .describe("As seen from this task, with tasks one may see.")
        POST("/v1/tasks/{id}/relations", "Relate a task to another", .can(.tasksRead), add)
            .operation("relateTask")
            .describe(
                "Takes the right to contribute to this task's project and to see the other's. What blocks never leads back to "
                    + "the task itself, over however many others."
            )
            .problems(.projectArchived, .taskCircle, .taskRelationExists, .tooManyTaskParts)
            .example(body: ["kind": "blocked_by", "task_id": TaskExamples.other])
        DELETE("/v1/tasks/{id}/relations/{relation_id}", "Take a relation away", .can(.tasksRead), remove)
            .operation("removeTaskRelation").problems(.projectArchived)
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<TaskRelation> {
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        let sql = try select(id.value, call)
        return Page(all: try await call.db.query(sql + " ORDER BY kind, r.created_at, r.id"))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTaskRelation>) async throws -> Created<
        TaskRelation
    > {
        let company = try call.company
        let relation = UUID.v7()
        try await call.db.transaction { tx in
            try await add(relation, body.value, to: id.value, call, company, tx)
        }
        let sql = try select(id.value, call)
        return try Created(await call.db.query("\(fragment: sql) AND r.id = \(relation)"))
    }

    @inline(never)
    private static func add(
        _ relation: UUID, _ body: NewTaskRelation, to task: UUID, _ call: Call, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let other = body.taskId
        if other == task { throw Problem(.taskCircle) }
        _ = try await tx.query(TaskGraph.lock(company))
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        do {
            _ = try await ProjectAccess.require(.see, onTask: other, call, tx)
        } catch let problem as Problem where problem.status == 404 {
            throw Problem.unprocessable("/task_id", "not-found", "is no task that you can see")
        }
        let (kind, from, to) = body.kind.stored(task, other)
        let (own, there) = (try await head(task, company, tx), try await head(other, company, tx))
        if kind == .blocks { try await TaskGraph.checkBlocking(from, to, company, tx) }
        let count = try await tx.query(
            "SELECT count(*) FROM task_relations WHERE company_id = \(company) AND (from_id = \(task) OR to_id = \(task))"
        )
        if try count[0].get(0, as: Int.self) >= TaskLimits.relationsMax { throw Problem(.tooManyTaskParts) }
        let (ownKey, otherKey): (String, String) = (try own.get("key"), try there.get("key"))
        let statements: [SQL] = [
            """
            INSERT INTO task_relations (company_id, id, kind, from_id, to_id)
            VALUES (\(company), \(relation), \(kind), \(from), \(to))
            """,
            """
            UPDATE tasks SET has_blockers = true
             WHERE company_id = \(company) AND id = \(to) AND \(kind) = 'blocks' AND NOT has_blockers
            """,
        ]
        let notes =
            try TaskParts.note(
                task, own, "relation.\(body.kind.rawValue)", after: .string(otherKey), by: call.actor, company
            )
            + TaskParts.note(
                other, there, "relation.\(body.kind.inverse.rawValue)", after: .string(ownKey),
                by: call.actor, company)
        _ = try await tx.batch(statements + notes)
    }

    @inline(never)
    private static func head(_ task: UUID, _ company: UUID, _ tx: Transaction) async throws -> Row {
        let rows = try await tx.query(
            """
            SELECT t.project_id, p.key || '-' || t.number AS key FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(company) AND t.id = \(task)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ relation: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            try await remove(relation.value, from: id.value, call, company, tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func remove(
        _ relation: UUID, from task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        let gone = try await tx.query(
            """
            DELETE FROM task_relations
             WHERE company_id = \(company) AND id = \(relation) AND (from_id = \(task) OR to_id = \(task))
            RETURNING kind, from_id, to_id
            """)
        guard let row = gone.first else { throw Problem.notFound }
        let kind = RelationKind(
            of: try row.get("kind"), isFrom: try row.get("from_id", as: UUID.self) == task)
        let other: UUID =
            try row.get("from_id", as: UUID.self) == task ? row.get("to_id") : row.get("from_id")
        let (own, there) = (try await head(task, company, tx), try await head(other, company, tx))
        let (ownKey, otherKey): (String, String) = (try own.get("key"), try there.get("key"))
        let notes =
            try TaskParts.note(
                task, own, "relation.\(kind.rawValue)", before: .string(otherKey), by: call.actor, company)
            + TaskParts.note(
                other, there, "relation.\(kind.inverse.rawValue)", before: .string(ownKey), by: call.actor,
                company)
        _ = try await tx.batch(notes)
    }

    private static func select(_ task: UUID, _ call: Call) throws -> SQL {
        let kinds = StoredRelationKind.allCases.map { kind -> SQL in
            """
            WHEN r.kind = \(kind) THEN CASE WHEN r.from_id = \(task) THEN \(RelationKind(of: kind, isFrom: true))
                                            ELSE \(RelationKind(of: kind, isFrom: false)) END
            """
        }
        return """
            SELECT r.id, CASE \(fragment: kinds.joined(separator: " ")) END AS kind,
                   jsonb_build_object('id', b.id, 'key', p.key || '-' || b.number, 'title', b.title, 'category', b.category)
                       AS task,
                   r.created_at
              FROM task_relations r
              JOIN tasks b ON b.company_id = r.company_id AND b.deleted_at IS NULL
                          AND b.id = CASE WHEN r.from_id = \(task) THEN r.to_id ELSE r.from_id END
              JOIN projects p ON p.company_id = b.company_id AND p.id = b.project_id
             WHERE r.company_id = \(try call.company) AND (r.from_id = \(task) OR r.to_id = \(task))
               AND \(fragment: try ProjectAccess.visible(call))
            """
    }
}

/// How a relation is kept: from one task to the other.
enum StoredRelationKind: String, CaseIterable, SQLBindable, RowValue, Sendable {
    case blocks, relates, duplicates
    case startsBefore = "starts_before"
    case finishesBefore = "finishes_before"
    case implements
}

/// How one task stands to the other.
enum RelationKind: String, Codable, CaseIterable, SQLBindable, Sendable {
    case blocks
    case blockedBy = "blocked_by"
    case relates, duplicates
    case duplicatedBy = "duplicated_by"
    case startsBefore = "starts_before"
    case startsAfter = "starts_after"
    case finishesBefore = "finishes_before"
    case finishesAfter = "finishes_after"
    case implements
    case implementedBy = "implemented_by"

    init(of kind: StoredRelationKind, isFrom: Bool) {
        switch kind {
        case .blocks: self = isFrom ? .blocks : .blockedBy
        case .relates: self = .relates
        case .duplicates: self = isFrom ? .duplicates : .duplicatedBy
        case .startsBefore: self = isFrom ? .startsBefore : .startsAfter
        case .finishesBefore: self = isFrom ? .finishesBefore : .finishesAfter
        case .implements: self = isFrom ? .implements : .implementedBy
        }
    }

    /// As the other task stands to the one.
    var inverse: RelationKind {
        let (kind, isFrom) = form
        return RelationKind(of: kind, isFrom: !isFrom)
    }

    /// As it is kept, for a task and another. What has no direction is kept in one, so that it is there once.
    func stored(_ task: UUID, _ other: UUID) -> (StoredRelationKind, from: UUID, to: UUID) {
        let (kind, isFrom) = form
        if kind == .relates { return task < other ? (kind, task, other) : (kind, other, task) }
        return isFrom ? (kind, task, other) : (kind, other, task)
    }

    private var form: (StoredRelationKind, isFrom: Bool) {
        switch self {
        case .blocks: (.blocks, true)
        case .blockedBy: (.blocks, false)
        case .relates: (.relates, true)
        case .duplicates: (.duplicates, true)
        case .duplicatedBy: (.duplicates, false)
        case .startsBefore: (.startsBefore, true)
        case .startsAfter: (.startsBefore, false)
        case .finishesBefore: (.finishesBefore, true)
        case .finishesAfter: (.finishesBefore, false)
        case .implements: (.implements, true)
        case .implementedBy: (.implements, false)
        }
    }
}

struct TaskRelation: Codable, Sendable {
    let id: UUID
    let kind: RelationKind
    let task: TaskReference
    let createdAt: Timestamp
}

struct NewTaskRelation: Codable, Sendable {
    let kind: RelationKind
    let taskId: UUID
}
