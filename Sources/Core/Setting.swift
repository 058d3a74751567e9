import API
import Telemetry
import Wire

/// One setting: its name in the environment, what it is for, what it is when nobody sets it.
///
/// This declaration is the only place: the parser, `doctor`, docs/configuration.md and the refusal of unknown names
/// all read it.
public struct Setting<Value: SettingValue>: Sendable {
    public enum Default: Sendable {
        case value(Value)
        /// Worked out from the other settings; the text says how, for people.
        case derived(String, @Sendable (Settings) -> Value)
    }

    public let name: String
    public let doc: String
    public let unit: String?
    public let `default`: Default
    /// A sentence on what is wrong with a value that could be read, or nil.
    let check: @Sendable (Value) -> String?

    init(
        _ name: String, _ doc: String, unit: String? = nil, default value: Value,
        check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.init(name, doc, unit: unit, .value(value), check: check)
    }

    init(
        _ name: String, _ doc: String, unit: String? = nil, _ value: Default,
        check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.name = name
        self.doc = doc
        self.unit = unit
        self.default = value
        self.check = check
    }
}

extension Setting where Value == Int {
    init(_ name: String, _ doc: String, unit: String? = nil, default value: Int, in range: ClosedRange<Int>) {
        self.init(name, doc, unit: unit, .value(value)) {
            range.contains($0) ? nil : "must lie between \(range.lowerBound) and \(range.upperBound)"
        }
    }
}

/// A setting without its type, for lists of all of them.
protocol AnySetting: Sendable {
    var name: String { get }
    var doc: String { get }
    var unit: String? { get }
    var isSecret: Bool { get }
    var form: String { get }
    var defaultText: String { get }

    /// The value in a text, or why it is none.
    func parse(_ text: String) throws(SettingProblem) -> any SettingValue
    /// The value in force as it may be shown.
    func shown(in settings: Settings) -> String
}

extension Setting: AnySetting {
    var isSecret: Bool { Value.isSecret }
    var form: String { Value.form }

    var defaultText: String {
        switch self.default {
        case .value(let value): value.shown
        case .derived(let text, _): text
        }
    }

    func parse(_ text: String) throws(SettingProblem) -> any SettingValue {
        let value = try Value(setting: text)
        if let problem = check(value) { throw SettingProblem(problem) }
        return value
    }

    func shown(in settings: Settings) -> String { settings.value(of: self).shown }
}

/// Why a text is not a value of its setting; reads on after the setting's name.
public struct SettingProblem: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// What a setting can be.
public protocol SettingValue: Sendable {
    init(setting text: String) throws(SettingProblem)
    /// As it may be shown to people: secrets are masked.
    var shown: String { get }
    static var isSecret: Bool { get }
    /// What to write, for people.
    static var form: String { get }
}

extension SettingValue {
    public static var isSecret: Bool { false }
}

extension String: SettingValue {
    public init(setting text: String) { self = text }
    public var shown: String { self }
    public static var form: String { "text" }
}

extension Int: SettingValue {
    public init(setting text: String) throws(SettingProblem) {
        guard let number = Int(text) else { throw SettingProblem("must be a whole number") }
        self = number
    }
    public var shown: String { description }
    public static var form: String { "number" }
}

extension Bool: SettingValue {
    public init(setting text: String) throws(SettingProblem) {
        switch text.lowercased() {
        case "on", "true", "yes", "1": self = true
        case "off", "false", "no", "0": self = false
        default: throw SettingProblem("must be on or off")
        }
    }
    public var shown: String { self ? "on" : "off" }
    public static var form: String { "on, off" }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    public init(setting text: String) throws(SettingProblem) { self = try Wrapped(setting: text) }
    public var shown: String { self?.shown ?? "not set" }
    public static var isSecret: Bool { Wrapped.isSecret }
    public static var form: String { Wrapped.form }
}

extension Array: SettingValue where Element: SettingValue {
    public init(setting text: String) throws(SettingProblem) {
        var list: [Element] = []
        for part in text.split(separator: ",") {
            let item = part.trimmingSpaces
            if !item.isEmpty { list.append(try Element(setting: item)) }
        }
        self = list
    }
    public var shown: String { isEmpty ? "none" : map(\.shown).joined(separator: ",") }
    public static var isSecret: Bool { Element.isSecret }
    public static var form: String { "list of \(Element.form), separated by commas" }
}

/// A setting that is one of a few words.
public protocol SettingChoice: SettingValue, RawRepresentable, CaseIterable where RawValue == String {}

extension SettingChoice {
    public init(setting text: String) throws(SettingProblem) {
        guard let choice = Self(rawValue: text.lowercased()) else {
            let near = NearMiss.of(text.lowercased(), among: Self.allCases.map(\.rawValue))
            throw SettingProblem(
                "must be one of \(Self.form)" + (near.map { "; perhaps you meant \($0)" } ?? ""))
        }
        self = choice
    }
    public var shown: String { rawValue }
    public static var form: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// A text that must never be printed; its description is a mask.
public struct Secret: SettingValue, Hashable, CustomStringConvertible {
    public let revealed: String
    public init(_ text: String) { revealed = text }
    public init(setting text: String) { revealed = text }
    public var shown: String { Secrets.mask }
    public var description: String { Secrets.mask }
    public static var isSecret: Bool { true }
    public static var form: String { "secret" }
}

/// A URL that may hold a password; its description masks it.
public struct SecretURL: SettingValue, Hashable, CustomStringConvertible {
    public let revealed: String
    public init(_ text: String) { revealed = text }
    public init(setting text: String) throws(SettingProblem) {
        guard text.contains("://") else {
            throw SettingProblem("must be a URL, such as scheme://user:password@host")
        }
        revealed = text
    }
    public var shown: String { Secrets.masked(revealed) }
    public var description: String { shown }
    public static var isSecret: Bool { true }
    public static var form: String { "URL" }
}

/// An http or https URL without a trailing slash.
public struct WebAddress: SettingValue, Hashable, CustomStringConvertible {
    public let text: String
    public init(setting text: String) throws(SettingProblem) {
        let lower = text.lowercased()
        let rest =
            lower.hasPrefix("https://")
            ? lower.dropFirst(8) : lower.hasPrefix("http://") ? lower.dropFirst(7) : ""
        guard let first = rest.first, first != "/", first != ":",
            !rest.contains(where: { " ?#@".contains($0) })
        else {
            throw SettingProblem("must be an address such as https://app.example.com")
        }
        self.text = String(text.reversed().drop { $0 == "/" }.reversed())
    }
    /// The port it names, if it names one.
    public var port: Int? {
        let authority = text.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else { return nil }
        return Int(authority[authority.index(after: colon)...])
    }
    public var isSecure: Bool { text.lowercased().hasPrefix("https://") }
    public var shown: String { text }
    public var description: String { text }
    public static var form: String { "http(s) URL" }
}

extension AddressRange: SettingValue {
    public init(setting text: String) throws(SettingProblem) {
        guard let range = AddressRange(text) else {
            throw SettingProblem("must hold addresses or ranges such as 10.0.0.0/8; \(text) is none")
        }
        self = range
    }
    public var shown: String { description }
    public static var form: String { "address or range" }
}

extension Substring {
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
