import API
import Core
import Postgres
import Wire

/// Tasks that come again: every day, on days of the week, on a day of the month.
enum RecurringTasks {
    @RouteList static var routes: [Route] {
        GET("/v1/recurring-tasks", "List recurring tasks", .can(.tasksRead), list).example(answer: example)
        POST("/v1/recurring-tasks", "Let a task come again", .can(.tasksRead), create)
            .describe(
                "Each of its days is met once, at `at` on the clock of its zone; what fell due while nobody was there to make "
                    + "it is made up for once."
            )
            .problems(.projectArchived, .tooManyRecurrences, .recurrenceEnded)
            .example(body: exampleBody, answer: example)
        GET("/v1/recurring-tasks/{id}", "Read a recurring task", .can(.tasksRead), read).example(
            answer: example)
        PATCH("/v1/recurring-tasks/{id}", "Change a recurring task", .can(.tasksRead), change)
            .describe("Holds for the tasks that are still to come. `task` is replaced whole.")
            .problems(.projectArchived, .recurrenceEnded)
            .example(body: ["every": 2, "at": "08:30"], answer: example)
        DELETE("/v1/recurring-tasks/{id}", "Delete a recurring task", .can(.tasksRead), delete).ifMatch(
            .accepted
        )
        .describe("The tasks it made stay.").problems(.projectArchived)
        POST("/v1/recurring-tasks/{id}/pause", "Pause a recurring task", .can(.tasksRead), pause).ifMatch(
            .accepted
        )
        .operation("pauseRecurringTask").problems(.projectArchived).example(answer: example)
        POST("/v1/recurring-tasks/{id}/resume", "Let a paused task come again", .can(.tasksRead), resume)
            .ifMatch(.accepted)
            .operation("resumeRecurringTask").describe(
                "From its next day on; what was missed is not made up for."
            )
            .problems(.projectArchived, .recurrenceEnded).example(answer: example)
        POST("/v1/recurring-tasks/{id}/skip-next", "Leave out the next one", .can(.tasksRead), skip).ifMatch(
            .accepted
        )
        .operation("skipRecurringTask").problems(.projectArchived, .recurrenceEnded).example(answer: example)
    }

    struct Filter: ListFilter {
        let projectId: UUID?
        let isPaused: Bool?

