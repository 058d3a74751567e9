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
    func project(_ name: String = "Website relaunch", _ more: JSON.Object = [:], by person: Person? = nil) async throws -> String {
        var body: JSON.Object = ["name": .string(name), "is_active": true]
        for (key, value) in more.members { body[key] = value }
        return try await (person ?? owner).client.post("/v1/projects", .object(body)).expect(201).json.text("id")
    }
}

extension Person {
    /// This person's membership in the company he is signed in to.
    func member() async throws -> String { try await memberId(of: self) }

    /// Somebody's membership in this person's company; some see only what is shared with them, and must be asked for.
    func memberId(of other: Person) async throws -> String {
        let members = try await client.get("/v1/members?limit=100").expect(200).json["data"]?.arrayValue ?? []
        let own = try #require(members.first { $0["user_id"]?.stringValue == other.userId })
        return try own.text("id")
    }
}

extension Answer {
    /// One field of each item of a page.
    func texts(_ field: String) -> [String] {
        (json["data"]?.arrayValue ?? []).compactMap { $0[field]?.stringValue }
    }
}

extension Person {
    /// Sends one file of the company's.
    func upload(_ bytes: [UInt8], name: String, type: String) async throws -> Answer {
        let boundary = "----form\(UUID.v7())"
        let head = """
            --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="\(name)"\r\nContent-Type: \(type)\r\n\r\n
            """
        let body = Array(head.utf8) + bytes + Array("\r\n--\(boundary)--\r\n".utf8)
        return try await client.send(
            "POST", "/v1/files", body: body, type: "multipart/form-data; boundary=\(boundary)")
    }
}
