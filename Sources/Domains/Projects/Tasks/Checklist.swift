import API
import Core
import Postgres
import Wire

/// The small steps of a task, in order.
enum Checklist {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/checklist", "List a task's checklist", .can(.tasksRead), list)
        POST("/v1/tasks/{id}/checklist", "Add a step to a checklist", .can(.tasksRead), add)
            .operation("addChecklistItem").describe("At the end, or after the item named.")
            .problems(.projectArchived, .tooManyTaskParts)
            .example(body: ["text": "Ask the printer for a quote"])
        PATCH("/v1/tasks/{id}/checklist/{item_id}", "Change a step of a checklist", .can(.tasksRead), change)
            .operation("changeChecklistItem").describe(
                "`after` moves it behind another item, null to the beginning."
            )
            .problems(.projectArchived)
            .example(body: ["is_done": true])
        DELETE("/v1/tasks/{id}/checklist/{item_id}", "Take a step off a checklist", .can(.tasksRead), remove)
            .operation("removeChecklistItem").problems(.projectArchived)
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<ChecklistItem> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        return Page(
            all: try await call.db.query(
                "\(fragment: select(company)) AND i.task_id = \(id) ORDER BY i.rank LIMIT \(TaskLimits.checklistItemsMax)"
            ))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewChecklistItem>) async throws -> Created<
        ChecklistItem
    > {
        let company = try call.company
        let item = UUID.v7()
        let rows = try await call.db.transaction { tx in
            try await add(item, body.value, to: id.value, call, company, tx)
        }
        return try Created(rows)
    }

    @inline(never)
    private static func add(
        _ item: UUID, _ body: NewChecklistItem, to task: UUID, _ call: Call, _ company: UUID,
        _ tx: Transaction
    ) async throws -> Rows {
        let head = try await open(task, call, company, tx)
        let ranks = try await ranks(of: task, company, tx)
        if ranks.count >= TaskLimits.checklistItemsMax { throw Problem(.tooManyTaskParts) }
        let rank = try self.rank(after: body.after.map { .some($0) } ?? ranks.last?.id, among: ranks)
        let answers = try await tx.batch(
            [
                """
                INSERT INTO task_checklist_items (company_id, id, task_id, text, rank)
                VALUES (\(company), \(item), \(task), \(body.text), \(rank.text))
                """,
                "\(fragment: select(company)) AND i.id = \(item)",
            ]
                + TaskParts.note(
                    task, head, "checklist", after: .string(body.text.text), by: call.actor, company))
        return answers[1]
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ item: Path<UUID>, _ body: Patch<ChecklistChange>
    ) async throws -> Single<ChecklistItem> {
        let company = try call.company
        let rows = try await call.db.transaction { tx in
            try await change(item.value, body.value, of: id.value, call, company, tx)
        }
        return try Single(rows)
    }

    @inline(never)
    private static func change(
        _ item: UUID, _ body: ChecklistChange, of task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws -> Rows {
        let head = try await open(task, call, company, tx)
        let ranks = try await ranks(of: task, company, tx)
        guard let before = ranks.first(where: { $0.id == item }) else { throw Problem.notFound }
        try call.requireVersion(before.version)
        var changes = Changes()
        changes.set("text", body.text)
        if let isDone = body.isDone {
            changes.set("is_done", isDone)
            changes.set("done_at", to: isDone ? "coalesce(done_at, now())" : "NULL")
        }
        if let after = body.after {
            if after == item { throw Problem.unprocessable("/after", "itself", "is the item itself") }
            changes.set("rank", try rank(after: after, among: ranks.filter { $0.id != item }).text)
        }
        let old: JSON = ["text": .string(before.text), "is_done": .bool(before.isDone)]
        let new: JSON = [
            "text": .string(body.text?.text ?? before.text), "is_done": .bool(body.isDone ?? before.isDone),
        ]
        let answers = try await tx.batch(
            [
                "UPDATE task_checklist_items SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(item)",
                "\(fragment: select(company)) AND i.id = \(item)",
            ]
                + (old == new
                    ? []
                    : TaskParts.note(
                        task, head, "checklist", before: old, after: new, by: call.actor, company)))
        return answers[1]
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ item: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let head = try await open(id.value, call, company, tx)
            let gone = try await tx.query(
                """
                DELETE FROM task_checklist_items WHERE company_id = \(company) AND task_id = \(id) AND id = \(item)
                RETURNING text
                """)
            guard let row = gone.first else { throw Problem.notFound }
            let text: String = try row.get("text")
            _ = try await tx.batch(
                TaskParts.note(id.value, head, "checklist", before: .string(text), by: call.actor, company))
        }
        return NoContent()
    }

    /// The task, which may be contributed to, locked.
    @inline(never)
    private static func open(_ task: UUID, _ call: Call, _ company: UUID, _ tx: Transaction) async throws
        -> Row
    {
        _ = try await ProjectAccess.require(.contribute, onTask: task, call, tx)
        guard let head = try await tx.query(TaskParts.lock(task, company)).first else {
            throw Problem.notFound
        }
        return head
    }

    private struct Place {
        let id: UUID
        let rank: String
        let text: String
        let isDone: Bool
        let version: Int64
    }

    @inline(never)
    private static func ranks(of task: UUID, _ company: UUID, _ tx: Transaction) async throws -> [Place] {
        try await tx.query(
            """
            SELECT id, rank, text, is_done, version FROM task_checklist_items
             WHERE company_id = \(company) AND task_id = \(task) ORDER BY rank
            """
        ).map { row in
            Place(
                id: try row.get("id"), rank: try row.get("rank"), text: try row.get("text"),
                isDone: try row.get("is_done"),
                version: try row.get("version"))
        }
    }

    /// A rank behind an item; nil puts it first.
    private static func rank(after item: UUID?, among places: [Place]) throws -> Rank {
        guard let item else { return Rank.between(nil, places.first.flatMap { Rank($0.rank) }) }
        guard let index = places.firstIndex(where: { $0.id == item }) else {
            throw Problem.unprocessable("/after", "not-found", "is no item of this checklist")
        }
        let next = index + 1 < places.count ? Rank(places[index + 1].rank) : nil
        return Rank.between(Rank(places[index].rank), next)
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT i.id, i.text, i.is_done, i.done_at, i.version, i.created_at, i.updated_at
          FROM task_checklist_items i WHERE i.company_id = \(company)
        """
    }
}

/// One step of a checklist.
struct ChecklistItem: Codable, Sendable {
    let id: UUID
    let text: String
    let isDone: Bool
    let doneAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

struct NewChecklistItem: Codable, Sendable {
    let text: Text<500>
    let after: UUID?
}

struct ChecklistChange: Codable, Sendable {
    let text: Text<500>?
    let isDone: Bool?
    let after: Clearable<UUID>
}
