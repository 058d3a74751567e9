import Core
import Glibc
import Loop
import Postgres
import TestCluster
import TestSupport
import Testing
import Wire

@testable import App

/// Workers as processes of their own, one of which is killed.
@Suite struct WorkerDeathTests {
    private struct Script: Codable, Sendable {
        let seconds: Int
        let ending: String
    }

    /// The kind of job that this release rehearses with, as the database knows it.
    private static let rehearsal = JobKind<Script>(
        "jobs.rehearse", queue: "rehearsals", attemptsMax: 5, leaseSeconds: 10)

    @Test func `a killed worker's job is taken over within its lease, and goes on where it was`() async throws
    {
        let test = try await TestServer.migratedDatabase()
        let database = Database(DatabaseConfiguration(url: test.url), loops: LoopGroup(count: 1))
        let folder = try OpenFolder()
        let variables = [
            "DATABASE_URL": test.url, "INFINITY_DATA": folder.path, "INFINITY_MODE": "development",
            "INFINITY_BCRYPT_COST": "4",
        ]
        let first = try Program("work", variables: variables)
        let id = try #require(
            try await database.transaction { tx in
                try await Jobs.enqueue(
                    Self.rehearsal, Script(seconds: 6, ending: "done"), company: nil, in: tx)
            })
        let isBegun = try await soon {
            try await !database.query(
                "SELECT 1 FROM jobs WHERE id = \(id) AND (checkpoint->>'step')::integer >= 2"
            ).isEmpty
        }
        try #require(isBegun, "it printed: \(first.printed())")
        let second = try Program("work", variables: variables)
        first.send(SIGKILL)
        _ = try await first.waitForExit()
        let killed = ContinuousClock.now
        let isTakenOver = try await soon {
            try await !database.query("SELECT 1 FROM jobs WHERE id = \(id) AND attempt = 2").isEmpty
        }
        #expect(isTakenOver, "it printed: \(second.printed())")
        #expect(ContinuousClock.now - killed < .seconds(15))
        let isDone = try await soon {
            try await !database.query("SELECT 1 FROM jobs_done WHERE id = \(id)").isEmpty
        }
        try #require(isDone, "it printed: \(second.printed())")
        let row = try await database.query(
            "SELECT errors::text AS errors, result::text AS result FROM jobs_done")[0]
        #expect(try row.get("errors", as: String.self).contains("the worker went silent"))
        #expect(try row.get("result", as: String.self).contains(#""attempts": 2"#))
        second.send(SIGTERM)
        _ = try await second.waitForExit()
        await database.close()
    }

    private func soon(_ holds: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(40)
        while ContinuousClock.now < end {
            if try await holds() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
