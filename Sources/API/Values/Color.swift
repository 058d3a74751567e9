import Postgres
import Wire

/// A colour as the web writes it: `#2455d6`.
public struct Color: TextValue, SQLBindable {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 7...7, pattern: "^#[0-9a-fA-F]{6}$") { text in
            text.hasPrefix("#") && text.utf8.count == 7
                && text.dropFirst().utf8.allSatisfy { Hex.value(of: $0) != nil }
                ? nil : "is no colour like #2455d6"
        }
    }
    public static var exampleText: String { "#2455d6" }
    public static func tidied(_ text: String) -> String { text.lowercased() }
}
