import API
import Postgres
import Testing
import Wire

@Suite struct RepeatTests {
    private let ground: Ground
    private let client: Client

    init() async throws {
        ground = try await Ground()
        client = ground.client()
    }

    private let board: JSON = ["name": "Once", "price_cents": 1]

    @Test func `a repeated request gets the first one's answer, and nothing happens twice`() throws {
        let first = try client.send("POST", "/v1/boards", board, headers: ["Idempotency-Key": "abc"])
        #expect(first.status == 201, "\(first.text)")
        #expect(first["idempotency-replayed"] == nil)
        for key in ["abc", "\"abc\""] {
            let again = try client.send("POST", "/v1/boards", board, headers: ["Idempotency-Key": key])
            #expect(again.status == 201)
            #expect(again["idempotency-replayed"] == "true")
            #expect(again.text == first.text)
            #expect(again["location"] == first["location"])
            #expect(again["etag"] == first["etag"])
            #expect(again["x-request-id"] != first["x-request-id"])
        }
        #expect(try ground.test.psql("SELECT count(*) FROM boards") == "1\n")
    }

    @Test func `the key belongs to caller, address and body`() throws {
        let headers = ["Idempotency-Key": "abc"]
        _ = try client.send("POST", "/v1/boards", board, headers: headers)
        let other = try client.send(
            "POST", "/v1/boards", ["name": "Twice", "price_cents": 1], headers: headers)
        #expect(other.code == "idempotency-key-reused")
        #expect(other.status == 422)
        #expect(try client.as("owner-1").send("POST", "/v1/boards", board, headers: headers).status == 201)
        #expect(try client.send("POST", "/v1/echo", ["lines": []], headers: headers).status == 200)
    }

    @Test func `a refused request is not kept`() throws {
        let headers = ["Idempotency-Key": "abc"]
        #expect(try client.send("POST", "/v1/boards", ["name": "Once"], headers: headers).status == 422)
        #expect(try client.send("POST", "/v1/boards", board, headers: headers).status == 201)
    }

    @Test func `a route may insist on a key, and a key has a form`() throws {
        let path = try client.send("POST", "/v1/boards", board)["location"]!
        #expect(try client.send("POST", "\(path)/payment").code == "idempotency-key-required")
        #expect(try client.send("POST", "\(path)/payment", headers: ["Idempotency-Key": "a b"]).status == 400)
        for _ in 0..<2 {
            let paid = try client.send("POST", "\(path)/payment", headers: ["Idempotency-Key": "pay-1"])
            #expect(paid.json["price_cents"] == 2, "\(paid.text)")
        }
    }

    @Test func `while the first is being worked on, the second waits outside`() async throws {
        let path = try client.send("POST", "/v1/boards", board)["location"]!
        // Another session holds the board, so that the first request has to wait inside its transaction.
        let (gate, release) = AsyncStream<Void>.makeStream()
        let (held, isHeld) = AsyncStream<Void>.makeStream()
        let holder = Task { [database = ground.database] in
            try await database.transaction(as: Tenant(company: Ground.companies[0])) { tx in
                _ = try await tx.query("SELECT 1 FROM boards FOR UPDATE")
                isHeld.finish()
                for await _ in gate {}
            }
        }
        for await _ in held {}
        let headers = ["Idempotency-Key": "pay-1"]
        let first = Task.detached { [client] in try client.send("POST", "\(path)/payment", headers: headers) }
        try await eventually("the first request waits for the board") {
            try ground.test.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "1\n"
        }
        let second = try client.send("POST", "\(path)/payment", headers: headers)
        #expect(second.code == "request-in-flight")
        #expect(second["retry-after"] == "1")
        release.finish()
        try await holder.value
        #expect(try await first.value.status == 200)
        #expect(
            try client.send("POST", "\(path)/payment", headers: headers)["idempotency-replayed"] == "true")
    }

    @Test func `a caller over his quota is told when to come back`() throws {
        let words: JSON = ["lines": []]
        let answers = try (0..<6).map { _ in try client.send("POST", "/v1/echo", words) }
        #expect(answers.map(\.status) == [200, 200, 200, 200, 200, 429])
        #expect(answers[0]["ratelimit-policy"] == "\"echo\";q=5;w=60")
        #expect(answers[0]["ratelimit"] == "\"echo\";r=4;t=12")
        #expect(answers[5].code == "quota-exceeded")
        #expect(answers[5]["ratelimit"]?.hasPrefix("\"echo\";r=0;t=1") == true)
        #expect(Int(answers[5]["retry-after"]!)! <= 12)
    }
}

/// Asks again until the answer is yes; fails when it has not become so in time.
func eventually(
    within limit: Duration = .seconds(5), _ claim: String, _ holds: () async throws -> Bool,
    at location: SourceLocation = #_sourceLocation
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("\(claim): not within \(limit)", sourceLocation: location)
}
