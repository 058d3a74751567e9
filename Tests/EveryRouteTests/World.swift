import API
import TestSupport
import Testing
import Wire

/// Two companies that know nothing of each other, and somebody in neither.
actor World {
    let server: TestServer
    /// The owner of the company under test.
    nonisolated let ownerToken: Token
    private nonisolated let operatorToken: String
    /// Signed in, but in no company.
    nonisolated let homelessToken: String
    private let owner: Person
    private let neighbour: Person
    // Tasks, not values: tests run side by side, and each thing is to be made once.
    private var lacking: [String: Task<String, any Error>] = [:]
    private var neighbours: Task<[String], any Error>?

    struct Token: Sendable {
        let text: String
        /// One letter of the signature changed.
        var forged: String {
            var bytes = Array(text.utf8)
            let at = bytes.count - 10
            bytes[at] = bytes[at] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    static func shared() async throws -> World { try await made.value }
    private static let made = Task { try await World() }

    private init() async throws {
        server = try await TestServer.shared()
        owner = try await Person(signedUpOn: server, company: "Every Route")
        // One colleague for each permission.
        _ = try server.database.psql(
            "UPDATE companies SET seat_limit = 1000 WHERE id = '\(owner.companyId ?? "")'")
        neighbour = try await Person(signedUpOn: server, company: "Neighbour")
        // A member for each permission there is.
        _ = try server.database.psql(
            "UPDATE companies SET seat_limit = 1000 WHERE id = '\(owner.companyId ?? "")'")
        ownerToken = Token(text: owner.token)
        operatorToken = try await Person.operator(on: server).token
        homelessToken = try await Person.withoutCompany(on: server).token
    }

    /// Of somebody who may do it.
    nonisolated func token(for route: Route) -> String {
        route.access == .operator ? operatorToken : ownerToken.text
    }

    /// Asks a route with everything in order except what the test is about.
    func ask(
        _ route: Route, token: String?, identifier: String = UUID.v7().description, query: String? = nil,
        body: String? = nil
    ) async throws -> Answer {
        var parameters = route.inputs.compactMap { if case .path(let schema) = $0 { schema } else { nil } }[
            ...]
        let path = route.path.split(separator: "/").map { segment -> Substring in
            guard segment.hasPrefix("{") else { return segment }
            // A name that no identifier can be stands as its example.
            guard let schema = parameters.popFirst(), !schema.faults(in: .string(identifier)).isEmpty,
                case .string(let example)? = schema.example
            else { return Substring(identifier) }
            return Substring(example)
        }
        let target = "/" + path.joined(separator: "/") + (query.map { "?\($0)" } ?? "")
        let sample = SampleBody.of(route).map(\.description)
        var client = server.client.with(token: token)
        if route.requiresIfMatch { client = client.with(header: "If-Match", "\"1\"") }
        if route.idempotency == .required {
            client = client.with(header: "Idempotency-Key", UUID.v7().description)
        }
        return try await client.send(
            "\(route.method.name)", target, body: (body ?? sample).map { Array($0.utf8) })
    }

    /// A member who may do everything but this.
    func token(lacking permission: Permission) async throws -> String {
        let making =
            lacking[permission.name]
            ?? Task { [owner, server] in
                let others = server.instance.application.permissions.filter { $0 != permission }
                let role = try await owner.makeRole("Not \(permission.name)", others)
                return try await owner.colleague(roleIds: [role]).token
            }
        lacking[permission.name] = making
        return try await making.value
    }

    /// Identifiers of things that really exist in the other company.
    func neighbourIdentifiers() async throws -> [String] {
        let finding =
            neighbours
            ?? Task { [neighbour, server] in
                try await neighbour.client.post("/v1/teams", ["name": "Neighbours"]).expect(201)
                var ids: [String] = []
                for list in server.instance.application.routes where list.isPlainList {
                    let page = try await neighbour.client.get(list.path)
                    ids += page.json["data"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                }
                #expect(ids.count >= 4, "the neighbour has too little to test with: \(ids)")
                return ids
            }
        neighbours = finding
        return try await finding.value
    }
}
