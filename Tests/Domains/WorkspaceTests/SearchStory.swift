import TestSupport
import Testing
import Wire

@Suite struct SearchStory {
    @Test func `one search finds what one may see, and signs stand for themselves`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let poster = try await desk.note("Poster 100%")
        _ = try await desk.note("Secret poster", ["is_secret": true])
        let found = try await grace.client.get("/v1/search?q=poster").expect(200).data
        #expect(found.map { $0["title"] } == ["Poster 100%"] && found[0]["kind"] == "note")
        #expect(found[0]["link"] == .string("/notes/\(try poster.text("id"))"))
        #expect(try await desk.client.get("/v1/search?q=poster").data.count == 2)
        #expect(try await desk.client.get("/v1/search?q=%25").data.count == 1)
        #expect(try await desk.client.get("/v1/search?q=poster&kinds=planet").data.isEmpty)
        #expect(try await desk.client.get("/v1/search").status == 422)
    }
}
