import Core
import Postgres
import Wire

/// Tells the lead and the managers of a project when half, four fifths and all of its budget are used: once each.
enum BudgetAlert {
    static let thresholds = [50, 80, 100]

    /// Called in the transaction of whatever costs the project something.
    @inline(never)
    static func look(at project: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction) async throws
    {
        // FOR UPDATE: two who spend at once must not both tell of it, nor neither.
        let rows = try await tx.query(
            """
            SELECT b.alerted_percent FROM project_budgets b
             WHERE b.company_id = \(company) AND b.project_id = \(project)
               AND (b.amount_minor IS NOT NULL OR b.amount_minutes IS NOT NULL)
               FOR UPDATE
            """)
        guard let told = try rows.first?.get("alerted_percent", as: Int.self) else { return }
        let used = try await tx.query(
            "SELECT percent FROM (\(fragment: Budgets.figures(project, company))) f")
        let percent = try used.first?.get("percent", as: Double?.self).flatMap { $0 } ?? 0
        let reached = thresholds.last { Double($0) <= percent } ?? 0
        if reached == told { return }
        _ = try await tx.query(
            """
            UPDATE project_budgets SET alerted_percent = \(reached)
             WHERE company_id = \(company) AND project_id = \(project)
            """)
        if reached > told { try await tell(reached, of: project, by: actor, company, tx) }
    }

    @inline(never)
    private static func tell(
        _ percent: Int, of project: UUID, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT p.name, ARRAY(SELECT m.user_id FROM memberships m
                                  WHERE m.company_id = p.company_id
                                    AND (m.id = p.lead_id OR EXISTS (
                                         SELECT 1 FROM project_members place
                                          WHERE place.company_id = p.company_id AND place.project_id = p.id
                                            AND place.member_id = m.id AND place.role = 'manager'))) AS users
              FROM projects p WHERE p.company_id = \(company) AND p.id = \(project)
            """)
        guard let row = rows.first else { return }
        let news = News(
            TimeNews.budgetReached, about: .init("project", project),
            values: ["project": .string(try row.get("name")), "percent": JSON(percent)], by: actor)
        // Also the one who spent it: that it was the last of the budget is news to him too.
        try await Notify.record(
            news, to: .users(try row.get("users"), as: "recipient"), company: company, in: tx)
    }
}
