import API
@preconcurrency import Glibc

/// Everything that is wrong with the settings, told at once.
public struct SettingsFault: Error, CustomStringConvertible {
    public let problems: [String]
    public var description: String { problems.joined(separator: "\n") }
}

extension Settings {
    /// Reads the environment over the file over the defaults; throws with every fault there is.
    public static func load(_ variables: [String: String] = processVariables) throws(SettingsFault)
        -> Settings
    {
        var loading = SettingsLoading(variables: variables)
        loading.readEnvironment()
        if let path = variables[name(\.config)], !path.isEmpty { loading.readFile(path) }
        if loading.problems.isEmpty { loading.checkTogether() }
        guard loading.problems.isEmpty else { throw SettingsFault(problems: loading.problems) }
        return loading.settings
    }

    /// The environment of the process.
    public static var processVariables: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }
}

/// Settings while they are being read.
struct SettingsLoading {
    var settings: Settings
    var problems: [String] = []
    private let variables: [String: String]
    private static let fileSuffix = "_FILE"

    init(variables: [String: String]) {
        self.variables = variables
        settings = Settings(variables: variables)
    }

    mutating func readEnvironment() {
        for name in variables.keys.sorted()
        where name.hasPrefix("INFINITY_") || name.hasPrefix("DATABASE_URL") {
            guard let text = variables[name], !text.isEmpty else { continue }
            take(name, text, from: .environment, place: name)
        }
    }

    /// Reads `NAME=value` lines; what the environment sets already is left alone.
    mutating func readFile(_ path: String) {
        guard let text = SmallFile.read(path) else {
            problems.append("INFINITY_CONFIG names \(path), which cannot be read: \(SystemError.last)")
            return
        }
        var seen: Set<String> = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line[...].trimmingSpaces
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "\(path), line \(index + 1)"
            guard let equals = line.firstIndex(of: "=") else {
                problems.append("\(place): must read NAME=value")
                continue
            }
            let name = line[..<equals].trimmingSpaces
            guard seen.insert(name).inserted else {
                problems.append("\(place): \(name) is set twice")
                continue
            }
            guard name != Settings.name(\.config) else {
                problems.append("\(place): \(name) belongs in the environment")
                continue
            }
            let value = line[line.index(after: equals)...].trimmingSpaces.unquoted
            if !value.isEmpty { take(name, value, from: .file(path), place: "\(place): \(name)") }
        }
    }

    private mutating func take(_ name: String, _ text: String, from source: Settings.Source, place: String) {
        if let setting = Settings.byName[name] {
            set(setting, text, from: source, place: place)
        } else if let setting = secret(behind: name) {
            guard let content = SmallFile.read(text) else {
                problems.append("\(place) names \(text), which cannot be read: \(SystemError.last)")
                return
            }
            set(setting, content[...].trimmingLineEnd, from: .secretFile(text), place: place)
        } else if name.hasPrefix("INFINITY_") || source != .environment {
            let near = nearMiss(name).map { "; perhaps you meant \($0)" } ?? ""
            problems.append("\(place) is not a setting\(near)")
        }
    }

    private func nearMiss(_ name: String) -> String? {
        let known = Settings.all.flatMap { $0.isSecret ? [$0.name, $0.name + Self.fileSuffix] : [$0.name] }
        // The prefix they all share is no likeness.
        let withoutPrefix = { (name: String) in name.hasPrefix("INFINITY_") ? String(name.dropFirst(9)) : name
        }
        let near = NearMiss.of(withoutPrefix(name), among: known.map(withoutPrefix))
        return known.first { withoutPrefix($0) == near }
    }

    private func secret(behind name: String) -> (any AnySetting)? {
        guard name.hasSuffix(Self.fileSuffix) else { return nil }
        guard let setting = Settings.byName[String(name.dropLast(Self.fileSuffix.count))] else { return nil }
        return setting.isSecret ? setting : nil
    }

    private mutating func set(
        _ setting: any AnySetting, _ text: String, from source: Settings.Source, place: String
    ) {
        let former = settings.source(of: setting.name)
        if former.isEnvironment {
            // The environment wins over the file; two variables for one setting cannot both be meant.
            if source.isEnvironment {
                problems.append("\(setting.name) and \(setting.name)_FILE are both set")
            }
            return
        }
        do {
            settings.set(setting.name, try setting.parse(text), from: source)
        } catch {
            problems.append("\(place) \(error.text)")
        }
    }
}

extension Settings.Source {
    fileprivate var isEnvironment: Bool {
        switch self {
        case .environment, .secretFile: true
        case .file, .kept, .default: false
        }
    }
}

extension String {
    /// Without the quotes around it, if there are any.
    fileprivate var unquoted: String {
        for quote in ["\"", "'"] where count >= 2 && hasPrefix(quote) && hasSuffix(quote) {
            return String(dropFirst().dropLast())
        }
        return self
    }
}

extension Substring {
    /// Secret files often end in a line feed that is no part of the secret.
    fileprivate var trimmingLineEnd: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