        static let sorts = ["-created_at", "title"]
        static let search = ["title"]
        static let ownFields: Set<String> = ["is_paused"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<RecurringTask> {
        var sql = try select(call)
        if let isPaused = list.filter.isPaused { sql += " AND (r.paused_at IS NOT NULL) = \(isPaused)" }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<RecurringTask> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewRecurringTask>) async throws -> Created<RecurringTask> {
        let company = try call.company
        let id = UUID.v7()
        try await call.db.transaction { tx in try await create(id, body.value, call, company, tx) }
        return try Created(await rows(id, call))
    }

    @inline(never)
    private static func create(
        _ id: UUID, _ body: NewRecurringTask, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        let head = try await ProjectAccess.require(.contribute, in: body.projectId, call, tx)
        let rule = RecurrenceRule(
            frequency: body.frequency, every: body.every?.value ?? 1,
            weekdays: (body.weekdays?.items ?? []).map(\.value),
            dayOfMonth: body.dayOfMonth?.value, startsOn: body.startsOn, endsOn: body.endsOn)
        try check(rule, body.task)
        let count = try await tx.query(
            "SELECT count(*) FROM recurring_tasks WHERE company_id = \(company) AND project_id = \(body.projectId)"
        )
        if try count[0].get(0, as: Int.self) >= TaskLimits.recurrencesMax {
            throw Problem(.tooManyRecurrences)
        }
        let assignees = body.task?.assigneeIds?.items ?? []
        try await TaskChecks.checkAssignees(assignees, in: [body.projectId], company, tx)
        let (zone, at) = (body.timeZone?.text ?? head.timeZone, body.at?.text ?? "06:00")
        let clock = try await clock(zone, tx)
        guard let next = rule.next(at: at, from: clock) else { throw Problem(.recurrenceEnded) }
        let template = try JSON(encoding: body.task ?? .empty)
        _ = try await tx.batch([
            """
            INSERT INTO recurring_tasks (company_id, id, project_id, title, template, frequency, every, weekdays,
                                         day_of_month, at, time_zone, starts_on, ends_on, occurrences_max, next_on, next_at,
                                         created_by)
            VALUES (\(company), \(id), \(body.projectId), \(body.title), \(JSONText(template)), \(rule.frequency),
                    \(rule.every), \(rule.weekdays)::bigint[]::smallint[], \(rule.dayOfMonth), \(at)::time, \(zone),
                    \(rule.startsOn), \(rule.endsOn), \(body.occurrencesMax), \(next),
                    (\(next)::date + \(at)::time) AT TIME ZONE \(zone), \(try call.member))
            """,
            TaskUpkeep.expect(
                company,
                at: "(SELECT next_at FROM recurring_tasks WHERE company_id = \(company) AND id = \(id))"),
            Audit.sql(
                Audit.Entry(
                    "recurring_task.created", on: "recurring_task", id,
                    after: ["title": .string(body.title.text)]),
                by: call.actor, company: company),
        ])
    }

    private static func check(_ rule: RecurrenceRule, _ task: RecurringTemplate?) throws {
        if let end = rule.endsOn, end < rule.startsOn {
            throw Problem.unprocessable("/ends_on", "before-start", "is before `starts_on`")
        }
        if rule.dayOfMonth == 0 {
            throw Problem.unprocessable("/day_of_month", "out-of-range", "must be 1 to 31, or -1")
        }
        if !rule.weekdays.isEmpty, rule.frequency != .weekly {
            throw Problem.unprocessable("/weekdays", "not-allowed", "is for `weekly`")
        }
        if rule.dayOfMonth != nil, rule.frequency != .monthly {
            throw Problem.unprocessable("/day_of_month", "not-allowed", "is for `monthly`")
        }
        if task?.dueTime != nil, task?.dueAfterDays == nil {
            throw Problem.unprocessable("/task/due_time", "without-date", "needs `due_after_days`")
        }
    }

    /// What the clock of a zone says.
    @inline(never)
    static func clock(_ zone: String, _ tx: Transaction) async throws -> LocalClock {
        let rows = try await tx.query(
            """
            SELECT (now() AT TIME ZONE \(zone))::date AS day, to_char(now() AT TIME ZONE \(zone), 'HH24:MI') AS time
            """)
        return LocalClock(day: try rows[0].get("day"), time: try rows[0].get("time"))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<RecurringTaskChange>) async throws
        -> Single<RecurringTask>
    {
        let company = try call.company
        try await call.db.transaction { tx in try await change(id.value, body.value, call, company, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func change(
        _ id: UUID, _ body: RecurringTaskChange, _ call: Call, _ company: UUID, _ tx: Transaction
    ) async throws {
        let stored = try await locked(id, call, company, tx)
        var rule = stored.rule
        if let frequency = body.frequency, frequency != rule.frequency {
            rule.frequency = frequency
            (rule.weekdays, rule.dayOfMonth) = ([], nil)
        }
        rule.every = body.every?.value ?? rule.every
        if let weekdays = body.weekdays { rule.weekdays = weekdays.items.map(\.value) }
        if let day = body.dayOfMonth { rule.dayOfMonth = day?.value }
        if let end = body.endsOn { rule.endsOn = end }
        try check(rule, body.task)
        if let assignees = body.task?.assigneeIds?.items {
            try await TaskChecks.checkAssignees(assignees, in: [stored.project], company, tx)
        }
        let (zone, at) = (body.timeZone?.text ?? stored.zone, body.at?.text ?? stored.at)
        let most = body.occurrencesMax.map { $0?.value } ?? stored.occurrencesMax
        let clock = try await clock(zone, tx)
        var next = rule.next(at: at, from: clock)
        if let most, stored.occurrences >= most { next = nil }
        var changes = Changes()
        changes.set("title", body.title)
        if let task = body.task { changes.set("template", JSONText(try JSON(encoding: task))) }
        changes.set("frequency", rule.frequency)
        changes.set("every", rule.every)
        changes.set("weekdays", to: "\(rule.weekdays)::bigint[]::smallint[]")
        changes.set("day_of_month", to: "\(rule.dayOfMonth)::smallint")
        changes.set("at", to: "\(at)::time")
        changes.set("time_zone", zone)
        changes.set("ends_on", to: "\(rule.endsOn)::date")
        changes.set("occurrences_max", to: "\(most)::integer")
        try await settle(
            id, changes, next: next, at, zone, as: "recurring_task.changed", call.actor, company, tx)
    }

    static func pause(_ call: Call, _ id: Path<UUID>) async throws -> Single<RecurringTask> {
        let company = try call.company
        try await call.db.transaction { tx in
            let stored = try await locked(id.value, call, company, tx)
            var changes = Changes()
            changes.set("paused_at", to: "coalesce(paused_at, now())")
            try await settle(
                id.value, changes, next: stored.nextOn, stored.at, stored.zone, as: "recurring_task.paused",
                call.actor,
                company, tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func resume(_ call: Call, _ id: Path<UUID>) async throws -> Single<RecurringTask> {
        let company = try call.company
        try await call.db.transaction { tx in
            let stored = try await locked(id.value, call, company, tx)
            let clock = try await clock(stored.zone, tx)
            guard stored.nextOn != nil, let next = stored.rule.next(at: stored.at, from: clock) else {
                throw Problem(.recurrenceEnded)
            }
            var changes = Changes()
            changes.set("paused_at", to: "NULL")
            changes.set("last_error", to: "NULL")
            try await settle(
                id.value, changes, next: next, stored.at, stored.zone, as: "recurring_task.resumed",
                call.actor, company, tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func skip(_ call: Call, _ id: Path<UUID>) async throws -> Single<RecurringTask> {
        let company = try call.company
        try await call.db.transaction { tx in
            let stored = try await locked(id.value, call, company, tx)
            guard let day = stored.nextOn else { throw Problem(.recurrenceEnded) }
            _ = try await tx.query(RecurringRun.meet(day, of: id.value, company))
            let next = stored.rule.next(after: day)
            try await settle(
                id.value, Changes(), next: next, stored.at, stored.zone, as: "recurring_task.skipped",
                call.actor, company, tx)
        }
        return try Single(await rows(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let stored = try await locked(id.value, call, company, tx)
            _ = try await tx.batch([
                "DELETE FROM recurring_tasks WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry(
                        "recurring_task.deleted", on: "recurring_task", id.value,
                        before: ["title": .string(stored.title)]),
                    by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    /// The rule with its row locked, when its project may be contributed to and it has the version the caller means.
    @inline(never)
    private static func locked(_ id: UUID, _ call: Call, _ company: UUID, _ tx: Transaction) async throws
        -> StoredRecurrence
    {
        let found = try await tx.query(
            "SELECT project_id FROM recurring_tasks WHERE company_id = \(company) AND id = \(id)")
        guard let row = found.first else { throw Problem.notFound }
        _ = try await ProjectAccess.require(.contribute, in: row.get("project_id"), call, tx)
        guard let stored = try await tx.query(StoredRecurrence.locked(id, company)).first else {
            throw Problem.notFound
        }
        try call.requireVersion(stored.get("version"))
        return try StoredRecurrence(stored)
    }

    @inline(never)
    private static func settle(
        _ id: UUID, _ changes: Changes, next: LocalDate?, _ at: String, _ zone: String, as action: String,
        _ actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        var changes = changes
        changes.set("next_on", to: "\(next)::date")
        changes.set("next_at", to: "(\(next)::date + \(at)::time) AT TIME ZONE \(zone)")
        _ = try await tx.batch([
            "UPDATE recurring_tasks SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            TaskUpkeep.expect(
                company,
                at: "(SELECT next_at FROM recurring_tasks WHERE company_id = \(company) AND id = \(id))"),
            Audit.sql(Audit.Entry(action, on: "recurring_task", id), by: actor, company: company),
        ])
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: try select(call)) AND r.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT r.id, r.project_id, r.title, r.template AS task, r.frequency, r.every,
               coalesce(r.weekdays, '{}') AS weekdays, r.day_of_month, to_char(r.at, 'HH24:MI') AS at, r.time_zone,
               r.starts_on, r.ends_on, r.occurrences_max, r.occurrences, r.next_on, r.next_at, r.paused_at, r.last_error,
               r.version, r.created_at, r.updated_at
          FROM recurring_tasks r
          JOIN projects p ON p.company_id = r.company_id AND p.id = r.project_id
         WHERE r.company_id = \(try call.company) AND \(fragment: try ProjectAccess.visible(call))
        """
    }

    private static let exampleBody: JSON = [
        "project_id": TaskExamples.project, "title": "Send the weekly report", "frequency": "weekly",
        "weekdays": [1],
        "at": "09:00", "time_zone": "Europe/Berlin", "starts_on": "2026-11-30",
        "task": ["priority": "medium", "due_after_days": 0],
    ]

    private static let example: JSON = [
        "id": TaskExamples.other, "project_id": TaskExamples.project, "title": "Send the weekly report",
        "task": [
            "description": nil, "type": nil, "state_id": nil, "priority": "medium", "assignee_ids": nil,
            "points": nil,
            "estimate_minutes": nil, "due_after_days": 0, "due_time": nil,
        ],
        "frequency": "weekly", "every": 1, "weekdays": [1], "day_of_month": nil, "at": "09:00",
        "time_zone": "Europe/Berlin", "starts_on": "2026-11-30", "ends_on": nil, "occurrences_max": nil,
        "occurrences": 0, "next_on": "2026-11-30", "next_at": "2026-11-30T08:00:00Z", "paused_at": nil,
        "last_error": nil, "version": 1, "created_at": "2026-11-24T08:00:00Z",
        "updated_at": "2026-11-24T08:00:00Z",
    ]
}

extension RecurringTemplate {
    static let empty = RecurringTemplate(
        description: nil, type: nil, stateId: nil, priority: nil, assigneeIds: nil, points: nil,
        estimateMinutes: nil,
        dueAfterDays: nil, dueTime: nil)
}
