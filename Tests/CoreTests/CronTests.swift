import Glibc
import Postgres
import Synchronization
import Testing
import Wire

@testable import Core

@Suite struct CronTests {
    private func times(_ expression: String, _ zone: String, after: String, _ count: Int) throws -> [String] {
        let expression = try CronExpression(expression)
        let zone = try #require(ZoneRules.named(zone))
        var at = try #require(Timestamp(after))
        return try (0..<count).map { _ in
            at = try #require(expression.next(after: at, in: zone))
            return String(at.description.prefix(16))
        }
    }

    @Test func `it finds the times that croniter finds`() throws {
        let path = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/cron-table.csv"
        let table = try #require(SmallFile.read(path))
        var count = 0
        for line in table.split(separator: "\n") {
            let parts = line.split(separator: ";")
            let expression = try CronExpression(String(parts[0]))
            let zone = try #require(ZoneRules.named(String(parts[1])))
            var at = Timestamp(seconds: try #require(Int64(parts[2])))
            for stamp in parts[3].split(separator: ",") {
                at = try #require(expression.next(after: at, in: zone))
                #expect(at.seconds == Int64(stamp), "\(line)")
                count += 1
            }
        }
        #expect(count > 1000)
    }

    @Test func `a time that the clock skips happens when it jumps, once`() throws {
        // In Berlin 02:00 became 03:00 on 31 March 2024, at 01:00 UTC.
        #expect(
            try times("30 2 * * *", "Europe/Berlin", after: "2024-03-30T12:00:00Z", 3)
                == ["2024-03-31T01:00", "2024-04-01T00:30", "2024-04-02T00:30"])
        #expect(
            try times("0 2,3 * * *", "Europe/Berlin", after: "2024-03-31T00:00:00Z", 2)
                == ["2024-03-31T01:00", "2024-04-01T00:00"])
    }

    @Test func `a time that comes twice happens the first time`() throws {
        // In Berlin 03:00 became 02:00 on 27 October 2024, at 01:00 UTC.
        #expect(
            try times("30 2 * * *", "Europe/Berlin", after: "2024-10-26T12:00:00Z", 2)
                == ["2024-10-27T00:30", "2024-10-28T01:30"])
    }

    @Test func `every hour means every hour that passes`() throws {
        #expect(
            try times("30 * * * *", "Europe/Berlin", after: "2024-10-26T23:50:00Z", 4)
                == ["2024-10-27T00:30", "2024-10-27T01:30", "2024-10-27T02:30", "2024-10-27T03:30"])
        #expect(
            try times("30 * * * *", "Europe/Berlin", after: "2024-03-30T23:50:00Z", 3)
                == ["2024-03-31T00:30", "2024-03-31T01:30", "2024-03-31T02:30"])
        // Lord Howe Island moves its clock by half an hour.
        #expect(
            try times("*/30 * * * *", "Australia/Lord_Howe", after: "2024-04-06T14:10:00Z", 3)
                == ["2024-04-06T14:30", "2024-04-06T15:00", "2024-04-06T15:30"])
    }

    @Test func `a zone goes on by its rule after the last change it lists`() throws {
        let berlin = try #require(ZoneRules.named("Europe/Berlin"))
        let summer = try #require(Timestamp("2093-07-01T00:00:00Z"))
        let winter = try #require(Timestamp("2093-01-01T00:00:00Z"))
        #expect(berlin.offset(at: summer.seconds) == 7200 && berlin.offset(at: winter.seconds) == 3600)
        let sydney = try #require(ZoneRules.named("Australia/Sydney"))
        #expect(sydney.offset(at: summer.seconds) == 36_000 && sydney.offset(at: winter.seconds) == 39_600)
        #expect(ZoneRules.named("Europe/Atlantis") == nil)
        #expect(ZoneRules.named("../../etc/passwd") == nil)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
        "a * * * *",
        "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *", "*/5/5 * * * *", "-5 * * * *", "* * * foo *",
    ])
    func `what is no expression is refused`(_ text: String) {
        #expect(throws: CronExpression.Fault.self) { try CronExpression(text) }
    }

    @Test func `a day that never comes has no time`() throws {
        #expect(try CronExpression("0 0 30 2 *").next(after: .now, in: .utc) == nil)
    }

    @Test func `two clocks enqueue each time once, and what was missed once`() async throws {
        let ground = try await CoreGround()
        let kind = JobKind<Errand>("tests.nightly")
        let crons = [Cron("tests-nightly", "0 3 * * *", timeZone: "Europe/Berlin", kind, Errand(number: 1))]
        let clocks = (0..<2).map { _ in CronClock(crons, ground.database, ground.work().log) }
        let start = try #require(Timestamp("2030-01-01T00:00:00Z"))
        for clock in clocks { try await clock.tick(at: start) }
        #expect(try await ground.states() == [:])
        // Five nights pass before anybody looks.
        let later = start + .seconds(5 * 86_400)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for clock in clocks { group.addTask { try await clock.tick(at: later) } }
            try await group.waitForAll()
        }
        #expect(try await ground.states() == ["waiting": 1])
        // The next night comes while that job is still unfinished.
        for clock in clocks { try await clock.tick(at: later + .seconds(86_400)) }
        #expect(try await ground.states() == ["waiting": 1])
        let runs = try await ground.database.query(
            "SELECT planned_at, job_id IS NULL AS skipped FROM cron_runs ORDER BY 1")
        #expect(try runs.map { try $0.get("skipped", as: Bool.self) } == [false, true])
        #expect(try runs[0].get("planned_at", as: Timestamp.self) == Timestamp("2030-01-01T02:00:00Z"))
    }

    @Test func `a paused schedule enqueues nothing and does not make up for it`() async throws {
        let ground = try await CoreGround()
        let crons = [Cron("tests-hourly", "0 * * * *", JobKind<Errand>("tests.hourly"), Errand(number: 1))]
        let clock = CronClock(crons, ground.database, ground.work().log)
        let start = try #require(Timestamp("2030-01-01T00:30:00Z"))
        try await clock.tick(at: start)
        _ = try await ground.database.query("UPDATE crons SET is_paused = true")
        try await clock.tick(at: start + .seconds(3600))
        _ = try await ground.database.query("UPDATE crons SET is_paused = false")
        try await clock.tick(at: start + .seconds(3700))
        #expect(try await ground.states() == [:])
        try await clock.tick(at: start + .seconds(7200))
        #expect(try await ground.states() == ["waiting": 1])
    }
}
