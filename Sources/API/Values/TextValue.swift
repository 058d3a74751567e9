import Wire

/// A text with a rule: one that breaks it cannot be made, so a handler never sees it.
///
/// A conforming type states its rule; decoding, printing, schema and binding in SQL come with it.
public protocol TextValue: Codable, Hashable, Sendable, SchemaSource, CustomStringConvertible {
    var text: String { get }
    static var rule: TextRule { get }
    static var exampleText: String { get }
    static var note: String? { get }
    /// What is kept of a text that keeps the rule.
    static func tidied(_ text: String) -> String
    init(unchecked text: String)
}

extension TextValue {
    public static var note: String? { nil }
    public static func tidied(_ text: String) -> String { text }

    /// Nil when the text breaks the rule.
    public init?(_ text: String) {
        guard Schema(.text(Self.rule)).faults(in: .string(text)).isEmpty else { return nil }
        self.init(unchecked: Self.tidied(text))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        if let fault = Schema(.text(Self.rule)).faults(in: .string(text)).first {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: fault.detail)
        }
        self.init(unchecked: Self.tidied(text))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public static var schema: Schema { Schema(.text(rule), note: note, example: .string(exampleText)) }
    public static var sample: Self { Self(unchecked: exampleText) }
    public var description: String { text }
}

extension String {
    /// Without the white space around it.
    public func trimmed() -> String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    /// Nil, or why this is no line of text. Format characters that turn the writing direction round count as control
    /// characters: they make one name look like another.
    func lineFault(allowsBreaks: Bool = false) -> String? {
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A, 0x0D, 0x09: if !allowsBreaks { return "may not have line breaks or tabs" }
            case 0x00...0x1F, 0x7F...0x9F: return "may not have control characters"
            case 0x202A...0x202E, 0x2066...0x2069:
                return "may not have characters that turn the writing direction"
            default: break
            }
        }
        return nil
    }
}
