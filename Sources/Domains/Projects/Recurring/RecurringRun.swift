import API
import Core
import Postgres
import Wire

/// What the clock of a zone says.
struct LocalClock: Sendable {
    let day: LocalDate
    /// `17:30`; as texts, times of day compare like times.
    let time: String
}

extension RecurrenceRule {
    /// The first of its days whose time is still to come.
    func next(at time: String, from clock: LocalClock) -> LocalDate? {
        let isOver = time <= clock.time
        return next(after: isOver ? clock.day : LocalDate(daysSince1970: clock.day.daysSince1970 - 1))
    }

    /// The last of its days, from one on, whose time has come.
    func latest(from day: LocalDate, at time: String, by clock: LocalClock) -> LocalDate {
        var latest = day
        while let next = next(after: latest), next < clock.day || next == clock.day && time <= clock.time {
            latest = next
        }
        return latest
    }
}

/// A rule as it is kept.
struct StoredRecurrence: Sendable {
    let id: UUID
    let project: UUID
    let title: String
    let template: RecurringTemplate
    let rule: RecurrenceRule
    let at: String
    let zone: String
    let occurrencesMax: Int?
    let occurrences: Int
    let nextOn: LocalDate?
    let createdBy: UUID?

    init(_ row: Row) throws {
        id = try row.get("id")
        project = try row.get("project_id")
        title = try row.get("title")
        template = try JSON.parse(row.get("template", as: String.self)).decode()
        rule = RecurrenceRule(
            frequency: try row.get("frequency"), every: try row.get("every"),
            weekdays: try row.get("weekdays", as: [Int].self), dayOfMonth: try row.get("day_of_month"),
            startsOn: try row.get("starts_on"), endsOn: try row.get("ends_on"))
        at = try row.get("at")
        zone = try row.get("time_zone")
        occurrencesMax = try row.get("occurrences_max")
        occurrences = try row.get("occurrences")
        nextOn = try row.get("next_on")
        createdBy = try row.get("created_by")
    }

    static let columns: SQL = """
        r.id, r.project_id, r.title, r.template::text AS template, r.frequency, r.every,
        coalesce(r.weekdays, '{}')::bigint[] AS weekdays, r.day_of_month::integer AS day_of_month,
        to_char(r.at, 'HH24:MI') AS at, r.time_zone, r.starts_on, r.ends_on, r.occurrences_max, r.occurrences, r.next_on,
        r.created_by, r.version
        """

    static func locked(_ id: UUID, _ company: UUID) -> SQL {
        """
        SELECT \(fragment: columns) FROM recurring_tasks r WHERE r.company_id = \(company) AND r.id = \(id) FOR NO KEY UPDATE
        """
    }

    func draft(on day: LocalDate, assignees: [UUID], reporter: UUID?) -> TaskWriting.Draft {
        var draft = TaskWriting.Draft(project: project, title: title)
        draft.description = template.description?.text
        draft.type = template.type ?? .task
        draft.state = template.stateId
        draft.priority = template.priority ?? .none
        draft.assignees = assignees
        draft.reporter = reporter
        draft.pointsHundredths = template.points?.hundredths
        draft.estimateMinutes = template.estimateMinutes?.value
        if let days = template.dueAfterDays {
            draft.dueOn = LocalDate(daysSince1970: day.daysSince1970 + days.value)
            draft.dueTime = template.dueTime
        }
        return draft
    }
}

/// Makes the tasks whose day has come.
enum RecurringRun {
    /// Meets the days of a company's rules that have come, each rule in a transaction of its own.
    static func run(_ company: UUID, _ db: Database) async throws {
        let due = try await db.query(
            """
            SELECT id FROM recurring_tasks
             WHERE company_id = \(company) AND paused_at IS NULL AND next_at <= now()
             ORDER BY next_at LIMIT \(TaskLimits.toldAtOnce)
            """, as: Tenant(company: company))
        for row in due {
            let id: UUID = try row.get("id")
            try await db.transaction(as: Tenant(company: company)) { tx in try await meet(id, company, tx) }
        }
    }

    /// Says that a day of a rule is met; gives a row unless it was before.
    static func meet(_ day: LocalDate, of recurrence: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO task_occurrences (company_id, recurrence_id, occurrence_date)
        VALUES (\(company), \(recurrence), \(day)) ON CONFLICT DO NOTHING RETURNING recurrence_id
        """
    }

    @inline(never)
    private static func meet(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            """
            SELECT \(fragment: StoredRecurrence.columns), p.status, p.deleted_at IS NOT NULL AS is_gone
              FROM recurring_tasks r
              JOIN projects p ON p.company_id = r.company_id AND p.id = r.project_id
             WHERE r.company_id = \(company) AND r.id = \(id) AND r.paused_at IS NULL AND r.next_at <= now()
               FOR NO KEY UPDATE OF r SKIP LOCKED
            """)
        guard let row = rows.first else { return }
        let stored = try StoredRecurrence(row)
        let status: ProjectStatus = try row.get("status")
        guard status != .archived, try !row.get("is_gone", as: Bool.self), let first = stored.nextOn else {
            _ = try await tx.query(
                """
                UPDATE recurring_tasks SET paused_at = now(), last_error = 'The project is archived or deleted.',
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """)
            return
        }
        let clock = try await RecurringTasks.clock(stored.zone, tx)
        let day = stored.rule.latest(from: first, at: stored.at, by: clock)
        let isNew = try await !tx.query(meet(day, of: id, company)).isEmpty
        var failure: String?
        if isNew { failure = try await make(stored, on: day, company, tx) }
        let made = stored.occurrences + (isNew && failure == nil ? 1 : 0)
        let isOver = stored.occurrencesMax.map { made >= $0 } ?? false
        let next = isOver ? nil : stored.rule.next(after: day)
        _ = try await tx.query(
            """
            UPDATE recurring_tasks
               SET occurrences = \(made), last_error = \(failure), next_on = \(next)::date,
                   next_at = (\(next)::date + at) AT TIME ZONE time_zone, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """)
    }

    /// Makes the task of a day; why not, when it cannot be.
    @inline(never)
    private static func make(
        _ stored: StoredRecurrence, on day: LocalDate, _ company: UUID, _ tx: Transaction
    ) async throws -> String? {
        let wanted = stored.template.assigneeIds?.items ?? []
        // Who has left since, or cannot see the project any more, is left out.
        let people = wanted + [stored.createdBy].compactMap { $0 }
        let outsiders = try await TaskChecks.outsiders(people.unique, in: [stored.project], company, tx)
        let absent = Set(outsiders.map(\.member))
        let draft = stored.draft(
            on: day, assignees: wanted.filter { !absent.contains($0) }.unique,
            reporter: stored.createdBy.flatMap { absent.contains($0) ? nil : $0 })
        do {
            _ = try await tx.savepoint {
                try await TaskWriting.create([draft], by: .system, company: company, in: tx)
            }
        } catch let problem as Problem {
            return problem.faults.first?.detail ?? problem.detail ?? problem.code.title
        }
        _ = try await tx.query(
            """
            UPDATE task_occurrences SET task_id = \(draft.id)
             WHERE company_id = \(company) AND recurrence_id = \(stored.id) AND occurrence_date = \(day)
            """)
        return nil
    }
}
