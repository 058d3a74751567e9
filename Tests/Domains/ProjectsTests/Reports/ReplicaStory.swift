import Core
import Postgres
import TestCluster
import TestSupport
import Testing
import Wire

@testable import Projects

/// Reports of an instance that has a replica, which follows the primary by streaming replication.
@Suite struct ReplicaStory {
    private func paths(_ past: Past) -> [String] {
        let reports =
            ReportStory.pictures.map { "/v1/projects/\(past.shop.project)/\($0)" }
            + ["burndown", "burnup"].map { "/v1/sprints/\(past.sprint)/\($0)" }
        return reports + reports.map { "\($0).svg" } + ["/v1/sprints/\(past.sprint)/report"]
    }

    /// Waits until the replica has all that the primary had when it was asked.
    private func catchUp(_ replica: TestCluster, with primary: TestCluster) async throws {
        let place = try primary.psql("SELECT pg_current_wal_insert_lsn()").filter { !$0.isWhitespace }
        _ = try await eventually {
            let reached = try replica.psql("SELECT pg_last_wal_replay_lsn() >= '\(place)'").filter {
                !$0.isWhitespace
            }
            return reached == "t" ? true : nil
        }
    }

    @Test func `a second instance reads every report from its replica, and says the same`() async throws {
        let primary = try TestCluster(settings: ["wal_level = replica", "max_wal_senders = 4"])
        defer { primary.remove() }
        let database = try await TestServer.migratedDatabase(in: primary)
        let replica = try TestCluster(following: primary)
        defer { replica.remove() }
        let first = try await TestServer(on: database)
        let second = try await TestServer(
            on: database, ["INFINITY_REPLICA_URL": replica.url(database: database.name)])
        try await compare(first, second, primary, replica)
        await second.stop()
        await first.stop()
    }

    private func compare(
        _ first: TestServer, _ second: TestServer, _ primary: TestCluster, _ replica: TestCluster
    ) async throws {
        let shop = try await Workshop(on: first)
        let past = try await Past(in: shop, "2026-11-16", "2026-11-27", startedAt: "2026-11-16T08:00:00Z")
        for day in 17...23 {
            try await past.task([
                .init(at: "2026-11-15T08:00:00Z", state: "To do"),
                .init(at: "2026-11-16T09:00:00Z", state: "In progress"),
                .init(at: "2026-11-\(day)T15:00:00Z", state: "Done"),
            ])
        }
        try await catchUp(replica, with: primary)
        let own = shop.owner.client
        let other = try await Person(signingInOn: second, email: shop.owner.email).client
        for path in paths(past) {
            let expected = try await own.get(path).expect(200)
            #expect(try await other.get(path).expect(200).body == expected.body, "\(path)")
        }

        // What the replica has not heard of yet, its instance does not say: so it is the replica that was asked.
        try replica.psql("SELECT pg_wal_replay_pause()")
        let burnup = "/v1/sprints/\(past.sprint)/burnup?unit=count"
        let before = try await own.get(burnup).expect(200)
        try await past.task([.init(at: "2026-11-23T16:00:00Z", state: "To do")])
        let after = try await own.get(burnup).expect(200)
        #expect(after.body != before.body)
        #expect(try await other.get(burnup).expect(200).body == before.body)
        try replica.psql("SELECT pg_wal_replay_resume()")
        try await catchUp(replica, with: primary)
        #expect(try await other.get(burnup).expect(200).body == after.body)
    }
}
