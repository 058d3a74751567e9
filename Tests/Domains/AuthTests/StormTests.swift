import TestSupport
import Testing
import Wire

/// What happens when many come at once; one test after the other, as each wants the whole machine.
@Suite(.serialized) struct StormTests {
    @Test func `an unknown address takes as long as a wrong password`() async throws {
        // A cost at which hashing outweighs everything else.
        let server = try await House.another(["INFINITY_BCRYPT_COST": "9"])
        defer { Task { await server.stop() } }
        let known = try await Guest.withAccount(on: server)
        let clock = ContinuousClock()
        var best: (known: Duration, unknown: Duration) = (.seconds(60), .seconds(60))
        for _ in 0..<5 {
            best.known = min(
                best.known, try await clock.measure { _ = try await known.login(password: "wrong-password") })
            best.unknown = min(best.unknown, try await clock.measure { _ = try await Guest(server).login() })
        }
        // Without the hash the unknown address would be answered ten times as fast.
        #expect(best.unknown > best.known * 0.4 && best.unknown < best.known * 2.5)
    }

    @Test func `a storm of logins leaves the health checks alive`() async throws {
        let server = try await House.another(["INFINITY_BCRYPT_COST": "9"])
        defer { Task { await server.stop() } }
        let guests = (0..<30).map { _ in Guest(server) }
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for guest in guests { group.addTask { _ = try await guest.login() } }
            var worst: Duration = .zero
            for _ in 0..<50 {
                worst = max(
                    worst, try await clock.measure { try await server.client.get("/healthz").expect(200) })
            }
            // Were the hashes on the loops, a health check would wait for a dozen of them at a time.
            #expect(worst < .milliseconds(900))
            try await group.waitForAll()
        }
    }

    @Test func `when too many wait to be hashed the rest is told to come back`() async throws {
        let server = try await House.another(["INFINITY_BCRYPT_COST": "9"])
        defer { Task { await server.stop() } }
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<100 { group.addTask { try await Guest(server).login() } }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        let refused = answers.filter { $0.status == 503 }
        #expect(!refused.isEmpty)
        #expect(refused.allSatisfy { $0.header("retry-after") != nil })
        #expect(answers.allSatisfy { [401, 429, 503].contains($0.status) })
    }
}
