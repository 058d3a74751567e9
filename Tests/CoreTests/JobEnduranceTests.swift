import Glibc
import Loop
import Postgres
import Synchronization
import Testing
import Wire

@testable import Core

/// Jobs when workers die, block, lose their lease, or have too much to do.
@Suite struct JobEnduranceTests {
    private static let errand = JobKind<Errand>("tests.errand", backoff: .schedule([.milliseconds(20)]))
    private static let short = JobKind<Errand>("tests.short", leaseSeconds: 5)

    /// A claim as a worker makes it that then dies without a word.
    private func claimAndDie(_ ground: CoreGround, _ kind: JobKind<Errand>, leaseSeconds: Int) async throws {
        let marks = [Timestamp](repeating: Timestamp(microseconds: 0), count: 10)
        let rows = try await ground.database.batch([
            "UPDATE jobs SET lease_seconds = \(leaseSeconds)",
            JobClaim.inOrder(kind.queue, kinds: [kind.name], limit: 100, marks: marks, holder: .v7()),
        ])
        #expect(rows[1].count == 1)
    }

    @Test func `a dead worker's job is taken over once its lease is over, and says so`() async throws {
        let ground = try await CoreGround()
        try await ground.enqueue(Self.errand, 1)
        try await claimAndDie(ground, Self.errand, leaseSeconds: 2)
        let seen = Log<Int>()
        let engine = ground.engine([
            JobHandler(Self.errand) { _, job in
                seen.add(job.attempt)
                return .done
            }
        ])
        let begun = ContinuousClock.now
        engine.start()
        try await eventually("taken over") { try await ground.states() == ["done": 1] }
        #expect(ContinuousClock.now - begun > .seconds(1))
        #expect(seen.entries == [2])
        let errors: String = try await ground.database.query("SELECT errors::text FROM jobs_done")[0].get(0)
        #expect(errors.contains("the worker went silent"))
        await engine.stop()
    }

    @Test func `a job that kills its worker each time is dead in the end`() async throws {
        let ground = try await CoreGround()
        let deadly = JobKind<Errand>("tests.deadly", attemptsMax: 1)
        try await ground.enqueue(deadly, 1)
        try await claimAndDie(ground, deadly, leaseSeconds: 1)
        let engine = ground.engine([JobHandler(deadly) { _, _ in .done }])
        engine.start()
        try await eventually("dead") { try await ground.states() == ["dead": 1] }
        await engine.stop()
    }

    @Test func `a handler that blocks its thread for longer than the lease runs once`() async throws {
        let ground = try await CoreGround()
        let runs = Log<Int>()
        let handler = JobHandler(Self.short) { _, job in
            runs.add(job.attempt)
            // As a call into a C library does that never yields the thread.
            let end = EventLoop.monotonicNanoseconds() + 8_000_000_000
            while EventLoop.monotonicNanoseconds() < end { usleep(100_000) }
            return .done
        }
        let engines = (0..<2).map { _ in ground.engine([handler]) }
        try await ground.enqueue(Self.short, 1)
        for engine in engines { engine.start() }
        try await eventually(within: .seconds(30), "done") { try await ground.states() == ["done": 1] }
        #expect(runs.entries == [1])
        #expect(try await ground.count("SELECT jsonb_array_length(errors) FROM jobs_done") == 0)
        for engine in engines { await engine.stop() }
    }

    @Test func `who lost the lease changes nothing any more`() async throws {
        let ground = try await CoreGround()
        let (first, refused) = (Log<Int>(), Log<Bool>())
        let handler = JobHandler(Self.short) { _, job in
            guard job.attempt == 1 else { return .result(["by": "the second"]) }
            first.add(job.attempt)
            // Until its task is cancelled, because the job is another's.
            while !job.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
            do {
                // Not within the cancelled task: what a stubborn handler would do.
                try await Task.detached {
                    try await job.work.database.transaction { tx in
                        _ = try await tx.query("INSERT INTO worker_leases (name) VALUES ('late effect')")
                        try await job.finish(in: tx)
                    }
                }.value
            } catch is JobLost {
                refused.add(true)
            }
            return .result(["by": "the first"])
        }
        let engine = ground.engine([handler])
        try await ground.enqueue(Self.short, 1)
        engine.start()
        try await eventually("begun") { first.count == 1 }
        // As if its heart had stood still for a lease.
        _ = try await ground.database.query("UPDATE jobs SET due_at = now() - interval '1 second'")
        let other = ground.engine([handler])
        other.start()
        try await eventually("the late one is refused") { refused.count == 1 }
        try await eventually("done by the second") { try await ground.states() == ["done": 1] }
        for engine in [engine, other] { await engine.stop() }
        let result: String = try await ground.database.query("SELECT result::text FROM jobs_done")[0].get(0)
        #expect(result.contains("the second"))
        #expect(try await ground.count("SELECT count(*) FROM worker_leases WHERE name = 'late effect'") == 0)
    }

