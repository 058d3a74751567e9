/// One rule on the text of a migration; it looks at the words of one statement, comments and quoted text left out.
struct TextRule {
    let name: String
    let sentence: String
    let isBroken: (String) -> Bool

    init(_ name: String, _ sentence: String, _ isBroken: @escaping (String) -> Bool) {
        self.name = name
        self.sentence = sentence
        self.isBroken = isBroken
    }

    func isBroken(by words: String) -> Bool { isBroken(words) }

    static var all: [TextRule] {
        [
            TextRule(
                "no-session-set", "a SET without LOCAL outlives the transaction and leaks through a pooler"
            ) {
                // The first statement of a DO block stands behind these words.
                var first = $0[...]
                for word in [" DO", " BEGIN"] where first.hasPrefix("\(word) ") {
                    first = first.dropFirst(word.count)
                }
                return first.hasPrefix(" SET ")
                    && !["LOCAL", "TRANSACTION", "CONSTRAINTS"].contains { word in
                        first.hasPrefix(" SET \(word) ")
                    } || $0.contains(" SET_CONFIG ( ") && $0.contains(" , FALSE ) ")
            },
            TextRule(
                "no-session-lock",
                "a session's advisory lock is shared through a pooler: use pg_advisory_xact_lock"
            ) {
                $0.contains(" PG_ADVISORY_LOCK ") || $0.contains(" PG_TRY_ADVISORY_LOCK ")
                    || $0.contains(" PG_ADVISORY_LOCK_SHARED ")
                    || $0.contains(" PG_TRY_ADVISORY_LOCK_SHARED ")
            },
            TextRule("no-extension", "extensions are not everywhere, and may need a superuser") {
                $0.contains(" CREATE EXTENSION ")
            },
            TextRule(
                "no-trigger",
                "a distributed table takes no triggers: write the effect in the same statement or transaction"
            ) {
                $0.contains(" TRIGGER ") && $0.contains(" CREATE ")
            },
            TextRule(
                "no-set-null", "a distributed table takes no SET NULL: clear the link in the same transaction"
            ) {
                $0.contains(" ON DELETE SET ") || $0.contains(" ON UPDATE SET ")
            },
            TextRule(
                "no-serial",
                "a sequence is one for all: identifiers are UUIDs, numbers come from a counter row"
            ) {
                $0.contains(" SERIAL ") || $0.contains(" BIGSERIAL ") || $0.contains(" SMALLSERIAL ")
            },
            TextRule(
                "one-constraint-an-alter", "only one constraint can be added to a distributed table at a time"
            ) {
                $0.hasPrefix(" ALTER TABLE ") && $0.ranges(of: " ADD CONSTRAINT ").count > 1
            },
            TextRule("no-transaction-control", "a migration is one transaction: leave BEGIN and COMMIT out") {
                [" BEGIN ", " COMMIT ", " ROLLBACK ", " START TRANSACTION "].contains($0)
            },
        ]
    }
}
