import TestSupport

/// The server of these tests, and others beside it on the same database.
enum House {
    // Tokens name the public address as their issuer, so it must be one for all instances.
    private static let variables = ["INFINITY_PUBLIC_URL": "http://infinity.example"]

    static func shared() async throws -> TestServer { try await server.value }
    private static let server = Task { try await TestServer(variables) }

    static func another(beside server: TestServer, _ more: [String: String] = [:]) async throws -> TestServer
    {
        try await TestServer(beside: server, variables.merging(more) { $1 })
    }
}
