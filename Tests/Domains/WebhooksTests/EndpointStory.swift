import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Webhooks

/// Endpoints, their secrets and their messages, as the people of a company handle them.
@Suite(.timeLimit(.minutes(3))) struct EndpointStory {
    @Test func `the secret is shown when it is made, and again to those alone who may`() async throws {
        let sender = try await Sender()
        let (id, secret) = try await sender.endpoint("/ok")
        #expect(secret.hasPrefix("whsec_"))
        let shown = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)").expect(200)
        #expect(!shown.text.contains("whsec_"))
        let admin = try await sender.owner.colleague(.admin)
        #expect(try await admin.client.get("/v1/webhook-endpoints/\(id)/secret").status == 403)
        let again = try await sender.owner.client.get("/v1/webhook-endpoints/\(id)/secret").expect(200)
        #expect(again.json["secret"]?.stringValue == secret)
        #expect(again.header("cache-control")?.contains("no-store") == true)
        let rows = try await sender.server.instance.database.query(
            """
            SELECT position(\(Array(secret.utf8)) IN secret_sealed) AS place,
                   (SELECT count(*) FROM audit_log WHERE company_id = \(sender.company)
                       AND action = 'webhook_endpoint.secret_shown') AS shown
              FROM webhook_endpoints WHERE company_id = \(sender.company)
            """, as: Tenant(company: sender.company))
        #expect(try rows[0].get("place", as: Int.self) == 0)
        #expect(try rows[0].get("shown", as: Int.self) == 1)
    }

    @Test func `while a secret is exchanged both sign`() async throws {
        let sender = try await Sender()
        let (id, old) = try await sender.endpoint("/ok/rotating")
        let path = "/v1/webhook-endpoints/\(id)/rotate-secret"
        let rotated = try await sender.owner.client.post(path, ["overlap_seconds": 3600]).expect(200).json
        let new = try rotated.text("secret")
        try await sender.happen()
        let message = try await sender.taken("/ok/rotating")[0]
        let seconds = try #require(Int64(message.fields["webhook-timestamp"] ?? ""))
        let both = [new, old].compactMap { SigningSecret($0) }
        #expect(
            message.signatures
                == both.map {
                    SignedMessage(id: message.id, seconds: seconds, body: message.body, [$0]).signatures
                })
        let asymmetric = try await sender.owner.client.post(path, ["overlap_seconds": 0, "signature": "v1a"])
            .expect(200).json
        #expect(asymmetric["secret"]?.isNull == true)
        #expect(try asymmetric.text("public_key").hasPrefix("whpk_"))
        try await sender.happen()
        let next = try await sender.taken("/ok/rotating", atLeast: 2)[1]
        #expect(next.signatures.count == 1 && next.signatures[0].hasPrefix("v1a,"))
        #expect(
            !(try await sender.owner.client.get("/v1/webhook-endpoints/\(id)/secret").text.contains("whsk_")))
    }

    @Test func `what cannot be is refused in its place`() async throws {
        let sender = try await Sender()
        func refused(_ body: JSON) async throws -> Answer {
            var all = body.objectValue ?? [:]
            if all["url"] == nil { all["url"] = "https://example.com/hooks" }
            return try await sender.owner.client.post("/v1/webhook-endpoints", .object(all))
        }
        for header in ["Host", "Webhook-Id", "Content-Length", "Transfer-Encoding", "X-Forwarded-For"] {
            let answer = try await refused(["headers": [["name": .string(header), "value": "x"]]])
            #expect(answer.json["errors"]?[0]?["pointer"] == "/headers/0/name", "\(answer)")
        }
        #expect(try await refused(["headers": [["name": "X-A", "value": "a\r\nX-B: b"]]]).status == 422)
        #expect(try await refused(["secret": "whsec_c2hvcnQ="]).json["errors"]?[0]?["pointer"] == "/secret")
        #expect(
            try await refused(["secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "signature": "v1a"]).status
                == 422)
        let unknown = try await refused(["event_types": ["webhook_endpoint.disabeld"]])
        #expect(unknown.code == "webhook-event-type-unknown")
        #expect(unknown.json["detail"]?.stringValue?.contains("webhook_endpoint.disabled") == true)
        #expect(try await refused(["throttle_per_second": 0]).status == 422)
        #expect(try await refused(["url": "ftp://example.com"]).status == 422)
    }

    @Test func `an endpoint is changed, switched off and on, and deleted`() async throws {
        let sender = try await Sender()
        let (one, _) = try await sender.endpoint("/ok/one", ["throttle_per_second": 5])
        let (two, _) = try await sender.endpoint("/ok/two")
        let path = "/v1/webhook-endpoints/\(one)"
        let changed = try await sender.owner.client.patch(
            path,
            ["description": "CRM", "throttle_per_second": nil, "headers": [["name": "X-A", "value": "1"]]]
        ).expect(200).json
        #expect(changed["description"] == "CRM" && changed["throttle_per_second"]?.isNull == true)
        #expect(changed["header_names"] == ["x-a"])
        #expect(
            try await sender.owner.client.with(header: "If-Match", "\"1\"").patch(path, ["description": "x"])
                .status == 412)
        let off = try await sender.owner.client.patch(path, ["is_active": false]).expect(200).json
        #expect(off["disabled_reason"] == "manual")
        #expect(
            try await sender.owner.client.post("\(path)/test", ["event_type": "webhook_endpoint.disabled"])
                .code == "webhook-endpoint-inactive")
        let bulk = try await sender.owner.client.post(
            "/v1/webhook-endpoints/bulk", ["ids": [.string(one), .string(two)], "is_active": true]
        ).expect(200).json
        #expect(bulk["changed"] == 1)
        let nobody = try await sender.owner.client.post(
            "/v1/webhook-endpoints/bulk",
            ["ids": [.string(one), .string(UUID.v7().description)], "is_active": false])
        #expect(nobody.status == 404)
        #expect(
            try await sender.owner.client.get("/v1/webhook-endpoints?is_active=true").json["data"]?
                .arrayValue?.count == 2)
        try await sender.owner.client.delete(path).expect(204)
        try await sender.happen()
        _ = try await sender.taken("/ok/two")
        #expect(sender.receiver.taken(at: "/ok/one").isEmpty)
    }

    @Test func `what was missed is recovered once, and one message can be sent again`() async throws {
        let sender = try await Sender()
        let (id, _) = try await sender.endpoint("/ok/back")
        try await sender.happen(2)
        _ = try await sender.attempts(at: id, atLeast: 2)
        try await sender.owner.client.patch("/v1/webhook-endpoints/\(id)", ["is_active": false]).expect(200)
        try await sender.happen(5)
        _ = try await eventually {
            let feed = try await sender.owner.client.get("/v1/webhook-events").expect(200).json
            return feed["data"]?.arrayValue?.count == 7 ? true : nil
        }
        let since: JSON = ["since": .string((Timestamp.now - .seconds(3600)).description)]
        let path = "/v1/webhook-endpoints/\(id)"
        #expect(
            try await sender.owner.client.post("\(path)/recover", since).code == "webhook-endpoint-inactive")
        try await sender.owner.client.post("\(path)/enable").expect(200)
        for _ in 0..<2 {
            let answer = try await sender.owner.client.post("\(path)/recover", since).expect(202)
            let job = try answer.json.text("job_id")
            #expect(answer.header("location") == "/v1/jobs/\(job)")
            _ = try await eventually {
                let rows = try await sender.server.instance.database.query(
                    "SELECT 1 FROM jobs_done WHERE id = \(UUID(job)) AND state = 'done'")
                return rows.isEmpty ? nil : true
            }
            let attempts = try await sender.attempts(at: id, atLeast: 7)
            #expect(attempts.count == 7)
            #expect(attempts.count { $0["cause"] == "recovery" } == 5)
        }
        let taken = try await sender.taken("/ok/back", atLeast: 7)
        #expect(Set(taken.map(\.id)).count == 7)
        let message = try #require(MessageId(taken[0].id)?.uuid)
        try await sender.owner.client.post(
            "/v1/webhook-messages/\(message)/resend", ["endpoint_id": .string(id)]
        ).expect(202)
        let again = try await sender.taken("/ok/back", atLeast: 8)
        #expect(again[7].id == taken[0].id && again[7].body == taken[0].body)
        let attempts = try await eventually {
            let page = try await sender.owner.client.get("/v1/webhook-messages/\(message)/attempts").expect(
                200
            ).json
            return page["data"]?.arrayValue?.count == 2 ? page["data"] : nil
        }
        #expect(attempts[0]?["number"] == 2 && attempts[0]?["cause"] == "resend")
    }

    @Test func `those who cannot receive fetch, in order and without gaps`() async throws {
        let sender = try await Sender()
        try await sender.happen(5)
        let client = sender.owner.client
        let first = try await eventually {
            let page = try await client.get("/v1/webhook-events?limit=3").expect(200).json
            return page["page"]?["has_more"] == true ? .some(page) : .none
        }
        #expect(first["data"]?.arrayValue?.compactMap { $0["data"]?["number"]?.intValue } == [0, 1, 2])
        let cursor = try #require(first["page"]).text("next_cursor")
        let second = try await eventually {
            let page = try await client.get("/v1/webhook-events?cursor=\(cursor)").expect(200).json
            return page["data"]?.arrayValue?.count == 2 ? .some(page) : .none
        }
        #expect(second["data"]?.arrayValue?.compactMap { $0["data"]?["number"]?.intValue } == [3, 4])
        #expect(second["page"]?["has_more"] == false)
        let end = try #require(second["page"]).text("next_cursor")
        let empty = try await client.get("/v1/webhook-events?cursor=\(end)").expect(200).json
        #expect(
            empty["data"]?.arrayValue?.isEmpty == true && empty["page"]?["next_cursor"]?.stringValue == end)
        let others = try await client.get("/v1/webhook-events?types=webhook_endpoint.*").expect(200).json
        #expect(
            others["data"]?.arrayValue?.isEmpty == true && others["page"]?["next_cursor"]?.stringValue == end)
        let wrong = try await client.get("/v1/webhook-events?cursor=x")
        #expect([400, 422].contains(wrong.status))
    }

    @Test func `another company sees nothing of it`() async throws {
        let sender = try await Sender()
        let stranger = try await Sender()
        let (id, _) = try await sender.endpoint("/ok/mine")
        try await sender.happen()
        let message = try #require(MessageId(try await sender.taken("/ok/mine")[0].id)?.uuid)
        try await stranger.endpoint("/ok/theirs")
        try await stranger.happen()
        #expect(try await stranger.taken("/ok/theirs").count == 1)
        #expect(sender.receiver.taken(at: "/ok/mine").count == 1)
        for path in [
            "/v1/webhook-endpoints/\(id)", "/v1/webhook-endpoints/\(id)/attempts",
            "/v1/webhook-endpoints/\(id)/stats",
            "/v1/webhook-endpoints/\(id)/secret", "/v1/webhook-messages/\(message)",
            "/v1/webhook-messages/\(message)/attempts",
        ] {
            #expect(try await stranger.owner.client.get(path).status == 404, "\(path)")
        }
        let resend = try await stranger.owner.client.post(
            "/v1/webhook-messages/\(message)/resend", ["endpoint_id": .string(id)])
        #expect(resend.status == 404)
        #expect(
            try await stranger.owner.client.get("/v1/webhook-events").json["data"]?.arrayValue?.count == 1)
    }

    @Test func `the slot of next month is emptied, the others are kept`() async throws {
        let sender = try await Sender(
            on: try await TestServer(["INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.0/8"]))
        let database = sender.server.instance.database
        let months = MessageId.month(of: .now)
        for ahead in 0..<4 {
            try await sender.sql(
                """
                INSERT INTO webhook_messages (company_id, id, slot, position, type, channels, data, occurred_at)
                VALUES (\(sender.company), \(UUID.v7()), \(MessageId.slot(of: months + ahead)), \(ahead), 'a.b', '{}', '{}', now())
                """)
        }
        try await Retention.empty(slot: MessageId.slot(of: months + 1), database)
        let rows = try await database.query(
            "SELECT position FROM webhook_messages WHERE company_id = \(sender.company) ORDER BY position",
            as: Tenant(company: sender.company))
        #expect(try rows.map { try $0.get("position", as: Int.self) } == [0, 2, 3])
        await sender.server.stop()
    }
}
