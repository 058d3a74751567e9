/// A short name for addresses: lower-case letters and digits, single hyphens between them.
public struct Slug: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 2...60, pattern: "^[a-z0-9]+(-[a-z0-9]+)*$") { text in
            isSlug(text) ? nil : "may have lower-case letters, digits and single hyphens between them"
        }
    }
    public static var exampleText: String { "analytical-engines" }

    /// The slug nearest to a name; nil when nothing is left of it.
    public init?(from name: String) {
        var out = ""
        for scalar in name.lowercased().unicodeScalars {
            if scalar.isASCII, Email.isLetterOrDigit(UInt8(scalar.value)) {
                out.unicodeScalars.append(scalar)
            } else if !out.isEmpty, !out.hasSuffix("-") {
                out += "-"
            }
        }
        self.init(String(out.prefix(60)).trimmingHyphens())
    }

    private static func isSlug(_ text: String) -> Bool {
        text.split(separator: "-", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    Email.isLetterOrDigit($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                }
        }
    }
}

extension String {
    fileprivate func trimmingHyphens() -> String {
        var text = self[...]
        while text.last == "-" { text.removeLast() }
        return String(text)
    }
}
