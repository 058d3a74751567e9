import API
import Core
import Postgres
import Wire

/// The weeks of each member's time: handed in by himself, then approved or sent back. What is handed in or approved
/// cannot be changed.
enum Timesheets {
    @RouteList static var routes: [Route] {
        GET("/v1/timesheets", "List weeks of time, newest first", .can(.projectsRead), list)
            .describe(
                "One's own; everybody's with time:read. A week is there as soon as time is entered in it.")
        GET("/v1/timesheets/{id}", "Read a week of time", .can(.projectsRead), read)
        POST("/v1/timesheets/{id}/submit", "Hand my week in", .can(.projectsRead), submit).ifMatch(.accepted)
            .operation("submitTimesheet")
            .problems(.timesheetStepRefused, .timerRunning)
        POST("/v1/timesheets/{id}/approve", "Approve a week of time", .can(.timeManage), approve).ifMatch(
            .accepted
        )
        .operation("approveTimesheet").problems(.timesheetStepRefused)
        POST("/v1/timesheets/{id}/reject", "Send a week of time back", .can(.timeManage), reject).ifMatch(
            .accepted
        )
        .operation("rejectTimesheet").problems(.timesheetStepRefused)
        .example(body: ["note": "Thursday is missing"])
        POST("/v1/timesheets/{id}/reopen", "Open a week of time again", .can(.projectsRead), reopen).ifMatch(
            .accepted
        )
        .operation("reopenTimesheet").problems(.timesheetStepRefused)
        .describe("One's own while it waits for approval; with time:manage also one that is approved.")
    }

    struct Timesheet: Codable, Sendable {
        let id: UUID
        let memberId: UUID
        let memberName: String
        let weekStartsOn: LocalDate
        let status: TimesheetStatus
        let minutes: Int
        let billableMinutes: Int
        let submittedAt: Timestamp?
        let decidedAt: Timestamp?
        let decidedBy: UUID?
        let note: String?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct Verdict: Codable, Sendable {
        let note: Prose<2000>?
    }

    struct Filter: ListFilter {
        let memberId: UUID?
        let status: [TimesheetStatus]?
        let weekStartsOn: Bounds<LocalDate>?

