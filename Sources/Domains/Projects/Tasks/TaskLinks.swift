import API
import Core
import Postgres
import Wire

/// Where else a task leads: pages, and things of the company's own.
enum TaskLinks {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/links", "List a task's links", .can(.tasksRead), list)
        POST("/v1/tasks/{id}/links", "Add a link to a task", .can(.tasksRead), add)
            .operation("addTaskLink")
            .describe("To a page by `url`, or to a thing of the company's by `object_type` and `object_id`.")
            .problems(.projectArchived, .taskLinkExists, .tooManyTaskParts)
            .example(body: ["url": "https://example.com/brief", "title": "The brief"])
        DELETE("/v1/tasks/{id}/links/{link_id}", "Take a link away", .can(.tasksRead), remove)
            .operation("removeTaskLink").problems(.projectArchived)
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<TaskLink> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        return Page(
            all: try await call.db.query(
                "\(fragment: select(company)) AND l.task_id = \(id) ORDER BY l.created_at, l.id"))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTaskLink>) async throws -> Created<
        TaskLink
    > {
        let company = try call.company
        if (body.url == nil) == (body.objectType == nil) || (body.objectType == nil) != (body.objectId == nil)
        {
            throw Problem.unprocessable(
                "/url", "one-of", "name a `url`, or an `object_type` with its `object_id`")
        }
        let link = UUID.v7()
        let rows = try await call.db.transaction { tx in
            try await add(link, body.value, to: id.value, call, company, tx)
        }
        return try Created(rows)
    }

    @inline(never)
    private static func add(
        _ link: UUID, _ body: NewTaskLink, to task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> Rows {
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        let answers = try await tx.batch([
            TaskParts.lock(task, company),
            "SELECT count(*) FROM task_links WHERE company_id = \(company) AND task_id = \(task)",
        ])
        guard let head = answers[0].first else { throw Problem.notFound }
        if try answers[1][0].get(0, as: Int.self) >= TaskLimits.linksMax { throw Problem(.tooManyTaskParts) }
        let what = body.url?.text ?? "\(body.objectType?.text ?? "") \(body.objectId?.description ?? "")"
        let made = try await tx.batch(
            [
                """
                INSERT INTO task_links (company_id, id, task_id, url, object_type, object_id, title)
                VALUES (\(company), \(link), \(task), \(body.url), \(body.objectType), \(body.objectId), \(body.title))
                """,
                "\(fragment: select(company)) AND l.id = \(link)",
            ] + TaskParts.note(task, head, "link", after: .string(what), by: call.actor, company))
        return made[1]
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ link: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            _ = try await ProjectAccess.require(.contribute, onTask: id.value, call, tx)
            guard let head = try await tx.query(TaskParts.lock(id.value, company)).first else {
                throw Problem.notFound
            }
            let gone = try await tx.query(
                """
                DELETE FROM task_links WHERE company_id = \(company) AND task_id = \(id) AND id = \(link)
                RETURNING coalesce(url, object_type || ' ' || object_id) AS what
                """)
            guard let row = gone.first else { throw Problem.notFound }
            let what: String = try row.get("what")
            _ = try await tx.batch(
                TaskParts.note(id.value, head, "link", before: .string(what), by: call.actor, company))
        }
        return NoContent()
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT l.id, l.url, l.object_type, l.object_id, l.title, l.created_at
          FROM task_links l WHERE l.company_id = \(company)
        """
    }
}

struct TaskLink: Codable, Sendable {
    let id: UUID
    let url: String?
    let objectType: String?
    let objectId: UUID?
    let title: String?
    let createdAt: Timestamp
}

struct NewTaskLink: Codable, Sendable {
    let url: WebURL?
    let objectType: Slug?
    let objectId: UUID?
    let title: Text<200>?
}
