import API
import Core
import Postgres
import Wire

/// What a member may see of all sources between two moments, as one statement.
enum CalendarEntries {
    /// Nil when there is no source he may see.
    static func sql(
        of member: Principal, from: Timestamp, to: Timestamp, kinds: [String]?, mine: Bool, limit: Int,
        _ parts: WorkspaceParts
    ) throws -> SQL? {
        let sources = parts.calendar.filter {
            member.permissions.contains($0.permission) && kinds?.contains($0.kind) ?? true
        }
        if sources.isEmpty { return nil }
        let each = try sources.map { source -> SQL in
            """
            SELECT \(source.kind)::text AS kind, e.id, e.title, e.description, e.link, e.starts_on, e.ends_on, e.starts_at,
                   e.ends_at, e.is_done, e.version, e.created_at, e.updated_at
              FROM (\(fragment: try source.entries(member, from, to, mine))) AS e
            """
        }
        return """
            SELECT * FROM (\(fragment: each.joined(separator: " UNION ALL "))) AS entry
             ORDER BY coalesce(entry.starts_at, entry.starts_on::timestamptz), entry.kind, entry.id
             LIMIT \(unescaped: String(limit))
            """
    }
}