        static let sorts = ["-week_starts_on"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Timesheet> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Timesheet> {
        try Single(await rows(id.value, call))
    }

    static func submit(_ call: Call, _ id: Path<UUID>) async throws -> Single<Timesheet> {
        try await call.db.transaction { tx in try await handIn(id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func handIn(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let sheet = try await find(id, call, tx)
        guard try call.member == sheet.member else {
            throw Problem.forbidden("Only the member himself hands his week in.")
        }
        guard sheet.status == .open || sheet.status == .rejected else { throw refusal(sheet.status) }
        let running = try await tx.query(
            """
            SELECT 1 FROM time_entries
             WHERE company_id = \(company) AND member_id = \(sheet.member) AND minutes IS NULL
               AND worked_on >= \(sheet.week) AND worked_on < \(sheet.week) + 7
            """)
        if !running.isEmpty { throw Problem(.timerRunning, "A timer of this week still runs.") }
        try await settle(sheet, as: .submitted, note: nil, TimeEvents.submitted, call, tx)
        try await TimeNews.submitted(sheet, call, tx)
    }

    static func approve(_ call: Call, _ id: Path<UUID>) async throws -> Single<Timesheet> {
        try await call.db.transaction { tx in try await decide(id.value, .approved, nil, call, tx) }
        return try Single(await rows(id.value, call))
    }

    static func reject(_ call: Call, _ id: Path<UUID>, _ body: Body<Verdict>) async throws -> Single<
        Timesheet
    > {
        let note = body.note?.text
        try await call.db.transaction { tx in try await decide(id.value, .rejected, note, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func decide(
        _ id: UUID, _ verdict: TimesheetStatus, _ note: String?, _ call: Call, _ tx: Transaction
    ) async throws {
        let sheet = try await find(id, call, tx)
        guard sheet.status == .submitted else { throw refusal(sheet.status) }
        let event = verdict == .approved ? TimeEvents.approved : TimeEvents.rejected
        try await settle(sheet, as: verdict, note: note, event, call, tx)
        try await TimeNews.decided(sheet, verdict, note, call, tx)
    }

    static func reopen(_ call: Call, _ id: Path<UUID>) async throws -> Single<Timesheet> {
        try await call.db.transaction { tx in try await open(id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func open(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let sheet = try await find(id, call, tx)
        let isOwn = try call.member == sheet.member
        switch sheet.status {
        case .submitted where isOwn || call.can(.timeManage): break
        case .approved where call.can(.timeManage): break
        case .approved, .submitted: throw Problem.forbidden(.timeManage)
        case .open, .rejected: throw refusal(sheet.status)
        }
        try await settle(sheet, as: .open, note: nil, nil, call, tx)
    }

    private static func refusal(_ status: TimesheetStatus) -> Problem {
        Problem(.timesheetStepRefused, "This week is \(status.rawValue).").with(
            "timesheet_status", .string(status.rawValue))
    }

    struct Found: Sendable {
        let id: UUID
        let member: UUID
        let user: UUID
        let week: LocalDate
        let status: TimesheetStatus
    }

    /// FOR UPDATE: it waits for those who are writing time into the week.
    @inline(never)
    private static func find(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Found {
        let rows = try await tx.query(
            """
            SELECT s.member_id, m.user_id, s.week_starts_on, s.status, s.version
              FROM timesheets s JOIN memberships m ON m.company_id = s.company_id AND m.id = s.member_id
             WHERE s.company_id = \(try call.company) AND s.id = \(id) AND \(fragment: try isVisible(call)) FOR UPDATE OF s
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        return Found(
            id: id, member: try row.get("member_id"), user: try row.get("user_id"),
            week: try row.get("week_starts_on"),
            status: try row.get("status"))
    }

    @inline(never)
    private static func settle(
        _ sheet: Found, as status: TimesheetStatus, note: String?,
        _ event: EventType<TimeEvents.TimesheetData>?,
        _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let isDecided = status == .approved || status == .rejected
        let entry = Audit.Entry(
            "timesheet.\(status.rawValue)", on: "timesheet", sheet.id,
            before: ["status": .string(sheet.status.rawValue)],
            after: ["status": .string(status.rawValue)])
        var statements: [SQL] = [
            """
            UPDATE timesheets
               SET status = \(status), note = \(note),
                   submitted_at = CASE WHEN \(status == .submitted) THEN now() WHEN \(isDecided) THEN submitted_at END,
                   decided_at = CASE WHEN \(isDecided) THEN now() END,
                   decided_by = CASE WHEN \(isDecided) THEN \(try call.member)::uuid END,
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(sheet.id)
            """,
            Audit.sql(entry, by: call.actor, company: company),
        ]
        if let event {
            let data = TimeEvents.TimesheetData(
                timesheetId: sheet.id, memberId: sheet.member, weekStartsOn: sheet.week)
            statements.append(
                try Events.sql(event, data, on: "timesheet", sheet.id, by: call.actor, company: company))
        }
        _ = try await tx.batch(statements)
    }

    private static func isVisible(_ call: Call) throws -> SQL {
        call.can(.timeRead) || call.can(.timeManage) ? "TRUE" : "s.member_id = \(try call.member)"
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND s.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT s.id, s.member_id, u.name AS member_name, s.week_starts_on, s.status, worked.minutes,
               worked.billable_minutes, s.submitted_at, s.decided_at, s.decided_by, s.note, s.version, s.created_at,
               s.updated_at
          FROM timesheets s
          JOIN memberships m ON m.company_id = s.company_id AND m.id = s.member_id
          JOIN users u ON u.id = m.user_id
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(e.minutes), 0)::bigint AS minutes,
                      coalesce(sum(e.minutes) FILTER (WHERE e.is_billable), 0)::bigint AS billable_minutes
                 FROM time_entries e
                WHERE e.company_id = s.company_id AND e.member_id = s.member_id
                  AND e.worked_on >= s.week_starts_on AND e.worked_on < s.week_starts_on + 7) worked
         WHERE s.company_id = \(try call.company) AND \(fragment: try isVisible(call))
        """
    }
}
