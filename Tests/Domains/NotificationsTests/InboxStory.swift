import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// An inbox as its owner sees it, over a real socket.
@Suite struct InboxStory {
    @Test func `who invited somebody is told when they have come, in the transaction in which they come`() async throws {
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
        #expect(try await grace.client.get("/v1/notifications").expect(200).json["data"]?.arrayValue?.isEmpty == true)
    }
}
