import App
import Core
import Postgres
import TestSupport
import Wire

/// Something to be told of, in a company of its own, told without a route.
struct Bell: Sendable {
    let server: TestServer
    let person: Person
    let company: UUID
    let user: UUID

    init(on server: TestServer, company name: String = "Bellworks") async throws {
        self.server = server
        person = try await Person(signedUpOn: server, company: name)
        company = UUID(person.companyId!)!
        user = UUID(person.userId)!
    }

    static let rung = NotificationType(
        "bell.rung", category: "bells", summary: "The bell was rung.", values: ["by"],
        texts: [
            "en": .init("{{by}} rang", "{{by}} rang the bell."),
            "de": .init("{{by}} läutet", "{{by}} läutet die Glocke."),
        ])

    static let alarm = NotificationType(
        "bell.alarm", category: "bells", summary: "Fire.", severity: .high, isCritical: true, values: [],
        texts: ["en": .init("Fire", "Leave the house.")])

    @discardableResult
    func ring(
        _ type: NotificationType = Bell.rung, by name: String = "Ada", to users: [UUID]? = nil,
        key: String? = nil,
        about subject: Notify.Subject? = nil
    ) async throws -> UUID? {
        try await server.instance.database.transaction(as: Tenant(company: company, user: user)) { tx in
            try await Notify.record(
                type, to: users ?? [user], about: subject, values: ["by": .string(name)], dedupeKey: key,
                by: .system,
                company: company, in: tx)
        }
    }

    func inbox(_ query: String = "") async throws -> [JSON] {
        try await person.client.get("/v1/notifications\(query)").expect(200).json["data"]?.arrayValue ?? []
    }

    func counts() async throws -> JSON {
        try await person.client.get("/v1/notifications/counts").expect(200).json
    }
}

/// What has become of what was told.
extension Bell {
    /// Only such types as the catalogue holds leave the house.
    static func declare() { NotificationCatalogue.declare([rung, alarm]) }

    /// The deliveries by mail, the newest first, once there are so many in these states.
    func mails(_ states: String..., count: Int = 1) async throws -> [JSON] {
        let query = states.isEmpty ? "" : "&state=\(states.joined(separator: ","))"
        return try await eventually {
            let page = try await person.client.get(
                "/v1/notification-deliveries?channel=email&category=bells,announcements\(query)"
            ).expect(200)
            let all = page.json["data"]?.arrayValue ?? []
            return all.count >= count ? all : nil
        }
    }

    /// The rows of the mail queue for this person's news.
    func queued() async throws -> [JSON] {
        let rows = try await server.instance.database.query(
            """
            SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.created_at, m.id), '[]')::text AS mails FROM mail_queue m
             WHERE m.company_id = \(company) AND m.template = 'notification'
            """)
        return try (JSON.parse(rows[0].get("mails", as: String.self)).arrayValue ?? []).map(TestServer.opened)
    }

    /// Lets jobs of a kind run now, whatever time they wait for.
    func hurry(_ kind: String) async throws {
        _ = try await server.instance.database.batch([
            "UPDATE jobs SET due_at = now() WHERE kind = \(kind) AND company_id = \(company) AND holder IS NULL",
            "SELECT pg_notify('jobs', 'notifications')",
        ])
    }

    func run(_ sql: SQL) async throws {
        _ = try await server.instance.database.query(sql, as: Tenant(company: company))
    }

    func trace(of notification: String) async throws -> [String: JSON] {
        let trace = try await person.client.get("/v1/notifications/\(notification)/trace").expect(200).json
        return Dictionary(
            uniqueKeysWithValues: (trace["channels"]?.arrayValue ?? []).map {
                ($0["channel"]?.stringValue ?? "", $0)
            })
    }
}
