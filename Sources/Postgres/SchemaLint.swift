import Dispatch

/// Holds a schema to the rules that let it be distributed by company and served through a transaction pooler, on plain
/// PostgreSQL, from the first table on.
///
/// A table with a `company_id` is a tenant's. One that is not, because it is a queue or a feed of the whole installation,
/// says so in its comment: `COMMENT ON TABLE mail_queue IS 'infinity:local: the worker serves all companies'`.
public enum SchemaLint {
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// The rule's name, as `tenant-key`.
        public let rule: String
        /// The table, constraint or file that breaks it.
        public let object: String
        /// What is wrong and what to write instead.
        public let sentence: String

        public var description: String { "\(object): \(sentence) [\(rule)]" }
    }

    /// What a live database breaks.
    public static func check(url: String) async throws -> [Finding] {
        try await withUnsafeThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try checkNow(url) }) }
        }
    }

    private static func checkNow(_ url: String) throws -> [Finding] {
        let target = Target(url: url, isPooled: true, role: nil, applicationName: "infinity lint")
        let session = MigrationSession(try target.connect(within: .seconds(10)))
        var findings: [Finding] = []
        for rule in CatalogueRule.all {
            for row in try session.rows(CatalogueRule.tables + rule.sql) {
                findings.append(Finding(rule: rule.name, object: row[0], sentence: rule.sentence))
            }
        }
        return findings
    }

    /// What the texts of migrations break.
    public static func check(_ migrations: [Migration]) -> [Finding] {
        migrations.flatMap { migration in
            SQLText.code(of: migration.sql).split(separator: ";").flatMap { statement -> [Finding] in
                let words = words(of: statement)
                return TextRule.all.filter { $0.isBroken(by: words) }.map {
                    Finding(rule: $0.name, object: migration.name, sentence: $0.sentence)
                }
            }
        }
    }

    /// The words of a statement in capitals, each sign a word of its own, with one space between.
    private static func words(of statement: Substring) -> String {
        var words = ""
        for character in statement.trimmed.uppercased() {
            let isWord = character.isLetter || character.isNumber || character == "_"
            if isWord {
                words.append(character)
            } else if character.isWhitespace {
                if words.last != " " { words.append(" ") }
            } else {
                words += words.last == " " ? "\(character) " : " \(character) "
            }
        }
        return " " + words + (words.last == " " ? "" : " ")
    }
}
