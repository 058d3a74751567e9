import API
import Core
import Postgres
import Wire

/// What is asked of a project before it is a task. Whoever sees a project may ask; its managers decide.
enum Intake {
    @RouteList static var routes: [Route] {
        GET("/v1/intake", "List requests, newest first", .can(.projectsRead), list)
            .describe(
                """
                One's own, and those to projects one manages. A request that was put off is pending again when its time has \
                come.
                """)
        POST("/v1/intake", "Ask something of a project", .can(.projectsRead), create)
            .operation("createIntakeRequest").problems(.projectArchived)
            .describe("Takes seeing the project, so a client may ask too. Its lead is told.")
            .example(
                body: [
                    "project_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20", "title": "The menu as a PDF",
                    "priority": "low",
                ])
        GET("/v1/intake/{id}", "Read a request", .can(.projectsRead), read).operation("getIntakeRequest")
        POST("/v1/intake/{id}/accept", "Make a task of a request", .can(.projectsRead), accept).ifMatch(
            .accepted
        )
        .operation("acceptIntakeRequest").problems(.intakeDecided, .projectArchived)
        .describe(
            "Whoever asked is its reporter, watches it and is told. Takes the right to manage the project, as every decision does."
        )
        .example(body: ["assignee_ids": []])
        POST("/v1/intake/{id}/decline", "Decline a request", .can(.projectsRead), decline).ifMatch(.accepted)
            .operation("declineIntakeRequest").problems(.intakeDecided, .projectArchived)
            .example(body: ["note": "The menu changes every week"])
        POST("/v1/intake/{id}/snooze", "Put a request off", .can(.projectsRead), snooze).ifMatch(.accepted)
            .operation("snoozeIntakeRequest").problems(.intakeDecided, .projectArchived)
            .example(body: ["until": "2030-04-01T08:00:00Z"])
        POST(
            "/v1/intake/{id}/duplicate", "Say that a request is asked already", .can(.projectsRead), duplicate
        ).ifMatch(.accepted)
            .operation("markIntakeDuplicate").problems(.intakeDecided, .projectArchived)
            .describe("Of a task of the same project.")
    }

    enum Status: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
        case pending, snoozed, accepted, declined, duplicate

