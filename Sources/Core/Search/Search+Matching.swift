import Postgres
import Wire

extension Search {
    /// A condition: the thing whose id stands in this column is found by `q`.
    public static func condition(_ kind: String, _ q: String, _ id: SQL, company: UUID) -> SQL {
        "\(fragment: id) IN (SELECT found.subject_id FROM (\(fragment: matching(kind, q, company: company))) AS found)"
    }

    /// A statement with the columns `subject_id uuid` and `rank real` (higher is better): the things in which every word of
    /// `q` is found, as the whole or the beginning of a word, or with a slip. A telephone number is found however it is
    /// written. Words beyond `SearchLimits.queryWordsMax` are not looked at.
    ///
    /// A whole word ranks above its beginning, that above a slip, and a title above a body. Nothing is found by a text
    /// without a letter or digit.
    public static func matching(_ kind: String, _ q: String, company: UUID) -> SQL {
        let words = SearchWords.split(q, limit: SearchLimits.queryWordsMax)
        guard !words.isEmpty else { return "SELECT NULL::uuid AS subject_id, NULL::real AS rank WHERE false" }
        var finds = words.enumerated().flatMap { index, word in
            Self.finds(of: word, index, kind, company)
        }
        let each = words.indices.map { "max(use.score) FILTER (WHERE use.n = \($0))" }.joined(
            separator: " + ")
        // A sum with a word that is not found is NULL.
        guard let phone = SearchWords.phone(inQuery: q), words != [phone] else {
            return grouped(finds, rank: each)
        }
        finds.append(beginnings(of: phone, words.count, kind, company))
        return grouped(finds, rank: "coalesce(\(each), max(use.score) FILTER (WHERE use.n = \(words.count)))")
    }

    private static func grouped(_ finds: [SQL], rank: String) -> SQL {
        """
        SELECT use.subject_id, (\(unescaped: rank))::real AS rank
          FROM (\(fragment: finds.joined(separator: " UNION ALL "))) AS use
         GROUP BY use.subject_id
        HAVING (\(unescaped: rank)) IS NOT NULL
        """
    }

    /// The uses of one word of the query, the `n`th.
    private static func finds(of word: String, _ n: Int, _ kind: String, _ company: UUID) -> [SQL] {
        let beginnings = beginnings(of: word, n, kind, company)
        let variants = SearchWords.variantsOfQuery(word)
        if variants.isEmpty { return [beginnings] }
        return [
            beginnings,
            // A letter too many in the query, or two.
            """
            SELECT u.subject_id, u.weight::integer AS score, \(unescaped: "\(n)") AS n FROM search_uses u
             WHERE u.company_id = \(company) AND u.kind = \(kind) AND u.word = ANY(\(variants)::text[])
            """,
            // Any other slip. The words are found first, then their uses; what begins with the word has been found.
            """
            SELECT u.subject_id, u.weight::integer AS score, \(unescaped: "\(n)") AS n
              FROM (SELECT DISTINCT v.word FROM search_variants v
                     WHERE v.company_id = \(company) AND v.variant = ANY(\(variants + [word])::text[])
                       AND (v.word < \(word) OR v.word >= \(word + "\u{10FFFF}"))
                    OFFSET 0) AS meant
              JOIN search_uses u ON u.company_id = \(company) AND u.kind = \(kind) AND u.word = meant.word
            """,
        ]
    }

    private static func beginnings(of word: String, _ n: Int, _ kind: String, _ company: UUID) -> SQL {
        """
        SELECT u.subject_id, u.weight * CASE WHEN u.word = \(word) THEN 5 ELSE 3 END AS score, \(unescaped: "\(n)") AS n
          FROM search_uses u
         WHERE u.company_id = \(company) AND u.kind = \(kind) AND u.word >= \(word) AND u.word < \(word + "\u{10FFFF}")
        """
    }
}
