import API
import Synchronization
import Wire

/// Where a value is set; the nearest to the person wins.
public enum SettingScope: String, Codable, CaseIterable, Sendable {
    case system, company, user
}

/// A setting that is changed while the program runs: its type, default and limits stand here, once.
public struct LiveSetting<Value: Codable & Sendable>: Sendable {
    /// `domain.what`.
    public let name: String
    public let summary: String
    public let `default`: Value
    /// Where it may be set.
    public let scopes: Set<SettingScope>
    let check: @Sendable (Value) -> String?

    /// - Parameter check: nil, or what is wrong with a value that its type allows.
    public init(
        _ name: String, _ summary: String, default value: Value, scopes: Set<SettingScope>,
        check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.name = name
        self.summary = summary
        self.default = value
        self.scopes = scopes
        self.check = check
    }

    /// Without the type of its value, for the catalogue.
    public var erased: AnyLiveSetting { AnyLiveSetting(self) }
}

/// A live setting in the catalogue of all.
public struct AnyLiveSetting: Sendable {
    public let name: String
    public let summary: String
    public let scopes: Set<SettingScope>
    public let fallback: JSON
    public let schema: Schema
    private let verify: @Sendable (JSON) -> String?

    init<Value>(_ setting: LiveSetting<Value>) {
        name = setting.name
        summary = setting.summary
        scopes = setting.scopes
        do {
            fallback = try JSON(encoding: setting.default)
            schema = try Schema.of(Value.self, as: .input)
        } catch {
            preconditionFailure("the setting \(setting.name) cannot be declared: \(error)")
        }
        verify = { json in
            do { return setting.check(try json.decode(Value.self)) } catch { return "is not acceptable" }
        }
        precondition(
            faults(in: fallback, at: "").isEmpty, "the default of \(setting.name) breaks its own rule")
    }

    /// What is wrong with a value, each fault below `pointer`.
    public func faults(in value: JSON, at pointer: String) -> [Fault] {
        let found = schema.faults(in: value).map { fault in
            guard case .body(let inner) = fault.place else { return fault }
            return Fault.at(pointer + inner, fault.code, fault.detail)
        }
        if !found.isEmpty { return found }
        return verify(value).map { [Fault.at(pointer, "invalid", $0)] } ?? []
    }
}

/// Every live setting there is. The app declares them once, before anything else starts.
public enum LiveSettingCatalogue {
    private static let settings = Mutex<[AnyLiveSetting]>([])

    public static func declare(_ all: [AnyLiveSetting]) {
        precondition(Set(all.map(\.name)).count == all.count, "two settings share a name")
        settings.withLock { $0 = all }
    }

    public static var all: [AnyLiveSetting] { settings.withLock { $0 } }
    public static func named(_ name: String) -> AnyLiveSetting? { all.first { $0.name == name } }
}
