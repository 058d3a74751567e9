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

    /// A project, and its id.
    func project(_ name: String = "Website relaunch", _ more: JSON.Object = [:], by person: Person? = nil)
        async throws -> String
    {
        var body: JSON.Object = ["name": .string(name), "is_active": true]
        for (key, value) in more.members { body[key] = value }
        return try await (person ?? owner).client.post("/v1/projects", .object(body)).expect(201).json.text(
            "id")
    }
}
