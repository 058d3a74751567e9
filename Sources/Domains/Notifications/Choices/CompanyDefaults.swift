import API
import Core
import Postgres
import Wire

/// What the company proposes to its people, or has decided for all of them.
enum CompanyDefaults {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-defaults", "Read the company's defaults", .can(.notificationsManage), read)
        PUT(
            "/v1/notification-defaults", "Replace the company's defaults", .can(.notificationsManage), replace
        )
        .describe(
            "A locked entry holds whatever people prefer: so a channel is switched off for everybody. Critical news "
                + "goes out all the same. `*` stands for every category or channel."
        )
        .example(body: [
            "defaults": [["category": "*", "channel": "webhook", "is_on": false, "is_locked": true]]
        ])
    }

    enum Channel: String, Codable, CaseIterable, SQLBindable, Sendable {
        case all = "*"
        case inApp = "in_app"
        case email, webhook
    }

    struct Entry: Codable, Sendable {
        let category: Text<60>
        let channel: Channel
        let isOn: Bool
        let isLocked: Bool
    }

    struct Entries: Codable, Sendable {
        let defaults: UpTo<200, Entry>
    }

    static func read(_ call: Call) async throws -> Single<Entries> { Single(try await entries(call)) }

    static func replace(_ call: Call, _ body: Body<Entries>) async throws -> Single<Entries> {
        let company = try call.company
        let all = body.defaults.items
        guard Set(all.map { "\($0.category.text) \($0.channel.rawValue)" }).count == all.count else {
            throw Problem.unprocessable("/defaults", "repeated", "names a category and channel twice")
        }
        let before = try JSON(encoding: await entries(call))
        let after = try JSON(encoding: body.value)
        _ = try await call.db.batch([
            "DELETE FROM notification_defaults WHERE company_id = \(company)",
            """
            INSERT INTO notification_defaults (company_id, category, channel, is_on, is_locked)
            SELECT \(company), category, channel, is_on::boolean, is_locked::boolean
              FROM unnest(\(all.map(\.category.text))::text[], \(all.map(\.channel.rawValue))::text[],
                          \(all.map { "\($0.isOn)" })::text[], \(all.map { "\($0.isLocked)" })::text[])
                AS given (category, channel, is_on, is_locked)
            """,
            Audit.sql(
                Audit.Entry(
                    "notification_defaults.changed", on: "company", company, before: before, after: after),
                by: call.actor, company: company),
        ])
        return Single(try await entries(call))
    }

    private static func entries(_ call: Call) async throws -> Entries {
        let rows = try await call.db.query(
            """
            SELECT category, channel, is_on, is_locked FROM notification_defaults
             WHERE company_id = \(call.company) ORDER BY category, channel
            """)
        return Entries(defaults: UpTo(try rows.map { try $0.decode(Entry.self) })!)
    }
}
