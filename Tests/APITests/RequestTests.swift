import API
import Testing
import Wire

@Suite struct RequestTests {
    @Test func `a board is made, shown, listed, changed and taken down`() async throws {
        let ground = try await Ground()
        let client = ground.client()
        let made = try client.send(
            "POST", "/v1/boards", ["name": "  Kitchen ", "price_cents": 250, "tags": ["a", "b"]])
        #expect(made.status == 201, "\(made.text)")
        #expect(made.json["name"] == "Kitchen")
        #expect(made.json["state"] == "open")
        let path = try #require(made["location"])
        #expect(path == "/v1/boards/\(made.json["id"]!.stringValue!)")
        #expect(made["etag"] == "\"1\"")

        let shown = try client.get(path)
        #expect(shown.json == made.json)
        #expect(shown["cache-control"] == "private, no-cache")
        #expect(try client.get(path, ["If-None-Match": "\"1\""]).status == 304)

        let changed = try client.send("PATCH", path, ["name": "Hall", "note": "by the door"])
        #expect(changed.json["name"] == "Hall", "\(changed.text)")
        #expect(changed.json["version"] == 2)
        let cleared = try client.send("PATCH", path, ["note": nil])
        #expect(cleared.json["note"] == .null)

        let page = try client.get("/v1/boards")
        #expect(page.json["data"]?.arrayValue?.count == 1, "\(page.text)")
        #expect(page.json["page"] == ["next_cursor": nil, "has_more": false])
        let tag = try #require(page["etag"])
        #expect(tag.hasPrefix("W/\""))
        let unchanged = try client.get("/v1/boards", ["If-None-Match": tag])
        #expect(unchanged.status == 304)
        #expect(unchanged["etag"] == tag)
        _ = try client.send("PATCH", path, ["name": "Attic"])
        let anew = try client.get("/v1/boards", ["If-None-Match": tag])
        #expect(anew.status == 200)
        #expect(anew["etag"] != tag)

        #expect(try client.send("DELETE", path).status == 204)
        #expect(try client.get(path).code == "not-found")
    }
}
