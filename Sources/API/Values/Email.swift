/// An e-mail address as people have them: ASCII, no quotes, a domain with a dot.
public struct Email: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    /// The form to compare by: providers that tell capitals apart do not exist in practice.
    public var normalized: String { text.lowercased() }
    public var domain: String { String(text[text.index(after: text.lastIndex(of: "@")!)...]).lowercased() }

    public static var rule: TextRule {
        // 254: the longest path SMTP carries (RFC 5321 section 4.5.3.1.3).
        TextRule(length: 3...254, format: "email") { fault($0.trimmed()) }
    }
    public static var exampleText: String { "ada@example.com" }
    public static func tidied(_ text: String) -> String { text.trimmed() }

    private static func fault(_ text: String) -> String? {
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count == 2, isLocalPart(halves[0]), isDomain(halves[1]) else {
            return "is not an e-mail address"
        }
        return nil
    }

    private static func isLocalPart(_ part: Substring) -> Bool {
        guard (1...64).contains(part.utf8.count), part.first != ".", part.last != ".", !part.contains("..")
        else {
            return false
        }
        return part.utf8.allSatisfy { isLetterOrDigit($0) || ".!#$%&'*+/=?^_`{|}~-".utf8.contains($0) }
    }

    static func isDomain(_ domain: Substring) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        guard domain.utf8.count <= 253, labels.count >= 2, let top = labels.last,
            top.utf8.contains(where: { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
