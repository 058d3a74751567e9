import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Projects

/// A company with a project whose states are the usual ones, and its owner.
struct Workshop: Sendable {
    let server: TestServer
    let owner: Person
    let company: UUID
    let project: UUID
    let key: String
    let states: [String: UUID]
    /// The owner's membership.
    let member: String

    init(
        on other: TestServer? = nil, key: String = "WEB", timeZone: String = "Europe/Berlin",
        visibility: String = "company"
    ) async throws {
        let shared = try await TestServer.shared()
        server = other ?? shared
        owner = try await Person(signedUpOn: server, company: "Workshop \(UUID.v7().description.suffix(8))")
        company = try #require(owner.companyId.flatMap { UUID($0) })
        self.key = key
        (project, states) = try await Self.makeProject(key, timeZone, visibility, by: owner, server)
        member = try await Self.member(of: owner, in: company, server).description
    }

    static func makeProject(
        _ key: String, _ timeZone: String, _ visibility: String, by person: Person, _ server: TestServer
    ) async throws -> (UUID, [String: UUID]) {
        let body: JSON = [
            "name": "Site", "key": .string(key), "time_zone": .string(timeZone),
            "visibility": .string(visibility),
            "is_active": true,
        ]
        let made = try await person.client.post("/v1/projects", body).expect(201).json
        let project = try #require(UUID(made.id))
        let rows = try await server.instance.database.query(
            "SELECT name, id FROM project_states WHERE project_id = \(project)",
            as: Tenant(company: UUID(person.companyId ?? "")))
        var states: [String: UUID] = [:]
        for row in rows { states[try row.get("name")] = try row.get("id", as: UUID.self) }
        return (project, states)
    }

    static func member(of person: Person, in company: UUID, _ server: TestServer) async throws -> UUID {
        let user = try #require(UUID(person.userId))
        return try await server.instance.database.query(
            "SELECT id FROM memberships WHERE company_id = \(company) AND user_id = \(user)",
            as: Tenant(company: company)
        )[0].get("id")
    }

    func member(of person: Person) async throws -> String {
        try await Self.member(of: person, in: company, server).description
    }

    func state(_ name: String) -> JSON { .string(states[name]!.description) }

    func sql(_ sql: SQL) async throws -> Rows {
        try await server.instance.database.query(sql, as: Tenant(company: company))
    }

    /// Makes a task, with what else is given.
    func task(_ title: String, _ more: JSON = [:], by person: Person? = nil) async throws -> JSON {
        var body: JSON.Object = ["project_id": .string(project.description), "title": .string(title)]
        for (key, value) in more.objectValue?.members ?? [] { body[key] = value }
        return try await (person ?? owner).client.post("/v1/tasks", .object(body)).expect(201).json
    }

    /// The events of these types that were recorded on something.
    func events(on id: String) async throws -> [String] {
        try await sql("SELECT type FROM outbox WHERE subject_id = \(UUID(id)) ORDER BY id").map {
            try $0.get("type")
        }
    }
}

extension JSON {
    var id: String { self["id"]?.stringValue ?? "" }
    /// The texts under a key of each element of `data`.
    func all(_ key: String) -> [String] {
        (self["data"]?.arrayValue ?? []).compactMap { $0[key]?.stringValue }
    }
}
