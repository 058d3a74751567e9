import Crypto
import Testing
import TestSupport
import Wire

@testable import Auth

@Suite(.serialized) struct SigningKeyTests {
    /// The key a token says it was signed with.
    private func kid(of token: String) throws -> String {
        let header = try #require(Base64.decode(token.prefix { $0 != "." }, .url))
        return try JSON.parse(header).text("kid")
    }

    private func keys(_ server: TestServer) async throws -> [String] {
        let keys =
            try await server.client.get("/.well-known/jwks.json").expect(200).json["keys"]?.arrayValue ?? []
        return try keys.map { try $0.text("kid") }
    }

    @Test func `keys are exchanged without anybody being signed out, on every instance`() async throws {
        let server = try await House.another()
        let other = try await House.another(beside: server)
        defer {
            Task {
                await server.stop(); await other.stop()
            }
        }
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let before = try await keys(server)
        #expect(before.count == 2)
        #expect(try kid(of: ada.token) == before[0])

        // A month later the worker comes by.
        try server.database.psql(
            "UPDATE signing_keys SET current_since = now() - interval '31 days' WHERE state = 'current'")
        let parts = server.instance.environment[AuthParts.self]
        try await parts.keys.rotateIfDue(at: .now)
        let after = try await keys(server)
        #expect(after.count == 3)
        #expect(after[0] == before[1])
        try await parts.keys.rotateIfDue(at: .now)
        #expect(try await keys(server) == after)

        let later = try await Person(signingInOn: server, email: ada.email)
        #expect(try kid(of: later.token) == before[1])
        // The other instance knows the new key from before it signed, and the old one still.
        for person in [ada, later] {
            try await other.client.with(token: person.token).get("/v1/auth/me").expect(200)
        }
        // It goes on signing with the old key until it looks; both are published.
        let there = try await Person(signingInOn: other, email: ada.email)
        try await server.client.with(token: there.token).get("/v1/auth/me").expect(200)
        let left = try server.database.psql(
            "SELECT count(*) FROM signing_keys WHERE state = 'retired' AND private_sealed IS NULL")
        #expect(left == "1\n")
    }

    @Test func `a key this instance has never seen is looked for`() async throws {
        let server = try await House.another()
        let other = try await House.another(beside: server)
        defer {
            Task {
                await server.stop(); await other.stop()
            }
        }
        let ada = try await Person(signedUpOn: server, company: nil)
        let parts = server.instance.environment[AuthParts.self]
        for _ in 0..<2 {
            try server.database.psql(
                "UPDATE signing_keys SET current_since = now() - interval '31 days' WHERE state = 'current'")
            try await parts.keys.rotateIfDue(at: .now)
        }
        let later = try await Person(signingInOn: server, email: ada.email)
        _ = try await eventually {
            try await other.client.with(token: later.token).get("/v1/auth/me").status == 200 ? true : nil
        }
    }

    @Test func `private keys are sealed in the database`() async throws {
        let server = try await House.shared()
        let rows = try server.database.psql(
            "SELECT encode(private_sealed, 'hex') FROM signing_keys WHERE state = 'current'")
        let sealed = try #require(Hex.decode(rows.filter { $0 != "\n" }))
        #expect(SigningKey(der: sealed) == nil)
    }
}
