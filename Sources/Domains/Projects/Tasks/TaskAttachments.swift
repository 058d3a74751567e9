import API
import Core
import Postgres
import Wire

/// Files of a task: the company's own, which cannot be deleted while a task shows them.
enum TaskAttachments {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/attachments", "List a task's files", .can(.tasksRead), list)
        POST("/v1/tasks/{id}/attachments", "Attach a file to a task", .can(.tasksRead), add)
            .operation("attachToTask").describe(
                "A file of the company that is ready. It cannot be deleted while it is attached."
            )
            .problems(.projectArchived, .taskFileAttached, .tooManyTaskParts)
            .example(body: ["file_id": TaskExamples.other])
        GET(
            "/v1/tasks/{id}/attachments/{file_id}/link", "Get a link to a task's file", .can(.tasksRead), link
        )
        .operation("linkTaskAttachment")
        .describe("Whoever sees the task may open its files, by a link that is good for an hour.").secret
        DELETE("/v1/tasks/{id}/attachments/{file_id}", "Take a file off a task", .can(.tasksRead), remove)
            .operation("detachFromTask").describe("The file stays.").problems(.projectArchived)
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<TaskAttachment> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        return Page(
            all: try await call.db.query(
                "\(fragment: select(company)) AND a.task_id = \(id) ORDER BY a.attached_at, a.id"))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewTaskAttachment>) async throws -> Created<
        TaskAttachment
    > {
        let company = try call.company
        let rows = try await call.db.transaction { tx in
            try await add(body.fileId, to: id.value, call, company, tx)
        }
        return try Created(rows, at: "/v1/tasks/\(id.value)/attachments/\(body.fileId)")
    }

    @inline(never)
    private static func add(
        _ file: UUID, to task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> Rows {
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        let answers = try await tx.batch([
            TaskParts.lock(task, company),
            "SELECT count(*) FROM task_attachments WHERE company_id = \(company) AND task_id = \(task)",
        ])
        guard let head = answers[0].first else { throw Problem.notFound }
        if try answers[1][0].get(0, as: Int.self) >= TaskLimits.attachmentsMax {
            throw Problem(.tooManyTaskParts)
        }
        let attachment = UUID.v7()
        _ = try await tx.query(
            """
            INSERT INTO task_attachments (company_id, id, task_id, file_id)
            VALUES (\(company), \(attachment), \(task), \(file))
            """)
        _ = try await call.environment[FileKeeping.self].attach(file, subject(attachment), company, tx)
        let rows = try await tx.query("\(fragment: select(company)) AND a.id = \(attachment)")
        let name: String = try rows[0].get("name")
        _ = try await tx.batch(
            TaskParts.note(task, head, "attachment", after: .string(name), by: call.actor, company))
        return rows
    }

    static func link(_ call: Call, _ id: Path<UUID>, _ file: Path<UUID>) async throws -> Single<
        AttachmentLink
    > {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        let there = try await call.db.query(
            "SELECT 1 FROM task_attachments WHERE company_id = \(company) AND task_id = \(id) AND file_id = \(file)"
        )
        if there.isEmpty { throw Problem.notFound }
        let life = Duration.seconds(3600)
        let link = try await call.environment[FileKeeping.self].link(file.value, company, life)
        guard let link else { throw Problem.notFound }
        return Single(AttachmentLink(url: link, expiresAt: call.now + life))
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ file: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in try await remove(file.value, from: id.value, call, company, tx)
        }
        return NoContent()
    }

    @inline(never)
    private static func remove(
        _ file: UUID, from task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        guard let head = try await tx.query(TaskParts.lock(task, company)).first else {
            throw Problem.notFound
        }
        let answers = try await tx.batch([
            "SELECT a.id, f.name FROM task_attachments a JOIN files f ON f.company_id = a.company_id AND f.id = a.file_id "
                + "WHERE a.company_id = \(company) AND a.task_id = \(task) AND a.file_id = \(file)",
            "DELETE FROM task_attachments WHERE company_id = \(company) AND task_id = \(task) AND file_id = \(file)",
        ])
        guard let row = answers[0].first else { throw Problem.notFound }
        let (attachment, name): (UUID, String) = (try row.get("id"), try row.get("name"))
        try await call.environment[FileKeeping.self].detach(subject(attachment), company, tx)
        _ = try await tx.batch(
            TaskParts.note(task, head, "attachment", before: .string(name), by: call.actor, company))
    }

    /// Has copies of tasks show the files of the originals, by which they are named.
    @inline(never)
    static func copy(to copies: [UUID: UUID], _ files: FileKeeping, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let rows = try await tx.query(
            """
            SELECT task_id, file_id FROM task_attachments
             WHERE company_id = \(company) AND task_id = ANY(\(Array(copies.keys))::uuid[]) ORDER BY attached_at, id
            """)
        for row in rows {
            guard let copy = copies[try row.get("task_id", as: UUID.self)] else { continue }
            let (attachment, file): (UUID, UUID) = (UUID.v7(), try row.get("file_id"))
            _ = try await tx.query(
                """
                INSERT INTO task_attachments (company_id, id, task_id, file_id)
                VALUES (\(company), \(attachment), \(copy), \(file))
                """)
            _ = try await files.attach(file, subject(attachment), company, tx)
        }
    }

    /// Each attachment uses its file by itself, so that taking one off leaves the others.
    static func subject(_ attachment: UUID) -> (type: String, id: UUID) { ("task_attachment", attachment) }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT a.id, a.file_id, f.name, f.type, f.size_bytes, a.attached_at
          FROM task_attachments a
          JOIN files f ON f.company_id = a.company_id AND f.id = a.file_id
         WHERE a.company_id = \(company)
        """
    }
}

struct TaskAttachment: Codable, Sendable {
    let id: UUID
    let fileId: UUID
    let name: String
    let type: String
    let sizeBytes: Int64
    let attachedAt: Timestamp
}

struct NewTaskAttachment: Codable, Sendable {
    let fileId: UUID
}

struct AttachmentLink: Codable, Sendable {
    let url: String
    let expiresAt: Timestamp
}