        var isOpen: Bool {
            switch self {
            case .pending, .snoozed: true
            case .accepted, .declined, .duplicate: false
            }
        }
    }

    struct IntakeRequest: Codable, Sendable, FieldNotes {
        let id: UUID
        let projectId: UUID
        let projectKey: String
        let title: String
        let description: String?
        let priority: TaskPriority
        let status: Status
        let requesterId: UUID
        let requesterName: String
        let snoozedUntil: Timestamp?
        let taskId: UUID?
        let taskKey: String?
        let decidedBy: UUID?
        let decidedAt: Timestamp?
        let note: String?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = ["task_id": "The task that was made of it, or that asks the same."]
    }

    struct NewIntakeRequest: Codable, Sendable {
        let projectId: UUID
        let title: Text<250>
        let description: Prose<20_000>?
        let priority: TaskPriority?
    }

    struct Filter: ListFilter {
        let projectId: UUID?
        let status: [Status]?
        let requesterId: UUID?
        static let sorts = ["-created_at"]
        static let search = ["title", "description"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<IntakeRequest> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<IntakeRequest> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewIntakeRequest>) async throws -> Created<IntakeRequest> {
        let (draft, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        return try Created(await rows(id, call))
    }

    @inline(never)
    private static func insert(_ draft: NewIntakeRequest, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let (company, member) = (try call.company, try call.member)
        let head = try await ProjectAccess.require(.see, in: draft.projectId, call, tx, locking: true)
        if head.status == .archived { throw Problem(.projectArchived) }
        _ = try await tx.query(
            """
            INSERT INTO intake_requests (company_id, id, project_id, title, description, priority, requester_id)
            VALUES (\(company), \(id), \(head.id), \(draft.title), \(draft.description), \(draft.priority ?? .none), \(member))
            """)
        try await record(.pending, id, draft.title.text, head, task: nil, call, tx)
        try await IntakeNews.asked(id, draft.title.text, of: head, by: call.actor, company, tx)
    }

    struct Acceptance: Codable, Sendable {
        let stateId: UUID?
        let assigneeIds: UpTo<20, UUID>?
        let note: Prose<2000>?
    }

    static func accept(_ call: Call, _ id: Path<UUID>, _ body: Body<Acceptance>) async throws -> Single<
        IntakeRequest
    > {
        let order = body.value
        try await call.db.transaction { tx in try await makeTask(of: id.value, order, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func makeTask(of id: UUID, _ order: Acceptance, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let request = try await find(id, call, tx)
        var draft = TaskWriting.Draft(project: request.head.id, title: request.title)
        (draft.description, draft.priority, draft.reporter) = (
            request.description, request.priority, request.requester
        )
        (draft.state, draft.assignees) = (order.stateId, order.assigneeIds?.items ?? [])
        try await TaskWriting.create([draft], by: call.actor, company: company, in: tx)
        try await settle(request, as: .accepted, task: draft.id, note: order.note?.text, call, tx)
    }

    struct Refusal: Codable, Sendable {
        let note: Prose<2000>?
    }

    static func decline(_ call: Call, _ id: Path<UUID>, _ body: Body<Refusal>) async throws -> Single<
        IntakeRequest
    > {
        let note = body.note?.text
        try await call.db.transaction { tx in
            let request = try await find(id.value, call, tx)
            try await settle(request, as: .declined, note: note, call, tx)
        }
        return try Single(await rows(id.value, call))
    }

    struct Snooze: Codable, Sendable {
        let until: Timestamp
    }

    static func snooze(_ call: Call, _ id: Path<UUID>, _ body: Body<Snooze>) async throws -> Single<
        IntakeRequest
    > {
        let until = body.until
        try await call.db.transaction { tx in
            let request = try await find(id.value, call, tx)
            guard until > call.now else {
                throw Problem.unprocessable("/until", "in-the-past", "is over already")
            }
            try await settle(request, as: .snoozed, until: until, call, tx)
        }
        return try Single(await rows(id.value, call))
    }

    struct Duplication: Codable, Sendable {
        let taskId: UUID
        let note: Prose<2000>?
    }

    static func duplicate(_ call: Call, _ id: Path<UUID>, _ body: Body<Duplication>) async throws -> Single<
        IntakeRequest
    > {
        let (task, note) = (body.taskId, body.note?.text)
        try await call.db.transaction { tx in
            let request = try await find(id.value, call, tx)
            let known = try await tx.query(
                """
                SELECT 1 FROM tasks WHERE company_id = \(call.company) AND project_id = \(request.head.id)
                   AND id = \(task) AND deleted_at IS NULL
                """)
            if known.isEmpty {
                throw Problem.unprocessable("/task_id", "unknown-task", "is no task of this project")
            }
            try await settle(request, as: .duplicate, task: task, note: note, call, tx)
        }
        return try Single(await rows(id.value, call))
    }

    struct Found: Sendable {
        let id: UUID
        let head: ProjectHead
        let title: String
        let description: String?
        let priority: TaskPriority
        let requester: UUID
    }

    /// FOR UPDATE: two who decide at once must not both.
    @inline(never)
    private static func find(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Found {
        let rows = try await tx.query(
            """
            SELECT r.project_id, r.title, r.description, r.priority, r.requester_id, r.status, r.version
              FROM intake_requests r JOIN projects p ON p.company_id = r.company_id AND p.id = r.project_id
             WHERE r.company_id = \(try call.company) AND r.id = \(id) AND \(fragment: try isVisible(call)) FOR UPDATE OF r
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let head = try await ProjectAccess.require(.manage, in: row.get("project_id"), call, tx)
        let status = try row.get("status", as: Status.self)
        if !status.isOpen { throw Problem(.intakeDecided, "It is \(status.rawValue).") }
        return Found(
            id: id, head: head, title: try row.get("title"), description: try row.get("description"),
            priority: try row.get("priority"), requester: try row.get("requester_id"))
    }

    @inline(never)
    private static func settle(
        _ request: Found, as status: Status, task: UUID? = nil, until: Timestamp? = nil, note: String? = nil,
        _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        _ = try await tx.query(
            """
            UPDATE intake_requests
               SET status = \(status), task_id = \(task), snoozed_until = \(until), note = coalesce(\(note), note),
                   decided_by = \(try call.member), decided_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(request.id)
            """)
        try await record(status, request.id, request.title, request.head, task: task, call, tx)
        if !status.isOpen { try await IntakeNews.decided(request, status, note, by: call.actor, company, tx) }
    }

    @inline(never)
    private static func record(
        _ status: Status, _ id: UUID, _ title: String, _ head: ProjectHead, task: UUID?, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let data = IntakeNews.RequestData(requestId: id, projectId: head.id, title: title, taskId: task)
        let entry = Audit.Entry(
            "project.request_\(status == .pending ? "made" : status.rawValue)", on: "project", head.id,
            after: try JSON(encoding: data))
        var statements = [Audit.sql(entry, by: call.actor, company: company)]
        if let event = IntakeNews.event(status) {
            statements.append(
                try Events.sql(event, data, on: "intake_request", id, by: call.actor, company: company))
        }
        _ = try await tx.batch(statements)
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND r.id = \(id)")
    }

    /// On `intake_requests r` and `projects p`.
    private static func isVisible(_ call: Call) throws -> SQL {
        """
        (p.deleted_at IS NULL AND (r.requester_id = \(try call.member) OR \(fragment: try ProjectAccess.permits(.manage, call))))
        """
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT r.id, r.project_id, p.key AS project_key, r.title, r.description, r.priority,
               CASE WHEN r.snoozed_until <= now() THEN 'pending' ELSE r.status END AS status, r.requester_id,
               u.name AS requester_name, r.snoozed_until, r.task_id, kp.key || '-' || t.number AS task_key, r.decided_by,
               r.decided_at, r.note, r.version, r.created_at, r.updated_at
          FROM intake_requests r
          JOIN projects p ON p.company_id = r.company_id AND p.id = r.project_id
          JOIN memberships m ON m.company_id = r.company_id AND m.id = r.requester_id
          JOIN users u ON u.id = m.user_id
          LEFT JOIN tasks t ON t.company_id = r.company_id AND t.id = r.task_id AND t.deleted_at IS NULL
          LEFT JOIN projects kp ON kp.company_id = t.company_id AND kp.id = t.project_id
         WHERE r.company_id = \(try call.company) AND \(fragment: try isVisible(call))
        """
    }
}
