import Loop
import Postgres
import TestCluster
import Testing
import Wire

/// The same promises behind PgBouncer in transaction mode, where two real sessions serve everyone.
@Suite struct PoolerTests {
    private func ground(prepares: Bool) async throws -> (Ground, TestPooler) {
        let pooler = try await Task.detached { try TestPooler(try await TestCluster.shared) }.value
        let ground = try await Ground(
            url: { pooler.url(database: $0.name) },
            adjust: {
                $0.isPooled = true
                $0.preparesStatements = prepares
            })
        return (ground, pooler)
    }

    @Test(arguments: [true, false])
    func `tenants are kept apart although they share sessions`(prepares: Bool) async throws {
        let (ground, pooler) = try await ground(prepares: prepares)
        let database = ground.database
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask(executorPreference: Ground.loops.loops[number % 2]) {
                    let tenant = [Ground.first, Ground.second, nil][number % 3]
                    let wanted = [10, 20, 0][number % 3]
                    let seen = try await database.query("SELECT text FROM notes", as: Tenant(company: tenant))
                    #expect(seen.count == wanted)
                    if number % 5 == 0 {
                        let seen = try await database.transaction(as: Tenant(company: tenant)) { tx in
                            let role = try await tx.query("SELECT current_user::text")[0].get(
                                0, as: String.self)
                            #expect(role == "infinity_app")
                            return try await tx.query("SELECT text FROM notes").count
                        }
                        #expect(seen == wanted)
                    }
                }
            }
            try await group.waitForAll()
        }
        pooler.stop()
    }

    @Test func `without a direct way a listener is told to look for itself`() async throws {
        let (ground, pooler) = try await ground(prepares: false)
        var events = ground.database.listen("news").makeAsyncIterator()
        #expect(await events.next() == .mayHaveMissed)
        #expect(await events.next() == .mayHaveMissed)
        pooler.stop()
    }

    @Test func `migrations run through the pooler`() async throws {
        let pooler = try await Task.detached { try TestPooler(try await TestCluster.shared) }.value
        let database = try await TestCluster.shared.database()
        let one = try Migration(file: "0001_one.sql", sql: "CREATE TABLE one (id int)")
        let two = try Migration(
            file: "0002_two.sql",
            sql: "-- infinity:no-transaction\nCREATE INDEX CONCURRENTLY one_id ON one (id)")
        #expect(
            try await Migrator(url: pooler.url(database: database.name), migrations: [one, two]).migrate()
                .count == 2)
        pooler.stop()
    }
}
