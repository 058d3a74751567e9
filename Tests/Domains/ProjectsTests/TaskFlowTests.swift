import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

/// What the history keeps, and that it cannot be changed.
@Suite struct TaskFlowTests {
    private let company: UUID
    private let database: Database
    private let project = UUID.v7()
    private let sprint = UUID.v7()
    private let states: [StateCategory: UUID]

    init() async throws {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Flow Works")
        company = try #require(owner.companyId.flatMap { UUID($0) })
        database = server.instance.database
        states = Dictionary(uniqueKeysWithValues: StateCategory.allCases.map { ($0, .v7()) })
        let (company, project, sprint) = (company, project, sprint)
        _ = try await database.batch(
            [
                """
                INSERT INTO projects (company_id, id, key, name, time_zone)
                VALUES (\(company), \(project), 'FLOW', 'Site', 'UTC')
                """,
                """
                INSERT INTO sprints (company_id, id, project_id, name, starts_on, ends_on)
                VALUES (\(company), \(sprint), \(project), 'One', '2026-03-02', '2026-03-13')
                """,
            ], as: Tenant(company: company))
    }

    private func image(_ id: UUID, _ category: StateCategory, sprint: UUID? = nil, points: Int? = nil)
        -> TaskImage
    {
        TaskImage(
            id: id, projectId: project, stateId: states[category]!, category: category, sprintId: sprint,
            pointsHundredths: points)
    }

    private func tell(_ before: TaskImage?, _ after: TaskImage, at: String? = nil) async throws {
        let statements = TaskFlow.sql(
            [(before, after)], by: .system, company: company, at: at.flatMap { Timestamp($0) })
        _ = try await database.batch(statements, as: Tenant(company: company))
    }

    @Test func `a task's beginning is carried along its history`() async throws {
        let task = UUID.v7()
        let steps: [(StateCategory, String)] = [
            (.backlog, "2026-03-01T10:00:00Z"), (.started, "2026-03-03T10:00:00Z"),
            (.unstarted, "2026-03-04T10:00:00Z"), (.started, "2026-03-05T10:00:00Z"),
            (.completed, "2026-03-06T10:00:00Z"),
        ]
        var before: TaskImage?
        for (category, at) in steps {
            let after = image(task, category)
            try await tell(before, after, at: at)
            before = after
        }
        let rows = try await database.query(
            """
            SELECT category_before, category, entered_at, started_at FROM task_flow
             WHERE company_id = \(company) AND task_id = \(task) ORDER BY at DESC LIMIT 1
            """, as: Tenant(company: company))
        let last = try #require(rows.first)
        #expect(try last.get("category_before") == "started")
        #expect(try last.get("entered_at") == Timestamp("2026-03-01T10:00:00Z"))
        #expect(try last.get("started_at") == Timestamp("2026-03-03T10:00:00Z"))
    }

    @Test func `the scope of a sprint is the sum of its steps`() async throws {
        let (one, two) = (UUID.v7(), UUID.v7())
        let first = image(one, .unstarted, sprint: sprint, points: 350)
        try await tell(nil, first)
        try await tell(nil, image(two, .unstarted, sprint: sprint, points: 200))
        try await tell(first, image(one, .completed, sprint: sprint, points: 500))
        let rows = try await database.query(
            """
            SELECT sum(points_after - points_before)::float8 AS scope,
                   sum(CASE WHEN done_after THEN points_after ELSE 0 END
                       - CASE WHEN done_before THEN points_before ELSE 0 END)::float8 AS done,
                   array_agg(kind ORDER BY at, id) AS kinds
              FROM sprint_events WHERE company_id = \(company) AND sprint_id = \(sprint)
            """, as: Tenant(company: company))
        let row = try #require(rows.first)
        #expect(try row.get("scope") == 7.0)
        #expect(try row.get("done") == 5.0)
        #expect(try row.get("kinds") == ["added", "added", "estimate", "completed"])
    }

    @Test func `what is in the history is neither changed nor taken away`() async throws {
        try await tell(nil, image(.v7(), .backlog, sprint: sprint))
        for statement: SQL in [
            "UPDATE task_flow SET at = now()", "DELETE FROM task_flow", "TRUNCATE task_flow",
            "UPDATE sprint_events SET at = now()", "DELETE FROM sprint_events", "TRUNCATE sprint_events",
        ] {
            let error = await #expect(throws: DatabaseError.self) {
                try await database.query(statement, as: Tenant(company: company))
            }
            #expect(error?.sqlState == "42501")
        }
    }
}
