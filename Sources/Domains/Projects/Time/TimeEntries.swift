import API
import Core
import Postgres
import Wire

/// Time that was worked: one's own always, others' with time:read or as a manager of the project.
enum TimeEntries {
    @RouteList static var routes: [Route] {
        GET("/v1/time-entries", "List entered time, newest first", .can(.projectsRead), list)
            .describe("One's own, and that of others with time:read or in projects one manages.")
        POST("/v1/time-entries", "Enter time", .can(.projectsRead), create)
            .problems(.timesheetLocked, .projectArchived)
            .describe(
                "On a task or a project one may contribute to. The rate is that of the member in the project now."
            )
            .example(
                body: [
                    "task_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a20", "started_at": "2026-03-02T09:00:00Z",
                    "minutes": 90,
                    "note": "First draft of the landing page",
                ])
        GET("/v1/time-entries/{id}", "Read entered time", .can(.projectsRead), read)
        PATCH("/v1/time-entries/{id}", "Change entered time", .can(.projectsRead), change)
            .problems(.timesheetLocked, .projectArchived, .timerRunning)
            .describe(
                "One's own; others' with time:manage or as a manager of the project, as is the rate of any."
            )
            .example(body: ["minutes": 75, "note": "Without the break"])
        DELETE("/v1/time-entries/{id}", "Delete entered time", .can(.projectsRead), delete).ifMatch(.accepted)
            .problems(.timesheetLocked, .projectArchived)
    }

    struct Filter: ListFilter {
        let projectId: UUID?
        let taskId: UUID?
        let memberId: UUID?
        let sprintId: UUID?
        let isBillable: Bool?
        let isRunning: Bool?
        let workedOn: Bounds<LocalDate>?

