import API
import Core
import Postgres
import Wire

/// A project with its row locked, so that numbers and ranks are given out one after another.
struct ProjectPlace: Sendable {
    struct State: Sendable {
        let id: UUID
        let name: String
        let category: StateCategory
        let isInitial: Bool
        let wipLimit: Int?
    }

    let id: UUID
    let key: String
    let timeZone: String
    let firstNumber: Int
    let lastRank: Rank?
    let states: [State]

    /// Locks the project and takes numbers for new tasks. The lock comes first: what is read after it is what the last
    /// one who held it has left.
    static func take(numbers count: Int, of project: UUID, _ company: UUID, _ tx: Transaction) async throws
        -> ProjectPlace
    {
        let answers = try await tx.batch([
            """
            UPDATE projects SET next_number = next_number + \(count)
             WHERE company_id = \(company) AND id = \(project) AND deleted_at IS NULL
            RETURNING key, time_zone, next_number - \(count)::integer AS first_number
            """,
            lastRank(project, company),
            """
            SELECT id, name, category, is_initial, wip_limit FROM project_states
             WHERE company_id = \(company) AND project_id = \(project) ORDER BY position, id
            """,
        ])
        guard let row = answers[0].first else { throw Problem.notFound }
        var last = try answers[1].first.map { try Rank($0.get("rank", as: String.self)) } ?? nil
        if last == nil, !answers[1].isEmpty {
            try await TaskRanking.order.deal(project, company, tx)
            last = try await tx.query(lastRank(project, company)).first.flatMap {
                try Rank($0.get("rank", as: String.self))
            }
        }
        return ProjectPlace(
            id: project, key: try row.get("key"), timeZone: try row.get("time_zone"),
            firstNumber: try row.get("first_number"), lastRank: last,
            states: try answers[2].map { row in
                State(
                    id: try row.get("id"), name: try row.get("name"), category: try row.get("category"),
                    isInitial: try row.get("is_initial"), wipLimit: try row.get("wip_limit"))
            })
    }

    private static func lastRank(_ project: UUID, _ company: UUID) -> SQL {
        """
        SELECT rank FROM tasks WHERE company_id = \(company) AND project_id = \(project) ORDER BY rank DESC LIMIT 1
        """
    }

    /// The state here for a task that was in such a one elsewhere: of the same name, else of the same category.
    func counterpart(of name: String, _ category: StateCategory) -> State? {
        states.first { $0.name.lowercased() == name.lowercased() }
            ?? states.first { $0.category == category } ?? state(nil)
    }

    /// The state of this id, or the one that new tasks begin in.
    func state(_ id: UUID?) -> State? {
        if let id { return states.first { $0.id == id } }
        return states.first(where: \.isInitial) ?? states.first { $0.category.isOpen }
    }
}
