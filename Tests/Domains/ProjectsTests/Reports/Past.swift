import Core
import Postgres
import Testing
import Wire

@testable import Projects

/// Makes a past: tasks and sprints of a workshop's project with a history told by its moments.
struct Past: Sendable {
    let shop: Workshop
    let sprint = UUID.v7()

    /// With a sprint that was started and perhaps closed.
    init(
        in shop: Workshop, _ startsOn: String, _ endsOn: String, startedAt: String, closedAt: String? = nil
    ) async throws {
        self.shop = shop
        _ = try await shop.sql(
            """
            INSERT INTO sprints (company_id, id, project_id, name, status, starts_on, ends_on, started_at, closed_at)
            VALUES (\(shop.company), \(sprint), \(shop.project), 'Sprint 1', \(closedAt == nil ? "active" : "closed"),
                    \(LocalDate(startsOn)), \(LocalDate(endsOn)), \(Timestamp(startedAt)),
                    \(closedAt.flatMap { Timestamp($0) }))
            """)
    }

    struct Step {
        let at: String
        let state: String
        var points = 300
        var isIn = true
    }

    /// A task that went through these steps; it is where the last has left it.
    @discardableResult
    func task(_ steps: [Step]) async throws -> UUID {
        let id = UUID.v7()
        var before: TaskImage?
        var statements: [SQL] = []
        for step in steps {
            let after = image(id, step)
            statements += TaskFlow.sql(
                [(before, after)], by: .system, company: shop.company, at: Timestamp(step.at))
            before = after
        }
        let last = try #require(before)
        let now = try #require(steps.last)
        _ = try await shop.server.instance.database.batch(
            [
                """
                INSERT INTO tasks (company_id, id, project_id, number, title, state_id, category, rank, sprint_id, points,
                                   completed_at)
                SELECT \(shop.company), \(id), p.id, p.next_number, 'Task', \(last.stateId), \(last.category),
                       'r' || lpad(p.next_number::text, 6, '0'), \(last.sprintId), \(last.pointsHundredths) / 100.0,
                       CASE WHEN \(last.category) = 'completed' THEN \(Timestamp(now.at))::timestamptz END
                  FROM projects p WHERE p.company_id = \(shop.company) AND p.id = \(shop.project)
                """,
                """
                UPDATE projects SET next_number = next_number + 1
                 WHERE company_id = \(shop.company) AND id = \(shop.project)
                """,
            ] + statements, as: Tenant(company: shop.company))
        return id
    }

    private static let categories: [String: StateCategory] = [
        "Backlog": .backlog, "To do": .unstarted, "In progress": .started, "In review": .started,
        "Done": .completed,
        "Cancelled": .cancelled,
    ]

    private func image(_ id: UUID, _ step: Step) -> TaskImage {
        TaskImage(
            id: id, projectId: shop.project, stateId: shop.states[step.state]!,
            category: Self.categories[step.state]!,
            sprintId: step.isIn ? sprint : nil, pointsHundredths: step.points)
    }
}
