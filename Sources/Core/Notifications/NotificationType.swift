import API
import Postgres
import Wire

/// A way by which news reaches a person.
public enum NotificationChannel: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case inApp = "in_app"
    case email
    case webhook
}

public enum NotificationSeverity: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case low, normal, high
}

/// One kind of news that people may be told, declared by the domain it comes from.
public struct NotificationType: Sendable {
    /// `invitation.accepted`: the thing, and what happened to it.
    public let name: String
    /// What people choose by: `members`, `billing`.
    public let category: String
    public let summary: String
    public let severity: NotificationSeverity
    /// Goes out whatever people or the company have chosen, and at once: for security and money alone.
    public let isCritical: Bool
    /// Where it goes when nobody has said otherwise.
    public let channels: Set<NotificationChannel>
    /// Where it may go at all; a type whose mail the domain sends itself leaves e-mail out.
    public let offered: Set<NotificationChannel>
    /// By language; English is always there, all others fall back to it.
    public let texts: [String: NotificationText]
    /// The values that the texts name; telling without one of them is a mistake of the program.
    public let values: [String]
    public let actions: [NotificationAction]

    public init(
        _ name: String, category: String, summary: String, severity: NotificationSeverity = .normal,
        isCritical: Bool = false, channels: Set<NotificationChannel> = [.inApp, .email],
        offered: Set<NotificationChannel> = Set(NotificationChannel.allCases), values: [String] = [],
        texts: [String: NotificationText], actions: [NotificationAction] = []
    ) {
        precondition(texts["en"] != nil, "\(name) has no English text")
        precondition(channels.isSubset(of: offered), "\(name) goes by a channel it does not offer")
        self.name = name
        self.category = category
        self.summary = summary
        self.severity = severity
        self.isCritical = isCritical
        self.channels = channels
        self.offered = offered
        self.texts = texts
        self.values = values
        self.actions = actions
    }

    /// The names by which a rule may mean it: itself, its family, everything.
    public var patterns: [String] {
        let family = name.split(separator: ".").dropLast().joined(separator: ".")
        return family.isEmpty ? [name, "*"] : [name, "\(family).*", "*"]
    }
}

/// What is said in one language, as Mustache.
public struct NotificationText: Sendable {
    public let title: String
    public let body: String

    public init(_ title: String, _ body: String) {
        self.title = title
        self.body = body
    }
}

/// Something that can be done from the notification itself, with the rights of whoever does it.
public struct NotificationAction: Sendable {
    public let key: String
    /// By language; English is always there.
    public let labels: [String: String]
    /// Does it to the object the notification is about.
    let run: @Sendable (Call, UUID) async throws -> Void

    public init(
        _ key: String, _ labels: [String: String],
        _ run: @escaping @Sendable (Call, UUID) async throws -> Void
    ) {
        precondition(labels["en"] != nil, "the action \(key) has no English label")
        self.key = key
        self.labels = labels
        self.run = run
    }

    public func callAsFunction(_ call: Call, _ object: UUID) async throws { try await run(call, object) }
}
