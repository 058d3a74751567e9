import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// A company on a server that may send to this machine, with a receiver of its own.
struct Sender {
    let server: TestServer
    let owner: Person
    let receiver: Receiver
    let company: UUID

    static let server = Task { try await TestServer(["INFINITY_WEBHOOK_ALLOWED_RANGES": "127.0.0.0/8"]) }

    init(on server: TestServer? = nil) async throws {
        if let server { self.server = server } else { self.server = try await Self.server.value }
        owner = try await Person(signedUpOn: self.server, company: "Northwind")
        receiver = try Receiver()
        let company = try #require(owner.companyId.flatMap { UUID($0) })
        self.company = company
        // The event of the founding is on its way before any endpoint is there to get it.
        let database = self.server.instance.database
        _ = try await eventually {
            let rows = try await database.query(
                "SELECT 1 FROM webhook_messages WHERE company_id = \(company) AND type = 'company.created'",
                as: Tenant(company: company))
            return rows.count > 0 ? true : nil
        }
        // The stories begin with an empty feed.
        _ = try await database.batch(
            [
                "DELETE FROM webhook_messages WHERE company_id = \(company)",
                "DELETE FROM webhook_feeds WHERE company_id = \(company)",
            ], as: Tenant(company: company))
    }

    /// An endpoint at this path of the receiver; its id and secret.
    @discardableResult
    func endpoint(_ path: String, _ more: JSON.Object = [:]) async throws -> (id: String, secret: String) {
        var body = more
        body["url"] = .string(receiver.url(path))
        let made = try await owner.client.post("/v1/webhook-endpoints", .object(body)).expect(201).json
        return (try made.text("id"), made["secret"]?.stringValue ?? "")
    }

    struct Happening: Codable, Sendable {
        let number: Int
        let teamId: UUID
        let note: String
    }

    static let happened = EventType(
        "test.happened", "For tests.", example: Happening(number: 1, teamId: UUID.zero, note: ""))

    /// Records events as a domain does; the ids of their subjects.
    @discardableResult
    func happen(_ count: Int = 1, team: UUID = .v7(), note: String = "") async throws -> [UUID] {
        let subjects = (0..<count).map { _ in UUID.v7() }
        try await server.instance.database.transaction(as: Tenant(company: company)) { tx in
            for (number, subject) in subjects.enumerated() {
                try await Events.record(
                    Self.happened, Happening(number: number, teamId: team, note: note), on: "thing", subject,
                    by: .system,
                    company: company, in: tx)
            }
        }
        return subjects
    }

    /// What has come in at this path, once there is so much of it.
    func taken(_ path: String, atLeast count: Int = 1, within limit: Duration = .seconds(10)) async throws
        -> [Receiver.Taken]
    {
        try await eventually(within: limit) {
            let all = receiver.taken(at: path)
            return all.count >= count ? all : nil
        }
    }

    func attempts(at endpoint: String, atLeast count: Int = 1) async throws -> [JSON] {
        try await eventually {
            let page = try await owner.client.get("/v1/webhook-endpoints/\(endpoint)/attempts?limit=100")
                .expect(200).json
            let all = page["data"]?.arrayValue ?? []
            return all.count >= count ? all : nil
        }
    }

    func sql(_ sql: SQL) async throws {
        _ = try await server.instance.database.query(sql, as: Tenant(company: company))
    }
}
