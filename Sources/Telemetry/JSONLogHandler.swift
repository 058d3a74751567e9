import Glibc
import Logging
import Wire

/// Prints each record of swift-log as one line of JSON; the values of secret keys and the passwords in URLs are
/// masked.
public struct JSONLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level
    private let label: String
    private let lines: LineWriter

    public init(
        label: String, level: Logger.Level = .info, provider: Logger.MetadataProvider? = nil,
        to lines: LineWriter = .standardError
    ) {
        self.label = label
        self.lines = lines
        logLevel = level
        metadataProvider = provider
    }

    /// Makes this the log of the process; to be called once, before the first logger is made.
    public static func bootstrap(level: Logger.Level, to lines: LineWriter = .standardError) {
        LoggingSystem.bootstrap(
            { JSONLogHandler(label: $0, level: level, provider: $1, to: lines) }, metadataProvider: nil)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
        if let own = event.metadata { fields.merge(own) { $1 } }
        if let error = event.error { fields["error"] = .string(String(describing: error)) }
        let sorted = fields.sorted { $0.key < $1.key }
        lines.append { out in
            JSONLine(into: out, level: event.level.name, message: Secrets.masked(event.message.description))
                .end {
                    $0.text("logger", label)
                    for (key, value) in sorted { Self.write(key, value, into: out) }
                }
        }
        // The process may be about to end on this.
        if event.level == .critical { lines.flush() }
    }

    private static func write(_ key: String, _ value: Logger.MetadataValue, into out: ByteWriter) {
        out.write(",")
        // A field of the caller must not stand beside one of the line's own under the same key.
        out.writeJSONString(reserved.contains(key) ? "\(key)_" : key)
        out.write(":")
        writeValue(Secrets.isSecret(key: key) ? .string(Secrets.mask) : value, into: out)
    }

    private static func writeValue(_ value: Logger.MetadataValue, into out: ByteWriter) {
        switch value {
        case .string(let text): out.writeJSONString(Secrets.masked(text))
        case .stringConvertible(let number as Int): out.write(number)
        case .stringConvertible(let other): out.writeJSONString(Secrets.masked(other.description))
        case .array(let values):
            out.write("[")
            for (index, value) in values.enumerated() {
                if index > 0 { out.write(",") }
                writeValue(value, into: out)
            }
            out.write("]")
        case .dictionary(let fields):
            out.write("{")
            for (index, (key, value)) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { out.write(",") }
                out.writeJSONString(key)
                out.write(":")
                writeValue(Secrets.isSecret(key: key) ? .string(Secrets.mask) : value, into: out)
            }
            out.write("}")
        }
    }

    private static let reserved: Set<String> = ["time", "level", "message", "logger"]
}

extension Logger.Level {
    fileprivate var name: StaticString {
        switch self {
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        }
    }
}
