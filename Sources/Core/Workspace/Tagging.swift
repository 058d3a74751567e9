import Postgres
import Wire

/// The table in which a domain says which of its things carry which tags: `(company_id, <subject>_id, tag_id)`, all three
/// its primary key, with foreign keys to the thing (ON DELETE CASCADE) and to `tags (company_id, id)`, and an index on
/// `(company_id, tag_id)`.
public struct Tagging: Sendable {
    public let table: String
    /// The column of the thing: `task_id`.
    public let column: String

    public init(table: String, column: String) {
        self.table = table
        self.column = column
    }
}

/// What a domain writes into its statements.
extension Tagging {
    /// The ids of a thing's tags as an array, ordered by name. `id` is the thing's column: `t.id`.
    public func ids(of id: SQL, company: UUID) -> SQL {
        """
        ARRAY(SELECT tag.id FROM \(unescaped: table) tagged
                JOIN tags tag ON tag.company_id = tagged.company_id AND tag.id = tagged.tag_id
               WHERE tagged.company_id = \(company) AND tagged.\(unescaped: column) = \(fragment: id)
               ORDER BY lower(tag.name))
        """
    }

    /// A condition: the thing carries any of these tags.
    public func hasAny(_ tags: [UUID], of id: SQL, company: UUID) -> SQL {
        """
        EXISTS (SELECT 1 FROM \(unescaped: table) tagged
                 WHERE tagged.company_id = \(company) AND tagged.\(unescaped: column) = \(fragment: id)
                   AND tagged.tag_id = ANY(\(tags)::uuid[]))
        """
    }

    /// Gives these tags to these things, each all of them; what is there already stays.
    public func add(_ tags: [UUID], to things: [UUID], company: UUID) -> SQL {
        """
        INSERT INTO \(unescaped: table) (company_id, \(unescaped: column), tag_id)
        SELECT \(company)::uuid, thing.id, tag.id
          FROM unnest(\(things)::uuid[]) AS thing (id), unnest(\(tags)::uuid[]) AS tag (id)
        ON CONFLICT DO NOTHING
        """
    }

    /// The same pair by pair, for things that carry different ones.
    public func add(_ pairs: [(thing: UUID, tag: UUID)], company: UUID) -> SQL {
        """
        INSERT INTO \(unescaped: table) (company_id, \(unescaped: column), tag_id)
        SELECT \(company)::uuid, pair.thing, pair.tag
          FROM unnest(\(pairs.map(\.thing))::uuid[], \(pairs.map(\.tag))::uuid[]) AS pair (thing, tag)
        ON CONFLICT DO NOTHING
        """
    }

    public func remove(_ tags: [UUID], from things: [UUID], company: UUID) -> SQL {
        """
        DELETE FROM \(unescaped: table)
         WHERE company_id = \(company) AND \(unescaped: column) = ANY(\(things)::uuid[])
           AND tag_id = ANY(\(tags)::uuid[])
        """
    }

    /// Leaves a thing exactly these tags.
    public func replace(with tags: [UUID], on thing: UUID, company: UUID) -> [SQL] {
        [
            """
            DELETE FROM \(unescaped: table)
             WHERE company_id = \(company) AND \(unescaped: column) = \(thing)
               AND tag_id <> ALL(\(tags)::uuid[])
            """,
            add(tags, to: [thing], company: company),
        ]
    }
}
