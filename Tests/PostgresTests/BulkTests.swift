import Loop
import Postgres
import Synchronization
import Testing
import Wire

@Suite struct BulkTests {
    private let tenant = Tenant(company: Ground.first)
    private struct Enough: Error {}

    @Test func `COPY out gives the tenant's rows alone, with values quoted`() async throws {
        let ground = try await Ground()
        let out = Mutex<[UInt8]>([])
        try await ground.database.copyOut(
            "COPY (SELECT text FROM notes WHERE weight >= \(8) AND text <> \("it's \\ \"odd\"") ORDER BY weight) TO STDOUT",
            as: tenant
        ) { bytes in out.withLock { $0 += bytes } }
        #expect(String(decoding: out.withLock { $0 }, as: UTF8.self) == "first 8\nfirst 9\nfirst 10\n")
    }

    @Test func `a large COPY comes in chunks and the connection serves on`() async throws {
        let ground = try await Ground(adjust: { $0.reportsPerLoop = 1 })
        let sizes = Mutex<[Int]>([])
        for _ in 0..<2 {
            sizes.withLock { $0 = [] }
            try await ground.database.copyOut(
                "COPY (SELECT repeat('x', 999) FROM generate_series(1, 5000)) TO STDOUT"
            ) { bytes in
                sizes.withLock { $0.append(bytes.count) }
            }
            #expect(sizes.withLock { $0.reduce(0, +) } == 5_000_000)
            #expect(sizes.withLock { $0.max()! } < 200_000)
        }
        #expect(try await ground.database.report("SELECT 7::int AS x")[0].get("x", as: Int.self) == 7)
    }

    @Test func `a receiver that fails ends the export, and the next one works`() async throws {
        let ground = try await Ground()
        for _ in 0..<3 {
            await #expect(throws: Enough.self) {
                try await ground.database.copyOut(
                    "COPY (SELECT repeat('x', 999) FROM generate_series(1, 50000)) TO STDOUT"
                ) { _ in
                    throw Enough()
                }
            }
        }
        #expect(try await ground.database.report("SELECT 7::int AS x").count == 1)
    }

    @Test func `COPY in takes all rows or none`() async throws {
        let ground = try await Ground()
        let lines = Mutex((0..<20_000).map { "c\($0),\($0)\n" })
        let count = try await ground.database.copyIn("COPY counters FROM STDIN (FORMAT csv)") {
            lines.withLock { lines in
                if lines.isEmpty { return nil }
                defer { lines.removeLast(min(1000, lines.count)) }
                return Array(lines.suffix(1000).joined().utf8)
            }
        }
        #expect(count == 20_000)
        let doubled = Mutex(["x,1\n", "c7,1\n"])
        let error = try await failure {
            try await ground.database.copyIn("COPY counters FROM STDIN (FORMAT csv)") {
                doubled.withLock { $0.popLast().map { Array($0.utf8) } }
            }
        }
        #expect(error.constraintName == "counters_pkey")
        await #expect(throws: Enough.self) {
            let first = Mutex(true)
            _ = try await ground.database.copyIn("COPY counters FROM STDIN (FORMAT csv)") {
                guard
                    first.withLock({ first in
                        defer { first = false }
                        return first
                    })
                else { throw Enough() }
                return Array("never,1\n".utf8)
            }
        }
        #expect(
            try await ground.database.query("SELECT count(*) FROM counters")[0].get(0, as: Int.self) == 20_002
        )
    }

    @Test func `a stream reads row after row from one picture`() async throws {
        let ground = try await Ground()
        let seen = Mutex<[Int]>([])
        try await ground.database.stream(
            "SELECT n::int FROM generate_series(1, \(1234)::int) n", rowsAtOnce: 100
        ) { rows in
            #expect(rows.count <= 100)
            for row in rows {
                let n = try row.get(0, as: Int.self)
                seen.withLock { $0.append(n) }
            }
        }
        #expect(seen.withLock { $0 } == Array(1...1234))
    }

    @Test func `a report that its reader gives up is stopped in the server`() async throws {
        let ground = try await Ground()
        let database = ground.database
        let work = Task { try await database.report("SELECT pg_sleep(60) AS report_nap") }
        let running =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%report_nap%' AND pid <> pg_backend_pid()"
        try await eventually("the report runs") { try ground.test.psql(running) == "1\n" }
        work.cancel()
        #expect(try await failure { try await work.value }.kind == .cancelled)
        try await eventually("the report has ended") { try ground.test.psql(running) == "0\n" }
        #expect(try await database.report("SELECT 1").count == 1)
    }

    @Test func `a report writes nothing`() async throws {
        let ground = try await Ground()
        let error = try await failure {
            try await ground.database.report("DELETE FROM counters RETURNING name")
        }
        #expect(error.sqlState == "25006")
    }
}
