/// One line of 1 to `Max` characters; white space around it is cut, control characters are refused.
public struct Text<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 1...Max, pattern: LinePattern.filled) { text in
            text.lineFault() ?? (text.trimmed().isEmpty ? "may not be blank" : nil)
        }
    }
    public static var exampleText: String { String("Spring launch".prefix(Max)) }
    public static func tidied(_ text: String) -> String { text.trimmed() }
}

/// What `lineFault` refuses, as the published schemas say it (ECMA-262, like all patterns of JSON Schema).
private enum LinePattern {
    private static let turns = #"\u202a-\u202e\u2066-\u2069"#
    private static let controls = #"\u0000-\u001f\u007f-\u009f"# + turns
    static let any = "^[^\(controls)]*$"
    static let filled = #"^[^\#(controls)]*[^\s\#(controls)][^\#(controls)]*$"#
    static let lines = #"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\#(turns)]*$"#
}

/// One line of up to `Max` characters that may be empty; white space around it is cut.
public struct OptionalText<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 0...Max, pattern: LinePattern.any) { $0.lineFault() }
    }
    public static var exampleText: String { String("Spring launch".prefix(Max)) }
    public static func tidied(_ text: String) -> String { text.trimmed() }
}

/// Text of up to `Max` characters with line breaks: notes, descriptions, messages. It may be empty.
public struct Prose<let Max: Int>: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 0...Max, pattern: LinePattern.lines) { $0.lineFault(allowsBreaks: true) }
    }
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
