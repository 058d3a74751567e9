import Glibc
import TestSupport
import Testing
import Wire

/// Who gets which bytes, and what keeps them from doing harm.
@Suite struct DeliveryStory {
    @Test func `what could run is only ever saved`() async throws {
        let ada = try await Shelf.shared().owner()
        let html = Array("  <!DOCTYPE html><script>alert(1)</script>".utf8)
        for (bytes, name, type) in [
            (Picture.svg, "logo.png", "image/svg+xml"), (html, "picture.png", "text/html"),
            (Array("<?xml version=\"1.0\"?><svg/>".utf8), "x.jpg", "image/svg+xml"),
        ] {
            let made = try await ada.upload(bytes, name: name, type: "image/png").expect(201).json
            #expect(made["type"]?.stringValue == type)
            #expect(made["declared_type"] == "image/png")
            let content = try await ada.client.get("/v1/files/\(made.text("id"))/content?disposition=inline")
                .expect(200)
            #expect(content.header("content-disposition")?.hasPrefix("attachment") == true)
            #expect(content.header("content-type") == "application/octet-stream")
            #expect(content.headers("content-security-policy") == ["default-src 'none'; sandbox"])
            #expect(content.headers("x-content-type-options") == ["nosniff"])
        }
    }

    @Test func `a picture that is a page as well is shown as a picture and nothing else`() async throws {
        let ada = try await Shelf.shared().owner()
        let polyglot = Picture.gif + Array("<script>alert(1)</script>".utf8)
        let id = try await ada.upload(polyglot, name: "x.html", type: "text/html").expect(201).json.text("id")
        let content = try await ada.client.get("/v1/files/\(id)/content?disposition=inline").expect(200)
        #expect(content.header("content-type") == "image/gif")
        #expect(content.header("content-disposition") == "inline; filename=\"x.html\"")
        #expect(content.headers("x-content-type-options") == ["nosniff"])
        #expect(content.headers("content-security-policy") == ["default-src 'none'; sandbox"])
    }

    @Test func `a link opens its file without an account until it expires`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let id = try await ada.upload(Picture.png, name: "logo.png").expect(201).json.text("id")
        let made = try await ada.client.post(
            "/v1/files/\(id)/download-url", ["disposition": "inline", "expires_in_seconds": 60]
        ).expect(200).json
        let url = try made.text("url")
        let path = String(url.dropFirst(url.count - url.split(separator: "/v1", maxSplits: 1)[1].count - 3))
        let content = try await shelf.server.client.get(path).expect(200)
        #expect(content.body == Picture.png)
        #expect(content.headers("cross-origin-resource-policy") == ["cross-origin"])
        #expect(content.header("cache-control")?.hasPrefix("private, max-age=") == true)
        #expect(
            try await shelf.server.client.send("HEAD", path).header("content-length")
                == "\(Picture.png.count)")
        // Every single letter of it counts.
        let token = String(path.split(separator: "/").last!)
        for at in stride(from: 0, to: token.count, by: 7) {
            var letters = Array(token)
            letters[at] = letters[at] == "A" ? "B" : "A"
            let answer = try await shelf.server.client.get("/v1/public/files/\(String(letters))")
            #expect(answer.status == 404 && answer.code == "link-invalid", "letter \(at)")
        }
        try await ada.client.delete("/v1/files/\(id)").expect(204)
        #expect([404, 409].contains(try await shelf.server.client.get(path).status))
        try await ada.client.post("/v1/files/\(id)/download-url", ["expires_in_seconds": 604_801]).expect(422)
    }

    struct Ask: Sendable {
        let range: String
        var condition: String?
        let status: Int
        var part: Range<Int>?
    }

    private static let asks = [
        Ask(range: "bytes=0-0", status: 206, part: 0..<1),
        Ask(range: "bytes=10-19", status: 206, part: 10..<20),
        Ask(range: "bytes=999990-", status: 206, part: 999_990..<1_000_000),
        Ask(range: "bytes=-5", status: 206, part: 999_995..<1_000_000),
        Ask(range: "bytes=999999-2000000", status: 206, part: 999_999..<1_000_000),
        Ask(range: "bytes=1000000-", status: 416), Ask(range: "bytes=-0", status: 416),
        Ask(range: "bytes=20-10", status: 200), Ask(range: "bytes=0-1,5-6", status: 200),
        Ask(range: "lines=1-2", status: 200),
        Ask(range: "bytes=0-9", condition: "tag", status: 206, part: 0..<10),
        Ask(range: "bytes=0-9", condition: "\"another\"", status: 200),
        Ask(range: "bytes=0-9", condition: "W/tag", status: 200),
        Ask(range: "bytes=0-9", condition: "date", status: 206, part: 0..<10),
        Ask(range: "bytes=0-9", condition: "Mon, 01 Jan 2001 00:00:00 GMT", status: 200),
    ]

    @Test func `a part is given as it was asked for`() async throws {
        let ada = try await Shelf.shared().owner()
        let bytes = noise(1_000_000)
        let id = try await ada.upload(bytes).expect(201).json.text("id")
        try await DeliveryStory.check(ada, id, bytes)
    }

    /// The same for every storage.
    static func check(_ ada: Person, _ id: String, _ bytes: [UInt8]) async throws {
        let path = "/v1/files/\(id)/content"
        let head = try await ada.client.send("HEAD", path).expect(200)
        let (tag, date) = (try #require(head.header("etag")), try #require(head.header("last-modified")))
        #expect(
            head.header("content-length") == String(bytes.count) && head.header("accept-ranges") == "bytes")
        for ask in asks {
            var client = ada.client.with(header: "Range", ask.range)
            client.contract = nil
            if let condition = ask.condition {
                let text =
                    condition == "tag"
                    ? tag : condition == "W/tag" ? "W/\(tag)" : condition == "date" ? date : condition
                client = client.with(header: "If-Range", text)
            }
            let answer = try await client.get(path).expect(ask.status)
            if let part = ask.part {
                #expect(answer.body == Array(bytes[part]), "\(ask)")
                #expect(
                    answer.headers("content-range") == [
                        "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(bytes.count)"
                    ])
            } else if ask.status == 416 {
                #expect(answer.headers("content-range") == ["bytes */\(bytes.count)"])
            } else {
                #expect(answer.body == bytes, "\(ask)")
            }
            #expect(answer.headers("accept-ranges") == ["bytes"])
        }
        let same = try await ada.client.with(header: "If-None-Match", tag).send("GET", path)
        #expect(same.status == 304 && same.body.isEmpty && same.header("etag") == tag)
    }
}