        static let sorts = ["-started_at"]
        static let search = ["note"]
        static let ownFields: Set<String> = ["sprint_id"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<TimeEntry> {
        var sql = try select(call)
        if let sprint = list.filter.sprintId { sql += " AND t.sprint_id = \(sprint)" }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<TimeEntry> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewTimeEntry>) async throws -> Created<TimeEntry> {
        let (draft, id) = (body.value, UUID.v7())
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        return try Created(await rows(id, call))
    }

    @inline(never)
    private static func insert(_ draft: NewTimeEntry, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let place = try await TimeWriting.place(
            project: draft.projectId, task: draft.taskId, member: draft.memberId, call, tx)
        guard draft.startedAt <= call.now else {
            throw Problem.unprocessable("/started_at", "in-the-future", "is yet to come")
        }
        try await TimeWriting.insert(
            id, at: place, from: draft.startedAt, minutes: draft.minutes.value, isBillable: draft.isBillable,
            note: draft.note?.text, company, tx)
        try await TimeWriting.tell(
            TimeEvents.created, "time_entry.created", of: id, by: call.actor, company, tx)
        try await BudgetAlert.look(at: place.head.id, by: call.actor, company, tx)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TimeEntryChange>) async throws -> Single<
        TimeEntry
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    private struct Found {
        let project: UUID
        let member: UUID
        let start: Timestamp
        let isRunning: Bool
        let version: Int64
    }

    @inline(never)
    private static func apply(_ change: TimeEntryChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let entry = try await find(id, call, tx)
        try call.requireVersion(entry.version)
        let head = try await requireRight(to: entry, needsManager: change.rateMinor != nil, call, tx)
        if entry.isRunning, change.minutes != nil { throw Problem(.timerRunning, "Stop the timer first.") }
        try await TimeWriting.requireOpenWeek(
            of: entry.member, at: entry.start, zone: head.timeZone, company, tx)
        var changes = Changes()
        changes.set("minutes", change.minutes)
        changes.set("is_billable", change.isBillable)
        changes.set("note", change.note)
        if let start = change.startedAt {
            guard start <= call.now else {
                throw Problem.unprocessable("/started_at", "in-the-future", "is yet to come")
            }
            try await TimeWriting.requireOpenWeek(
                of: entry.member, at: start, zone: head.timeZone, company, tx)
            changes.set("started_at", start)
            changes.set("worked_on", to: "(\(start)::timestamptz AT TIME ZONE \(head.timeZone))::date")
        }
        if let rate = change.rateMinor {
            changes.set("rate_minor", rate)
            let own: SQL =
                "(SELECT currency FROM project_budgets WHERE company_id = \(company) AND project_id = \(head.id))"
            changes.set(
                "currency",
                to: "coalesce(\(fragment: own), (SELECT currency FROM companies WHERE id = \(company)))")
        }
        _ = try await tx.query(
            "UPDATE time_entries SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)")
        try await TimeWriting.tell(
            TimeEvents.updated, "time_entry.changed", of: id, by: call.actor, company, tx)
        try await BudgetAlert.look(at: head.id, by: call.actor, company, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let entry = try await find(id, call, tx)
        try call.requireVersion(entry.version)
        let head = try await requireRight(to: entry, needsManager: false, call, tx)
        try await TimeWriting.requireOpenWeek(
            of: entry.member, at: entry.start, zone: head.timeZone, company, tx)
        try await TimeWriting.tell(
            TimeEvents.deleted, "time_entry.deleted", of: id, by: call.actor, company, tx)
        _ = try await tx.query("DELETE FROM time_entries WHERE company_id = \(company) AND id = \(id)")
    }

    @inline(never)
    private static func find(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Found {
        let company = try call.company
        let locked = try await tx.query(
            """
            SELECT e.project_id, e.member_id, e.started_at, e.minutes IS NULL AS is_running, e.version
              FROM time_entries e
              JOIN projects p ON p.company_id = e.company_id AND p.id = e.project_id
             WHERE e.company_id = \(company) AND e.id = \(id) AND \(fragment: try isVisible(call))
               FOR UPDATE OF e
            """)
        guard let row = locked.first else { throw Problem.notFound }
        return Found(
            project: try row.get("project_id"), member: try row.get("member_id"),
            start: try row.get("started_at"),
            isRunning: try row.get("is_running"), version: try row.get("version"))
    }

    @inline(never)
    private static func requireRight(
        to entry: Found, needsManager: Bool, _ call: Call, _ tx: Transaction
    ) async throws -> ProjectHead {
        let isOwn = try call.member == entry.member
        let isFree = call.can(.timeManage) || isOwn && !needsManager
        return try await ProjectAccess.require(isFree ? .contribute : .manage, in: entry.project, call, tx)
    }

    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND e.id = \(id)")
    }

    /// On `time_entries e` and `projects p`: the caller may see the entry.
    static func isVisible(_ call: Call) throws -> SQL {
        let own: SQL = "e.member_id = \(try call.member)"
        let others =
            call.can(.timeRead) ? try ProjectAccess.visible(call) : try ProjectAccess.permits(.manage, call)
        return "(p.deleted_at IS NULL AND (\(fragment: own) OR \(fragment: others)))"
    }

    static func select(_ call: Call) throws -> SQL {
        """
        SELECT e.id, e.project_id, p.key AS project_key, e.task_id, kp.key || '-' || t.number AS task_key,
               t.title AS task_title, e.member_id, u.name AS member_name, e.started_at, e.worked_on, e.minutes,
               e.minutes IS NULL AS is_running, e.is_billable, e.rate_minor, e.currency, e.note,
               coalesce(s.status IN ('submitted', 'approved'), false) AS is_locked, e.version, e.created_at, e.updated_at
        \(fragment: try from(call))
        """
    }

    /// Entries the caller may see, with what they are about; conditions can be added.
    static func from(_ call: Call) throws -> SQL {
        """
          FROM time_entries e
          JOIN projects p ON p.company_id = e.company_id AND p.id = e.project_id
          JOIN memberships m ON m.company_id = e.company_id AND m.id = e.member_id
          JOIN users u ON u.id = m.user_id
          LEFT JOIN tasks t ON t.company_id = e.company_id AND t.id = e.task_id
          LEFT JOIN projects kp ON kp.company_id = t.company_id AND kp.id = t.project_id
          LEFT JOIN timesheets s ON s.company_id = e.company_id AND s.member_id = e.member_id
                                AND s.week_starts_on = date_trunc('week', e.worked_on)::date
         WHERE e.company_id = \(try call.company) AND \(fragment: try isVisible(call))
        """
    }
}
