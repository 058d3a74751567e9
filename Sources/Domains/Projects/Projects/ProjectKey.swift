import API
import Postgres
import Wire

/// What a project's tasks are called by: `WEB` in WEB-142. It names one project of the company for ever.
struct ProjectKey: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 2...10, pattern: "^[A-Za-z][A-Za-z0-9]{1,9}$") { text in
            let isPlain = text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
            return isPlain && text.utf8.first.map(isLetter) == true
                ? nil : "must be 2 to 10 letters and digits, a letter first"
        }
    }
    static var exampleText: String { "WEB" }
    static func tidied(_ text: String) -> String { text.uppercased() }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    /// Initials of several words, or the beginning of the only one: `Website relaunch` is WR, `Website` is WEB.
    static func suggestion(for name: String) -> String {
        let words = Slug(from: name)?.text.uppercased().split(separator: "-") ?? []
        let initials = words.prefix(5).compactMap(\.first)
        let letters = initials.count > 1 ? String(initials) : String((words.first ?? "").prefix(3))
        let key = letters.drop { !$0.isLetter }
        return key.count > 1 ? String(key) : "PRJ"
    }

    /// The suggestion and what comes after it when it is taken: WEB, WEB2, WEB3.
    static func candidates(for name: String) -> [String] {
        let first = suggestion(for: name)
        return [first] + (2...ProjectLimits.keyAttemptsMax).map { "\(first)\($0)" }
    }
}
