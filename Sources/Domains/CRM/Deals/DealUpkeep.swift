import API
import Core
import Postgres
import Wire

/// What the clock brings: deals that are stuck in their stage, and those past the day they were to be closed. Each is told
/// once: of a stay in a stage, and of a day.
enum DealUpkeep {
    private static let restMinutes = 60

    static let worker = Worker("deal-upkeep", every: .seconds(60)) { work in
        let rows = try await work.database.query(
            """
            UPDATE deal_upkeep SET due_at = now() + make_interval(mins => \(restMinutes))
             WHERE company_id = (SELECT company_id FROM deal_upkeep WHERE due_at <= now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        guard let company = try rows.first?.get("company_id", as: UUID.self) else { return .idle }
        try await run(company, work.database)
        return .more
    }

    /// Lists the company if it is not listed at all.
    static func expect(_ company: UUID) -> SQL {
        """
        INSERT INTO deal_upkeep (company_id, due_at)
        SELECT \(company)::uuid, now() WHERE NOT EXISTS (SELECT 1 FROM deal_upkeep u WHERE u.company_id = \(company))
        ON CONFLICT DO NOTHING
        """
    }

    static func run(_ company: UUID, _ db: Database) async throws {
        for kind in Kind.allCases {
            var told = DealLimits.newsMax
            while told == DealLimits.newsMax {
                told = try await db.transaction(as: Tenant(company: company)) { tx in
                    try await tell(kind, company, tx)
                }
            }
        }
    }

    private enum Kind: CaseIterable {
        case stuck, overdue

        /// What has been so for long, or came so from elsewhere, is no news.
        var isDue: SQL {
            switch self {
            case .stuck:
                """
                d.stage_entered_at < now() - make_interval(days => s.rotting_days)
                AND d.stage_entered_at > now() - make_interval(days => s.rotting_days + 30)
                AND d.stuck_told_for IS DISTINCT FROM d.stage_entered_at
                """
            case .overdue:
                """
                d.close_on < (now() AT TIME ZONE house.time_zone)::date AND d.close_on > now() - interval '30 days'
                AND d.overdue_told_for IS DISTINCT FROM d.close_on
                """
            }
        }
    }

    @inline(never)
    private static func tell(_ kind: Kind, _ company: UUID, _ tx: Transaction) async throws -> Int {
        let rows = try await tx.query(
            """
            SELECT d.id, d.name, s.name AS stage, d.close_on, d.stage_entered_at::text AS entered,
                   extract(day FROM now() - d.stage_entered_at)::integer AS days, m.user_id
              FROM deals d
              JOIN stages s ON s.company_id = d.company_id AND s.id = d.stage_id
              JOIN companies house ON house.id = d.company_id
              JOIN memberships m ON m.company_id = d.company_id AND m.id = d.owner_id AND m.status = 'active'
             WHERE d.company_id = \(company) AND d.deleted_at IS NULL AND d.archived_at IS NULL AND d.stage_kind = 'open'
               AND \(fragment: kind.isDue)
             ORDER BY d.id LIMIT \(DealLimits.newsMax) FOR NO KEY UPDATE OF d SKIP LOCKED
            """)
        if rows.isEmpty { return 0 }
        for row in rows { try await tell(row, kind, company, tx) }
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        let told: SQL =
            switch kind {
            case .stuck: "stuck_told_for = stage_entered_at"
            case .overdue: "overdue_told_for = close_on"
            }
        _ = try await tx.query(
            "UPDATE deals SET \(fragment: told) WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])")
        return rows.count
    }

    @inline(never)
    private static func tell(_ row: Row, _ kind: Kind, _ company: UUID, _ tx: Transaction) async throws {
        let (id, name) = (try row.get("id", as: UUID.self), JSON.string(try row.get("name")))
        let news: News
        switch kind {
        case .stuck:
            news = News(
                DealNews.stuck, about: .init("deal", id),
                values: [
                    "name": name, "stage": .string(try row.get("stage")),
                    "days": JSON(try row.get("days", as: Int.self)),
                ],
                dedupeKey: "\(id) \(try row.get("entered", as: String.self))", by: .system)
        case .overdue:
            let day = try row.get("close_on", as: LocalDate.self).description
            news = News(
                DealNews.overdue, about: .init("deal", id), values: ["name": name, "day": .string(day)],
                dedupeKey: "\(id) \(day)", by: .system)
        }
        let owner: UUID = try row.get("user_id")
        try await Notify.record(news, to: .users([owner], as: "owner"), company: company, in: tx)
    }
}
