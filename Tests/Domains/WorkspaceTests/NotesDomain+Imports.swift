import API
import Core
import Postgres
import Synchronization
import Wire

/// Notes as a table that comes in. With `{"match": "title"}` a note of that title is changed and none made.
extension NotesDomain {
    static let imports = [
        ImportKind(
            "note", "Notes", .notesWrite,
            target: { target, _ in
                for (key, _) in target.objectValue?.members ?? [] where key != "match" {
                    throw Problem.unprocessable("/target/\(key)", "unknown-field", "is no field here")
                }
                return target
            },
            columns: { _, company, environment in
                let fields = try await environment[CustomFields.self].fields(
                    of: "note", scope: nil, company: company)
                return [
                    ImportColumn(
                        "title", "Title", isRequired: true, summary: "What it is called",
                        aliases: ["Titel", "Name"]),
                    ImportColumn(
                        "due_on", "Due", summary: "A day like 2026-12-01", aliases: ["Due date", "Deadline"]),
                    ImportColumn("tags", "Tags", summary: "Between commas"),
                ] + fields.map { ImportColumn("custom.\($0.key)", $0.name, summary: $0.name) }
            },
            write: NoteImport.write, undo: NoteImport.undo)
    ]
}

enum NoteImport {
    /// What befalls the batch with a row of this title, once: a failure that is no fault of the rows.
    static let trap = Mutex<Set<String>>([])

    struct Sprung: Error {}

    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws
        -> [ImportOutcome]
    {
        for row in rows where trap.withLock({ $0.remove(row["title"] ?? "") }) != nil { throw Sprung() }
        let known = try await tx.query(
            """
            SELECT id, title, version, due_on FROM notes
             WHERE company_id = \(run.company) AND title = ANY(\(rows.compactMap { $0["title"] })) FOR UPDATE
            """)
        var before: [String: (id: UUID, version: Int, due: LocalDate?)] = [:]
        if run.target["match"] == "title" {
            for row in known {
                before[try row.get("title")] = (
                    try row.get("id"), try row.get("version"), try row.get("due_on")
                )
            }
        }
        let tags = try await Tags.named(rows.flatMap { names($0["tags"]) }, company: run.company, in: tx)
        var (ids, titles, days): ([UUID], [String], [String]) = ([], [], [])
        var pairs: [(thing: UUID, tag: UUID)] = []
        var outcomes: [ImportOutcome] = []
        for row in rows {
            let title = row["title"] ?? ""
            if let day = row["due_on"], LocalDate(day) == nil {
                outcomes.append(.failed([ImportFault("due_on", "invalid", "is no day like 2026-12-01")]))
                continue
            }
            if let old = before[title] {
                _ = try await tx.query(
                    """
                    UPDATE notes SET due_on = \(row["due_on"].flatMap { LocalDate($0) }), version = version + 1
                     WHERE company_id = \(run.company) AND id = \(old.id)
                    """)
                let was: JSON = ["due_on": old.due.map { .string($0.description) } ?? .null]
                outcomes.append(.changed(old.id, version: old.version + 1, before: was))
                continue
            }
            let id = UUID.v7()
            (ids, titles, days) = (ids + [id], titles + [title], days + [row["due_on"] ?? ""])
            pairs += names(row["tags"]).compactMap { tags[$0.lowercased()] }.map { (id, $0) }
            outcomes.append(.created(id, version: 1))
        }
        _ = try await tx.batch([
            """
            INSERT INTO notes (company_id, id, title, owner_id, due_on)
            SELECT \(run.company)::uuid, n.id, n.title, \(run.member.memberId)::uuid, nullif(n.day, '')::date
              FROM unnest(\(ids)::uuid[], \(titles)::text[], \(days)::text[]) AS n (id, title, day)
            """, NotesDomain.tagging.add(pairs, company: run.company),
        ])
        return outcomes
    }

    private static func names(_ cell: String?) -> [String] {
        (cell ?? "").split(separator: ",").map { String($0.drop { $0 == " " }) }
    }

    static func undo(_ things: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws -> [UUID] {
        var gone: [UUID] = []
        for thing in things {
            let rows: Rows
            if let before = thing.before {
                rows = try await tx.query(
                    """
                    UPDATE notes SET due_on = \(before["due_on"]?.stringValue.flatMap { LocalDate($0) }), version = version + 1
                     WHERE company_id = \(run.company) AND id = \(thing.id) AND version = \(thing.version) RETURNING id
                    """)
            } else {
                rows = try await tx.query(
                    """
                    DELETE FROM notes WHERE company_id = \(run.company) AND id = \(thing.id) AND version = \(thing.version)
                    RETURNING id
                    """)
            }
            if !rows.isEmpty { gone.append(thing.id) }
        }
        return gone
    }
}
