import Glibc
import Wire

/// What this process was told by its environment and its file, read once at the start.
///
/// Each value has a type and is checked before anything starts: `settings.httpPort`, `settings.smtpURL`.
@dynamicMemberLookup
public struct Settings: Sendable {
    public static let catalogue = SettingsCatalogue()

    /// Where a value came from.
    public enum Source: Hashable, Sendable, CustomStringConvertible {
        case environment
        /// From the file that NAME_FILE names.
        case secretFile(String)
        case file(String)
        case kept(String)
        case `default`

        public var description: String {
            switch self {
            case .environment: "environment"
            case .secretFile(let path), .file(let path): path
            case .kept(let path): "made on the first start, \(path)"
            case .default: "default"
            }
        }
    }

    private var given: [String: (value: any SettingValue, source: Source)] = [:]
    let variables: [String: String]

    init(variables: [String: String]) { self.variables = variables }

    public subscript<Value: SettingValue>(dynamicMember path: KeyPath<SettingsCatalogue, Setting<Value>>)
        -> Value
    {
        value(of: Self.catalogue[keyPath: path])
    }

    /// The name a setting has in the environment, for messages.
    public static func name<Value: SettingValue>(_ path: KeyPath<SettingsCatalogue, Setting<Value>>) -> String
    {
        catalogue[keyPath: path].name
    }

    func value<Value: SettingValue>(of setting: Setting<Value>) -> Value {
        if let value = given[setting.name]?.value as? Value { return value }
        return switch setting.default {
        case .value(let value): value
        case .derived(_, let derive): derive(self)
        }
    }

    public func source(of name: String) -> Source { given[name]?.source ?? .default }

    mutating func set(_ name: String, _ value: any SettingValue, from source: Source) {
        given[name] = (value, source)
    }

    /// Each setting with what is in force and where it came from; secrets are masked.
    public var lines: [(name: String, value: String, source: String)] {
        Self.all.map { ($0.name, $0.shown(in: self), source(of: $0.name).description) }
    }

    /// All declarations, in the order they are declared.
    static let all: [any AnySetting] = Mirror(reflecting: catalogue).children.compactMap {
        $0.value as? any AnySetting
    }
    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    var defaultDataFolder: String {
        if geteuid() == 0 { return "/var/lib/infinity" }
        if let folder = variables["XDG_DATA_HOME"], folder.hasPrefix("/") { return folder + "/infinity" }
        return (variables["HOME"] ?? "/tmp") + "/.local/share/infinity"
    }

    var listeningAddress: WebAddress {
        let host = ["0.0.0.0", "::", "127.0.0.1", "::1"].contains(self.bind) ? "127.0.0.1" : self.bind
        let bracketed = host.contains(":") ? "[\(host)]" : host
        let text =
            self.httpPort > 0
            ? "http://\(bracketed):\(self.httpPort)" : "https://\(bracketed):\(self.httpsPort)"
        // The text is made of checked parts; an odd host name falls back to the loopback address.
        return (try? WebAddress(setting: text))
            ?? (try! WebAddress(setting: "http://127.0.0.1:\(self.httpPort)"))
    }
}
