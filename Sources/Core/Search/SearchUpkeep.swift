import Postgres
import Wire

/// Frees the dictionaries of words that nothing uses any more: within a day nothing is left of a name that was erased.
public enum SearchUpkeep {
    public static let worker = Worker("search-upkeep", every: .seconds(300)) { work in
        guard let company = try await claim(work.database) else { return .idle }
        try await tidy(company, work.database)
        return .more
    }

    /// A company whose turn it is: two instances never take the same.
    private static func claim(_ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            """
            UPDATE search_upkeep SET due_at = now() + interval '1 day'
             WHERE company_id = (SELECT company_id FROM search_upkeep WHERE due_at <= now()
                                  ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING company_id
            """)
        return try rows.first?.get("company_id")
    }

    /// Looks through a company's dictionary. A word that is put by somebody at this very moment may lose its variants: until
    /// it is put again it is found by what it is alone, without slips.
    public static func tidy(_ company: UUID, _ db: Database) async throws {
        let tenant = Tenant(company: company)
        let kinds = try await kinds(company, db)
        var last: String? = ""
        while let after = last {
            let rows = try await db.query(
                """
                SELECT known.word, count(*) > 1 AS is_double,
                       NOT EXISTS (SELECT 1 FROM unnest(\(kinds)::text[]) AS kind (name)
                                     JOIN search_uses u ON u.company_id = \(company) AND u.kind = kind.name
                                                       AND u.word = known.word) AS is_unused
                  FROM search_words known
                 WHERE known.company_id = \(company) AND known.word > \(after)
                 GROUP BY known.word ORDER BY known.word LIMIT \(SearchLimits.wordsAtOnce)
                """, as: tenant)
            var unused: [String] = []
            var double: [String] = []
            for row in rows {
                let word = try row.get("word", as: String.self)
                if try row.get("is_unused", as: Bool.self) {
                    unused.append(word)
                } else if try row.get("is_double") {
                    double.append(word)
                }
            }
            if !unused.isEmpty || !double.isEmpty {
                _ = try await db.batch(clearing(unused, double, company), as: tenant)
            }
            last = rows.count == SearchLimits.wordsAtOnce ? try rows[rows.count - 1].get("word") : nil
        }
    }

    private static func clearing(_ unused: [String], _ double: [String], _ company: UUID) -> [SQL] {
        // The variants are found by the words' own, which are made in the same way everywhere.
        let variants = (unused + double).flatMap { SearchWords.variants(of: $0) }
        return [
            """
            DELETE FROM search_variants v
             WHERE v.company_id = \(company) AND v.variant = ANY(\(variants)::text[])
               AND (v.word = ANY(\(unused)::text[])
                    OR v.word = ANY(\(double)::text[])
                   AND v.draw > (SELECT min(w.draw) FROM search_words w
                                  WHERE w.company_id = \(company) AND w.word = v.word))
            """,
            """
            DELETE FROM search_words w
             WHERE w.company_id = \(company)
               AND (w.word = ANY(\(unused)::text[])
                    OR w.word = ANY(\(double)::text[])
                   AND w.draw > (SELECT min(o.draw) FROM search_words o
                                  WHERE o.company_id = \(company) AND o.word = w.word))
            """,
        ]
    }

    /// The kinds of which a company has things, read from one to the next.
    private static func kinds(_ company: UUID, _ db: Database) async throws -> [String] {
        let rows = try await db.query(
            """
            WITH RECURSIVE kind AS (
                SELECT min(u.kind) AS name FROM search_uses u WHERE u.company_id = \(company)
                UNION ALL
                SELECT (SELECT min(u.kind) FROM search_uses u WHERE u.company_id = \(company) AND u.kind > kind.name)
                  FROM kind WHERE kind.name IS NOT NULL)
            SELECT name FROM kind WHERE name IS NOT NULL
            """, as: Tenant(company: company))
        return try rows.map { try $0.get("name") }
    }
}
