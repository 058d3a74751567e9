import TestSupport
import Testing
import Wire

@Suite struct ViewStory {
    private let board: JSON = [
        "kind": "note", "name": "Due soon", "layout": "board",
        "filter": ["due_on": ["lte": "2026-12-31"], "q": "poster"],
        "sort": "title", "group_by": "due_on", "columns": ["title", "custom.size"],
    ]

    @Test func `a view is checked against the list it is of`() async throws {
        let desk = try await Desk()
        let made = try await desk.client.post("/v1/saved-views", board).expect(201).json
        #expect(
            made["filter"] == ["due_on": ["lte": "2026-12-31"], "q": "poster"] && made["is_shared"] == false)
        let wrong: JSON = [
            "kind": "note", "name": "X", "filter": ["due_on": ["lte": "soon"], "colour": "red"],
            "sort": "size",
            "group_by": "title", "columns": ["titel"],
        ]
        let places = try await desk.client.post("/v1/saved-views", wrong).expect(422).places
        #expect(Set(places) == ["/filter/due_on/lte", "/filter/colour", "/sort", "/group_by", "/columns/0"])
        #expect(
            try await desk.client.post("/v1/saved-views", ["kind": "star", "name": "X"]).places == ["/kind"])
        let path = "/v1/saved-views/\(try made.text("id"))"
        #expect(
            try await desk.client.patch(path, ["sort": nil, "name": "Soon"]).json["sort"]?.isNull == true)
        #expect(try await desk.client.patch(path, ["filter": ["colour": "red"]]).places == ["/filter/colour"])
    }

    @Test func `a private view is its owner's alone, a shared one everybody's to use`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        let mine = try await desk.client.post("/v1/saved-views", board).expect(201).json
        let path = "/v1/saved-views/\(try mine.text("id"))"
        #expect(try await grace.client.get(path).status == 404)
        _ = try await desk.client.patch(path, ["is_shared": true]).expect(200)
        #expect(try await grace.client.get(path).status == 200)
        #expect(try await grace.client.patch(path, ["name": "Theirs"]).status == 403)
        #expect(try await grace.client.delete(path).status == 403)
        let client = try await desk.owner.colleague(.client)
        var shared = board.objectValue!
        shared["is_shared"] = true
        #expect(try await client.client.post("/v1/saved-views", .object(shared)).status == 403)
        #expect(try await desk.client.delete(path).status == 204)
        #expect(
            try await desk.events("saved_view.%") == [
                "saved_view.created", "saved_view.updated", "saved_view.deleted",
            ])
    }

    @Test func `favourites and the default are each one's own, and a list has one default`() async throws {
        let desk = try await Desk()
        let grace = try await desk.owner.colleague(.member)
        var paths: [String] = []
        for name in ["One", "Two"] {
            var body = board.objectValue!
            (body["name"], body["is_shared"]) = (.string(name), true)
            paths.append(
                "/v1/saved-views/\(try await desk.client.post("/v1/saved-views", .object(body)).expect(201).json.text("id"))"
            )
        }
        #expect(try await desk.client.put("\(paths[0])/default", [:]).json["is_default"] == true)
        #expect(try await desk.client.put("\(paths[1])/default", [:]).json["is_default"] == true)
        #expect(
            try await desk.client.get("/v1/saved-views?is_default=true").data.map { $0["name"] } == ["Two"])
        #expect(try await desk.client.put("\(paths[0])/favourite", [:]).json["is_favourite"] == true)
        #expect(
            try await grace.client.get("/v1/saved-views").data.map { $0["is_favourite"] } == [false, false])
        #expect(try await desk.client.delete("\(paths[0])/favourite").status == 204)
        #expect(try await desk.client.get("/v1/saved-views?is_favourite=true").data.isEmpty)
    }
}
