import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Webhooks

/// Events on their way to a receiver, over real sockets.
@Suite(.timeLimit(.minutes(3))) struct DeliveryStory {
    @Test func `an event reaches the endpoint signed, once, and every step of it can be seen`() async throws {
        let sender = try await Sender()
        let (id, secret) = try await sender.endpoint(
            "/ok", ["headers": [["name": "X-Receiver-Token", "value": "7f3e9c"]]])
        try await sender.happen(note: "hello")
        let message = try await sender.taken("/ok")[0]
        #expect(message.fields["content-type"] == "application/json")
        #expect(message.fields["x-receiver-token"] == "7f3e9c")
        #expect(message.json["type"] == "test.happened")
        #expect(message.json["data"]?["note"] == "hello")
        let seconds = try #require(Int64(message.fields["webhook-timestamp"] ?? ""))
        #expect(abs(seconds - Timestamp.now.seconds) < 60)
        let signed = SignedMessage(
            id: message.id, seconds: seconds, body: message.body, [try #require(SigningSecret(secret))])
        #expect(message.signatures == [signed.signatures])

        let attempt = try await sender.attempts(at: id)[0]
        #expect(attempt["outcome"] == "delivered" && attempt["status"] == 200 && attempt["number"] == 1)
        #expect(attempt["response"] == "taken")
        let found = try await sender.owner.client.get("/v1/webhook-messages?webhook_id=\(message.id)").expect(
            200
        ).json
        let uuid = try #require(found["data"]?[0]).text("id")
        let detail = try await sender.owner.client.get("/v1/webhook-messages/\(uuid)").expect(200).json
        #expect(detail["webhook_id"]?.stringValue == message.id)
        #expect(detail["data"]?["note"] == "hello")
        #expect(detail["deliveries"]?[0]?["state"] == "delivered")
        let stats = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)/stats").expect(200).json
        #expect(
            stats["delivered"] == 1 && stats["failed"] == 0 && stats["success_rate"] == 1
                && stats["pending"] == 0)
        #expect(stats["by_day"]?.arrayValue?.count == 1)
    }

    @Test func `an endpoint gets what it asked for and nothing else`() async throws {
        let sender = try await Sender()
        let team = UUID.v7()
        try await sender.endpoint("/ok/all")
        try await sender.endpoint("/ok/others", ["event_types": ["webhook_endpoint.*"]])
        try await sender.endpoint("/ok/team", ["channels": [.string("team:\(team)")]])
        try await sender.endpoint("/ok/off", ["is_active": false])
        try await sender.happen(note: "not of the team")
        try await sender.happen(team: team, note: "of the team")
        let all = try await sender.taken("/ok/all", atLeast: 2)
        #expect(all.map { $0.json["data"]?["note"]?.stringValue } == ["not of the team", "of the team"])
        #expect(try await sender.taken("/ok/team").map { $0.json["data"]?["note"] } == ["of the team"])
        #expect(sender.receiver.taken(at: "/ok/others").isEmpty)
        #expect(sender.receiver.taken(at: "/ok/off").isEmpty)
    }

    @Test
    func `what fails is tried again under the same identifier, and a redirect is a failure nobody follows`()
        async throws
    {
        let sender = try await Sender()
        let flaky = try await sender.endpoint("/flaky").id
        let moved = try await sender.endpoint("/moved").id
        let dying = try await sender.endpoint("/dying").id
        let failing = try await sender.endpoint("/failing").id
        try await sender.happen()
        for (path, id) in [("/flaky", flaky), ("/dying", dying)] {
            let taken = try await sender.taken(path, atLeast: 2, within: .seconds(30))
            #expect(taken[0].id == taken[1].id)
            #expect(taken[0].body == taken[1].body)
            #expect(taken[1].at - taken[0].at >= .seconds(4.4))
            let attempts = try await sender.attempts(at: id, atLeast: 2)
            #expect(attempts.map { $0["outcome"]?.stringValue } == ["delivered", "retry"])
            #expect(attempts.map { $0["number"]?.intValue } == [2, 1])
        }
        #expect(try await sender.attempts(at: dying)[1]["error"]?.stringValue?.contains("closed") == true)
        let redirect = try await sender.attempts(at: moved)[0]
        #expect(redirect["status"] == 302)
        #expect(sender.receiver.taken(at: "/ok/after-redirect").isEmpty)
        let failure = try await sender.attempts(at: failing)[0]
        #expect(failure["response"] == "out of  order")
        #expect(failure["error"] == "status 500")
        let next = try #require(Timestamp(failure["next_try_at"]?.stringValue ?? ""))
        let at = try #require(Timestamp(failure["at"]?.stringValue ?? ""))
        #expect(next - at > .seconds(4) && next - at < .seconds(400))
    }

    @Test func `Retry-After holds the whole endpoint`() async throws {
        let sender = try await Sender()
        let id = try await sender.endpoint("/busy").id
        try await sender.happen()
        let first = try await sender.attempts(at: id)[0]
        #expect(first["status"] == 429 && first["outcome"] == "retry")
        let began = ContinuousClock.now
        try await sender.happen()
        let second = try await sender.taken("/busy", atLeast: 2)[1]
        #expect(second.at - began > .seconds(1), "the endpoint asked for two seconds of peace")
        // The first comes back by its own schedule.
        let all = try await sender.taken("/busy", atLeast: 3, within: .seconds(20))
        #expect(Set(all.map(\.id)).count == 2)
    }

    @Test func `410 switches the endpoint off and tells its keepers`() async throws {
        let sender = try await Sender()
        let id = try await sender.endpoint("/gone").id
        try await sender.happen(3)
        let endpoint = try await eventually {
            let endpoint = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)").expect(200).json
            return endpoint["is_active"] == false ? .some(endpoint) : .none
        }
        #expect(endpoint["disabled_reason"] == "gone")
        let news = try await eventually {
            let page = try await sender.owner.client.get("/v1/notifications").expect(200).json
            return page["data"]?.arrayValue?.first { $0["type"] == "webhook_endpoint.gone" }
        }
        #expect(news["body"]?.stringValue?.contains(sender.receiver.url("/gone")) == true)
        let stats = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)/stats").expect(200).json
        #expect(stats["pending"] == 0)
        try await sender.owner.client.post("/v1/webhook-endpoints/\(id)/enable").expect(200)
    }

    @Test func `five days without one success switch it off`() async throws {
        let sender = try await Sender()
        let id = try await sender.endpoint("/failing").id
        try await sender.sql(
            "UPDATE webhook_lanes SET first_failure_at = now() - interval '6 days' WHERE endpoint_id = \(UUID(id))"
        )
        try await sender.happen()
        let endpoint = try await eventually {
            let endpoint = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)").expect(200).json
            return endpoint["is_active"] == false ? .some(endpoint) : .none
        }
        #expect(endpoint["disabled_reason"] == "failing")
        let news = try await eventually {
            let page = try await sender.owner.client.get("/v1/notifications").expect(200).json
            return page["data"]?.arrayValue?.first { $0["type"] == "webhook_endpoint.failing" }
        }
        #expect(news["body"]?.stringValue?.contains("Since 20") == true)
    }

    @Test func `a receiver that hangs holds up nobody else, and no more than four of its own`() async throws {
        let sender = try await Sender()
        try await sender.endpoint("/hanging")
        try await sender.endpoint("/ok/beside")
        try await sender.happen(20)
        let taken = try await sender.taken("/ok/beside", atLeast: 20, within: .seconds(5))
        #expect(taken.count == 20)
        try await sender.happen(20)
        _ = try await sender.taken("/ok/beside", atLeast: 40, within: .seconds(5))
        #expect(sender.receiver.taken(at: "/hanging").count == 4)
    }

    @Test func `a throttled endpoint gets no more a second than it wants`() async throws {
        let sender = try await Sender()
        try await sender.endpoint("/ok/slowly", ["throttle_per_second": 5])
        try await sender.happen(10)
        let taken = try await sender.taken("/ok/slowly", atLeast: 10)
        #expect(taken[9].at - taken[0].at > .milliseconds(1700))
    }

    @Test func `two instances share the work and send nothing twice`() async throws {
        let first = try await TestServer(["INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.0/8"])
        let second = try await TestServer(beside: first, ["INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.0/8"])
        let sender = try await Sender(on: first)
        for path in ["/ok/a", "/ok/b", "/ok/c"] { try await sender.endpoint(path) }
        for _ in 0..<10 { try await sender.happen(20) }
        for path in ["/ok/a", "/ok/b", "/ok/c"] {
            let taken = try await sender.taken(path, atLeast: 200, within: .seconds(30))
            #expect(taken.count == 200)
            #expect(Set(taken.map(\.id)).count == 200)
        }
        let rows = try await first.instance.database.query("SELECT count(*) AS count FROM webhook_deliveries")
        #expect(try rows[0].get("count", as: Int.self) == 0)
        await second.stop()
        await first.stop()
    }

    @Test func `a lane whose holder died is taken over, and the holder of old writes nothing`() async throws {
        let sender = try await Sender()
        let id = try #require(UUID(try await sender.endpoint("/ok/orphan").id))
        let database = sender.server.instance.database
        // A holder that took the lane and was never heard of again.
        _ = try await database.query(
            """
            UPDATE webhook_lanes SET holder = \(UUID.v7()), fence = fence + 1, due_at = now() + interval '1 second'
             WHERE endpoint_id = \(id)
            """)
        try await sender.happen()
        let taken = try await sender.taken("/ok/orphan")
        #expect(taken.count == 1)
        let old = Lanes.Held(
            endpoint: id, company: sender.company, holder: UUID.v7(), fence: 1, firstFailureAt: nil,
            slowSteps: 0)
        var turn = Lanes.Turn()
        turn.state = (Timestamp.now, 9)
        turn.release = .seconds(3600)
        _ = try await Lanes.take(turn, of: old, database)
        let row = try await database.query(
            "SELECT slow_steps, hold_until > now() AS held FROM webhook_lanes WHERE endpoint_id = \(id)")
        #expect(try row[0].get("slow_steps", as: Int.self) == 0)
        #expect(try row[0].get("held", as: Bool?.self) != true)
    }

    @Test func `a private address is refused when it is given and when a name turns out to be one`()
        async throws
    {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Careful")
        for url in [
            "http://127.0.0.1:8080/", "http://169.254.169.254/latest/", "http://[::ffff:10.0.0.1]/",
            "http://8.8.8.8:25/",
        ] {
            let answer = try await owner.client.post("/v1/webhook-endpoints", ["url": .string(url)])
            #expect(answer.code == "webhook-url-not-allowed", "\(url): \(answer)")
        }
        let made = try await owner.client.post("/v1/webhook-endpoints", ["url": "http://localhost:9009/"])
            .expect(201).json
        let id = try made.text("id")
        let types = try await owner.client.get("/v1/webhook-event-types").expect(200).json
        #expect(types["data"]?.arrayValue?.contains { $0["name"] == "webhook_endpoint.disabled" } == true)
        try await owner.client.post(
            "/v1/webhook-endpoints/\(id)/test", ["event_type": "webhook_endpoint.disabled"]
        ).expect(202)
        let attempt = try await eventually {
            try await owner.client.get("/v1/webhook-endpoints/\(id)/attempts").expect(200).json["data"]?[0]
        }
        #expect(attempt["error"] == "the host's address is not one of the open Internet")
        #expect(attempt["cause"] == "test")
    }
}
