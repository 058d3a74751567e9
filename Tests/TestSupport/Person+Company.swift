import Testing
import Wire

extension Person {
    /// This person's membership in the company he is signed in to.
    public func member() async throws -> String { try await memberId(of: self) }

    /// Somebody's membership in this person's company; some see only what is shared with them, and must be asked for.
    public func memberId(of other: Person) async throws -> String {
        let members = try await client.get("/v1/members?limit=100").expect(200).json["data"]?.arrayValue ?? []
        let own = try #require(members.first { $0["user_id"]?.stringValue == other.userId })
        return try own.text("id")
    }
}

extension Answer {
    /// One field of each item of a page.
    public func texts(_ field: String) -> [String] {
        (json["data"]?.arrayValue ?? []).compactMap { $0[field]?.stringValue }
    }
}

extension Person {
    /// Sends one file of the company's.
    public func upload(_ bytes: [UInt8], name: String, type: String) async throws -> Answer {
        let boundary = "----form\(UUID.v7())"
        let head = """
            --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="\(name)"\r\nContent-Type: \(type)\r\n\r\n
            """
        let body = Array(head.utf8) + bytes + Array("\r\n--\(boundary)--\r\n".utf8)
        return try await client.send(
            "POST", "/v1/files", body: body, type: "multipart/form-data; boundary=\(boundary)")
    }
}
