import API
import App
import Core
import Postgres
import TestSupport
import Wire

/// A company at work on notes: one server for all tests, a company for each.
struct Desk: Sendable {
    static let serverTask = Task {
        try await TestServer(adding: [NotesDomain.self], tables: NotesDomain.tables)
    }

    let server: TestServer
    let owner: Person
    let company: UUID

    init(_ name: String = "Deskworks") async throws {
        server = try await Desk.serverTask.value
        owner = try await Person(signedUpOn: server, company: name)
        company = UUID(owner.companyId!)!
    }

    var client: Client { owner.client }

    func note(_ title: String, _ more: JSON = [:], by person: Person? = nil) async throws -> JSON {
        var body = more.objectValue ?? JSON.Object()
        body["title"] = .string(title)
        return try await (person ?? owner).client.post("/v1/jottings", .object(body)).expect(201).json
    }

    func tag(_ name: String) async throws -> String {
        try await client.post("/v1/tags", ["name": .string(name)]).expect(201).json.text("id")
    }

    /// The membership of somebody.
    func member(_ person: Person) async throws -> String {
        let rows = try await server.instance.database.query(
            "SELECT id FROM memberships WHERE company_id = \(company) AND user_id = \(UUID(person.userId)!)",
            as: Tenant(company: company, user: nil))
        return try rows[0].get("id", as: UUID.self).description
    }

    /// The kinds of news in somebody's inbox, newest first.
    func news(of person: Person) async throws -> [String] {
        try await person.client.get("/v1/notifications").expect(200).data.compactMap {
            $0["type"]?.stringValue
        }
    }

    func events(_ pattern: String) async throws -> [String] {
        let rows = try await server.instance.database.query(
            "SELECT type FROM outbox WHERE company_id = \(company) AND type LIKE \(pattern) ORDER BY seq",
            as: Tenant(company: company, user: nil))
        return try rows.map { try $0.get("type") }
    }
}

extension Answer {
    /// The items of a list.
    var data: [JSON] { json["data"]?.arrayValue ?? [] }

    /// Where the faults are, in order.
    var places: [String] {
        (json["errors"]?.arrayValue ?? []).compactMap {
            $0["pointer"]?.stringValue ?? $0["parameter"]?.stringValue
        }
    }
}
