import API

/// Refuses passwords that are tried first: the well-known ones however decorated, runs of keys, and what is on the
/// person's own business card. The reason is said.
enum PasswordRules {
    /// What the password must not be made of.
    struct Person {
        var email: String
        var names: [String]
    }

    static func faults(in password: String, of person: Person, at pointer: String) -> [Fault] {
        guard let (code, reason) = weakness(of: password, of: person) else { return [] }
        return [.at(pointer, code, reason)]
    }

    static func weakness(of password: String, of person: Person) -> (code: String, reason: String)? {
        let plain = Array(password.lowercased())
        if Set(plain).count < 5 {
            return ("password-too-simple", "Repeats the same few characters; use more different ones.")
        }
        if isRun(plain) {
            return ("password-too-simple", "Is a run of neighbouring keys or letters, which is tried first.")
        }
        if CommonPasswords.contains(password) {
            return (
                "password-too-common",
                "Is among the passwords that are tried first. Three or four words in a row are better."
            )
        }
        if isPersonal(password, person) {
            return (
                "password-too-personal", "Is made of your own name, address or company, which is tried first."
            )
        }
        return nil
    }

    /// Most of it goes one step along the alphabet, the digits or a row of the keyboard, either way, or repeats.
    private static func isRun(_ letters: [Character]) -> Bool {
        let steps = zip(letters, letters.dropFirst()).count { isStep($0, $1) }
        if steps * 4 >= (letters.count - 1) * 3 { return true }
        // A short piece said again and again: abcabcabcabc.
        for length in 1...4 where letters.count >= length * 3 {
            if zip(letters, letters.dropFirst(length)).allSatisfy(==) { return true }
        }
        return false
    }

    private static func isStep(_ first: Character, _ second: Character) -> Bool {
        if first == second { return true }
        return rows.contains { row in
            guard let at = row.firstIndex(of: first) else { return false }
            let next = row.index(after: at)
            let before = at > row.startIndex ? row[row.index(before: at)] : nil
            return next < row.endIndex && row[next] == second || before == second
        }
    }

    private static let rows: [[Character]] = [
        "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop",
        "yxcvbnm",
        "azertyuiop", "qsdfghjklm", "!@#$%^&*()", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p",
    ].map(Array.init)

    private static func isPersonal(_ password: String, _ person: Person) -> Bool {
        let core = CommonPasswords.core(of: password)
        let local = person.email.prefix { $0 != "@" }
        let domain = person.email.drop { $0 != "@" }.dropFirst().prefix { $0 != "." }
        let words =
            [String(local), String(domain), person.email] + person.names
            + person.names.flatMap { $0.split(separator: " ").map(String.init) }
        return words.contains { word in
            let word = CommonPasswords.core(of: word)
            guard word.count >= 4 else { return false }
            // What is left beside the name must be long enough to be a secret of its own.
            return core == word || core.contains(word) && core.count - word.count < 6
        }
    }
}