    /// However long the backlog is: the bound does not grow with it.
    @Test(arguments: [2_000, 20_000])
    func `one company's backlog delays another's job by two claims at most`(backlog: Int) async throws {
        let ground = try await CoreGround()
        let (crowd, single) = (UUID.v7(), UUID.v7())
        try await ground.database.transaction { tx in
            _ = try await Jobs.enqueue(
                Self.errand, all: (0..<backlog).map(Errand.init), company: crowd, priority: 0, in: tx)
        }
        let begun = Log<UUID?>()
        let engine = ground.engine([
            JobHandler(Self.errand) { _, job in
                begun.add(job.company)
                if begun.count == 500 {
                    try await ground.enqueue(Self.errand, -1, company: single, priority: 9)
                }
                return .done
            }
        ])
        engine.start()
        try await eventually(within: .seconds(30), "the single one is done") {
            try await ground.count("SELECT count(*) FROM jobs_done WHERE company_id = \(single)") == 1
        }
        await engine.stop()
        #expect(try await ground.count("SELECT count(*) FROM jobs") > 0, "there was a backlog all the time")
        // All that one claim takes has one time of its beginning.
        let claims = try await ground.count(
            """
            SELECT count(DISTINCT other.started_at)
              FROM jobs_done one JOIN jobs_done other
                ON other.started_at > one.created_at AND other.started_at < one.started_at
             WHERE one.company_id = \(single)
            """)
        // The one that was under way when it was enqueued could not know of it yet.
        #expect(claims <= 2 + 1, "\(claims) claims went before")
    }

    @Test func `a company has no more of a limited kind running than it may, over all instances`()
        async throws
    {
        let ground = try await CoreGround()
        let kind = JobKind<Errand>("tests.limited", queue: "limited", perCompanyMax: 2)
        let companies = [UUID.v7(), UUID.v7(), UUID.v7()]
        for number in 0..<12 {
            for company in companies { try await ground.enqueue(kind, number, company: company) }
        }
        let running = Mutex<[UUID: Int]>([:])
        let most = Log<Int>()
        let handler = JobHandler(kind) { _, job in
            let company = job.company ?? .zero
            most.add(
                running.withLock { running in
                    running[company, default: 0] += 1
                    return running[company]!
                })
            try await Task.sleep(for: .milliseconds(5))
            running.withLock { $0[company]! -= 1 }
            return .done
        }
        let engines = (0..<2).map { _ in ground.engine([handler]) }
        for engine in engines { engine.start() }
        try await eventually(within: .seconds(30), "all done") { try await ground.states() == ["done": 36] }
        #expect(most.entries.max() == 2)
        for engine in engines { await engine.stop() }
    }

    @Test func `a limited job of a dead worker is taken over too`() async throws {
        let ground = try await CoreGround()
        let kind = JobKind<Errand>("tests.limited", queue: "limited", perCompanyMax: 1)
        try await ground.enqueue(kind, 1, company: .v7())
        try await claimAndDie(ground, kind, leaseSeconds: 1)
        let engine = ground.engine([JobHandler(kind) { _, _ in .done }])
        engine.start()
        try await eventually("taken over") { try await ground.states() == ["done": 1] }
        await engine.stop()
    }

    @Test func `a paused queue begins nothing, and what waits goes on afterwards`() async throws {
        let ground = try await CoreGround()
        _ = try await ground.database.query(
            "INSERT INTO job_queues (name, is_paused) VALUES ('default', true)")
        let beside = JobKind<Errand>("tests.beside", queue: "beside")
        for number in 0..<5 { try await ground.enqueue(Self.errand, number) }
        try await ground.enqueue(beside, 1)
        let engine = ground.engine([
            JobHandler(Self.errand) { _, _ in .done },
            JobHandler(beside) { errand, _ in
                if errand.number < 20 { try await ground.enqueue(beside, errand.number + 1) }
                return .done
            },
        ])
        engine.start()
        try await eventually("another queue goes on") {
            try await ground.states() == ["done": 20, "waiting": 5]
        }
        _ = try await ground.database.query("UPDATE job_queues SET is_paused = false")
        try await eventually("done") { try await ground.states() == ["done": 25] }
        await engine.stop()
    }

    @Test func `stopping gives back what has not begun and waits for what has`() async throws {
        let ground = try await CoreGround()
        let begun = Log<Int>()
        let engine = ground.engine(
            [
                JobHandler(Self.errand) { errand, job in
                    begun.add(errand.number)
                    if begun.count > 50 {
                        while !job.isStopping { try await Task.sleep(for: .milliseconds(2)) }
                    }
                    return .done
                }
            ], queues: [JobQueue("default", concurrency: 2)])
        for number in 0..<200 { try await ground.enqueue(Self.errand, number) }
        engine.start()
        try await eventually("some have begun") { begun.count > 51 }
        await engine.stop()
        let states = try await ground.states()
        #expect(states["running"] == nil)
        #expect(states["done"] == begun.count)
        #expect(states["waiting"] == 200 - begun.count)
        #expect(try await ground.count("SELECT max(attempt) FROM jobs") == 0)
    }

    @Test func `the statements of a claim go by their indexes though the tables have never been analysed`()
        async throws
    {
        let ground = try await CoreGround()
        try await ground.database.transaction { tx in
            _ = try await Jobs.enqueue(Self.errand, all: (0..<2000).map(Errand.init), company: .v7(), in: tx)
        }
        let marks = [Timestamp](repeating: Timestamp(microseconds: 0), count: 10)
        let claims = [
            JobClaim.inOrder("default", kinds: ["tests.errand"], limit: 10, marks: marks, holder: .v7()),
            JobClaim.byShare(
                "default", kinds: ["tests.errand"], maxes: [0], limit: 10, marks: marks, after: .init(),
                holder: .v7()),
            JobSettlement.done([(.v7(), 1)], by: .v7()),
        ]
        for claim in claims {
            let rows = try await ground.database.batch([JobClaim.tuning, "EXPLAIN \(fragment: claim)"])[1]
            let plan = try rows.map { try $0.get(0, as: String.self) }.joined(separator: "\n")
            #expect(!plan.contains("Seq Scan on jobs"), "\(plan)")
        }
    }
}
