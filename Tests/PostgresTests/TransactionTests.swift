import Loop
import Postgres
import Synchronization
import Testing
import Wire

private final class Count: Sendable { let value = Atomic<Int>(0) }

@Suite struct TransactionTests {
    private let tenant = Tenant(company: Ground.first)

    @Test func `a transaction holds what it did when it returns`() async throws {
        let ground = try await Ground()
        let count = try await ground.database.transaction(as: tenant) { tx in
            _ = try await tx.query("INSERT INTO notes VALUES (\(Ground.first), \(UUID.v7()), 'kept')")
            return try await tx.query("SELECT FROM notes").count
        }
        #expect(count == 11)
        #expect(try await ground.database.query("SELECT FROM notes", as: tenant).count == 11)
    }

    @Test func `a transaction that throws has done nothing`() async throws {
        struct Change: Error {}
        let ground = try await Ground()
        await #expect(throws: Change.self) {
            try await ground.database.transaction(as: tenant) { tx in
                _ = try await tx.query("DELETE FROM notes")
                throw Change()
            }
        }
        #expect(try await ground.database.query("SELECT FROM notes", as: tenant).count == 10)
    }

    @Test func `a transaction sees its tenant alone`() async throws {
        let ground = try await Ground()
        let first = try await ground.database.transaction(as: tenant) {
            try await $0.query("SELECT FROM notes").count
        }
        let none = try await ground.database.transaction { try await $0.query("SELECT FROM notes").count }
        #expect(first == 10 && none == 0)
    }

    @Test func `a failed statement that was swallowed does not look committed`() async throws {
        let ground = try await Ground()
        let error = try await failure {
            try await ground.database.transaction(as: tenant) { tx in
                _ = try await tx.query("DELETE FROM notes")
                _ = try? await tx.query("SELECT 1 / 0")
            }
        }
        #expect(error.debugText.contains("rolled back"))
        #expect(try await ground.database.query("SELECT FROM notes", as: tenant).count == 10)
    }

    @Test func `a savepoint undoes its own part alone`() async throws {
        let ground = try await Ground()
        try await ground.database.transaction(as: tenant) { tx in
            _ = try await tx.query("UPDATE notes SET weight = 70 WHERE text = 'first 1'")
            _ = try? await tx.savepoint {
                try await tx.query("UPDATE notes SET weight = -1 WHERE text = 'first 2'")
            }
            _ = try await tx.savepoint {
                try await tx.query("UPDATE notes SET weight = 70 WHERE text = 'first 3'")
            }
        }
        #expect(try await ground.database.query("SELECT FROM notes WHERE weight = 70", as: tenant).count == 2)
    }

    @Test func `two transactions in each other's way both end well`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let bodies = Count()
        await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5 {
                        try await database.transaction(isolation: .serializable) { tx in
                            bodies.value.add(1, ordering: .relaxed)
                            let value = try await tx.query("SELECT value FROM counters WHERE name = 'a'")[0]
                                .get("value", as: Int.self)
                            _ = try await tx.query(
                                "UPDATE counters SET value = \(value + 1) WHERE name = 'a'")
                        }
                    }
                }
            }
            while let result = await group.nextResult() {
                // Eight at one row may use up their tries; what must not happen is a lost update.
                if case .failure(let error) = result {
                    #expect((error as? DatabaseError)?.kind == .serialization)
                }
            }
        }
        let committed = try await database.query("SELECT value FROM counters WHERE name = 'a'")[0].get(
            0, as: Int.self)
        #expect(committed > 0 && committed <= 40)
        #expect(bodies.value.load(ordering: .relaxed) > committed)
        #expect(database.statistics.transactionRetries > 0)
    }

    @Test func `the last statements and the commit are one round trip`() async throws {
        let ground = try await Ground()
        let rows = try await ground.database.transaction(as: tenant) { tx in
            _ = try await tx.query("UPDATE notes SET weight = 50 WHERE text = 'first 1'")
            return try await tx.finish(with: [
                "UPDATE notes SET weight = 51 WHERE text = 'first 2'", "SELECT 1",
            ])
        }
        #expect(rows.count == 2 && rows[0].affected == 1)
        #expect(
            try await ground.database.query("SELECT FROM notes WHERE weight >= 50", as: tenant).count == 2)
        let error = try await failure {
            try await ground.database.transaction(as: tenant) { tx in
                _ = try await tx.query("UPDATE notes SET weight = 60 WHERE text = 'first 1'")
                return try await tx.finish(with: ["UPDATE notes SET weight = -1 WHERE text = 'first 2'"])
            }
        }
        #expect(error.constraintName == "notes_weight_not_negative")
        #expect(try await ground.database.query("SELECT FROM notes WHERE weight = 60", as: tenant).isEmpty)
    }

    @Test func `a request that meets a lock waits for it without holding up the others`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let loop = Ground.loops.loops[0]
        try await Task(executorPreference: loop) {
            try await database.transaction { tx in
                _ = try await tx.query("UPDATE counters SET value = 10 WHERE name = 'a'")
                let waiting = Task(executorPreference: loop) {
                    try await database.query("UPDATE counters SET value = value + 1 WHERE name = 'a'")
                        .affected
                }
                try await eventually("the request goes elsewhere") { database.statistics.diversions == 1 }
                // The same shared connection serves others meanwhile, and this transaction itself.
                #expect(try await database.query("SELECT 1::int")[0].get(0, as: Int.self) == 1)
                await tx.onCommit { #expect((try? await waiting.value) == 1) }
            }
        }.value
        #expect(
            try await database.query("SELECT value FROM counters WHERE name = 'a'")[0].get(0, as: Int.self)
                == 11)
    }

    @Test func `a deadlock is run again`() async throws {
        let ground = try await Ground()
        let database = ground.database
        @Sendable func both(_ first: String, _ second: String) async throws {
            try await database.transaction { tx in
                _ = try await tx.query("UPDATE counters SET value = value + 1 WHERE name = \(first)")
                _ = try await tx.query("SELECT pg_sleep(0.05)")
                _ = try await tx.query("UPDATE counters SET value = value + 1 WHERE name = \(second)")
            }
        }
        async let forth: Void = both("a", "b")
        async let back: Void = both("b", "a")
        _ = try await (forth, back)
        let values = try await database.query("SELECT value FROM counters ORDER BY name")
        #expect(try values.map { try $0.get("value", as: Int.self) } == [2, 2])
    }

    @Test func `what is to follow a commit follows it, and nothing follows a rollback`() async throws {
        let ground = try await Ground()
        let done = Mutex<[String]>([])
        try await ground.database.transaction { tx in
            await tx.onCommit { done.withLock { $0.append("committed") } }
            _ = try await tx.query("SELECT 1")
            #expect(done.withLock { $0.isEmpty })
        }
        _ = try? await ground.database.transaction { tx in
            await tx.onCommit { done.withLock { $0.append("never") } }
            _ = try await tx.query("SELECT 1 / 0")
        }
        #expect(done.withLock { $0 } == ["committed"])
    }

    @Test func `who finds no free connection in time is told that there is none`() async throws {
        let ground = try await Ground(adjust: {
            $0.leasesPerLoop = 1
            $0.leaseDeadline = .milliseconds(200)
        })
        let database = ground.database
        let loop = Ground.loops.loops[0]
        try await eventually("the one connection is open") {
            await Task(executorPreference: loop) {
                (try? await database.transaction { _ = try await $0.query("SELECT 1") }) != nil
            }.value
        }
        let error = await Task(executorPreference: loop) { () -> DatabaseError? in
            try? await database.transaction { _ in
                do {
                    try await database.transaction { tx in _ = try await tx.query("SELECT 1") }
                    return nil
                } catch {
                    return error as? DatabaseError
                }
            }
        }.value
        #expect(error?.isUnavailable == true)
        #expect(error?.debugText == "no connection became free in time")
    }

    @Test func `a statement beyond its deadline is stopped`() async throws {
        let ground = try await Ground()
        let error = try await failure {
            try await ground.database.transaction(deadline: .milliseconds(100)) { tx in
                _ = try await tx.query("SELECT pg_sleep(10)")
            }
        }
        #expect(error.kind == .timedOut)
    }

    @Test func `a cancelled task stops its statement in the server`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let work = Task {
            try await database.transaction { tx in _ = try await tx.query("SELECT pg_sleep(60) AS long_nap") }
        }
        try await eventually("the statement runs") {
            try ground.test.psql(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%long_nap%' AND query NOT LIKE '%count%'"
            ) == "1\n"
        }
        work.cancel()
        let error = try await failure { try await work.value }
        #expect(error.kind == .cancelled)
        try await eventually("the statement has ended") {
            try ground.test.psql(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%long_nap%' AND query NOT LIKE '%count%'"
            ) == "0\n"
        }
    }

    @Test func `a batch tells what was wrong with it, not that the rest then failed`() async throws {
        let ground = try await Ground()
        let error = try await failure {
            try await ground.database.transaction { tx in
                _ = try await tx.query("SELECT 1")
                _ = try await tx.batch([
                    "SELECT 2 AS two", "SELECT no_such_column FROM counters", "SELECT 3 AS three",
                ])
            }
        }
        #expect(error.sqlState == "42703")
    }
}
