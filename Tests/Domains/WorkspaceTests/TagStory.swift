import TestSupport
import Testing
import Wire

@Suite struct TagStory {
    @Test func `a tag's name stands once, and its uses are counted`() async throws {
        let desk = try await Desk()
        let launch = try await desk.tag("Launch")
        #expect(
            try await desk.client.post("/v1/tags", ["name": "launch"]).expect(409).code == "tag-name-taken")
        _ = try await desk.note("Poster", ["tag_ids": [.string(launch)]])
        _ = try await desk.note("Flyer", ["tag_ids": [.string(launch)]])
        let listed = try await desk.client.get("/v1/tags?q=aunc&kind=note").expect(200).data
        #expect(listed.count == 1 && listed[0]["uses"] == 2)
        #expect(try await desk.client.get("/v1/jottings?tag_ids=\(launch)").data.count == 2)
        let changed = try await desk.client.patch(
            "/v1/tags/\(launch)", ["color": "#2F6FED", "kinds": ["note"]])
        #expect(changed.json["color"] == "#2f6fed" && changed.json["kinds"] == ["note"])
        #expect(
            try await desk.client.patch("/v1/tags/\(launch)", ["kinds": ["planet"]]).places == ["/kinds/0"])
        #expect(try await desk.events("tag.%") == ["tag.created", "tag.updated"])
    }

    @Test func `a merge moves what carries the tag, and nothing carries it twice`() async throws {
        let desk = try await Desk()
        let (launch, start) = (try await desk.tag("Launch"), try await desk.tag("Start"))
        let both = try await desk.note("Both", ["tag_ids": [.string(launch), .string(start)]])
        let one = try await desk.note("One", ["tag_ids": [.string(start)]])
        let merged = try await desk.client.post("/v1/tags/\(start)/merge", ["into_id": .string(launch)])
            .expect(200)
        #expect(merged.json["id"] == .string(launch) && merged.json["uses"] == 2)
        #expect(try await desk.client.get("/v1/tags/\(start)").status == 404)
        let notes = try await desk.client.get("/v1/jottings").data
        #expect(Set(notes.map { $0["id"] }) == [both["id"], one["id"]])
        #expect(notes.allSatisfy { $0["tag_ids"] == [.string(launch)] })
        #expect(
            try await desk.client.post("/v1/tags/\(launch)/merge", ["into_id": .string(launch)]).code
                == "tag-into-itself")
        #expect(
            try await desk.client.post("/v1/tags/\(launch)/merge", ["into_id": .string(start)]).places == [
                "/into_id"
            ])
    }

    @Test func `a deleted tag is taken off its things, and only managers delete`() async throws {
        let desk = try await Desk()
        let tag = try await desk.tag("Old")
        _ = try await desk.note("Poster", ["tag_ids": [.string(tag)]])
        let member = try await desk.owner.colleague(.member)
        #expect(try await member.client.delete("/v1/tags/\(tag)").status == 403)
        #expect(try await desk.client.delete("/v1/tags/\(tag)").status == 204)
        #expect(try await desk.client.get("/v1/jottings").data[0]["tag_ids"] == [])
        #expect(
            try await desk.client.post("/v1/jottings", ["title": "X", "tag_ids": [.string(tag)]]).places == [
                "/tag_ids/0"
            ])
    }

    @Test func `another company's tags do not exist`() async throws {
        let (desk, other) = (try await Desk(), try await Desk("Elsewhere"))
        let tag = try await desk.tag("Ours")
        #expect(try await other.client.get("/v1/tags/\(tag)").status == 404)
        let theirs = try await other.tag("Theirs")
        #expect(
            try await other.client.post("/v1/tags/\(theirs)/merge", ["into_id": .string(tag)]).status == 422)
    }
}
