import Postgres
import Wire

/// Telling people what happened, in the transaction in which it happens: whoever reads the change can read the news,
/// and what is rolled back was never told.
public enum Notify {
    /// What the news is about.
    public struct Subject: Sendable {
        public let type: String
        public let id: UUID

        public init(_ type: String, _ id: UUID) {
            self.type = type
            self.id = id
        }
    }

    /// Who is to hear of it, and how they stand to the matter. Watchers of the subject and whom the company's rules add
    /// hear of it as well.
    public struct Audience: Sendable {
        var people: [(user: UUID, relation: String)] = []
        var roles: [String] = []

        public init() {}

        public static func users(_ users: [UUID], as relation: String = "recipient") -> Audience {
            Audience().and(users, as: relation)
        }

        /// Everybody who holds one of these roles in the company.
        public static func roles(_ keys: [String]) -> Audience { Audience().and(roles: keys) }

        public func and(_ users: [UUID], as relation: String) -> Audience {
            var all = self
            all.people += users.map { ($0, relation) }
            return all
        }

        public func and(roles keys: [String]) -> Audience {
            var all = self
            all.roles += keys
            return all
        }
    }

    public struct DispatchArguments: Codable, Sendable {
        public let event: UUID
    }

    /// Takes an event out of the house: mails, webhooks, escalation. The notifications do it.
    public static let dispatch = JobKind<DispatchArguments>("notifications.dispatch", queue: "notifications")

    /// What instances say to each other when an inbox has changed. A hint: whoever missed it finds it in the tables.
    public static let channel = "notifications"

    /// Tells some people. The transaction must run as the company's.
    @discardableResult
    public static func record(
        _ type: NotificationType, to users: [UUID], about subject: Subject? = nil, values: JSON = [:],
        link: String? = nil, dedupeKey: String? = nil, by actor: Audit.Actor, company: UUID,
        in tx: Transaction
    ) async throws -> UUID? {
        let news = News(type, about: subject, values: values, link: link, dedupeKey: dedupeKey, by: actor)
        return try await record(news, to: .users(users), company: company, in: tx)
    }

    /// Tells an audience; the event's id, or nil when it has been told before under its key. Inboxes are written here
    /// and now; mails and webhooks follow by a job that is part of the same transaction.
    // Not inlined: the optimiser of Swift 6.3.1 breaks down over long async functions inside closures of other modules.
    @inline(never) @discardableResult
    public static func record(
        _ news: News, to audience: Audience, company: UUID, in tx: Transaction
    ) async throws -> UUID? {
        if let missing = news.type.values.first(where: { news.values[$0] == nil }) {
            throw MissingValue(type: news.type.name, key: missing)
        }
        let event = UUID.v7()
        let answers = try await tx.batch([
            news.insert(event, company),
            NotificationAudience.settings(of: news, company),
            NotificationAudience.people(of: news, audience, company),
        ])
        if answers[0].isEmpty { return nil }
        let people = try NotificationAudience.decode(answers[2])
        guard people.count <= NotificationLimits.recipientsMax else {
            throw TooManyRecipients(count: people.count)
        }
        let settings = try NotificationAudience.Settings(answers[1])
        let letters = try Letter.all(to: people, of: news, settings)
        try await NotificationWriting.write(letters, of: news, event, company, in: tx)
        return event
    }

    /// A value that the text names was not given.
    public struct MissingValue: Error, CustomStringConvertible {
        public let type: String
        public let key: String
        public var description: String { "the notification \(type) needs the value \(key)" }
    }

    public struct TooManyRecipients: Error, CustomStringConvertible {
        public let count: Int
        public var description: String {
            "\(count) people are too many for one notification; \(NotificationLimits.recipientsMax) are the limit"
        }
    }
}

/// One thing that happened, as it is told.
public struct News: Sendable {
    public let type: NotificationType
    public var category: String
    public var severity: NotificationSeverity
    public var subject: Notify.Subject?
    public var values: JSON
    /// Where a click leads.
    public var link: String?
    /// Telling twice with one key tells once.
    public var dedupeKey: String?
    public var actor: Audit.Actor
    /// The channels the sender wants; nil leaves it to type, rules and preferences.
    public var channels: Set<NotificationChannel>?

    public init(
        _ type: NotificationType, about subject: Notify.Subject? = nil, values: JSON = [:],
        link: String? = nil, dedupeKey: String? = nil, by actor: Audit.Actor
    ) {
        self.type = type
        category = type.category
        severity = type.severity
        self.subject = subject
        self.values = values
        self.link = link
        self.dedupeKey = dedupeKey
        self.actor = actor
    }

    /// Gives a row unless the key has been used: the unique index decides between two at once.
    func insert(_ id: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO notification_events (company_id, id, type, category, object_type, object_id, actor_kind, actor_id,
                                         dedupe_key, data, link, channels)
        VALUES (\(company), \(id), \(type.name), \(category), \(subject?.type), \(subject?.id), \(actor.kind),
                \(actor.person), \(dedupeKey), \(JSONText(values)), \(link),
                \(channels.map { $0.map(\.rawValue).sorted() })::text[])
        ON CONFLICT (company_id, type, dedupe_key) DO NOTHING
        RETURNING id
        """
    }
}

extension Audit.Actor {
    /// The person who acted: a key's owner for the key.
    public var person: UUID? { kind == .apiKey ? behind : id }
}
