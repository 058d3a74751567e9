import API
import Postgres
import Wire

/// The company's tags, for domains whose things carry them.
public enum Tags {
    /// Throws 422 at `pointer` for tags that the company does not have.
    @inline(never)
    public static func mustExist(_ tags: [UUID], at pointer: String, company: UUID, in tx: Transaction)
        async throws
    {
        guard !tags.isEmpty else { return }
        let rows = try await tx.query(
            "SELECT id FROM tags WHERE company_id = \(company) AND id = ANY(\(tags)::uuid[]) FOR KEY SHARE")
        let known = Set(try rows.map { try $0.get("id", as: UUID.self) })
        let faults = tags.enumerated().filter { !known.contains($0.element) }.map {
            Fault.at("\(pointer)/\($0.offset)", "unknown-tag", "is no tag of this company")
        }
        let problem: Problem? = faults.isEmpty ? nil : .unprocessable(faults)
        if let problem { throw problem }
    }

    /// The tags of these names, made where there are none: for imports. Keys are the names in lower case; a name that is
    /// none (empty, too long) or would be beyond the limit of tags is missing.
    @inline(never)
    public static func named(_ names: [String], company: UUID, in tx: Transaction) async throws -> [String:
        UUID]
    {
        var wanted: [String: String] = [:]
        for name in names {
            guard let name = Text<60>(name)?.text else { continue }
            if wanted[name.lowercased()] == nil { wanted[name.lowercased()] = name }
        }
        guard !wanted.isEmpty else { return [:] }
        let fresh = wanted.values.sorted()
        let answers = try await tx.batch([
            """
            INSERT INTO tags (company_id, id, name)
            SELECT \(company)::uuid, fresh.id, fresh.name
              FROM unnest(\(fresh.map { _ in UUID.v7() })::uuid[], \(fresh)::text[]) AS fresh (id, name)
             WHERE (SELECT count(*) FROM tags WHERE company_id = \(company)) + \(fresh.count)::bigint
                   <= \(WorkspaceLimits.tagsMax)::bigint
            ON CONFLICT (company_id, lower(name)) DO NOTHING
            """,
            """
            SELECT id, lower(name) AS name FROM tags
             WHERE company_id = \(company) AND lower(name) = ANY(ARRAY(
                   SELECT lower(wanted) FROM unnest(\(fresh)::text[]) AS wanted))
            """,
        ])
        var found: [String: UUID] = [:]
        for row in answers[1] { found[try row.get("name", as: String.self)] = try row.get("id") }
        return found
    }
}
