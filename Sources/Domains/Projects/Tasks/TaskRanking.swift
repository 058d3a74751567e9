import API
import Core
import Postgres
import Wire

/// The one order of a project's tasks.
enum TaskRanking {
    /// Beside which other task.
    enum Spot: Sendable {
        case before(UUID)
        case after(UUID)

        /// Nil when neither is named; naming both is a fault.
        init?(before: UUID?, after: UUID?) throws {
            switch (before, after) {
            case (nil, nil): return nil
            case (let other?, nil): self = .before(other)
            case (nil, let other?): self = .after(other)
            case (.some, .some):
                throw Problem.unprocessable("/after", "too-many", "name one of `before` and `after`")
            }
        }

        var neighbour: UUID {
            switch self {
            case .before(let other), .after(let other): other
            }
        }

        var pointer: String {
            switch self {
            case .before: "/before"
            case .after: "/after"
            }
        }
    }

    /// Whoever ranks tasks of a project waits here for the one before him.
    static func lock(_ project: UUID, _ company: UUID) -> SQL {
        "SELECT 1 FROM projects WHERE company_id = \(company) AND id = \(project) FOR NO KEY UPDATE"
    }

    @inline(never)
    static func place(
        _ task: UUID, _ spot: Spot, in project: UUID, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        if spot.neighbour == task {
            throw Problem.unprocessable(spot.pointer, "itself", "is the task itself")
        }
        _ = try await tx.query(lock(project, company))
        var gap = try await gap(task, spot, project, company, tx)
        if gap == nil {
            try await RankDealing.deal(project, company, tx)
            gap = try await self.gap(task, spot, project, company, tx)
        }
        guard let rank = gap else { throw Problem.notFound }
        let rows = try await tx.query(
            """
            UPDATE tasks t SET rank = \(rank.text), version = t.version + 1, updated_at = now()
              FROM projects p
             WHERE t.company_id = \(company) AND t.id = \(task) AND t.project_id = \(project) AND t.deleted_at IS NULL
               AND p.company_id = t.company_id AND p.id = t.project_id
            RETURNING p.key || '-' || t.number AS key
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let data = TaskEvents.UpdateData(
            taskId: task, projectId: project, key: try row.get("key"), changed: ["rank"])
        try await Events.record(
            TaskEvents.updated, data, on: "task", task, by: actor, company: company, in: tx)
    }

    /// A free rank at the spot; nil when the keys there are too long or none, and have to be dealt anew.
    @inline(never)
    private static func gap(
        _ task: UUID, _ spot: Spot, _ project: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> Rank? {
        let own: SQL = """
            SELECT rank FROM tasks WHERE company_id = \(company) AND project_id = \(project) AND id = \(spot.neighbour)
            """
        let beside: SQL
        switch spot {
        case .before: beside = "rank < (\(fragment: own)) AND id <> \(task) ORDER BY rank DESC"
        case .after: beside = "rank > (\(fragment: own)) AND id <> \(task) ORDER BY rank"
        }
        let answers = try await tx.batch([
            own + " AND deleted_at IS NULL",
            "SELECT rank FROM tasks WHERE company_id = \(company) AND project_id = \(project) AND \(fragment: beside) LIMIT 1",
        ])
        guard let row = answers[0].first else {
            throw Problem.unprocessable(spot.pointer, "not-found", "is no task of the same project")
        }
        guard let here = try Rank(row.get("rank")) else { return nil }
        var there: Rank?
        if let row = answers[1].first {
            guard let rank = try Rank(row.get("rank")) else { return nil }
            there = rank
        }
        let rank: Rank
        switch spot {
        case .before: rank = Rank.between(there, here)
        case .after: rank = Rank.between(here, there)
        }
        return rank.text.utf8.count <= TaskLimits.rankLengthMax ? rank : nil
    }
}
