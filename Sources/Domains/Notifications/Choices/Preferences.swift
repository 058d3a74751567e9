import API
import Core
import Postgres
import Wire

/// What a person wants to hear of, and by which way. The narrower word wins: a category's channel over the category,
/// that over a channel for everything, that over everything.
enum Preferences {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-preferences", "Read my preferences", .member, read)
        PUT("/v1/notification-preferences", "Replace my preferences", .member, replace)
            .describe("What is left out is left to the company and the kind of news.")
            .example(body: [
                "global": ["email": true],
                "categories": [["category": "members", "email": false, "digest": "daily"]],
            ])
        PUT(
            "/v1/notification-preferences/{category}", "Replace my preferences for a category", .member,
            replaceOne
        )
        .example(body: ["email": true, "digest": "weekly"])
    }

    enum Digest: String, Codable, CaseIterable, SQLBindable, Sendable { case off, hourly, daily, weekly }

    struct Wishes: Codable, Sendable, FieldNotes {
        var all: Bool?
        var inApp: Bool?
        var email: Bool?
        var webhook: Bool?
        var digest: Digest?

        static let fieldNotes = [
            "all": "Every channel that is not named beside it.",
            "digest": "How mails are gathered; `off` sends each at once, whatever rules say.",
        ]
    }

    struct CategoryWishes: Codable, Sendable {
        let category: Text<60>
        let all: Bool?
        let inApp: Bool?
        let email: Bool?
        let webhook: Bool?
        let digest: Digest?

        var wishes: Wishes { Wishes(all: all, inApp: inApp, email: email, webhook: webhook, digest: digest) }
    }

    struct NewSheet: Codable, Sendable {
        let global: Wishes?
        let categories: UpTo<100, CategoryWishes>?
    }

    struct Effective: Codable, Sendable {
        let inApp: Bool
        let email: Bool
        let webhook: Bool
    }

    struct CategorySheet: Codable, Sendable, FieldNotes {
        let category: String
        let wishes: Wishes
        let effective: Effective
        let locked: [NotificationChannel]

        static let fieldNotes = [
            "effective":
                "What holds now for news that is not critical, company and rules' defaults considered.",
            "locked": "Channels the company has decided on for everybody.",
        ]
    }

    struct Sheet: Codable, Sendable {
        let global: Wishes
        let categories: [CategorySheet]
    }

    static func read(_ call: Call) async throws -> Single<Sheet> { Single(try await sheet(call)) }

    static func replace(_ call: Call, _ body: Body<NewSheet>) async throws -> Single<Sheet> {
        let (company, user) = (try call.company, try call.user)
        var rows = PreferenceRows()
        rows.add("*", body.value.global ?? Wishes())
        for one in body.value.categories?.items ?? [] { rows.add(one.category.text, one.wishes) }
        guard rows.areOnce else {
            throw Problem.unprocessable("/categories", "repeated", "names a category twice")
        }
        _ = try await call.db.batch([
            "DELETE FROM notification_preferences WHERE company_id = \(company) AND user_id = \(user)",
            rows.insert(user, company),
        ])
        return Single(try await sheet(call))
    }

    static func replaceOne(_ call: Call, _ category: Path<Text<60>>, _ body: Body<Wishes>) async throws
        -> Single<Sheet>
    {
        let (company, user) = (try call.company, try call.user)
        var rows = PreferenceRows()
        rows.add(category.text, body.value)
        _ = try await call.db.batch([
            """
            DELETE FROM notification_preferences
             WHERE company_id = \(company) AND user_id = \(user) AND category = \(category.text)
            """,
            rows.insert(user, company),
        ])
        return Single(try await sheet(call))
    }

    private struct Row: Decodable {
        let category: String
        let channel: String
        let isOn: Bool?
        let digest: Digest?
    }

    private static func sheet(_ call: Call) async throws -> Sheet {
        let (company, user) = (try call.company, try call.user)
        let answers = try await call.db.batch([
            """
            SELECT category, channel, is_on, digest FROM notification_preferences
             WHERE company_id = \(company) AND user_id = \(user)
            """,
            "SELECT category, channel, is_on, is_locked FROM notification_defaults WHERE company_id = \(company)",
        ])
        let mine = try answers[0].map { try $0.decode(Row.self) }
        let defaults = try answers[1].map { try $0.decode(NotificationRouting.Default.self) }
        let named = Set(mine.map(\.category) + defaults.map(\.category)).subtracting(["*"])
        let categories = Set(NotificationCatalogue.categories).union(named).sorted()
        return Sheet(
            global: wishes("*", mine),
            categories: categories.map { category in
                let (effective, locked) = effect(category, mine, defaults)
                return CategorySheet(
                    category: category, wishes: wishes(category, mine), effective: effective, locked: locked)
            })
    }

    private static func wishes(_ category: String, _ rows: [Row]) -> Wishes {
        var wishes = Wishes()
        for row in rows where row.category == category {
            switch row.channel {
            case "*": wishes.all = row.isOn
            case "in_app": wishes.inApp = row.isOn
            case "webhook": wishes.webhook = row.isOn
            default: (wishes.email, wishes.digest) = (row.isOn, row.digest)
            }
        }
        return wishes
    }

    /// What an ordinary piece of news of the category would do.
    private static func effect(
        _ category: String, _ mine: [Row], _ defaults: [NotificationRouting.Default]
    ) -> (Effective, [NotificationChannel]) {
        let types = NotificationCatalogue.all.filter { $0.category == category }
        let offered =
            types.isEmpty
            ? Set(NotificationChannel.allCases) : types.reduce(into: []) { $0.formUnion($1.offered) }
        let channels =
            types.isEmpty
            ? [.inApp] : types.reduce(into: Set<NotificationChannel>()) { $0.formUnion($1.channels) }
        let any = NotificationType(
            "\(category).any", category: category, summary: "", channels: channels, offered: offered,
            texts: ["en": NotificationText("", "")])
        let routing = NotificationRouting(
            any, rules: [], defaults: defaults.filter { [category, "*"].contains($0.category) })
        let person = NotificationRouting.Person(
            roles: [], relations: [],
            preferences: mine.filter { [category, "*"].contains($0.category) }.map {
                NotificationRouting.Preference(
                    category: $0.category, channel: $0.channel, isOn: $0.isOn, digest: $0.digest?.rawValue)
            })
        func isOn(_ channel: NotificationChannel) -> Bool { routing.decide(channel, for: person).isOn }
        let locked = NotificationChannel.allCases.filter {
            routing.decide($0, for: person).reason == "company-locked"
        }
        return (Effective(inApp: isOn(.inApp), email: isOn(.email), webhook: isOn(.webhook)), locked)
    }
}

/// Wishes as rows.
private struct PreferenceRows {
    private var rows: [(category: String, channel: String, isOn: Bool?, digest: String?)] = []

    mutating func add(_ category: String, _ wishes: Preferences.Wishes) {
        if let all = wishes.all { rows.append((category, "*", all, nil)) }
        if let inApp = wishes.inApp { rows.append((category, "in_app", inApp, nil)) }
        if wishes.email != nil || wishes.digest != nil {
            rows.append((category, "email", wishes.email, wishes.digest?.rawValue))
        }
        if let webhook = wishes.webhook { rows.append((category, "webhook", webhook, nil)) }
    }

    var areOnce: Bool { Set(rows.map { "\($0.category) \($0.channel)" }).count == rows.count }

    func insert(_ user: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO notification_preferences (company_id, user_id, category, channel, is_on, digest)
        SELECT \(company), \(user), category, channel, nullif(is_on, '')::boolean, nullif(digest, '')
          FROM unnest(\(rows.map(\.category))::text[], \(rows.map(\.channel))::text[],
                      \(rows.map { $0.isOn.map { "\($0)" } ?? "" })::text[], \(rows.map { $0.digest ?? "" })::text[])
            AS wished (category, channel, is_on, digest)
        """
    }
}
