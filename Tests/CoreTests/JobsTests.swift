import Postgres
import Synchronization
import Testing
import Wire

@testable import Core

@Suite struct JobsTests {
    private static let errand = JobKind<Errand>(
        "tests.errand", attemptsMax: 3, backoff: .schedule([.milliseconds(20)]))

    @Test func `a job of a transaction that is rolled back does not exist`() async throws {
        let ground = try await CoreGround()
        struct Regret: Error {}
        await #expect(throws: Regret.self) {
            try await ground.database.transaction { tx in
                _ = try await Jobs.enqueue(Self.errand, Errand(number: 1), company: nil, in: tx)
                throw Regret()
            }
        }
        #expect(try await ground.states() == [:])
    }

    @Test func `jobs run in order of priority and time and move to the finished ones`() async throws {
        let ground = try await CoreGround()
        let seen = Log<Int>()
        for (number, priority) in [(1, 5), (2, 5), (3, 0), (4, 9)] {
            try await ground.enqueue(Self.errand, number, priority: priority)
        }
        let engine = ground.engine(
            [
                JobHandler(Self.errand) { errand, _ in
                    seen.add(errand.number)
                    return .done
                }
            ], queues: [JobQueue("default", concurrency: 1)])
        engine.start()
        try await eventually("all done") { try await ground.states() == ["done": 4] }
        #expect(seen.entries == [3, 1, 2, 4])
        await engine.stop()
    }

    @Test func `two workers share a backlog and run each job once`() async throws {
        let ground = try await CoreGround()
        let seen = Log<Int>()
        let numbers = (0..<1500).map(Errand.init)
        try await ground.database.transaction { tx in
            _ = try await Jobs.enqueue(Self.errand, all: numbers, company: nil, in: tx)
        }
        let engines = (0..<2).map { _ in
            ground.engine([
                JobHandler(Self.errand) { errand, _ in
                    seen.add(errand.number)
                    return .done
                }
            ])
        }
        for engine in engines { engine.start() }
        try await eventually("all done") { try await ground.states() == ["done": 1500] }
        #expect(seen.entries.sorted() == Array(0..<1500))
        for engine in engines { await engine.stop() }
    }

    @Test func `a failing job is tried again and is dead in the end, with the error of each attempt`()
        async throws
    {
        let ground = try await CoreGround()
        struct Secret: Error { let password = "hunter2" }
        try await ground.enqueue(Self.errand, 1)
        try await ground.enqueue(Self.errand, 2)
        let engine = ground.engine([
            JobHandler(Self.errand) { errand, job in
                if errand.number == 2 { throw JobFailure.permanent("the address does not exist") }
                if job.attempt == 2 { throw JobFailure.passing("the receiver is busy\u{0}") }
                throw Secret()
            }
        ])
        engine.start()
        try await eventually("both dead") { try await ground.states() == ["dead": 2] }
        let rows = try await ground.database.query(
            "SELECT attempt, errors::text AS errors FROM jobs_dead ORDER BY arguments->>'number'")
        let errors = try JSON.parse(rows[0].get("errors", as: String.self))
        #expect(errors.arrayValue?.count == 3)
        #expect(errors[0]?["error"]?.stringValue == "an internal error")
        #expect(errors[0]?["detail"]?.stringValue?.contains("hunter2") == true)
        #expect(errors[1]?["error"]?.stringValue == "the receiver is busy")
        #expect(try rows[1].get("attempt", as: Int.self) == 1)
        await engine.stop()
    }

    @Test func `a key is unique among what is unfinished, for each company`() async throws {
        let ground = try await CoreGround()
        let (one, other) = (UUID.v7(), UUID.v7())
        #expect(try await ground.enqueue(Self.errand, 1, company: one, uniqueKey: "sync") != nil)
        #expect(try await ground.enqueue(Self.errand, 2, company: one, uniqueKey: "sync") == nil)
        #expect(try await ground.enqueue(Self.errand, 3, company: other, uniqueKey: "sync") != nil)
        #expect(try await ground.enqueue(Self.errand, 4, uniqueKey: "sync") != nil)
        let engine = ground.engine([JobHandler(Self.errand) { _, _ in .done }])
        engine.start()
        try await eventually("done") { try await ground.states() == ["done": 3] }
        await engine.stop()
        #expect(try await ground.enqueue(Self.errand, 5, company: one, uniqueKey: "sync") != nil)
    }

    @Test func `a handler may ask for another time, which is no failure`() async throws {
        let ground = try await CoreGround()
        try await ground.enqueue(Self.errand, 1)
        let tries = Log<Int>()
        let engine = ground.engine([
            JobHandler(Self.errand) { _, job in
                tries.add(job.attempt)
                return tries.count < 6 ? .again(at: .now) : .result(["sum": 42])
            }
        ])
        engine.start()
        try await eventually("done") { try await ground.states() == ["done": 1] }
        #expect(tries.entries == [1, 1, 1, 1, 1, 1])
        let row = try await ground.database.query(
            "SELECT result::text AS result, errors::text AS errors FROM jobs_done")[0]
        #expect(try row.get("result", as: String.self) == #"{"sum": 42}"#)
        #expect(try row.get("errors", as: String.self) == "[]")
        await engine.stop()
    }

    @Test func `kinds nobody here knows are left alone`() async throws {
        let ground = try await CoreGround()
        let future = JobKind<Errand>("tests.of-a-later-release")
        try await ground.enqueue(future, 1, priority: 0)
        try await ground.enqueue(Self.errand, 2)
        let engine = ground.engine([JobHandler(Self.errand) { _, _ in .done }])
        engine.start()
        try await eventually("the known one is done") {
            try await ground.states() == ["done": 1, "waiting": 1]
        }
        await engine.stop()
        #expect(try await ground.count("SELECT attempt FROM jobs") == 0)
    }

    @Test func `a job finished in its handler's transaction is finished with it or not at all`() async throws
    {
        let ground = try await CoreGround()
        try await ground.enqueue(Self.errand, 1)
        struct Broken: Error {}
        let engine = ground.engine([
            JobHandler(Self.errand) { _, job in
                try await job.work.database.transaction { tx in
                    _ = try await tx.query(
                        "INSERT INTO worker_leases (name) VALUES (\("effect \(job.attempt)"))")
                    try await job.finish(in: tx)
                    if job.attempt == 1 { throw Broken() }
                }
                return .done
            }
        ])
        engine.start()
        try await eventually("done") { try await ground.states() == ["done": 1] }
        #expect(try await ground.count("SELECT count(*) FROM worker_leases WHERE name LIKE 'effect%'") == 1)
        await engine.stop()
    }

    @Test
    func `a day of finished jobs goes as a whole once nobody looks it up, and the days to come are there`()
        async throws
    {
        let ground = try await CoreGround()
        func day(_ ago: Int) async throws -> String {
            try await ground.database.query(
                "SELECT 'jobs_done_' || to_char((now() AT TIME ZONE 'UTC')::date - \(ago)::integer, 'YYYYMMDD') AS name"
            )[0].get("name")
        }
        func exists(_ table: String) async throws -> Bool {
            try await ground.database.query("SELECT to_regclass(\(table)) IS NOT NULL AS is_there")[0].get(
                "is_there")
        }
        let (last, over) = (JobLimits.daysKept, JobLimits.daysKept + 1)
        for ago in [last, over] {
            _ = try ground.test.psql(
                """
                SET timezone = 'UTC';
                DO $$ BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF jobs_done FOR VALUES FROM (%L) TO (%L)',
                                   '\(try await day(ago))', current_date - \(ago), current_date - \(ago) + 1);
                END $$;
                INSERT INTO jobs_done (id, queue, kind, priority, state, attempt, attempts_max, arguments, errors, created_at,
                                       finished_at)
                VALUES (gen_random_uuid(), 'default', 'tests.old', 5, 'done', 1, 20, '{}', '[]', now(),
                        current_date - \(ago) + interval '1 hour');
                """)
        }
        _ = try await JobHousekeeping.keepDays(ground.work())
        #expect(try await exists(day(last)), "the last day that is kept")
        #expect(try await !exists(day(over)), "the first that is not")
        #expect(try await ground.count("SELECT count(*) FROM jobs_done WHERE kind = 'tests.old'") == 1)
        for ahead in 0...JobLimits.daysAhead { #expect(try await exists(day(-ahead))) }
        // Twice changes nothing, and what ends today lies in today's part.
        _ = try await JobHousekeeping.keepDays(ground.work())
        #expect(try await exists(day(last)))
    }
}
