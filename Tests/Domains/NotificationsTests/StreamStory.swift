import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// The inbox as it happens: everything once, in order, on whichever instance one listens.
@Suite struct StreamStory {
    @Test func `what happens is told at once, with the counts as of then`() async throws {
        let bell = try await Bell(on: .shared())
        let source = try EventSource(port: bell.server.port, token: bell.person.token)
        let ready = try await source.event("ready")
        #expect(ready.id == 0 && ready.json["counts"]?["unread"] == 0)
        try await bell.ring(by: "Ada")
        try await bell.ring(by: "Grace")
        let second = try await source.event("notification") { $0.id == 2 }
        #expect(second.json["counts"]?["unread"] == 2)
        #expect(second.json["notification"]?["title"] == "Grace rang")
        #expect(source.numbers == [1, 2])
        // The same thing as a list shows it.
        let listed = try await bell.inbox()[0]
        #expect(second.json["notification"] == listed)
        let id = try listed.text("id")
        try await bell.person.client.patch("/v1/notifications/\(id)", ["read": true]).expect(200)
        let changed = try await source.event("changed")
        #expect(changed.json["counts"]?["unread"] == 1 && changed.json["changed"]?["act"] == "read")
        #expect(changed.json["changed"]?["ids"]?[0]?.stringValue == id)
        source.close()
    }

    @Test func `fifty at once leave no gap, and a replay is exact`() async throws {
        let bell = try await Bell(on: .shared())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { try await bell.ring(by: "Ada \(number)") } }
            try await group.waitForAll()
        }
        let all = try await bell.inbox("?limit=100").compactMap { $0["seq"]?.intValue }
        #expect(all == Array((1...50).reversed()))
        let source = try EventSource(port: bell.server.port, token: bell.person.token, lastEventId: 20)
        try await source.event("ready")
        #expect(source.numbers == Array(21...50))
        source.close()
    }

    @Test func `who comes and goes while it rings misses nothing and hears nothing twice`() async throws {
        let bell = try await Bell(on: .shared())
        let ringing = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<4 {
                    group.addTask { for number in 0..<50 { try await bell.ring(by: "\(lane).\(number)") } }
                }
                try await group.waitForAll()
            }
        }
        var heard: [Int] = []
        while heard.count < 200 {
            let last = heard.last ?? 0
            let source = try EventSource(port: bell.server.port, token: bell.person.token, lastEventId: last)
            let some = try await eventually { source.numbers.isEmpty ? nil : source.numbers }
            source.close()
            heard += some
        }
        try await ringing.value
        #expect(heard == Array(1...200))
    }

    @Test func `another instance tells within a second`() async throws {
        let one = ["INFINITY_PUBLIC_URL": "https://infinity.example"]
        let bell = try await Bell(on: TestServer(one))
        let other = try await TestServer(beside: bell.server, one)
        let source = try EventSource(port: other.port, token: bell.person.token)
        try await source.event("ready")
        let clock = ContinuousClock()
        let begun = clock.now
        try await bell.ring()
        try await source.event("notification")
        #expect(clock.now - begun < .seconds(1))
        // A client that moves between instances goes on where it was.
        let moved = try EventSource(port: bell.server.port, token: bell.person.token, lastEventId: 0)
        try await moved.event("ready")
        #expect(moved.numbers == [1])
        moved.close()
        source.close()
        await other.stop()
        await bell.server.stop()
    }

    @Test func `what the channel does not bring is found in the tables`() async throws {
        let bell = try await Bell(on: .shared())
        let source = try EventSource(port: bell.server.port, token: bell.person.token)
        try await source.event("ready")
        // Too long for a NOTIFY, which then only says that there is something.
        let long = String(repeating: "x", count: 9_000)
        _ = try await bell.server.instance.database.transaction(as: Tenant(company: bell.company)) { tx in
            try await Notify.record(
                Bell.rung, to: [bell.user], values: ["by": .string(long)], by: .system, company: bell.company,
                in: tx)
        }
        try await source.event("notification") { $0.id == 1 }
        // As if the NOTIFY of the second number had been lost.
        _ = try await bell.server.instance.database.batch(
            [
                """
                UPDATE notification_counters SET last_seq = 2, xid = pg_current_xact_id()
                 WHERE company_id = \(bell.company) AND user_id = \(bell.user)
                """,
                "UPDATE notifications SET seq = 2 WHERE company_id = \(bell.company) AND seq = 1",
            ], as: Tenant(company: bell.company))
        try await source.event("notification") { $0.id == 2 }
        source.close()
    }

    @Test func `a stream that was away too long is told to begin anew`() async throws {
        let bell = try await Bell(on: .shared())
        try await bell.ring()
        let source = try EventSource(port: bell.server.port, token: bell.person.token, lastEventId: 99)
        let reset = try await source.event("reset")
        #expect(reset.id == 1 && reset.json["reason"] == "unknown")
        source.close()
    }

    @Test func `a client that cannot stream asks now and then`() async throws {
        let bell = try await Bell(on: .shared())
        try await bell.ring()
        let answer = try await bell.person.client.get("/v1/notifications/stream?poll=1&since=0").expect(200)
        #expect(answer.text.contains("id: 1\nevent: notification\ndata: {"))
        #expect(answer.text.contains("event: ready"))
        let nothing = try await bell.person.client.get("/v1/notifications/stream?poll=1&since=1").expect(200)
        #expect(!nothing.text.contains("event: notification"))
    }

    @Test func `a ticket opens one stream, once`() async throws {
        let bell = try await Bell(on: .shared())
        let ticket = try await bell.person.client.post("/v1/notifications/stream-tickets").expect(200).json
            .text("ticket")
        let path = "/v1/public/notification-stream?ticket=\(ticket)"
        let source = try EventSource(port: bell.server.port, path: path, token: nil)
        try await source.event("ready")
        let nobody = bell.person.client.with(token: nil)
        #expect(try await nobody.get(path).code == "stream-ticket-unknown")
        source.close()
    }

    @Test func `one person has ten streams, and who is no longer a member has none`() async throws {
        let bell = try await Bell(on: .shared())
        let grace = try await bell.person.colleague(.member)
        let sources = try (0..<10).map { _ in try EventSource(port: bell.server.port, token: grace.token) }
        for source in sources { try await source.event("ready") }
        let refused = try await grace.client.get("/v1/notifications/stream")
        #expect(refused.code == "too-many-streams" && refused.header("retry-after") != nil)
        let members =
            try await bell.person.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        let member = try #require(members.first { $0["user_id"]?.stringValue == grace.userId })
        try await bell.person.client.delete("/v1/members/\(member.text("id"))").expect(204)
        for source in sources { _ = try await eventually { source.isOver ? true : nil } }
    }
}
