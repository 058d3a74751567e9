import CCurl

/// Where mail goes out, as one URL says it:
///
///     smtp[s]://[user[:password]@]host[:port][?option=value&…]
///
/// `smtp` begins in the clear, on port 587 unless said; `smtps` is encrypted from the first byte, on port 465.
/// User and password are percent-encoded. Options:
/// - `starttls=required` (the default when there is a user), `offered` (encrypt if the server can; the default without
///   a user), `off`
/// - `auth=plain` or `login`: only this mechanism; else the best the server offers
/// - `name=mail.example.org`: what we call ourselves in EHLO; else `localhost`
/// - `ca=/path/to.pem`: the authorities to trust instead of the system's
public struct MailServer: Sendable, Equatable {
    public enum StartTLS: String, Sendable { case required, offered, off }
    public enum Mechanism: String, Sendable { case plain, login }

    /// What is wrong with the URL; never repeats it, as it may hold a password.
    public enum Fault: Error, Equatable, CustomStringConvertible {
        case notSMTP
        case unknownOption(String)
        case badValue(String)

        public var description: String {
            switch self {
            case .notSMTP: "the mail URL is not smtp://host or smtps://host"
            case .unknownOption(let name):
                "the mail URL has an option \"\(name)\"; known are starttls, auth, name, ca"
            case .badValue(let name): "the mail URL has a value for \"\(name)\" that is none of its own"
            }
        }
    }

    public let host: String
    public let port: Int
    public let isImplicitlyEncrypted: Bool
    public let startTLS: StartTLS
    public let user: String?
    public let password: String?
    public let mechanism: Mechanism?
    public let ownName: String
    public let certificateAuthorities: String?

    public init(_ text: String) throws(Fault) {
        guard let url = CurlURL(text, allowsUser: true), url.scheme == "smtp" || url.scheme == "smtps",
            !url.host.isEmpty
        else { throw .notSMTP }
        let options = try Self.options(url.query ?? "")
        func choice<Value: RawRepresentable>(_ name: String) throws(Fault) -> Value?
        where Value.RawValue == String {
            guard let given = options[name] else { return nil }
            guard let value = Value(rawValue: given) else { throw .badValue(name) }
            return value
        }
        host = url.host
        isImplicitlyEncrypted = url.scheme == "smtps"
        // libcurl's own idea of smtp is port 25, which is between servers; this is a submission (RFC 6409).
        port = url.hasExplicitPort ? url.port : isImplicitlyEncrypted ? 465 : 587
        user = url.user
        password = url.password
        startTLS = try choice("starttls") ?? (user == nil ? .offered : .required)
        mechanism = try choice("auth")
        ownName = options["name"] ?? "localhost"
        guard !ownName.isEmpty, ownName.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else {
            throw .badValue("name")
        }
        certificateAuthorities = options["ca"]
    }

    /// Without user and password: for logs.
    public var address: String { "\(isImplicitlyEncrypted ? "smtps" : "smtp")://\(host):\(port)" }

    private static func options(_ query: String) throws(Fault) -> [String: String] {
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard ["starttls", "auth", "name", "ca"].contains(name) else { throw .unknownOption(name) }
            guard parts.count == 2, !parts[1].isEmpty, options[name] == nil else { throw .badValue(name) }
            options[name] = String(parts[1])
        }
        return options
    }
}
