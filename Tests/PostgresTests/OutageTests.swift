import Glibc
import Loop
import Postgres
import TestCluster
import Testing
import Wire

/// Each test that takes the server down has one of its own. The times are what a busy machine keeps as well; the pauses
/// between dials, half a second at most, are what bounds them.
@Suite(.serialized) struct OutageTests {
    private func cluster() async throws -> TestCluster {
        try await Task.detached { try TestCluster() }.value
    }

    private func serve(_ url: String, _ adjust: (inout DatabaseConfiguration) -> Void = { _ in }) -> Database
    {
        var configuration = DatabaseConfiguration(url: url)
        configuration.role = nil
        adjust(&configuration)
        return Database(configuration, loops: Ground.loops)
    }

    @Test func `a backend that is terminated is replaced, and who waited on it is told`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let loop = Ground.loops.loops[0]
        let nap = Task(executorPreference: loop) {
            try await failure { try await database.query("SELECT pg_sleep(4) AS doomed_nap") }
        }
        try await eventually("the statement runs") {
            try ground.test.psql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%doomed_nap%' AND pid <> pg_backend_pid()"
            ) == "1\n"
        }
        let error = try await nap.value
        #expect(error.isUnavailable)
        let one = try await Task(executorPreference: loop) {
            try await database.query("SELECT 1 AS one")[0].get("one", as: Int.self)
        }.value
        #expect(one == 1)
    }

    @Test func `idle leased connections that were terminated are not handed out`() async throws {
        let ground = try await Ground()
        for _ in 0..<4 { try await ground.database.transaction { _ = try await $0.query("SELECT 1") } }
        try ground.test.psql(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        try await eventually("transactions work again") {
            (try? await ground.database.transaction { _ = try await $0.query("SELECT 1") }) != nil
        }
    }

    @Test func `while the server is away requests fail at once, and soon after its return they work`()
        async throws
    {
        let cluster = try await cluster()
        defer { cluster.remove() }
        let database = serve(cluster.url(database: "postgres"))
        _ = try await database.query("SELECT 1")
        try await eventually("every loop is connected") { database.state == .up }
        cluster.kill()
        try await eventually("the loss is known") { if case .down = database.state { true } else { false } }
        let started = ContinuousClock.now
        var unknown = 0
        for _ in 0..<20 {
            let error = try await failure { try await database.query("SELECT 1") }
            #expect(error.isUnavailable)
            if error.isEffectUnknown { unknown += 1 }
            #expect(
                try await failure { try await database.transaction { try await $0.query("SELECT 1") } }
                    .isUnavailable)
        }
        // A backend that outlives the first process by a moment may take one request of its loop along.
        #expect(unknown <= Ground.loops.loops.count)
        #expect(ContinuousClock.now - started < .seconds(3))
        try cluster.start()
        let back = ContinuousClock.now
        try await eventually("queries work on every loop") {
            for loop in Ground.loops.loops {
                guard
                    await Task(executorPreference: loop, operation: { try? await database.query("SELECT 1") })
                        .value != nil
                else { return false }
            }
            return true
        }
        #expect(ContinuousClock.now - back < .seconds(3))
        #expect(database.state == .up)
        try await database.transaction { _ = try await $0.query("SELECT 1") }
        await database.close()
    }

    @Test func `a shutdown in good order is survived as well`() async throws {
        let cluster = try await cluster()
        defer { cluster.remove() }
        let database = serve(cluster.url(database: "postgres"))
        _ = try await database.query("SELECT 1")
        cluster.stop()
        try cluster.start()
        try await eventually("queries work") { (try? await database.query("SELECT 1")) != nil }
        await database.close()
    }

    @Test func `the next host takes over when the first one stops taking writes`() async throws {
        let (one, two) = (try await cluster(), try await cluster())
        defer {
            one.remove()
            two.remove()
        }
        for cluster in [one, two] { try cluster.psql("CREATE TABLE written (id int)") }
        try two.psql("ALTER SYSTEM SET default_transaction_read_only = on")
        try two.psql("SELECT pg_reload_conf()")
        let url = "postgresql://postgres@/postgres?host=127.0.0.1,127.0.0.1&port=\(one.port),\(two.port)"
        let database = serve(url)
        func port() async throws -> Int? {
            try? await database.query("SELECT inet_server_port() AS port")[0].get("port", as: Int.self)
        }
        #expect(try await port() == one.port)
        // The roles change: what was first refuses writes from now on, as a primary that became a standby does.
        try two.psql("ALTER SYSTEM SET default_transaction_read_only = off")
        try two.psql("SELECT pg_reload_conf()")
        try one.psql("ALTER SYSTEM SET default_transaction_read_only = on")
        try one.psql("SELECT pg_reload_conf()")
        try await eventually("the writes of every loop go to the new primary") {
            for loop in Ground.loops.loops {
                let reached = await Task(executorPreference: loop) {
                    guard (try? await database.query("INSERT INTO written VALUES (1)")) != nil else {
                        return Int?.none
                    }
                    return try? await port()
                }.value
                guard reached == two.port else { return false }
            }
            return true
        }
        await database.close()
    }

    @Test func `a listener hears what is sent, and after a loss is told that it may have missed some`()
        async throws
    {
        let ground = try await Ground()
        var events = ground.database.listen("news").makeAsyncIterator()
        /// What is heard next; how often it was told to look for itself before that.
        func heard() async -> (payload: String?, gaps: Int) {
            var gaps = 0
            while let event = await events.next() {
                switch event {
                case .mayHaveMissed: gaps += 1
                case .notification(_, let payload): return (payload, gaps)
                }
            }
            return (nil, gaps)
        }
        try await eventually("the listener is connected") { try ground.test.psql(listeners) == "1\n" }
        try await ground.database.notify("news", "one")
        let one = await heard()
        #expect(one.payload == "one" && one.gaps > 0)
        try await ground.database.transaction { tx in
            try await tx.notify("news", "two")
            _ = try await tx.query("SELECT 1")
        }
        let two = await heard()
        #expect(two.payload == "two" && two.gaps == 0)
        try ground.test.psql("SELECT pg_terminate_backend(pid, 5000) FROM (\(sessions)) s")
        try await eventually("the listener is connected again") { try ground.test.psql(listeners) == "1\n" }
        try await ground.database.notify("news", "three")
        let three = await heard()
        #expect(three.payload == "three" && three.gaps > 0)
    }

    private let sessions = """
        SELECT pid FROM pg_stat_activity
        WHERE application_name = 'infinity listen' AND datname = current_database() AND query <> '' AND state = 'idle'
        """
    private var listeners: String { "SELECT count(*) FROM (\(sessions)) s" }

    @Test func `a listener whose database is away is told to look for itself`() async throws {
        let database = serve("postgresql://postgres@/nowhere?host=/tmp&port=1")
        var events = database.listen("news").makeAsyncIterator()
        #expect(await events.next() == .mayHaveMissed)
        #expect(await events.next() == .mayHaveMissed)
        await database.close()
        while let event = await events.next() { #expect(event == .mayHaveMissed) }
    }
}
