import API
import Wire

/// What is compared with an attribute of the context.
public enum FlagOperator: String, Codable, CaseIterable, Sendable {
    case isIn = "in"
    case notIn = "not_in"
    case contains
    case startsWith = "starts_with"
    case endsWith = "ends_with"
    case equals = "num_eq"
    case greater = "num_gt"
    case atLeast = "num_gte"
    case less = "num_lt"
    case atMost = "num_lte"
    case after = "date_after"
    case before = "date_before"
    case sameVersion = "semver_eq"
    case laterVersion = "semver_gt"
    case earlierVersion = "semver_lt"
}

/// One question about the context; it holds when any of its values does.
public struct FlagCondition: Codable, Hashable, Sendable, FieldNotes {
    public let attribute: Text<60>
    public let `operator`: FlagOperator
    public let values: UpTo<500, JSON>
    public let isNegated: Bool?
    public let ignoresCase: Bool?

    public static let fieldNotes = [
        "attribute": "`targetingKey`, `company`, `user`, `plan`, `roles`, or one the caller sends.",
        "values": "Texts, numbers, times as RFC 3339 or versions as 1.2.3; one that fits is enough.",
        "is_negated":
            "Turns the answer round. An attribute that is missing fits nothing, negated or not, but `not_in`.",
    ]

    public init(
        _ attribute: String, _ operator: FlagOperator, _ values: [JSON], isNegated: Bool? = nil,
        ignoresCase: Bool? = nil
    ) {
        self.attribute = Text(unchecked: attribute)
        self.operator = `operator`
        self.values = UpTo(values) ?? UpTo([])!
        self.isNegated = isNegated
        self.ignoresCase = ignoresCase
    }

    /// Nil, or why no value could ever fit.
    public var fault: String? {
        if values.items.isEmpty { return "needs a value to compare with" }
        let isSound: (JSON) -> Bool =
            switch `operator` {
            case .isIn, .notIn: { Self.text($0) != nil || $0.boolValue != nil }
            case .contains, .startsWith, .endsWith: { $0.stringValue.map { !$0.isEmpty } ?? false }
            case .equals, .greater, .atLeast, .less, .atMost: { Self.number($0) != nil }
            case .after, .before: { Self.time($0) != nil }
            case .sameVersion, .laterVersion, .earlierVersion: { Self.version($0) != nil }
            }
        guard let bad = values.items.first(where: { !isSound($0) }) else { return nil }
        return "cannot compare with \(bad)"
    }

    public func holds(in context: FlagContext) -> Bool {
        guard let found = context[attribute.text], found != .null else {
            return `operator` == .notIn && isNegated != true
        }
        // A list, such as the roles of a member, fits when one of its items does.
        let items = found.arrayValue ?? [found]
        let holds = `operator` == .notIn ? !items.contains(where: isListed) : items.contains(where: fits)
        return holds != (isNegated ?? false)
    }

    private func fits(_ item: JSON) -> Bool {
        switch `operator` {
        case .isIn, .notIn: return isListed(item)
        case .contains: return compare(item, Self.text) { Self.contains($0, $1) }
        case .startsWith: return compare(item, Self.text) { $0.hasPrefix($1) }
        case .endsWith: return compare(item, Self.text) { $0.hasSuffix($1) }
        case .equals: return compare(item, Self.number, ==)
        case .greater: return compare(item, Self.number, >)
        case .atLeast: return compare(item, Self.number, >=)
        case .less: return compare(item, Self.number, <)
        case .atMost: return compare(item, Self.number, <=)
        case .after: return compare(item, Self.time, >)
        case .before: return compare(item, Self.time, <)
        case .sameVersion: return compare(item, Self.version) { !($0 < $1) && !($1 < $0) }
        case .laterVersion: return compare(item, Self.version) { $1 < $0 }
        case .earlierVersion: return compare(item, Self.version, <)
        }
    }

    private func isListed(_ item: JSON) -> Bool {
        if item.boolValue != nil { return values.items.contains(item) }
        return compare(item, Self.text, ==)
    }

    private func compare<Value>(_ item: JSON, _ read: (JSON) -> Value?, _ isTrue: (Value, Value) -> Bool)
        -> Bool
    {
        guard let found = read(folded(item)) else { return false }
        return values.items.contains { value in read(folded(value)).map { isTrue(found, $0) } ?? false }
    }

    private func folded(_ value: JSON) -> JSON {
        guard ignoresCase == true, let text = value.stringValue else { return value }
        return .string(text.lowercased())
    }

    static func text(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.text
        case .null, .bool, .array, .object: nil
        }
    }

    private static func number(_ value: JSON) -> Double? {
        value.doubleValue ?? value.stringValue.flatMap(Double.init)
    }
    private static func time(_ value: JSON) -> Timestamp? { value.stringValue.flatMap { Timestamp($0) } }
    private static func version(_ value: JSON) -> SemanticVersion? {
        value.stringValue.flatMap(SemanticVersion.init)
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        let (text, part) = (Array(text.utf8), Array(part.utf8))
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }
}

/// A version by semver.org 2.0.0; what follows `+` says nothing about the order.
struct SemanticVersion: Comparable {
    private let numbers: [UInt64]
    private let prerelease: [Substring]

    init?(_ text: String) {
        let plain = text.prefix { $0 != "+" }
        let core = plain.prefix { $0 != "-" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ Self.isNumber($0) }) else { return nil }
        numbers = parts.compactMap { UInt64($0) }
        guard numbers.count == 3 else { return nil }
        prerelease =
            core.count == plain.count
            ? []
            : plain.dropFirst(core.count + 1).split(
                separator: ".", omittingEmptySubsequences: false)
        if prerelease.contains(where: \.isEmpty) || (core.count < plain.count && prerelease.isEmpty) {
            return nil
        }
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    static func < (left: Self, right: Self) -> Bool {
        if left.numbers != right.numbers { return left.numbers.lexicographicallyPrecedes(right.numbers) }
        // A release comes after all that led to it.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (mine, other) in zip(left.prerelease, right.prerelease) where mine != other {
            switch (UInt64(mine), UInt64(other)) {
            case (let mine?, let other?): return mine < other
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return mine.utf8.lexicographicallyPrecedes(other.utf8)
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}
