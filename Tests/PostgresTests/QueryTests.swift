import Loop
import Postgres
import Testing
import Wire

@Suite struct QueryTests {
    @Test func `a query that forgets company_id sees only its tenant's rows`() async throws {
        let ground = try await Ground()
        let all: SQL = "SELECT text FROM notes"
        #expect(try await ground.database.query(all, as: Tenant(company: Ground.first)).count == 10)
        #expect(try await ground.database.query(all, as: Tenant(company: Ground.second)).count == 20)
    }

    @Test func `a query without a tenant sees no row of any`() async throws {
        let ground = try await Ground()
        #expect(try await ground.database.query("SELECT * FROM notes").isEmpty)
        // Also on a connection that has just served a tenant.
        _ = try await ground.database.query("SELECT * FROM notes", as: Tenant(company: Ground.first))
        for _ in 0..<4 { #expect(try await ground.database.query("SELECT * FROM notes").isEmpty) }
    }

    @Test func `a row of another tenant cannot be written`() async throws {
        let ground = try await Ground()
        let error = try await failure {
            try await ground.database.query(
                "INSERT INTO notes (company_id, id, text) VALUES (\(Ground.second), \(UUID.v7()), 'smuggled')",
                as: Tenant(company: Ground.first))
        }
        #expect(error.kind == .forbidden)
    }

    @Test func `the user reaches the session beside the company`() async throws {
        let ground = try await Ground()
        let user = UUID.v7()
        let rows = try await ground.database.query(
            "SELECT current_setting('app.user_id', true) AS user, current_setting('app.company_id', true) AS company",
            as: Tenant(company: Ground.first, user: user))
        #expect(try rows[0].get("user", as: String.self) == user.description)
        #expect(try rows[0].get("company", as: String.self) == Ground.first.description)
    }

    @Test func `answers come back to the one who asked, errors among them`() async throws {
        let ground = try await Ground()
        let database = ground.database
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask(executorPreference: Ground.loops.loops[number % 2]) {
                    if number % 7 == 3 {
                        let error = try await failure {
                            try await database.query("SELECT 1 / (\(number)::int - \(number)::int) AS x")
                        }
                        #expect(error.kind == .invalidValue)
                    } else if number % 11 == 5 {
                        let error = try await failure {
                            try await database.query("SELECT nonsense \(unescaped: "n\(number)") FROM")
                        }
                        #expect(error.sqlState == "42601")
                    } else {
                        let rows = try await database.query(
                            "SELECT \(number)::int AS number, count(*) AS notes FROM notes",
                            as: Tenant(company: Ground.first))
                        #expect(try rows[0].get("number", as: Int.self) == number)
                        #expect(try rows[0].get("notes", as: Int.self) == 10)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a batch is all or nothing`() async throws {
        let ground = try await Ground()
        let tenant = Tenant(company: Ground.first)
        let error = try await failure {
            try await ground.database.batch(
                [
                    "UPDATE notes SET weight = 100 WHERE text = 'first 1'",
                    "UPDATE notes SET weight = -1 WHERE text = 'first 2'",
                    "UPDATE notes SET weight = 100 WHERE text = 'first 3'",
                ], as: tenant)
        }
        #expect(error.constraintName == "notes_weight_not_negative")
        #expect(try await ground.database.query("SELECT FROM notes WHERE weight = 100", as: tenant).isEmpty)
        let done = try await ground.database.batch(
            [
                "UPDATE notes SET weight = 100 WHERE text = 'first 1'",
                "SELECT weight FROM notes WHERE text = 'first 1'",
            ], as: tenant)
        #expect(done[0].affected == 1)
        #expect(try done[1][0].get("weight", as: Int.self) == 100)
    }

    @Test func `a broken constraint is known by its kind, name and table`() async throws {
        let ground = try await Ground()
        let tenant = Tenant(company: Ground.first)
        let error = try await failure {
            try await ground.database.query(
                "INSERT INTO notes (company_id, id, text) VALUES (\(Ground.first), \(UUID.v7()), 'first 1')",
                as: tenant)
        }
        #expect(error.kind == .constraint(.unique, name: "notes_text_unique", table: "notes"))
        #expect(!"\(error)".contains("first 1"))
        #expect(error.debugText.contains("notes_text_unique"))
    }

    @Test func `a NUL in a text is refused before it is sent`() async throws {
        let ground = try await Ground()
        let error = try await failure { try await ground.database.query("SELECT \("a\0b") AS text") }
        #expect(error.kind == .invalidText)
        let inJSON = try await failure {
            try await ground.database.query("SELECT \(#"{"a":"\u0000"}"#)::jsonb AS j")
        }
        #expect(inJSON.kind == .invalidText)
    }

    @Test func `a table that changed under a prepared statement is read anew`() async throws {
        let ground = try await Ground()
        for _ in 0..<4 { _ = try await ground.database.query("SELECT * FROM counters ORDER BY name") }
        try ground.test.psql("ALTER TABLE counters ADD COLUMN note text DEFAULT 'new'")
        for _ in 0..<4 {
            let rows = try await ground.database.query("SELECT * FROM counters ORDER BY name")
            #expect(rows.columns == ["name", "value", "note"])
        }
    }

    @Test func `more statements than are kept prepared still run`() async throws {
        let ground = try await Ground(adjust: { $0.leasesPerLoop = 1 })
        for number in 0..<1300 {
            let rows = try await ground.database.query("SELECT \(unescaped: String(number)) AS number")
            #expect(try rows[0].get("number", as: Int.self) == number)
        }
    }

    @Test func `a request with a deadline of its own is given up at it, and stopped in the server`()
        async throws
    {
        let ground = try await Ground()
        let database = ground.database
        let started = ContinuousClock.now
        let error = try await failure {
            try await database.query("SELECT pg_sleep(30)", deadline: .milliseconds(200))
        }
        #expect(error.kind == .timedOut)
        #expect(ContinuousClock.now - started < .seconds(10))
        #expect(try await database.query("SELECT 1").count == 1)
    }

    @Test func `what is counted adds up`() async throws {
        let ground = try await Ground()
        for _ in 0..<5 { _ = try await ground.database.query("SELECT 1") }
        _ = try? await ground.database.query("SELECT 1 / 0")
        let statistics = ground.database.statistics
        #expect(statistics.requests == 6 && statistics.failures == 1)
        #expect(statistics.latencyCounts.reduce(0, +) == 6)
        #expect(statistics.secondsTotal > 0 && statistics.openConnections > 0)
    }
}
