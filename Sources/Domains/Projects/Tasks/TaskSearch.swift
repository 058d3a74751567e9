import API
import Postgres
import Wire

/// The words of tasks, found by their beginnings.
enum TaskSearch {
    private static let wordsMax = 8

    /// A condition on the row `t`: all words of `q` begin a word of it, or `q` is its key.
    ///
    /// Each word bears the company's mark, as it does in the index (see the migration that makes it).
    static func condition(_ q: String, _ company: UUID) -> SQL {
        let key = TaskKey(q).map { "t.id = (\(fragment: $0.lookUp(company)))" as SQL }
        guard let query = query(q, company) else { return key ?? "FALSE" }
        let found: SQL = "t.search @@ to_tsquery('simple', \(query))"
        return key.map { "(\(fragment: $0) OR \(fragment: found))" } ?? found
    }

    /// The words as the search's own language has them; nil when there are none.
    static func query(_ q: String, _ company: UUID) -> String? {
        let mark = "c" + company.description.suffix(12)
        let words = words(of: q)
        return words.isEmpty ? nil : words.map { "'\(mark)\($0)':*" }.joined(separator: " & ")
    }

    /// Parted where the index parts them, so that no sign of the query's own language is left in them.
    static func words(of q: String) -> [String] {
        let parts = q.unicodeScalars.split { scalar in
            scalar.properties.isWhitespace || scalar.isASCII && !isLetterOrDigit(scalar)
        }
        return parts.prefix(wordsMax).map { String($0) }
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
