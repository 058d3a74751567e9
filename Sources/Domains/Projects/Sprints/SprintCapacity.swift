import API
import Core
import Postgres
import Wire

/// Who has how much time for a sprint, and how much of it is planned away.
enum SprintCapacity {
    @RouteList static var routes: [Route] {
        GET("/v1/sprints/{id}/capacity", "Read who has time for a sprint", .can(.tasksRead), read)
            .describe(
                "Available is what a member has on the project's working days, without days off; planned is what is estimated "
                    + "of his open tasks, in equal parts where several are assigned. More planned than available is "
                    + "overbooked."
            )
            .example(answer: SprintExamples.capacity)
        PUT("/v1/sprints/{id}/capacity", "Say who has time for a sprint", .can(.tasksRead), replace)
            .describe("Takes the right to manage the project. Replaces what was said before.")
            .problems(.projectArchived, .sprintClosed)
            .example(
                body: [
                    "members": [
                        [
                            "member_id": TaskExamples.member, "minutes_per_day": 360,
                            "days_off": ["2026-11-27"],
                        ]
                    ]
                ],
                answer: SprintExamples.capacity)
    }

    struct Plan: Codable, Sendable {
        let sprintId: UUID
        let workingDays: Int
        let availableMinutes: Int
        let plannedMinutes: Int
        let unassignedMinutes: Int
        let unestimatedCount: Int
        let members: [Member]
    }

    struct Member: Codable, Sendable {
        let memberId: UUID
        let name: String
        let minutesPerDay: Int?
        let daysOff: [LocalDate]
        let availableMinutes: Int
        let plannedMinutes: Int
        let openCount: Int
        let isOverbooked: Bool
        let overbookedMinutes: Int
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Plan> {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onSprint: id.value, call)
        let answers = try await call.db.batch([members(of: id.value, company), totals(of: id.value, company)])
        let members = try answers[0].map { try $0.decode(Member.self) }
        guard let row = answers[1].first else { throw Problem.notFound }
        return Single(
            Plan(
                sprintId: id.value, workingDays: try row.get("working_days"),
                availableMinutes: members.reduce(0) { $0 + $1.availableMinutes },
                plannedMinutes: try row.get("planned"), unassignedMinutes: try row.get("unassigned"),
                unestimatedCount: try row.get("unestimated"), members: members))
    }

    struct NewPlan: Codable, Sendable {
        let members: UpTo<100, NewMember>
    }

    struct NewMember: Codable, Sendable {
        let memberId: UUID
        let minutesPerDay: Whole<0, 1440>
        let daysOff: UpTo<120, LocalDate>?
    }

    static func replace(_ call: Call, _ id: Path<UUID>, _ body: Body<NewPlan>) async throws -> Single<Plan> {
        let plan = body.value
        try await call.db.transaction { tx in try await write(plan, for: id.value, call, tx) }
        return try await read(call, id)
    }

    @inline(never)
    private static func write(_ plan: NewPlan, for id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        _ = try await ProjectAccess.require(.manage, onSprint: id, call, tx)
        let sprint = try await SprintHead.locked(id, company, tx)
        if sprint.status == .closed { throw Problem(.sprintClosed) }
        let people = plan.members.items.map(\.memberId)
        if Set(people).count < people.count {
            throw Problem.unprocessable("/members", "repeated", "names a member twice")
        }
        try await ProjectMembers.requireActive(people, at: "/members", company, tx)
        _ = try await tx.batch([
            "DELETE FROM sprint_capacities WHERE company_id = \(company) AND sprint_id = \(id)",
            """
            INSERT INTO sprint_capacities (company_id, sprint_id, member_id, minutes_per_day, days_off)
            SELECT \(company), \(id), m.member_id, m.minutes_per_day,
                   ARRAY(SELECT DISTINCT day::date FROM jsonb_array_elements_text(
                             CASE jsonb_typeof(m.days_off) WHEN 'array' THEN m.days_off ELSE '[]' END) day ORDER BY 1)
              FROM jsonb_to_recordset(\(JSONText(JSON(encoding: plan.members)))::jsonb)
                       AS m(member_id uuid, minutes_per_day integer, days_off jsonb)
            """,
            Audit.sql(
                Audit.Entry("sprint.capacity_changed", on: "sprint", id, after: JSON(encoding: plan)),
                by: call.actor,
                company: company),
        ])
    }

