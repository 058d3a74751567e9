import Postgres
import Wire

/// The words by which things of all domains are found: one index for every kind, kept by the domain that owns the thing in
/// the transaction that changes it.
///
///     tx.batch([…] + Search.put("contact", contact.id, SearchText(title: [name, email], phones: [phone]), company: company))
///     … AND \(fragment: Search.condition("contact", q, "t.id", company: company))
public enum Search {
    /// Lets a thing be found by this text, in place of what it was found by before.
    public static func put(_ kind: String, _ id: UUID, _ text: SearchText, company: UUID) -> [SQL] {
        put(kind, [(id, text)], company: company)
    }

    /// The same for many things, in three or four statements for each `SearchLimits.thingsMax` of them.
    /// - Parameter areNew: none of them has been found by anything before, so that there is nothing to take away.
    public static func put(
        _ kind: String, _ things: [(id: UUID, text: SearchText)], areNew: Bool = false, company: UUID
    ) -> [SQL] {
        stride(from: 0, to: things.count, by: SearchLimits.thingsMax).flatMap { start in
            put(kind, things[start..<min(start + SearchLimits.thingsMax, things.count)], areNew, company)
        }
    }

    private static func put(
        _ kind: String, _ things: ArraySlice<(id: UUID, text: SearchText)>, _ areNew: Bool, _ company: UUID
    ) -> [SQL] {
        var subjects: [UUID] = []
        var words: [String] = []
        var weights: [Int] = []
        for thing in things {
            for (word, weight) in thing.text.words {
                subjects.append(thing.id)
                words.append(word)
                weights.append(weight)
            }
        }
        let replaced =
            areNew ? [] : [forget(kind, things.map(\.id), but: subjects, words, company), expect(company)]
        if words.isEmpty { return replaced }
        return replaced + [
            learn(Array(Set(words)), company),
            """
            INSERT INTO search_uses AS used (company_id, kind, word, subject_id, weight)
            SELECT \(company)::uuid, \(kind), given.word, given.subject, given.weight
              FROM unnest(\(subjects)::uuid[], \(words)::text[], \(weights)::smallint[]) AS given (subject, word, weight)
            ON CONFLICT ON CONSTRAINT search_uses_pkey DO UPDATE SET weight = excluded.weight
             WHERE used.weight <> excluded.weight
            """,
        ]
    }

    /// Lets things be found no longer, as when they are deleted.
    public static func remove(_ kind: String, _ ids: [UUID], company: UUID) -> [SQL] {
        if ids.isEmpty { return [] }
        return [
            """
            DELETE FROM search_uses
             WHERE company_id = \(company) AND kind = \(kind) AND subject_id = ANY(\(ids)::uuid[])
            """,
            expect(company),
        ]
    }

    /// Takes away what these things are found by, but for these words of theirs.
    private static func forget(
        _ kind: String, _ ids: [UUID], but subjects: [UUID], _ words: [String], _ company: UUID
    ) -> SQL {
        """
        DELETE FROM search_uses used
         WHERE used.company_id = \(company) AND used.kind = \(kind) AND used.subject_id = ANY(\(ids)::uuid[])
           AND NOT EXISTS (SELECT 1 FROM unnest(\(subjects)::uuid[], \(words)::text[]) AS kept (subject, word)
                            WHERE kept.subject = used.subject_id AND kept.word = used.word)
        """
    }

    /// Writes the words that the dictionary does not know yet, each with its variants.
    private static func learn(_ words: [String], _ company: UUID) -> SQL {
        let draw = Int32.random(in: .min ... .max)
        return """
            WITH fresh AS (
                INSERT INTO search_words (company_id, word, draw)
                SELECT \(company)::uuid, given.word, \(draw)::integer FROM unnest(\(words)::text[]) AS given (word)
                 WHERE NOT EXISTS (SELECT 1 FROM search_words known
                                    WHERE known.company_id = \(company) AND known.word = given.word)
                ON CONFLICT DO NOTHING
                RETURNING word)
            INSERT INTO search_variants (company_id, variant, word, draw)
            SELECT DISTINCT \(company)::uuid, left(fresh.word, place.n - 1) || substr(fresh.word, place.n + 1), fresh.word,
                   \(draw)::integer
              FROM fresh CROSS JOIN LATERAL generate_series(1, char_length(fresh.word)) AS place (n)
             WHERE char_length(fresh.word) BETWEEN \(SearchLimits.slipLettersMin) AND \(SearchLimits.slipLettersMax)
               AND fresh.word !~ '[0-9]'
            ON CONFLICT DO NOTHING
            """
    }

    /// Lists the company for upkeep; from then on its dictionary is looked through every day.
    private static func expect(_ company: UUID) -> SQL {
        """
        INSERT INTO search_upkeep (company_id, due_at)
        SELECT \(company)::uuid, now() + interval '1 day'
         WHERE NOT EXISTS (SELECT 1 FROM search_upkeep listed WHERE listed.company_id = \(company))
        ON CONFLICT DO NOTHING
        """
    }
}
