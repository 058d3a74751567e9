import Loop
import Postgres
import Synchronization
import TestCluster
import Testing
import Wire

/// Everything at once, with backends dying all the while.
@Suite struct StormTests {
    private final class Tally: Sendable {
        let answered = Atomic<Int>(0)
        let refused = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let committed = Atomic<Int>(0)
        let unknown = Atomic<Int>(0)
    }

    @Test func `whoever asks is answered once and with his own rows, whatever dies`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let tally = Tally()
        let asked = 3000
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<asked {
                group.addTask(executorPreference: Ground.loops.loops[number % 2]) {
                    do {
                        try await Self.ask(database, number, tally)
                        tally.answered.add(1, ordering: .relaxed)
                    } catch let error as DatabaseError
                        where error.isUnavailable || error.kind == .serialization
                    {
                        tally.refused.add(1, ordering: .relaxed)
                    }
                }
            }
            group.addTask {
                for _ in 0..<10 {
                    try ground.test.psql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5"
                    )
                }
            }
            try await group.waitForAll()
        }
        #expect(tally.answered.load(ordering: .relaxed) + tally.refused.load(ordering: .relaxed) == asked)
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        #expect(tally.answered.load(ordering: .relaxed) > 0)
        // What was said to be done is done; what nobody knows of may be.
        let value = try ground.test.psql("SELECT value FROM counters WHERE name = 'a'")
        let committed = tally.committed.load(ordering: .relaxed)
        let found = Int(value.dropLast()) ?? -1
        #expect(found >= committed && found <= committed + tally.unknown.load(ordering: .relaxed))
    }

    private static func ask(_ database: Database, _ number: Int, _ tally: Tally) async throws {
        let tenant = number % 2 == 0 ? Ground.first : Ground.second
        if number % 10 == 7 {
            do {
                try await database.transaction { tx in
                    _ = try await tx.query("UPDATE counters SET value = value + 1 WHERE name = 'a'")
                }
                tally.committed.add(1, ordering: .relaxed)
            } catch let error as DatabaseError {
                if error.isEffectUnknown { tally.unknown.add(1, ordering: .relaxed) }
                throw error
            }
            return
        }
        let rows = try await database.query(
            "SELECT \(number)::int AS number, count(*) AS notes FROM notes", as: Tenant(company: tenant))
        let isRight =
            try rows[0].get("number", as: Int.self) == number
            && rows[0].get("notes", as: Int.self) == (number % 2 == 0 ? 10 : 20)
        if !isRight { tally.wrong.add(1, ordering: .relaxed) }
    }

    @Test func `a replica that is away is replaced by the primary`() async throws {
        let ground = try await Ground(adjust: {
            $0.replicaURL = "postgresql://postgres@/nowhere?host=/tmp&port=1"
        })
        #expect(
            try await ground.database.replica(
                "SELECT count(*) FROM notes", as: Tenant(company: Ground.first))[0].get(0, as: Int.self) == 10
        )
        let served = try await Ground(adjust: { _ in })
        #expect(try await served.database.replica("SELECT 1").count == 1)
    }

    @Test func `a full queue refuses at once instead of waiting`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let loop = Ground.loops.loops[0]
        _ = try await Task(executorPreference: loop) { try await database.query("SELECT 1") }.value
        let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<1300 {
                group.addTask(executorPreference: loop) {
                    do {
                        _ = try await database.query("SELECT pg_sleep(0.0001)")
                        return false
                    } catch let error as DatabaseError {
                        #expect(error.isUnavailable)
                        return true
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused > 0 && refused < 1300)
    }
}