    /// One row for each member who has time for the sprint or open tasks in it.
    private static func members(of sprint: UUID, _ company: UUID) -> SQL {
        """
        WITH held AS (
            SELECT a.member_id, count(*) AS open_count,
                   round(sum(coalesce(t.estimate_minutes, 0)::numeric / others.count))::int AS planned
              FROM tasks t
              JOIN task_assignees a ON a.company_id = t.company_id AND a.task_id = t.id
             CROSS JOIN LATERAL (SELECT count(*) FROM task_assignees o
                                  WHERE o.company_id = t.company_id AND o.task_id = t.id) others
             WHERE t.company_id = \(company) AND t.sprint_id = \(sprint) AND t.deleted_at IS NULL
               AND t.category IN ('backlog', 'unstarted', 'started')
             GROUP BY a.member_id),
        had AS (
            SELECT c.member_id, c.minutes_per_day, c.days_off,
                   c.minutes_per_day * (SELECT count(*) FROM (\(fragment: workingDays(of: sprint, company))) d
                                         WHERE d.day <> ALL(c.days_off))::int AS available
              FROM sprint_capacities c WHERE c.company_id = \(company) AND c.sprint_id = \(sprint))
        SELECT m.id AS member_id, u.name, had.minutes_per_day, coalesce(had.days_off, '{}') AS days_off,
               coalesce(had.available, 0) AS available_minutes, coalesce(held.planned, 0) AS planned_minutes,
               coalesce(held.open_count, 0) AS open_count,
               coalesce(held.planned > had.available, false) AS is_overbooked,
               coalesce(greatest(held.planned - had.available, 0), 0) AS overbooked_minutes
          FROM had
          FULL JOIN held ON held.member_id = had.member_id
          JOIN memberships m ON m.company_id = \(company) AND m.id = coalesce(had.member_id, held.member_id)
          JOIN users u ON u.id = m.user_id
         ORDER BY u.name, m.id
        """
    }

    private static func totals(of sprint: UUID, _ company: UUID) -> SQL {
        """
        SELECT (SELECT count(*) FROM (\(fragment: workingDays(of: sprint, company))) d)::int AS working_days,
               coalesce(sum(t.estimate_minutes), 0)::int AS planned,
               coalesce(sum(t.estimate_minutes) FILTER (WHERE NOT EXISTS (
                   SELECT 1 FROM task_assignees a WHERE a.company_id = t.company_id AND a.task_id = t.id)), 0)::int
                   AS unassigned,
               count(*) FILTER (WHERE t.estimate_minutes IS NULL)::int AS unestimated
          FROM tasks t
         WHERE t.company_id = \(company) AND t.sprint_id = \(sprint) AND t.deleted_at IS NULL
           AND t.category IN ('backlog', 'unstarted', 'started')
        """
    }

    private static func workingDays(of sprint: UUID, _ company: UUID) -> SQL {
        """
        SELECT day::date AS day
          FROM sprints s
          LEFT JOIN sprint_settings o ON o.company_id = s.company_id AND o.project_id = s.project_id
         CROSS JOIN LATERAL generate_series(s.starts_on::timestamp, s.ends_on::timestamp, interval '1 day') day
         WHERE s.company_id = \(company) AND s.id = \(sprint)
           AND extract(isodow FROM day)::int = ANY(coalesce(o.working_days, '{1,2,3,4,5}'))
        """
    }
}
