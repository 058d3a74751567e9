import API
import Core
import Postgres
import Wire

/// The timeline of each of the four kinds of records, and the tasks of projects that are about it.
struct RecordTimeline: Sendable {
    let record: CRMRecord

    static var routes: [Route] {
        [CRMRecord.client, .contact, .lead, .deal].flatMap { RecordTimeline(record: $0).routes }
    }

    private var routes: [Route] {
        let (name, path) = (record.rawValue, "/v1/\(record.table)/{id}")
        let title = name.prefix(1).uppercased() + name.dropFirst()
        return [
            GET("\(path)/timeline", "See what happened with a \(name)", .can(.crmRead), timeline)
                .operation("get\(title)Timeline")
                .describe(
                    "Activities, notes, stages, leads, conversions, comments and linked tasks in one list, newest first; of a "
                        + "client also those of its contacts, leads and deals, of a contact those of his leads and deals."
                )
                .example(answer: ActivityExamples.entry),
            PUT("\(path)/tasks/{task_id}", "Link a task to a \(name)", .can(.crmWrite), link)
                .operation("link\(title)Task").problems(.tooManyLinkedTasks)
                .describe("A task that one sees. Linking it again changes nothing."),
            DELETE("\(path)/tasks/{task_id}", "Unlink a task from a \(name)", .can(.crmWrite), unlink)
                .operation("unlink\(title)Task"),
        ]
    }

    struct Filter: ListFilter {
        let kind: [TimelineKind]?
        static let sorts = ["-at"]
        static let ownFields: Set<String> = ["kind"]
    }

    @Sendable private func timeline(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws
        -> Page<TimelineEntry>
    {
        guard let principal = call.principal else { throw Problem.unauthorized }
        try await CRMAccess.require(record, id.value, call)
        return try await call.page(
            list, Timeline.statement(of: record, id.value, kinds: list.kind, principal))
    }

    @Sendable private func link(_ call: Call, _ id: Path<UUID>, _ task: Path<UUID>) async throws -> NoContent
    {
        try await call.db.transaction { tx in try await insert(task.value, id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private func insert(_ task: UUID, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let (company, column) = (try call.company, "\(record.rawValue)_id")
        try await CRMAccess.require(record, id, call, tx, locking: true)
        let isBelow = SQL.below(
            ActivityLimits.tasksMax,
            "SELECT count(*) FROM crm_task_links k WHERE k.company_id = \(company) AND k.\(unescaped: column) = \(id)",
            else: .tooManyLinkedTasks)
        let mayRead = PermissionCatalogue.named("tasks:read").map(principal.permissions.contains) ?? false
        let seen = try await tx.query(
            """
            SELECT 1 FROM tasks t JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(company) AND t.id = \(task) AND t.deleted_at IS NULL AND \(mayRead)
               AND \(fragment: ProjectSight.visible(principal, "p"))
            """)
        if seen.isEmpty { throw Problem.notFound }
        let made = try await tx.query(
            """
            INSERT INTO crm_task_links (company_id, task_id, id, \(unescaped: column), created_by)
            SELECT \(company)::uuid, \(task)::uuid, \(UUID.v7())::uuid, \(id)::uuid, \(call.member)::uuid
             WHERE NOT EXISTS (SELECT 1 FROM crm_task_links k
                                WHERE k.company_id = \(company) AND k.task_id = \(task) AND k.\(unescaped: column) = \(id))
               AND \(fragment: isBelow)
            """)
        if made.affected > 0 { try await record("task_linked", task, id, call, tx) }
    }

    @Sendable private func unlink(_ call: Call, _ id: Path<UUID>, _ task: Path<UUID>) async throws
        -> NoContent
    {
        try await call.db.transaction { tx in try await remove(task.value, id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private func remove(_ task: UUID, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        try await CRMAccess.require(record, id, call, tx)
        let gone = try await tx.query(
            """
            DELETE FROM crm_task_links
             WHERE company_id = \(call.company) AND task_id = \(task) AND \(unescaped: "\(record.rawValue)_id") = \(id)
            """)
        if gone.affected > 0 { try await record("task_unlinked", task, id, call, tx) }
    }

    @inline(never)
    private func record(_ what: String, _ task: UUID, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let entry = Audit.Entry(
            "\(record.rawValue).\(what)", on: record.rawValue, id,
            after: ["task_id": .string(task.description)])
        try await Audit.record(entry, by: call.actor, company: call.company, in: tx)
    }
}
