import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// An inbox as its owner sees it, over a real socket.
@Suite struct InboxStory {
    @Test func `who invited somebody is told when they have come, in the transaction in which they come`()
        async throws
    {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Northwind")
        let grace = try await owner.colleague(.member)
        let page = try await owner.client.get("/v1/notifications").expect(200).json
        let news = page["data"]?.arrayValue ?? []
        #expect(news.map { $0["type"]?.stringValue } == ["invitation.accepted", "member.joined"])
        #expect(news.map { $0["seq"]?.intValue } == [2, 1])
        #expect(try news[0].text("title") == "Grace Hopper has joined Northwind")
        let counts = try await owner.client.get("/v1/notifications/counts").expect(200).json
        #expect(counts["unread"] == 2 && counts["unseen"] == 2 && counts["archived"] == 0)
        #expect(
            try await grace.client.get("/v1/notifications").expect(200).json["data"]?.arrayValue?.isEmpty
                == true)
    }
}

extension InboxStory {
    @Test func `each state has its filter and its count`() async throws {
        let bell = try await Bell(on: .shared())
        for name in ["a", "b", "c", "d"] { try await bell.ring(by: name) }
        let ids = try await bell.inbox().map { try $0.text("id") }
        let client = bell.person.client
        try await client.patch("/v1/notifications/\(ids[0])", ["read": true]).expect(200)
        try await client.patch("/v1/notifications/\(ids[1])", ["seen": true]).expect(200)
        try await client.patch("/v1/notifications/\(ids[2])", ["archived": true]).expect(200)
        #expect(try await bell.inbox("?read=true").count == 1)
        #expect(try await bell.inbox("?read=false").count == 2)
        #expect(try await bell.inbox("?seen=false").count == 1)
        #expect(try await bell.inbox("?archived=true").map { try $0.text("id") } == [ids[2]])
        #expect(try await bell.inbox("?since=3").count == 1)
        #expect(try await bell.inbox("?category=bells&severity=normal").count == 3)
        #expect(try await bell.inbox("?category=other").isEmpty)
        let counts = try await client.get(
            "/v1/notifications/counts?filters=%5B%7B%22read%22%3Atrue%7D%2C%7B%22archived%22%3Atrue%7D%5D"
        ).expect(200).json
        #expect(
            counts["total"] == 3 && counts["unread"] == 2 && counts["unseen"] == 1 && counts["archived"] == 1)
        #expect(counts["filters"] == [1, 1])
        #expect(try await client.get("/v1/notifications/counts?filters=%5B1%5D").status == 422)
        // Reading is seeing; what is not seen is not read.
        try await client.patch("/v1/notifications/\(ids[0])", ["seen": false]).expect(200)
        #expect(try await bell.counts()["unread"] == 3)
        let stale = client.with(header: "If-Match", "\"1\"")
        #expect(try await stale.patch("/v1/notifications/\(ids[0])", ["read": true]).status == 412)
    }

    @Test func `acts on many take ids or a filter, and a deletion can be undone`() async throws {
        let bell = try await Bell(on: .shared())
        for name in ["a", "b", "c", "d"] { try await bell.ring(by: name) }
        let client = bell.person.client
        let ids = try await bell.inbox().map { $0["id"]! }
        #expect(try await client.post("/v1/notifications/bulk-read").code == "notifications-not-chosen")
        let read = try await client.post("/v1/notifications/bulk-read", ["ids": [ids[0], ids[1]]]).expect(200)
        #expect(read.json["changed"] == 2)
        try await client.post("/v1/notifications/bulk-archive", ["filter": ["read": true]]).expect(200)
        #expect(try await bell.inbox().count == 2)
        let back = try await client.post("/v1/notifications/bulk-unarchive", ["filter": [:]]).expect(200)
        #expect(back.json["changed"] == 2)
        // What came after the last seen number is not touched.
        let gone = try await client.post("/v1/notifications/bulk-delete", ["filter": ["until": 3]]).expect(
            200)
        #expect(gone.json["changed"] == 3)
        #expect(try await bell.inbox().compactMap { $0["seq"]?.intValue } == [4])
        #expect(try await bell.inbox("?deleted=true").count == 3)
        let undone = try await client.post(
            "/v1/notifications/bulk-restore", ["deletion_id": gone.json["deletion_id"]!])
        #expect(try undone.expect(200).json["changed"] == 3)
        #expect(try await bell.inbox().count == 4)
        let one = ids[0].stringValue ?? ""
        try await client.delete("/v1/notifications/\(one)").expect(204)
        #expect(try await client.delete("/v1/notifications/\(one)").status == 404)
        try await client.post("/v1/notifications/\(one)/restoration").expect(200)
        #expect(try await bell.inbox().count == 4)
    }

    @Test func `what is snoozed comes back as the newest, unread`() async throws {
        let bell = try await Bell(on: .shared())
        try await bell.ring(by: "early")
        let id = try await bell.inbox()[0].text("id")
        let client = bell.person.client
        #expect(
            try await client.patch("/v1/notifications/\(id)", ["snoozed_until": "2020-01-01T00:00:00Z"])
                .status == 422)
        try await bell.ring(by: "late")
        let soon = Timestamp.now + .milliseconds(500)
        try await client.patch(
            "/v1/notifications/\(id)", ["read": true, "snoozed_until": .string(soon.description)]
        ).expect(200)
        #expect(try await bell.counts()["snoozed"] == 1)
        let source = try EventSource(port: bell.server.port, token: bell.person.token, lastEventId: 2)
        try await source.event("notification") { $0.id == 3 }
        source.close()
        let inbox = try await bell.inbox()
        #expect(inbox.map { $0["title"]?.stringValue } == ["early rang", "late rang"])
        #expect(inbox[0]["read_at"] == .null && inbox[0]["snoozed_until"] == .null)
    }

    @Test func `many are snoozed and brought back at once, and each comes back by itself`() async throws {
        let bell = try await Bell(on: .shared())
        let client = bell.person.client
        for name in ["one", "two", "three"] { try await bell.ring(by: name) }
        let path = "/v1/notifications/bulk-snooze"
        let later = JSON.string((Timestamp.now + .seconds(3600)).description)
        #expect(try await client.post(path, ["filter": [:]]).status == 422)
        #expect(try await client.post(path, ["snoozed_until": later]).code == "notifications-not-chosen")
        #expect(
            try await client.post(path, ["filter": ["until": 2], "snoozed_until": later]).expect(200).json[
                "changed"] == 2)
        #expect(try await bell.inbox().compactMap { $0["seq"]?.intValue } == [3])
        #expect(
            try await client.post(path, ["filter": [:], "snoozed_until": .null]).expect(200).json["changed"]
                == 2)
        #expect(try await bell.inbox().count == 3)
        let soon = JSON.string((Timestamp.now + .milliseconds(500)).description)
        let ids = try await bell.inbox().prefix(2).compactMap { $0["id"] }
        #expect(
            try await client.post(path, ["ids": .array(ids), "snoozed_until": soon]).expect(200).json[
                "changed"] == 2)
        let numbers = try await eventually {
            let numbers = try await bell.inbox().compactMap { $0["seq"]?.intValue }
            return numbers.count == 3 ? numbers : nil
        }
        #expect(numbers == [5, 4, 1])
    }

    @Test func `a request to join is approved where it is read of, with one's own rights, once`() async throws
    {
        let server = try await TestServer.shared()
        let owner = try await Person(signedUpOn: server, company: "Northwind")
        let role = try await owner.roleId(.member)
        let link = try await owner.client.post(
            "/v1/join-links", ["name": "Fair", "role_id": .string(role), "needs_approval": true]
        ).expect(201)
        let token = try link.json.text("token")
        let asker = try await Person.withoutCompany(on: server)
        try await asker.client.post("/v1/join-links/use", ["token": .string(token)]).expect(200)
        let news = try await owner.client.get("/v1/notifications?type=join_request.received").expect(200)
            .json["data"]![0]!
        let path = "/v1/notifications/\(try news.text("id"))/actions"
        #expect(news["actions"]?[0]?["key"] == "approve")
        #expect(try await owner.client.post("\(path)/dance").code == "notification-action-unknown")
        let done = try await owner.client.post("\(path)/approve").expect(200)
        #expect(done.json["action_taken"] == "approve" && done.json["read_at"] != .null)
        #expect(try await owner.client.post("\(path)/deny").code == "notification-action-taken")
        let members = try await owner.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        #expect(members.count == 2)
    }

    @Test func `telling twice with one key tells once, and who has no language of his own reads English`()
        async throws
    {
        let bell = try await Bell(on: .shared())
        #expect(try await bell.ring(key: "one") != nil)
        #expect(try await bell.ring(key: "one") == nil)
        #expect(try await bell.inbox().count == 1)
        _ = try await bell.server.instance.database.query(
            "UPDATE users SET locale = 'de-AT' WHERE id = \(bell.user)")
        try await bell.ring(by: "Ada")
        #expect(try await bell.inbox()[0]["title"] == "Ada läutet")
        #expect(try await bell.inbox()[1]["title"] == "Ada rang")
    }
}
