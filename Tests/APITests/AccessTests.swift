import API
import HTTP
import Testing
import Wire

@Suite struct AccessTests {
    private let ground: Ground
    private let client: Client

    init() async throws {
        ground = try await Ground { $0.allowedOrigins = ["https://app.example.com"] }
        client = ground.client()
    }

    @Test(arguments: ["", "slow-"])
    func `who may not is told why`(lookup: String) throws {
        let anonymous = try client.as(nil).get("/v1/boards")
        #expect(anonymous.status == 401)
        #expect(anonymous["www-authenticate"] == #"Bearer realm="infinity""#)
        let forged = try client.as("\(lookup)forged").get("/v1/boards")
        #expect(forged["www-authenticate"] == #"Bearer realm="infinity", error="invalid_token""#)
        #expect(try client.as("\(lookup)nobody").get("/v1/boards").code == "company-required")
        #expect(try client.as("\(lookup)nobody").get("/v1/boards/summary").code == "company-required")
        #expect(try client.as("\(lookup)nobody").get("/v1/me").status == 200)
        let viewer = try client.as("\(lookup)viewer-0").send(
            "POST", "/v1/boards", ["name": "A", "price_cents": 1])
        #expect(viewer.status == 403)
        #expect(viewer.json["permission"] == "boards:write")
        #expect(try client.as("\(lookup)client-0").get("/v1/boards").json["permission"] == "boards:read")
        #expect(try client.as("\(lookup)viewer-0").get("/v1/boards").status == 200)
    }

    @Test func `another company's board does not exist`() throws {
        let path = try client.send("POST", "/v1/boards", ["name": "Ours", "price_cents": 1])["location"]!
        let other = client.as("owner-1")
        #expect(try other.get(path).code == "not-found")
        #expect(try other.send("PATCH", path, ["name": "Theirs"]).code == "not-found")
        #expect(try other.send("DELETE", path).code == "not-found")
        #expect(try client.get(path).json["name"] == "Ours")
    }

    @Test func `a violated constraint is the problem its domain declares`() throws {
        _ = try client.send("POST", "/v1/boards", ["name": "Same", "price_cents": 1])
        let again = try client.send("POST", "/v1/boards", ["name": "Same", "price_cents": 1])
        #expect(again.status == 409)
        #expect(again.code == "board-name-taken")
        #expect(again.faults == ["/name board-name-taken"])
    }

    @Test func `our own fault says nothing of its cause`() throws {
        let answer = try client.get("/v1/fault")
        #expect(answer.status == 500)
        #expect(answer.code == "internal-error")
        #expect(!answer.text.contains("Oops"))
    }

    @Test func `addresses and methods nobody declared`() throws {
        #expect(try client.get("/v1/nothing").status == 404)
        #expect(try client.get("/v1/boards/").text.contains("perhaps /v1/boards was meant"))
        let put = try client.send("PUT", "/v1/boards/summary", [:])
        #expect(put.status == 405)
        // A resource of that name goes before a board of that id, for every method.
        #expect(put["allow"] == "GET, HEAD, OPTIONS")
        let options = try client.send("OPTIONS", "/v1/boards")
        #expect(options.status == 204)
        #expect(options["allow"] == "GET, POST, HEAD, OPTIONS")
        let head = try client.send("HEAD", "/v1/boards")
        #expect(head.status == 200)
        #expect(head.text.isEmpty)
        #expect(try client.get("/v1/bo%61rds").status == 200)
        #expect(try client.get("/v1/boards%2Fsummary").status == 404)
    }

