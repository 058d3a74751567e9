import API
import Wire

/// A header field of a company's own, sent along with what goes to a receiver of its own.
public struct HeaderField: Codable, Sendable {
    public let name: HeaderName
    public let value: HeaderValue

    /// The names, and all of it as JSON to be sealed; the later of two of one name counts.
    public static func split(_ fields: [HeaderField]) -> (names: [String], json: String)? {
        guard !fields.isEmpty else { return nil }
        var object = JSON.Object()
        for field in fields { object[field.name.text.lowercased()] = .string(field.value.text) }
        return (object.members.map(\.key), JSON.object(object).description)
    }

    /// What `split` made of them.
    public static func fields(_ json: String) throws -> [(name: String, value: String)] {
        (try JSON.parse(json).objectValue?.members ?? []).map { ($0.key, $0.value.stringValue ?? "") }
    }
}

public struct HeaderName: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule { TextRule(length: 1...64, pattern: "^[A-Za-z0-9-]+$") { fault($0) } }
    public static var exampleText: String { "X-Receiver-Token" }

    /// What frames the message, what Standard Webhooks defines, and what would make a proxy act on it.
    private static let reserved: Set = [
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
        "forwarded",
        "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    ]

    private static func fault(_ text: String) -> String? {
        let name = text.lowercased()
        let isToken = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard isToken else { return "may have letters, digits and - alone" }
        let isReserved =
            reserved.contains(name)
            || ["webhook-", "proxy-", "x-forwarded-", "sec-"].contains { name.hasPrefix($0) }
        return isReserved ? "is reserved" : nil
    }
}

public struct HeaderValue: TextValue {
    /// What common servers take in one header line.
    static let bytesMax = 1024

    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 0...bytesMax) { text in
            text.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? nil : "may have printable ASCII alone"
        }
    }
    public static var exampleText: String { "7f3e9c" }
}
