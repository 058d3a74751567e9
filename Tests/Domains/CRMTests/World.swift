import API
import TestSupport
import Testing
import Wire

/// A company of its own on the server all tests share, with people in the usual roles.
struct World: Sendable {
    let server: TestServer
    let owner: Person

    init(_ company: String = "Aurora Studio") async throws {
        server = try await TestServer.shared()
        owner = try await Person(signedUpOn: server, company: company)
    }
}
