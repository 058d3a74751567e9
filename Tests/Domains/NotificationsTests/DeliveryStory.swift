import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Notifications

/// How news leaves the house: to whom, when, and why not.
@Suite struct DeliveryStory {
    private func bell() async throws -> Bell {
        let bell = try await Bell(on: .shared())
        Bell.declare()
        return bell
    }

    @Test func `a mail carries the delivery's id, and the trace tells why it went`() async throws {
        let bell = try await bell()
        try await bell.ring(by: "Ada")
        let delivery = try await bell.mails("sending")[0]
        let mail = try await bell.queued()[0]
        #expect(mail["id"] == delivery["id"] && mail["context"]?["subject"] == "Ada rang")
        #expect(mail["context"]?["unsubscribe"]?.stringValue?.contains("/v1/public/unsubscribe/") == true)
        let trace = try await bell.trace(of: delivery.text("notification_id"))
        #expect(
            trace["email"]?["reason"] == "due" && trace["email"]?["steps"]?[0]?["reason"] == "type-default")
        #expect(trace["in_app"]?["state"] == "shown" && trace["webhook"]?["state"] == "none")
    }

    @Test func `the wish that counts is the one held when the mail would go`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        // Quiet all day: what comes is kept.
        let always: JSON = ["days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "to": "00:00"]
        try await client.put("/v1/notification-schedule", ["time_zone": "Europe/Berlin", "quiet": [always]])
            .expect(200)
        try await bell.ring()
        let kept = try await bell.mails("deferred")[0]
        #expect(kept["reason"] == "quiet-hours" && kept["next_at"] != .null)
        #expect(try await bell.queued().isEmpty)
        // Looked at again it still waits; without quiet hours it goes, unless the person no longer wants it.
        try await bell.hurry("notifications.deliver")
        let id = try kept.text("id")
        _ = try await eventually {
            let steps =
                try await bell.trace(of: kept.text("notification_id"))["email"]?["steps"]?.arrayValue ?? []
            return steps.count >= 4 ? true : nil
        }
        try await client.put("/v1/notification-schedule", ["time_zone": "Europe/Berlin", "quiet": []]).expect(
            200)
        try await client.put("/v1/notification-preferences/bells", ["email": false]).expect(200)
        try await bell.hurry("notifications.deliver")
        let skipped = try await bell.mails("skipped")[0]
        #expect(try skipped.text("id") == id && skipped["reason"] == "preference")
        #expect(try await bell.queued().isEmpty)
        // What is critical asks nobody.
        try await client.put("/v1/notification-schedule", ["time_zone": "Europe/Berlin", "quiet": [always]])
            .expect(200)
        try await bell.ring(Bell.alarm)
        #expect(try await bell.mails("sending")[0]["reason"] == "critical")
        #expect(try await bell.queued()[0]["context"]?["unsubscribe"] == nil)
    }

    @Test(arguments: [
        // The night the clocks go forward is eight hours long, the one they go back ten; in UTC it ends elsewhere.
        ("2026-03-28T21:30:00Z", "2026-03-29T05:00:00.000000Z"),
        ("2026-03-29T01:30:00Z", "2026-03-29T05:00:00.000000Z"),
        ("2026-10-24T20:30:00Z", "2026-10-25T06:00:00.000000Z"),
        ("2026-10-25T05:59:00Z", "2026-10-25T06:00:00.000000Z"),
        ("2026-10-25T06:00:00Z", nil), ("2026-03-28T20:59:00Z", nil), ("2026-07-01T19:59:00Z", nil),
        ("2026-07-01T20:00:00Z", "2026-07-02T05:00:00.000000Z"),
    ])
    func `quiet hours end when the person's clock says so`(_ now: String, _ end: String?) async throws {
        let server = try await TestServer.shared()
        let time = try #require(Timestamp(now))
        let quiet = #"[{"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "to": "07:00"}]"#
        let rows = try await server.instance.database.query(
            """
            SELECT \(fragment: QuietHours.end("s.quiet", "s.zone", time)) AS until
              FROM (SELECT \(JSONText(quiet))::jsonb AS quiet, 'Europe/Berlin'::text AS zone) s
            """)
        #expect(try rows[0].get("until", as: Timestamp?.self)?.description == end)
    }

    @Test func `a digest has one window, and closes once`() async throws {
        let bell = try await bell()
        try await bell.person.client.put("/v1/notification-preferences/bells", ["digest": "hourly"]).expect(
            200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<12 { group.addTask { try await bell.ring(by: "Ada \(number)") } }
            try await group.waitForAll()
        }
        let gathered = try await bell.mails("gathered", count: 12)
        let digest = try gathered[0].text("digest_id")
        #expect(gathered.allSatisfy { $0["digest_id"]?.stringValue == digest })
        // Two who close it at once: a second job for the same window.
        _ = try await bell.server.instance.database.transaction { tx in
            try await Jobs.enqueue(Digests.kind, .init(digest: UUID(digest)!), company: bell.company, in: tx)
        }
        try await bell.hurry("notifications.digest")
        _ = try await bell.mails("sending", count: 12)
        let mails = try await bell.queued()
        #expect(mails.count == 1 && mails[0]["id"]?.stringValue == digest)
        #expect(mails[0]["context"]?["subject"] == "12 notifications")
        // What comes now opens the next.
        try await bell.ring()
        #expect(try await bell.mails("gathered")[0].text("digest_id") != digest)
    }

    @Test func `a rule routes by role and relation, throttles, and escalates what stays unread`() async throws
    {
        let bell = try await bell()
        let client = bell.person.client
        let grace = try await bell.person.colleague(.viewer)
        let rule = try await client.post(
            "/v1/notification-rules",
            [
                "name": "Bells", "event": "bell.*", "channels": ["in_app"],
                "add_users": [.string(grace.userId)],
                "escalation": ["after_minutes": 30, "channel": "email"],
            ]
        ).expect(201).json
        try await bell.ring(by: "Ada")
        #expect(try await bell.mails("skipped", count: 2).allSatisfy { $0["reason"] == "rule" })
        let theirs = try await grace.client.get("/v1/notifications?type=bell.rung").expect(200).json["data"]![
            0]!
        #expect(theirs["relations"] == ["rule"])
        // Grace reads it; the owner does not, and gets it by mail.
        try await grace.client.patch("/v1/notifications/\(theirs.text("id"))", ["read": true]).expect(200)
        try await bell.hurry("notifications.escalate")
        let escalated = try await bell.mails("sending")
        #expect(escalated.count == 1 && escalated[0]["user_id"]?.stringValue == bell.person.userId)
        let steps = try await bell.trace(of: escalated[0].text("notification_id"))["email"]?["steps"]
        #expect(steps?.arrayValue?.contains { $0["reason"] == "escalated" } == true)
        // The rule now mails owners, two in an hour at most.
        try await client.patch(
            "/v1/notification-rules/\(rule.text("id"))",
            [
                "roles": ["owner"], "channels": ["in_app", "email"], "add_users": [], "escalation": .null,
                "throttle": ["max": 2, "seconds": 3600],
            ]
        ).expect(200)
        for number in 0..<3 {
            try await bell.ring(by: "Ada \(number)")
            _ = try await bell.mails("sending", "gathered", count: number + 2)
        }
        let gathered = try await bell.mails("gathered", count: 2)
        #expect(gathered.count == 2 && gathered.allSatisfy { $0["reason"] == "throttled" })
    }

    @Test func `what stays unread goes on to somebody else`() async throws {
        let bell = try await bell()
        let grace = try await bell.person.colleague(.member)
        try await bell.person.client.post(
            "/v1/notification-rules",
            [
                "name": "Up", "event": "bell.rung",
                "escalation": ["after_minutes": 5, "channel": "in_app", "user_id": .string(grace.userId)],
            ]
        ).expect(201)
        try await bell.ring()
        _ = try await bell.mails("sending")
        try await bell.hurry("notifications.escalate")
        let told = try await eventually {
            try await grace.client.get("/v1/notifications?type=bell.rung").expect(200).json["data"]?[0]
        }
        #expect(told["relations"] == ["escalation"])
    }

    @Test func `the company proposes, locks, and the person decides the rest`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        try await client.put(
            "/v1/notification-defaults",
            ["defaults": [["category": "bells", "channel": "email", "is_on": false, "is_locked": true]]]
        ).expect(200)
        try await client.put(
            "/v1/notification-preferences",
            ["global": ["email": true], "categories": [["category": "bells", "email": true]]]
        ).expect(200)
        let sheet = try await client.get("/v1/notification-preferences").expect(200).json
        let bells = sheet["categories"]?.arrayValue?.first { $0["category"] == "bells" }
        #expect(bells?["wishes"]?["email"] == true && bells?["effective"]?["email"] == false)
        #expect(bells?["locked"] == ["email"])
        try await bell.ring()
        #expect(try await bell.mails("skipped")[0]["reason"] == "company-locked")
        // Somebody who wants nothing in the inbox has nothing there, and the trace says why.
        try await client.put("/v1/notification-defaults", ["defaults": []]).expect(200)
        try await client.put("/v1/notification-preferences/bells", ["in_app": false, "email": false]).expect(
            200)
        let event = try #require(try await bell.ring())
        #expect(try await bell.inbox().count == 1)
        let trace = try await client.get("/v1/notification-traces?event=\(event)&user=\(bell.user)").expect(
            200
        ).json
        #expect(
            trace["channels"]?[0]?["state"] == "hidden" && trace["channels"]?[0]?["reason"] == "preference")
    }

    @Test func `a suppressed address is never tried, until it is lifted`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        let bounce: JSON = [
            "address": .string(bell.person.email), "kind": "bounce", "reply": "550 5.1.1 no such user",
        ]
        try await client.post("/v1/email-bounces", bounce).expect(204)
        try await bell.ring()
        let delivery = try await bell.mails("suppressed")[0]
        #expect(try await bell.queued().isEmpty)
        let found = try await client.get("/v1/email-suppressions?address=\(bell.person.email)").expect(200)
            .json["data"]!
        #expect(found[0]?["reason"] == "bounce" && found[0]?["domain"] == "example.com")
        let kept = try await bell.server.instance.database.query(
            "SELECT to_jsonb(s)::text AS row FROM email_suppressions s", as: Tenant(company: bell.company))
        #expect(!(try kept[0].get("row", as: String.self).contains(bell.person.email)))
        try await client.delete("/v1/email-suppressions/\(found[0]!.text("id"))").expect(204)
        try await client.post("/v1/notification-deliveries/\(delivery.text("id"))/retry").expect(200)
        #expect(try await bell.mails("sending")[0].text("id") == delivery.text("id"))
        #expect(try await bell.queued().count == 1)
        #expect(
            try await client.post("/v1/notification-deliveries/\(delivery.text("id"))/retry").code
                == "delivery-not-retriable")
    }

    @Test func `one click stops the mails, and looking stops nothing`() async throws {
        let bell = try await bell()
        try await bell.ring()
        _ = try await bell.mails("sending")
        let url = try await bell.queued()[0]["context"]!.text("unsubscribe")
        let path = "/v1/public/unsubscribe/" + url.split(separator: "/").last!
        let nobody = bell.person.client.with(token: nil)
        let page = try await nobody.get(path).expect(200)
        #expect(page.text.contains("<form method=\"post\""))
        #expect(
            try await bell.person.client.get("/v1/notification-preferences").json["categories"]?.arrayValue?
                .first { $0["category"] == "bells" }?["effective"]?["email"] == true)
        let click = Array("List-Unsubscribe=One-Click".utf8)
        for _ in 0..<2 {
            let answer = try await nobody.send(
                "POST", path, body: click, type: "application/x-www-form-urlencoded")
            #expect(answer.status == 200)
        }
        try await bell.ring()
        #expect(try await bell.mails("skipped")[0]["reason"] == "preference")
        #expect(
            try await nobody.get("/v1/public/unsubscribe/\(path.suffix(40))").code == "unsubscribe-unknown")
        #expect(
            try await nobody.send("POST", path, body: Array("x=1".utf8), type: "text/plain").status == 404)
    }

    @Test func `the company's own words are used, kept in versions, and checked`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        let template = try await client.post(
            "/v1/notification-templates",
            [
                "type": "bell.rung", "channel": "email", "locale": "en", "title": "Ding, {{by}}!",
                "body": "{{title}}\n\nBye",
            ]
        ).expect(201).json
        let id = try template.text("id")
        let preview = try await client.post(
            "/v1/notification-templates/\(id)/preview", ["values": ["by": "<Ada>"]])
        #expect(
            preview.json["title"] == "Ding, <Ada>!"
                && preview.json["html"]?.stringValue?.contains("&lt;Ada&gt;") == true)
        for bad in ["{{#a}}", "{{> other}}", "{{#a}}{{#b}}{{#c}}{{#d}}{{#e}}x{{/e}}{{/d}}{{/c}}{{/b}}{{/a}}"]
        {
            #expect(
                try await client.patch("/v1/notification-templates/\(id)", ["body": .string(bad)]).status
                    == 422)
        }
        try await client.patch("/v1/notification-templates/\(id)", ["title": "Dong, {{by}}!"]).expect(200)
        let versions = try await client.get("/v1/notification-templates/\(id)/versions").expect(200).json[
            "data"]?.arrayValue
        #expect(versions?.map { $0["title"]?.stringValue } == ["Dong, {{by}}!", "Ding, {{by}}!"])
        try await bell.ring(by: "Ada")
        _ = try await bell.mails("sending")
        let mail = try await bell.queued()[0]
        #expect(mail["context"]?["subject"] == "Dong, Ada!" && mail["context"]?["body"] == "Ada rang\n\nBye")
        let sent = try await client.post("/v1/notification-templates/\(id)/test").expect(202).json.text(
            "message_id")
        let mails = try await bell.server.mails(to: bell.person.email)
        #expect(mails.contains { $0["id"]?.stringValue == sent })
        let twice: JSON = [
            "type": "bell.rung", "channel": "email", "locale": "en", "title": "x", "body": "y",
        ]
        #expect(
            try await client.post("/v1/notification-templates", twice).code == "notification-template-taken")
    }

    @Test func `a message is sent once by its key, and taken back while it waits`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        let grace = try await bell.person.colleague(.member)
        let message: JSON = [
            "title": "Closed on Friday", "body": "Enjoy.",
            "to": ["roles": ["member"], "user_ids": [.string(bell.person.userId)]],
            "dedupe_key": "friday",
        ]
        let first = try await client.post("/v1/notifications/send", message).expect(201).json
        let second = try await client.post("/v1/notifications/send", message).expect(201).json
        #expect(first["id"] == second["id"] && first["recipients"] == 2)
        #expect(
            try await grace.client.get("/v1/notifications").json["data"]?[0]?["title"] == "Closed on Friday")
        #expect(
            try await client.post("/v1/notifications/send", ["title": "x", "body": "y", "to": [:]]).code
                == "notification-without-recipients")
        #expect(try await grace.client.post("/v1/notifications/send", message).status == 403)
        _ = try await bell.mails("sending", count: 2)
        let cancelled = try await client.post("/v1/notification-batches/\(first.text("id"))/cancel").expect(
            200
        ).json
        #expect(cancelled["cancelled"] == 2)
        #expect(try await bell.queued().isEmpty)
        #expect(try await bell.mails("cancelled", count: 2).count == 2)
    }

    @Test func `watchers hear of their thing, and the trace tells who did not and why`() async throws {
        let bell = try await bell()
        let grace = try await bell.person.colleague(.member)
        let team = try await bell.person.client.post("/v1/teams", ["name": "Ringers"]).expect(201).json.text(
            "id")
        try await grace.client.put("/v1/subscriptions/team/\(team)", [:]).expect(200)
        #expect(try await grace.client.put("/v1/subscriptions/invitation/\(team)", [:]).status == 404)
        #expect(
            try await grace.client.get("/v1/subscriptions").expect(200).json["data"]?[0]?["object_id"]?
                .stringValue == team)
        let event = try #require(try await bell.ring(about: .init("team", UUID(team)!)))
        let told = try await grace.client.get("/v1/notifications?object_type=team").expect(200).json["data"]![
            0]!
        #expect(told["relations"] == ["watcher"])
        #expect(
            try await grace.client.get("/v1/notifications/\(told.text("id"))/trace").json["is_addressed"]
                == true)
        try await grace.client.delete("/v1/subscriptions/team/\(team)").expect(204)
        let next = try #require(try await bell.ring(about: .init("team", UUID(team)!)))
        #expect(next != event)
        let trace = try await bell.person.client.get(
            "/v1/notification-traces?event=\(next)&user=\(grace.userId)")
        #expect(try trace.expect(200).json["reason"] == "not-in-audience")
    }

    @Test func `what a rule sends to webhooks is an event of the company, in its own words`() async throws {
        let bell = try await bell()
        let client = bell.person.client
        try await client.post(
            "/v1/notification-rules",
            ["name": "Hooks", "event": "bell.rung", "channels": ["in_app", "webhook"]]
        ).expect(201)
        try await client.post(
            "/v1/notification-templates",
            [
                "type": "bell.rung", "channel": "webhook", "locale": "en", "title": "RING {{by}}",
                "body": "{{body}}",
            ]
        ).expect(201)
        let event = try #require(try await bell.ring(by: "Ada"))
        let sent = try await eventually {
            let page = try await client.get("/v1/notification-deliveries?channel=webhook&state=sent").expect(
                200)
            return page.json["data"]?[0]
        }
        let told = try await bell.server.instance.database.query(
            "SELECT data::text AS data FROM outbox WHERE company_id = \(bell.company) AND type = 'notification.sent'"
        )
        let data = try JSON.parse(told[0].get("data", as: String.self))
        #expect(data["title"] == "RING Ada" && data["notification_id"] == sent["notification_id"])
        let trace = try await client.get("/v1/notification-traces?event=\(event)&user=\(bell.user)").expect(
            200
        ).json
        let ways = trace["channels"]?.arrayValue ?? []
        #expect(ways.first { $0["channel"] == "webhook" }?["state"] == "sent")
        #expect(ways.first { $0["channel"] == "email" }?["state"] == "skipped")
    }

    @Test(arguments: [
        ("550 5.1.1 no such user", true), ("RCPT failed: 550", true), ("550 5.7.1 blocked by policy", false),
        ("552 5.2.2 mailbox full", false), ("554 rejected", false),
    ])
    func `only what says that there is no such mailbox is a bounce`(_ reply: String, _ isBounce: Bool) {
        #expect(Suppressions.isBounce(reply) == isBounce)
    }
}