    @Test func `every answer carries its id and the fields that keep browsers safe`() throws {
        let named = try client.get("/v1/boards", ["X-Request-Id": "abc-123"])
        #expect(named["x-request-id"] == "abc-123")
        let unsafe = try client.get("/v1/boards", ["X-Request-Id": "a b\"c"])
        #expect(UUID(unsafe["x-request-id"]!) != nil)
        for answer in [
            named, try client.get("/v1/nothing"), try client.get("/livez"), try client.get("/v1/fault"),
        ] {
            #expect(answer["x-content-type-options"] == "nosniff")
            #expect(answer["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'")
            #expect(answer["referrer-policy"] == "no-referrer")
            #expect(answer["cache-control"] != nil)
            #expect(answer["server"] == nil)
        }
        let broken = try client.exchange("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        #expect(broken.code == "bad-request")
        #expect(broken["x-content-type-options"] == "nosniff")
    }

    @Test func `pages of allowed origins may call, others not`() throws {
        let asked = try client.as(nil).send(
            "OPTIONS", "/v1/boards",
            headers: ["Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"])
        #expect(asked.status == 204)
        #expect(asked["access-control-allow-origin"] == "https://app.example.com")
        #expect(asked["access-control-allow-methods"]?.contains("POST") == true)
        #expect(asked["access-control-allow-headers"]?.contains("idempotency-key") == true)
        #expect(asked["vary"] == "origin")
        let called = try client.get("/v1/boards", ["Origin": "https://app.example.com"])
        #expect(called["access-control-allow-origin"] == "https://app.example.com")
        let other = try client.get("/v1/boards", ["Origin": "https://evil.example"])
        #expect(other["access-control-allow-origin"] == nil)
    }

    @Test func `a route on its way out says so, and a version nobody knows is refused`() throws {
        let answer = try client.get("/v1/fault")
        #expect(answer["deprecation"] == "@1767225600")
        #expect(answer["sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT")
        #expect(answer["link"] == "</docs>; rel=\"deprecation\"")
        #expect(try client.get("/v1/boards", ["Infinity-Version": "2026-11-01"]).status == 200)
        #expect(try client.get("/v1/boards", ["Infinity-Version": "2020-01-01"]).code == "unknown-version")
    }

    @Test func `who guesses tokens is stopped`() throws {
        let statuses = try (0..<125).map { try client.as("slow-guess-\($0)").get("/v1/me").status }
        #expect(statuses.prefix(120).allSatisfy { $0 == 401 })
        #expect(statuses.last == 429)
        #expect(try client.get("/v1/boards").status == 200)
    }

    @Test func `a stale version changes nothing`() throws {
        let path = try client.send("POST", "/v1/boards", ["name": "A", "price_cents": 1])["location"]!
        #expect(try client.send("PATCH", path, ["name": "B"], headers: ["If-Match": "\"1\""]).status == 200)
        #expect(
            try client.send("PATCH", path, ["name": "C"], headers: ["If-Match": "\"1\""]).code
                == "version-mismatch")
        #expect(try client.send("DELETE", path, headers: ["If-Match": "\"1\""]).status == 412)
        #expect(
            try client.send("PATCH", path, ["name": "C"], headers: ["If-Match": "nonsense"]).status == 400)
        #expect(try client.get(path).json["name"] == "B")
        #expect(try client.send("DELETE", path, headers: ["If-Match": "\"2\""]).status == 204)
    }

    @Test func `the figures are for whom the deployment says`() async throws {
        func statuses(_ access: APIConfiguration.MetricsAccess) async throws -> [Int] {
            let client = try await Ground { $0.metricsAccess = access }.client()
            return [
                try client.as(nil).get("/metrics").status, try client.as("secret").get("/metrics").status,
            ]
        }
        #expect(try await statuses(.loopback) == [200, 200])
        #expect(try await statuses(.open) == [200, 200])
        #expect(try await statuses(.off) == [404, 404])
        #expect(try await statuses(.token("secret")) == [401, 200])
        #expect(try await statuses(.token("other")) == [401, 401])
    }

    @Test func `health is told without a database`() async throws {
        #expect(try client.as(nil).get("/livez").json == ["status": "ok"])
        #expect(try client.get("/healthz?verbose").json["version"] == "0")
        #expect(try client.get("/readyz").status == 200)
        ground.application.health.register(.init("stars") { "they do not shine" })
        let unready = try client.get("/readyz")
        #expect(unready.status == 503)
        #expect(unready.text.contains("they do not shine"))
        #expect(try client.get("/livez").status == 200)
        #expect(try client.get("/metrics").text.contains("http_server_request_duration_seconds_bucket"))
    }
}
