import Glibc
import Postgres
import TestCluster
import Testing

@Suite struct MigratorTests {
    private func migration(_ file: String, _ sql: String) throws -> Migration {
        try Migration(file: file, sql: sql)
    }

    private func first() throws -> Migration {
        try migration("0001_one.sql", "CREATE TABLE one (id int CONSTRAINT one_pkey PRIMARY KEY)")
    }
    private func second() throws -> Migration {
        try migration("0002_two.sql", "CREATE TABLE two (id int); CREATE TABLE three (id int);")
    }

    private func empty() async throws -> TestDatabase { try await TestCluster.shared.database() }

    private func refusal(_ database: TestDatabase, _ migrations: [Migration]) async throws -> String {
        do {
            try await Migrator(url: database.url, migrations: migrations).migrate()
            return "nothing"
        } catch let error as MigrationError {
            return error.description
        }
    }

    @Test func `migrations are applied once, in order`() async throws {
        let database = try await empty()
        let migrator = try Migrator(url: database.url, migrations: [second(), first()])
        #expect(try await migrator.migrate() == ["0001_one", "0002_two"])
        #expect(try await migrator.migrate().isEmpty)
        #expect(try await migrator.status().allSatisfy { $0.state != .pending })
        #expect(try database.psql("SELECT count(*) FROM one, two, three") == "0\n")
    }

    private let ownFolder =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Migrations"

    @Test func `the project's own migrations make a role that row-level security binds`() async throws {
        let database = try await empty()
        let migrator = try Migrator(url: database.url, folder: ownFolder)
        try await migrator.migrate()
        #expect(
            try database.psql("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'infinity_app'")
                == "f\n")
        let served = Database(DatabaseConfiguration(url: database.url), loops: Ground.loops)
        #expect(
            try await served.query("SELECT current_user::text")[0].get(0, as: String.self) == "infinity_app")
        #expect(try await migrator.isCurrent(on: served))
        await served.close()
    }

    @Test func `an owner who may not make roles migrates and serves as himself`() async throws {
        let database = try await empty()
        try await Migrator(url: empty().url, folder: ownFolder).migrate()
        try database.psql("CREATE ROLE plain_owner LOGIN")
        try database.psql("ALTER DATABASE \(database.name) OWNER TO plain_owner")
        let url = database.url(user: "plain_owner")
        try await Migrator(url: url, folder: ownFolder).migrate()
        let served = Database(DatabaseConfiguration(url: url), loops: Ground.loops)
        #expect(
            try await served.query("SELECT current_user::text")[0].get(0, as: String.self) == "plain_owner")
        await served.close()
    }

    @Test func `a superuser without the role to become does not serve`() async throws {
        let database = try await empty()
        var configuration = DatabaseConfiguration(url: database.url)
        configuration.role = "nobody_made_me"
        let served = Database(configuration, loops: Ground.loops)
        let error = try await failure { try await served.query("SELECT 1") }
        #expect(error.isUnavailable && error.debugText.contains("run `infinity migrate`"))
        await served.close()
    }

    @Test func `a failing migration leaves nothing of itself`() async throws {
        let database = try await empty()
        let broken = try migration("0002_broken.sql", "CREATE TABLE half (id int); SELECT 1/0;")
        let text = try await refusal(database, [try first(), broken])
        #expect(text.contains("0002_broken failed") && text.contains("division by zero"))
        #expect(
            try database.psql("SELECT to_regclass('half') IS NULL, to_regclass('one') IS NOT NULL") == "t|t\n"
        )
    }

    @Test func `a changed migration stops everything`() async throws {
        let database = try await empty()
        _ = try await refusal(database, [try first()])
        let text = try await refusal(database, [try migration("0001_one.sql", "SELECT 1"), try second()])
        #expect(text.contains("0001_one was changed after it had been applied"))
        #expect(try database.psql("SELECT to_regclass('two') IS NULL") == "t\n")
    }

    @Test func `a missing migration stops everything`() async throws {
        let database = try await empty()
        _ = try await refusal(database, [try first()])
        #expect(
            try await refusal(database, [try second()]).contains("0001_one, which is not among the files"))
    }

    @Test func `a migration that comes too late is refused`() async throws {
        let database = try await empty()
        _ = try await refusal(database, [try second()])
        #expect(
            try await refusal(database, [try first(), try second()]).contains("give it a number above 2"))
    }

    @Test func `a bad name and a number used twice are refused`() throws {
        #expect(throws: MigrationError.self) { try migration("one.sql", "") }
        #expect(throws: MigrationError.self) { try migration("0001-One.sql", "") }
        #expect(throws: MigrationError.self) {
            try Migrator(url: "", migrations: [first(), migration("0001_other.sql", "")])
        }
    }

    @Test func `what cannot run in a transaction says so and runs statement by statement`() async throws {
        let database = try await empty()
        let index = try migration(
            "0002_index.sql",
            """
            -- infinity:no-transaction
            -- One index; a semicolon in a comment ends nothing.
            CREATE INDEX CONCURRENTLY one_id ON one (id);
            CREATE INDEX CONCURRENTLY one_id_again ON one (id, (id::text || ';'));
            """)
        try await Migrator(url: database.url, migrations: [first(), index]).migrate()
        #expect(try database.psql("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'one_id%'") == "2\n")
    }

    @Test func `a migration may not end its own transaction`() async throws {
        let database = try await empty()
        let text = try await refusal(
            database, [try migration("0001_one.sql", "CREATE TABLE one (id int); COMMIT")])
        #expect(text.contains("leave COMMIT and ROLLBACK out"))
    }

    @Test func `many instances migrate at once and each migration runs once`() async throws {
        let database = try await empty()
        let slow = try migration("0002_slow.sql", "SELECT pg_sleep(0.1); CREATE TABLE slow (id int)")
        let migrator = try Migrator(url: database.url, migrations: [first(), slow])
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 { group.addTask { try await migrator.migrate() } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["0001_one", "0002_slow"])
    }

    @Test func `a migration that cannot have its lock waits and tries again`() async throws {
        let database = try await empty()
        try await Migrator(url: database.url, migrations: [first()]).migrate()
        let blocker = try ChildProcess(
            ["psql", "-Xq", "-c", "BEGIN; LOCK TABLE one; SELECT pg_sleep(60)", database.url],
            log: "/dev/null")
        defer { blocker.signal(SIGTERM) }
        func locks(granted: Bool) throws -> String {
            try database.psql(
                "SELECT count(*) FROM pg_locks WHERE relation = 'one'::regclass AND granted = \(granted)")
        }
        try await eventually(within: .seconds(20), "the table is locked") {
            try locks(granted: true) == "1\n"
        }
        let alter = try migration("0002_alter.sql", "ALTER TABLE one ADD COLUMN note text")
        var migrator = try Migrator(url: database.url, migrations: [first(), alter])
        migrator.lockDeadline = .milliseconds(700)
        migrator.lockTries = 1000
        let waiting = migrator
        async let applied = waiting.migrate()
        try await eventually(within: .seconds(20), "the migration waits") {
            try locks(granted: false) == "1\n"
        }
        try database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE one%' AND pid <> pg_backend_pid()"
        )
        #expect(try await applied == ["0002_alter"])
    }
}
