/// A language, and where one wishes a script and a region, as in `de`, `pt-BR` or `zh-Hant-TW` (BCP 47).
public struct LocaleName: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    public static var rule: TextRule {
        TextRule(length: 2...12, pattern: "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$") { text in
            isLocale(text) ? nil : "is no language tag like de, pt-BR or zh-Hant-TW"
        }
    }
    public static var exampleText: String { "en-GB" }

    private static func isLocale(_ text: String) -> Bool {
        var parts = text.split(separator: "-", omittingEmptySubsequences: false)[...]
        guard let language = parts.popFirst(), (2...3).contains(language.count), language.allSatisfy(isLower)
        else {
            return false
        }
        if let script = parts.first, script.count == 4 {
            guard isUpper(script.first!), script.dropFirst().allSatisfy(isLower) else { return false }
            parts.removeFirst()
        }
        if let region = parts.popFirst() {
            let isCountry = region.count == 2 && region.allSatisfy(isUpper)
            let isArea = region.count == 3 && region.allSatisfy { ("0"..."9").contains($0) }
            guard isCountry || isArea else { return false }
        }
        return parts.isEmpty
    }

    private static func isLower(_ letter: Character) -> Bool {
        ("a"..."z").contains(letter) && letter.isASCII
    }
    private static func isUpper(_ letter: Character) -> Bool {
        ("A"..."Z").contains(letter) && letter.isASCII
    }
}
