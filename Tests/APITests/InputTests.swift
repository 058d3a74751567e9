import API
import Testing
import Wire

@Suite struct InputTests {
    private let ground: Ground
    private let client: Client

    init() async throws {
        ground = try await Ground()
        client = ground.client()
    }

    @Test func `every fault of a body is told at once, each at its place`() throws {
        let answer = try client.send(
            "POST", "/v1/echo",
            [
                "lines": [["text": "ok"], ["text": "   ", "by": "nonsense"], ["txt": "x"]],
                "on": "2026-02-30", "amounts": ["a/b": "1"],
            ])
        #expect(answer.status == 400)
        #expect(
            answer.faults == [
                "/lines/1/text invalid", "/lines/1/by invalid", "/lines/2/text required",
                "/lines/2/txt unknown-field",
                "/amounts/a~1b wrong-type", "/on invalid",
            ])
        #expect(answer.text.contains("perhaps text was meant"))
        #expect(answer["content-type"] == "application/problem+json")
        #expect(answer.json["request_id"]?.stringValue == answer["x-request-id"])
        #expect(answer.json["instance"] == "/v1/echo")
        #expect(answer.json["type"] == "/docs/errors#malformed-request")
    }

    @Test func `what is well formed but not acceptable is 422`() throws {
        let answer = try client.send(
            "POST", "/v1/boards", ["name": .string(String(repeating: "x", count: 41)), "price_cents": -1])
        #expect(answer.status == 422)
        #expect(answer.code == "invalid-request")
        #expect(answer.faults == ["/name too-long", "/price_cents too-small"])
    }

    @Test(arguments: [
        #"{"lines":[]"#, "", #"{"lines":[],"lines":[]}"#, #"{"lines":[{"text":"a\u0000b"}]}"#,
        #"{"lines":[{"text":"\ud800"}]}"#,
        "[]", "nonsense",
    ])
    func `a body that is no JSON object is refused`(body: String) throws {
        let answer = try client.send("POST", "/v1/echo", raw: body)
        #expect(answer.status == (body == "[]" ? 422 : 400), "\(answer.text)")
        #expect(answer.faults.count == 1)
    }

    @Test func `a body of another kind is 415, an answer nobody takes 406`() throws {
        let other = try client.send("POST", "/v1/echo", raw: "a=1", headers: ["Content-Type": "text/plain"])
        #expect(other.code == "unsupported-media-type")
        #expect(other["accept"] == "application/json")
        #expect(try client.get("/v1/boards", ["Accept": "text/html"]).status == 406)
        #expect(try client.get("/v1/boards", ["Accept": "text/html, */*;q=0.1"]).status == 200)
        #expect(try client.get("/v1/boards", ["Accept": "application/json;q=0"]).status == 406)
        #expect(
            try client.send(
                "POST", "/v1/echo", raw: #"{"lines":[]}"#,
                headers: ["Content-Type": "application/json; charset=utf-8"]
            ).status == 200)
    }

    @Test func `a large body is 413`() throws {
        let answer = try client.send(
            "POST", "/v1/echo", raw: "{" + String(repeating: " ", count: 1 << 20) + "}")
        #expect(answer.code == "payload-too-large")
    }

    @Test func `values come back as they were sent, numbers exact`() throws {
        let words: JSON = [
            "lines": [["text": "é 😀", "by": "ada@example.com"]],
            "amounts": ["camelCase": 9_007_199_254_740_991], "on": "2026-02-28",
            "extra": ["deep": [1.5, nil, true]],
        ]
        let answer = try client.send("POST", "/v1/echo", words)
        #expect(answer.json == words, "\(answer.text)")
    }

    @Test func `parameters of path and query are checked`() throws {
        let bad = try client.get("/v1/boards/17")
        #expect(bad.status == 400)
        #expect(bad.faults == ["id invalid"])
        let query = try client.get(
            "/v1/boards?limit=x&stat=open&price_cents=1.5&created_at%5Bgte%5D=yesterday&sort=nam&count=exact")
        #expect(query.status == 400)
        #expect(
            Set(query.faults) == [
                "limit wrong-type", "stat unknown-parameter", "price_cents wrong-type",
                "created_at[gte] invalid",
                "sort not-one-of", "count not-one-of",
            ])
        #expect(query.text.contains("perhaps state was meant"))
        #expect(try client.get("/v1/boards?limit=101").status == 422)
        #expect(try client.get("/v1/boards?state=open,shut").status == 422)
        #expect(try client.get("/v1/boards?state=%ff").status == 400)
        #expect(try client.get("/v1/boards?limit=1&limit=2").status == 400)
        #expect(try client.get("/v1/boards/summary?verbose=1").status == 400)
    }

    @Test func `a form is read and checked like a body`() throws {
        func send(_ text: String) throws -> Answer {
            try client.send(
                "POST", "/v1/form", raw: text, headers: ["Content-Type": "application/x-www-form-urlencoded"])
        }
        #expect(try send("name=A+%26+B&count=3").json["lines"]?[0]?["text"] == "A & B")
        #expect(
            try send("count=x&nam=y").faults == [
                "name required", "count wrong-type", "nam unknown-parameter",
            ])
        #expect(try client.send("POST", "/v1/form", ["name": "A"]).status == 415)
    }

    @Test func `a patch refuses null where a value must stay`() throws {
        let path = try client.send("POST", "/v1/boards", ["name": "A", "price_cents": 1])["location"]!
        let answer = try client.send("PATCH", path, ["name": nil])
        #expect(answer.status == 422)
        #expect(answer.faults == ["/name null-not-allowed"])
        #expect(try client.send("PATCH", path, [:]).json["version"] == 2)
        #expect(
            try client.send(
                "PATCH", path, ["note": "x"], headers: ["Content-Type": "application/merge-patch+json"]
            ).status == 200)
    }
}
