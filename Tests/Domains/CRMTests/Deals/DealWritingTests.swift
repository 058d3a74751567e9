import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// The port by which conversions, imports and the demo world write deals.
@Suite struct DealWritingTests {
    private struct Ground {
        let company: UUID
        let database: Database
        let actor: Audit.Actor

        init() async throws {
            let world = try await World("Port Works")
            company = try #require(world.owner.companyId.flatMap { UUID($0) })
            database = world.server.instance.database
            actor = Audit.Actor(.user, id: UUID(world.owner.userId))
        }

        func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) async throws -> Value)
            async throws -> Value
        {
            try await database.transaction(as: Tenant(company: company), body)
        }

        func rows(_ sql: SQL) async throws -> Rows {
            try await database.query(sql, as: Tenant(company: company))
        }

        func create(_ draft: DealWriting.Draft) async throws -> UUID {
            let (actor, company) = (actor, company)
            return try await write { tx in
                try await DealWriting.create(draft, by: actor, company: company, in: tx)
            }
        }
    }

    @Test func `a first deal makes the default pipeline, and stands in its first stage`() async throws {
        let ground = try await Ground()
        var draft = DealWriting.Draft(name: "Relaunch")
        (draft.amountMinor, draft.currency) = (125_000, "EUR")
        let deal = try await ground.create(draft)
        let rows = try await ground.rows(
            """
            SELECT d.base_minor, d.rate::text AS rate, s.name AS stage, p.is_default, e.seq, e.base_minor AS told,
                   e.member_id IS NOT NULL AS is_told_who, d.created_by IS NOT NULL AS has_maker
              FROM deals d JOIN stages s ON s.company_id = d.company_id AND s.id = d.stage_id
              JOIN pipelines p ON p.company_id = d.company_id AND p.id = d.pipeline_id
              JOIN deal_stage_events e ON e.company_id = d.company_id AND e.deal_id = d.id
             WHERE d.company_id = \(ground.company) AND d.id = \(deal)
            """)
        #expect(rows.count == 1)
        let row = try JSON(row: #require(rows.first))
        #expect(
            row["base_minor"] == 125_000 && row["told"] == 125_000 && row["stage"] == "New"
                && row["seq"] == 1, "\(row)")
        #expect(row["is_default"] == true && row["is_told_who"] == true && row["has_maker"] == true, "\(row)")
    }

    @Test func `64 first deals at once make one pipeline, and stand in one order`() async throws {
        let ground = try await Ground()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<64 {
                group.addTask { _ = try await ground.create(DealWriting.Draft(name: "Deal \(number)")) }
            }
            try await group.waitForAll()
        }
        let rows = try await ground.rows(
            """
            SELECT (SELECT count(*) FROM pipelines WHERE company_id = \(ground.company)) AS pipelines,
                   (SELECT count(*) FROM stages WHERE company_id = \(ground.company)) AS stages,
                   (SELECT count(DISTINCT rank) FROM deals WHERE company_id = \(ground.company)) AS ranks
            """)
        #expect(try rows[0].get("pipelines", as: Int.self) == 1 && rows[0].get("stages", as: Int.self) == 6)
        #expect(try rows[0].get("ranks", as: Int.self) == 64)
    }

    @Test func `a deal goes its way with times that were given, and what it was worth when it was won stays`()
        async throws
    {
        let ground = try await Ground()
        let (actor, company) = (ground.actor, ground.company)
        var draft = DealWriting.Draft(name: "Shop")
        (draft.amountMinor, draft.currency, draft.at) = (100_000, "USD", Timestamp("2026-01-05T09:00:00Z"))
        let deal = try await ground.create(draft)
        _ = try await ground.write { tx in
            try await tx.query(
                """
                INSERT INTO exchange_rates (company_id, currency, on_day, rate)
                VALUES (\(company), 'USD', '2026-02-01', 0.9), (\(company), 'USD', '2026-03-01', 0.8)
                """)
        }
        try await ground.write { tx in
            let at = Timestamp("2026-02-10T09:00:00Z")
            try await DealWriting.win(deal, at: at, by: actor, company: company, in: tx)
            _ = try await tx.query(DealWorth.revalue("TRUE", at: "now()", company: company))
        }
        let way = try await ground.rows(
            "SELECT seq, from_kind, to_kind, base_minor, at FROM deal_stage_events WHERE company_id = \(company) ORDER BY seq"
        )
        #expect(try way.map { try $0.get("base_minor", as: Int64?.self) } == [nil, 90_000])
        #expect(try way.map { try $0.get("to_kind", as: String.self) } == ["open", "won"])
        #expect(try way[1].get("at", as: Timestamp.self) == Timestamp("2026-02-10T09:00:00Z"))
        try await ground.write { tx in try await DealWriting.reopen(deal, by: actor, company: company, in: tx)
        }
        let row = try await ground.rows(
            "SELECT base_minor, stage_kind, closed_at FROM deals WHERE id = \(deal)")[0]
        #expect(
            try row.get("base_minor", as: Int64?.self) == 80_000
                && row.get("stage_kind", as: String.self) == "open")
    }
}
