import Postgres
import Wire

/// Which ways a piece of news takes to one person, and why. A function of what is known and nothing else, so that what
/// is decided can be told again later.
public struct NotificationRouting: Sendable {
    /// A rule of the company.
    public struct Rule: Decodable, Sendable {
        public let id: UUID
        public let name: String
        public let roles: [String]
        public let relations: [String]
        public let channels: [String]?
        public let digestMinutes: Int?
        public let throttleMax: Int?
        public let throttleSeconds: Int?
        public let escalateMinutes: Int?
        public let escalateChannel: String?
        public let escalateUser: UUID?

        func fits(_ person: Person) -> Bool {
            (roles.isEmpty || !person.roles.isDisjoint(with: roles))
                && (relations.isEmpty || !person.relations.isDisjoint(with: relations))
        }
    }

    /// What the company says of a channel; '*' for all of them.
    public struct Default: Decodable, Sendable {
        public let category: String
        public let channel: String
        public let isOn: Bool
        public let isLocked: Bool
    }

    /// What a person says of a channel; '*' for all of them.
    public struct Preference: Decodable, Sendable {
        public let category: String
        public let channel: String
        /// Nil: only how mails are gathered is wished for.
        public let isOn: Bool?
        public let digest: String?

        public init(category: String, channel: String, isOn: Bool?, digest: String?) {
            self.category = category
            self.channel = channel
            self.isOn = isOn
            self.digest = digest
        }
    }

    public struct Person: Sendable {
        public let roles: Set<String>
        public let relations: Set<String>
        public let preferences: [Preference]

        public init(roles: Set<String>, relations: Set<String>, preferences: [Preference]) {
            self.roles = roles
            self.relations = relations
            self.preferences = preferences
        }
    }

    /// The answer for one channel.
    public struct Decision: Codable, Sendable, Equatable {
        public let isOn: Bool
        /// A word that stays: `preference`, `rule`, `company-locked` …
        public let reason: String
        /// A sentence for whoever asks why.
        public let detail: String
    }

    public let category: String
    public let isCritical: Bool
    public let channels: Set<NotificationChannel>
    public let offered: Set<NotificationChannel>
    /// The company's rules for this event, in their order.
    public let rules: [Rule]
    public let defaults: [Default]
    /// What the sender asked for by name.
    public let requested: Set<NotificationChannel>?

    public init(
        _ type: NotificationType, category: String? = nil, rules: [Rule], defaults: [Default],
        requested: Set<NotificationChannel>? = nil
    ) {
        self.category = category ?? type.category
        isCritical = type.isCritical
        channels = type.channels
        offered = type.offered
        self.rules = rules
        self.defaults = defaults
        self.requested = requested
    }

    /// The first rule that is about this person.
    public func rule(for person: Person) -> Rule? { rules.first { $0.fits(person) } }

    /// From the strongest word to the weakest: what the type may not do, what is critical, what the company has locked,
    /// what the person wants, what a rule says, what the sender asked for, what the company and the type propose.
    public func decide(_ channel: NotificationChannel, for person: Person) -> Decision {
        guard offered.contains(channel) else {
            return Decision(
                isOn: false, reason: "not-offered", detail: "This kind of news does not go by this channel.")
        }
        if isCritical, channels.contains(channel) {
            return Decision(
                isOn: true, reason: "critical", detail: "It is critical: preferences do not apply.")
        }
        let company = narrowest(defaults.map { ($0.category, $0.channel, $0) }, channel)
        if let company, company.isLocked {
            return Decision(
                isOn: company.isOn, reason: "company-locked",
                detail: "The company has switched \(name(company.category, company.channel)) "
                    + "\(company.isOn ? "on" : "off") for everybody.")
        }
        let wishes = person.preferences.filter { $0.isOn != nil }
        if let wish = narrowest(wishes.map { ($0.category, $0.channel, $0) }, channel), let isOn = wish.isOn {
            return Decision(
                isOn: isOn, reason: "preference",
                detail: "The person has switched \(name(wish.category, wish.channel)) \(isOn ? "on" : "off")."
            )
        }
        if let rule = rule(for: person), let channels = rule.channels {
            let isOn = channels.contains(channel.rawValue)
            return Decision(
                isOn: isOn, reason: "rule",
                detail:
                    "The rule \"\(rule.name)\" sends it \(channels.isEmpty ? "nowhere" : "by \(channels.joined(separator: ", "))")."
            )
        }
        if let requested {
            return Decision(
                isOn: requested.contains(channel), reason: "sender",
                detail: "The sender asked for \(requested.map(\.rawValue).sorted().joined(separator: ", ")).")
        }
        if let company {
            return Decision(
                isOn: company.isOn, reason: "company-default",
                detail:
                    "The company proposes \(name(company.category, company.channel)) \(company.isOn ? "on" : "off")."
            )
        }
        return Decision(
            isOn: channels.contains(channel), reason: "type-default",
            detail: "Nobody has said otherwise: this kind of news goes by "
                + "\(channels.map(\.rawValue).sorted().joined(separator: ", ")).")
    }

    /// How mails are gathered for this person: what they want, else what the rule says.
    public func digest(for person: Person) -> String? {
        let wishes = person.preferences.filter { $0.digest != nil }
        return narrowest(wishes.map { ($0.category, $0.channel, $0) }, .email)?.digest
    }

    /// Category and channel, category, channel, everything: the narrowest that is there.
    private func narrowest<Value>(
        _ all: [(category: String, channel: String, value: Value)], _ channel: NotificationChannel
    )
        -> Value?
    {
        for (category, channel) in [
            (category, channel.rawValue), (category, "*"), ("*", channel.rawValue), ("*", "*"),
        ] {
            if let found = all.first(where: { $0.category == category && $0.channel == channel }) {
                return found.value
            }
        }
        return nil
    }

    private func name(_ category: String, _ channel: String) -> String {
        "\(channel == "*" ? "all channels" : channel) for \(category == "*" ? "everything" : category)"
    }
}
