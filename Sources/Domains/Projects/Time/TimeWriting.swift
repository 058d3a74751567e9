import API
import Core
import Postgres
import Wire

/// How time comes into the books: never into a week that has been handed in, and with the rate of the day.
enum TimeWriting {
    /// Where the time is entered, and for whom.
    struct Place: Sendable {
        let head: ProjectHead
        let task: UUID?
        let member: UUID
    }

    /// The place the caller names, when he may enter time there for that member.
    @inline(never)
    static func place(
        project: UUID?, task: UUID?, member: UUID?, _ call: Call, _ tx: Transaction
    ) async throws -> Place {
        let own = try call.member
        let right: ProjectRight =
            member == nil || member == own || call.can(.timeManage) ? .contribute : .manage
        let head: ProjectHead
        if let task {
            head = try await ProjectAccess.require(right, onTask: task, call, tx, locking: true)
        } else if let project {
            head = try await ProjectAccess.require(right, in: project, call, tx, locking: true)
        } else {
            throw Problem.unprocessable("/project_id", "required", "or `task_id` must be given")
        }
        if let project, project != head.id {
            throw Problem.unprocessable("/project_id", "other-project", "is not the project of the task")
        }
        if let member, member != own {
            try await ProjectMembers.requireActive([member], at: "/member_id", call.company, tx)
        }
        return Place(head: head, task: task, member: member ?? own)
    }

    /// Writes the entry; nil minutes start a timer.
    @inline(never)
    static func insert(
        _ id: UUID, at place: Place, from start: Timestamp, minutes: Int?, isBillable: Bool?, note: String?,
        _ company: UUID, _ tx: Transaction
    ) async throws {
        try await requireOpenWeek(of: place.member, at: start, zone: place.head.timeZone, company, tx)
        _ = try await tx.query(
            """
            INSERT INTO time_entries (company_id, id, project_id, task_id, member_id, started_at, worked_on, minutes,
                                      is_billable, rate_minor, currency, note)
            SELECT \(company), \(id), \(place.head.id), \(place.task), \(place.member), \(start)::timestamptz,
                   (\(start)::timestamptz AT TIME ZONE \(place.head.timeZone))::date, \(minutes),
                   coalesce(\(isBillable), rate.rate_minor IS NOT NULL), rate.rate_minor,
                   CASE WHEN rate.rate_minor IS NOT NULL THEN rate.currency END, \(note)
              FROM (SELECT 1) one
              LEFT JOIN (SELECT coalesce(own.rate_minor, b.rate_minor) AS rate_minor, b.currency
                           FROM project_budgets b
                           LEFT JOIN project_rates own
                             ON own.company_id = b.company_id AND own.project_id = b.project_id
                            AND own.member_id = \(place.member)
                          WHERE b.company_id = \(company) AND b.project_id = \(place.head.id)) rate ON true
            """)
    }

    /// The week is there, and stays open until the transaction ends; 409 when it has been handed in.
    @inline(never)
    static func requireOpenWeek(
        of member: UUID, at start: Timestamp, zone: String, _ company: UUID, _ tx: Transaction
    ) async throws {
        let week: SQL = "date_trunc('week', \(start)::timestamptz AT TIME ZONE \(zone))::date"
        // FOR SHARE: the week is not handed in while time is written into it.
        let answers = try await tx.batch([
            """
            INSERT INTO timesheets (company_id, id, member_id, week_starts_on)
            VALUES (\(company), \(UUID.v7()), \(member), \(fragment: week)) ON CONFLICT DO NOTHING
            """,
            """
            SELECT status FROM timesheets
             WHERE company_id = \(company) AND member_id = \(member) AND week_starts_on = \(fragment: week) FOR SHARE
            """,
        ])
        let status = try answers[1].first?.get("status", as: TimesheetStatus.self)
        if status == .submitted || status == .approved { throw Problem(.timesheetLocked) }
    }

    /// Stops the member's timer, if one runs, and tells what it came to be. A timer begun less than a minute ago counts
    /// one, a forgotten one a day at most.
    @inline(never)
    static func stopRunning(of member: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws -> UUID?
    {
        let rows = try await tx.query(
            """
            UPDATE time_entries
               SET minutes = least(1440, greatest(1, round(extract(epoch FROM now() - started_at) / 60))),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND member_id = \(member) AND minutes IS NULL
            RETURNING id, project_id
            """)
        guard let row = rows.first else { return nil }
        let (id, project) = (try row.get("id", as: UUID.self), try row.get("project_id", as: UUID.self))
        try await tell(TimeEvents.created, "time_entry.created", of: id, by: actor, company, tx)
        try await BudgetAlert.look(at: project, by: actor, company, tx)
        return id
    }

    /// Audit and event of an entry that is in the table.
    @inline(never)
    static func tell(
        _ event: EventType<TimeEvents.TimeEntryData>, _ action: String?, of id: UUID, by actor: Audit.Actor,
        _ company: UUID, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT project_id, task_id, member_id, minutes, is_billable FROM time_entries
             WHERE company_id = \(company) AND id = \(id)
            """)
        guard let row = rows.first else { return }
        let data = TimeEvents.TimeEntryData(
            timeEntryId: id, projectId: try row.get("project_id"), taskId: try row.get("task_id"),
            memberId: try row.get("member_id"), minutes: try row.get("minutes"),
            isBillable: try row.get("is_billable"))
        var statements = [try Events.sql(event, data, on: "time_entry", id, by: actor, company: company)]
        if let action {
            let entry = Audit.Entry(action, on: "time_entry", id, after: try JSON(encoding: data))
            statements.append(Audit.sql(entry, by: actor, company: company))
        }
        _ = try await tx.batch(statements)
    }
}
