import Postgres
import Synchronization
import Testing
import Wire

@testable import Core

@Suite struct EventsTests {
    private struct Told: Codable, Sendable { var number: Int }
    private static let told = EventType<Told>("tests.told", "Something was told.", example: Told(number: 1))
    private static let other = EventType<Told>("tests.other", "Something else.", example: Told(number: 1))

    private func record(
        _ ground: CoreGround, _ number: Int, company: UUID, _ type: EventType<Told> = told
    ) async throws {
        try await ground.database.transaction(as: Tenant(company: company)) { tx in
            try await Events.record(
                type, Told(number: number), on: "thing", .v7(), by: .system, company: company, in: tx)
        }
    }

    /// Rounds until nothing is left that is due.
    private func dispatch(_ ground: CoreGround, _ dispatchers: EventDispatcher...) async throws {
        try await eventually("all handed on") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for dispatcher in dispatchers {
                    group.addTask { while try await dispatcher.round(ground.work()) == .more {} }
                }
                try await group.waitForAll()
            }
            return try await ground.count(
                """
                SELECT (SELECT count(*) FROM reactions_due due
                         WHERE dead_at IS NULL AND due_at <= now()
                           AND NOT EXISTS (SELECT FROM reactions_due earlier
                                            WHERE earlier.reaction = due.reaction
                                              AND earlier.company_id = due.company_id AND earlier.dead_at IS NULL
                                              AND earlier.position < due.position AND earlier.due_at > now()))
                     + (SELECT count(*) FROM outbox JOIN reactions ON outbox.xid >= reactions.mark)
                """) == 0
        }
    }

    @Test func `each reaction is given each event of its types once and in order, whoever dispatches`()
        async throws
    {
        let ground = try await CoreGround()
        let companies = [UUID.v7(), UUID.v7(), UUID.v7()]
        let seen = Log<(UUID, Int)>()
        let all = Log<String>()
        let reactions = [
            Reaction("tests.keep", on: .types(["tests.told"])) { event, tx, _ in
                let number = event.data["number"]?.intValue ?? 0
                _ = try await tx.query(
                    "INSERT INTO worker_leases (name) VALUES (\("\(event.company) \(number)"))")
                await tx.onCommit { seen.add((event.company, number)) }
            },
            Reaction("tests.count", on: .all) { event, tx, _ in await tx.onCommit { all.add(event.type) } },
        ]
        let (one, two) = (EventDispatcher(reactions), EventDispatcher(reactions))
        _ = try await one.round(ground.work())
        for number in 0..<60 {
            for company in companies { try await record(ground, number, company: company) }
        }
        try await record(ground, 1, company: companies[0], Self.other)
        try await dispatch(ground, one, two)
        for company in companies {
            #expect(seen.entries.filter { $0.0 == company }.map(\.1) == Array(0..<60))
        }
        #expect(all.count == 181)
    }

    @Test func `an event waits for an older transaction that may still record one`() async throws {
        let ground = try await CoreGround()
        let company = UUID.v7()
        let seen = Log<Int>()
        let dispatcher = EventDispatcher([
            Reaction("tests.order", on: .all) { event, tx, _ in
                let number = event.data["number"]?.intValue ?? 0
                await tx.onCommit { seen.add(number) }
            }
        ])
        _ = try await dispatcher.round(ground.work())
        try await ground.database.transaction(as: Tenant(company: company)) { tx in
            try await Events.record(
                Self.told, Told(number: 1), on: "thing", .v7(), by: .system, company: company, in: tx)
            try await record(ground, 2, company: company)
            while try await dispatcher.round(ground.work()) == .more {}
            #expect(seen.count == 0)
        }
        try await dispatch(ground, dispatcher)
        #expect(seen.entries == [1, 2])
    }

    @Test func `a failing reaction holds up its own company alone, and in the end puts the event aside`()
        async throws
    {
        let ground = try await CoreGround()
        let (bad, good) = (UUID.v7(), UUID.v7())
        struct Broken: Error {}
        let (seen, beside) = (Log<(UUID, Int)>(), Log<Int>())
        let dispatcher = EventDispatcher([
            Reaction("tests.fails", on: .all) { event, tx, _ in
                let number = event.data["number"]?.intValue ?? 0
                if event.company == bad && number == 2 { throw Broken() }
                await tx.onCommit { seen.add((event.company, number)) }
            },
            Reaction("tests.beside", on: .all) { event, tx, _ in await tx.onCommit { beside.add(1) } },
        ])
        _ = try await dispatcher.round(ground.work())
        for number in 1...3 {
            try await record(ground, number, company: bad)
            try await record(ground, number, company: good)
        }
        try await dispatch(ground, dispatcher)
        #expect(seen.entries.filter { $0.0 == good }.map(\.1) == [1, 2, 3])
        #expect(seen.entries.filter { $0.0 == bad }.map(\.1) == [1])
        #expect(beside.count == 6)
        try await eventually("put aside") {
            _ = try await ground.database.query(
                "UPDATE reactions_due SET due_at = now() WHERE dead_at IS NULL")
            _ = try await dispatcher.round(ground.work())
            return try await ground.count("SELECT count(*) FROM reactions_due WHERE dead_at IS NOT NULL") == 1
        }
        try await dispatch(ground, dispatcher)
        #expect(seen.entries.filter { $0.0 == bad }.map(\.1) == [1, 3])
        #expect(
            try await ground.count("SELECT jsonb_array_length(errors) FROM reactions_due")
                == EventLimits.attemptsMax)
    }
}
