import Core
import Postgres
import Wire

/// Gives all tasks of a project short ranks again, in the order they have.
enum RankDealing {
    /// The project's row must be locked.
    @inline(never)
    static func deal(_ project: UUID, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(
            "SELECT id FROM tasks WHERE company_id = \(company) AND project_id = \(project) ORDER BY rank, id"
        )
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        let ranks = Rank.following(nil, count: ids.count).map(\.text)
        // Two steps, for a rank may be dealt to one task while another still has it: `~` sorts after all of them.
        _ = try await tx.batch([
            """
            UPDATE tasks t SET rank = '~' || dealt.rank
              FROM unnest(\(ids)::uuid[], \(ranks)::text[]) AS dealt (id, rank)
             WHERE t.company_id = \(company) AND t.id = dealt.id
            """,
            """
            UPDATE tasks SET rank = substr(rank, 2)
             WHERE company_id = \(company) AND project_id = \(project) AND rank LIKE '~%'
            """,
        ])
    }
}
