import API
import Core
import HTTP
import Postgres
import Wire

/// Entered time added up, and taken away as a file.
enum TimeTotals {
    @RouteList static var routes: [Route] {
        GET("/v1/time-entries/totals", "Add entered time up", .can(.projectsRead), totals)
            .operation("getTimeTotals")
            .describe(
                """
                By project, member, task, sprint or day, at most \(ProjectLimits.totalsMax) lines, those with most time \
                first. Money is added up for each currency. A running timer counts nothing.
                """)
        GET("/v1/time-entries.csv", "Take entered time away", .can(.projectsRead), export).operation(
            "exportTimeEntries"
        )
        .describe("CSV by RFC 4180, UTF-8, at most \(ProjectLimits.exportedEntriesMax) lines, oldest first.")
        .secret.media("text/csv")
    }

    enum Grouping: String, Codable, CaseIterable, Sendable { case project, member, task, sprint, day }

    struct TotalsQuery: Codable, Sendable {
        let groupBy: Grouping
        let projectId: UUID?
        let taskId: UUID?
        let memberId: UUID?
        let sprintId: UUID?
        let isBillable: Bool?
        let from: LocalDate?
        let to: LocalDate?
    }

    struct ExportQuery: Codable, Sendable {
        let projectId: UUID?
        let memberId: UUID?
        let from: LocalDate?
        let to: LocalDate?
    }

    struct TimeTotal: Codable, Sendable, FieldNotes {
        let id: UUID?
        let label: String?
        let currency: String?
        let entries: Int
        let minutes: Int
        let billableMinutes: Int
        let amountMinor: Int64
        let billableMinor: Int64

        static let fieldNotes = [
            "id":
                "Of the project, member, task or sprint; null for a day, and for time without a task or sprint.",
            "label": "Its name, its key, or the day.",
            "amount_minor": "Time × rate, each entry rounded by itself.",
        ]
    }

    static func totals(_ call: Call, _ query: Query<TotalsQuery>) async throws -> Page<TimeTotal> {
        let q = query.value
        let (id, label) = columns(q.groupBy)
        var sql: SQL = """
            SELECT \(fragment: id) AS id, \(fragment: label) AS label, e.currency, count(*) AS entries,
                   sum(e.minutes)::bigint AS minutes,
                   coalesce(sum(e.minutes) FILTER (WHERE e.is_billable), 0)::bigint AS billable_minutes,
                   coalesce(sum(\(fragment: amount)), 0)::bigint AS amount_minor,
                   coalesce(sum(\(fragment: amount)) FILTER (WHERE e.is_billable), 0)::bigint AS billable_minor
            \(fragment: try TimeEntries.from(call)) AND e.minutes IS NOT NULL
            """
        sql += condition(project: q.projectId, member: q.memberId, from: q.from, to: q.to)
        if let task = q.taskId { sql += " AND e.task_id = \(task)" }
        if let sprint = q.sprintId { sql += " AND t.sprint_id = \(sprint)" }
        if let isBillable = q.isBillable { sql += " AND e.is_billable = \(isBillable)" }
        sql += " GROUP BY 1, 2, 3 ORDER BY minutes DESC, label LIMIT \(ProjectLimits.totalsMax)"
        return Page(all: try await call.db.query(sql))
    }

    /// What an entry costs, rounded half up.
    static let amount: SQL = "round(e.minutes * e.rate_minor / 60.0)"

    private static func columns(_ grouping: Grouping) -> (id: SQL, label: SQL) {
        switch grouping {
        case .project: ("e.project_id", "p.name")
        case .member: ("e.member_id", "u.name")
        case .task: ("e.task_id", "kp.key || '-' || t.number")
        case .sprint:
            (
                "t.sprint_id",
                "(SELECT sp.name FROM sprints sp WHERE sp.company_id = t.company_id AND sp.id = t.sprint_id)"
            )
        case .day: ("NULL::uuid", "e.worked_on::text")
        }
    }

    private static func condition(project: UUID?, member: UUID?, from: LocalDate?, to: LocalDate?) -> SQL {
        var sql: SQL = ""
        if let project { sql += " AND e.project_id = \(project)" }
        if let member { sql += " AND e.member_id = \(member)" }
        if let from { sql += " AND e.worked_on >= \(from)" }
        if let to { sql += " AND e.worked_on <= \(to)" }
        return sql
    }

    static func export(_ call: Call, _ query: Query<ExportQuery>) async throws -> Raw {
        let (company, q) = (try call.company, query.value)
        let rows = try await call.db.report(
            """
            SELECT e.worked_on::text AS day, p.key AS project, coalesce(kp.key || '-' || t.number, '') AS task,
                   coalesce(t.title, '') AS title, u.name AS member, e.minutes::text AS minutes,
                   CASE WHEN e.is_billable THEN 'yes' ELSE 'no' END AS billable,
                   coalesce(e.rate_minor::text, '') AS rate_minor, coalesce(e.currency, '') AS currency,
                   coalesce((\(fragment: amount))::bigint::text, '') AS amount_minor, coalesce(e.note, '') AS note,
                   to_char(e.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started_at
            \(fragment: try TimeEntries.from(call)) AND e.minutes IS NOT NULL
            \(fragment: condition(project: q.projectId, member: q.memberId, from: q.from, to: q.to))
             ORDER BY e.started_at, e.id LIMIT \(ProjectLimits.exportedEntriesMax)
            """)
        let out = ByteWriter(capacity: 64 << 10)
        CSV.write(rows.columns, into: out)
        for row in rows { CSV.write(try rows.columns.map { try row.get($0, as: String.self) }, into: out) }
        let entry = Audit.Entry(
            "time_entries.exported", on: "company", company, after: ["rows": JSON(rows.count)])
        _ = try await call.db.write([Audit.sql(entry, by: call.actor, company: company)])
        var response = Response(status: 200, body: .buffer(out))
        response.headers.add("content-type", "text/csv; charset=utf-8" as StaticString)
        response.headers.add(
            "content-disposition", "attachment; filename=\"time-entries.csv\"" as StaticString)
        return Raw(response)
    }
}
