/// One line of 1 to `Max` characters; white space around it is cut, control characters are refused.
public struct Text<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 1...Max, pattern: #"\S"#) { text in
            text.lineFault() ?? (text.trimmed().isEmpty ? "may not be blank" : nil)
        }
    }
    public static var exampleText: String { String("Spring launch".prefix(Max)) }
    public static func tidied(_ text: String) -> String { text.trimmed() }
}

/// One line of up to `Max` characters that may be empty; white space around it is cut.
public struct OptionalText<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule { TextRule(length: 0...Max) { $0.lineFault() } }
    public static var exampleText: String { String("Spring launch".prefix(Max)) }
    public static func tidied(_ text: String) -> String { text.trimmed() }
}

/// Text of up to `Max` characters with line breaks: notes, descriptions, messages. It may be empty.
public struct Prose<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule { TextRule(length: 0...Max) { $0.lineFault(allowsBreaks: true) } }
    public static var exampleText: String { String("Everything we agreed on by phone.".prefix(Max)) }
}

/// A secret somebody typed. It prints as stars; `text` is for the hash alone.
public struct Password: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    /// Ten, because eight can be guessed offline in hours; two hundred, so that hashing has a bound.
    public static var rule: TextRule { TextRule(length: 10...200, format: "password") }
    public static var exampleText: String { "correct-horse-battery" }
    public static var note: String? { "10 to 200 characters of any kind." }
    public var description: String { "***" }
}

/// A password offered at the door: any text, as what was allowed when it was chosen may have changed since.
public struct OfferedPassword: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule { TextRule(length: 1...1000, format: "password") }
    public static var exampleText: String { "correct-horse-battery" }
    public var description: String { "***" }
}
