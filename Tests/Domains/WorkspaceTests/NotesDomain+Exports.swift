import API
import Core
import Postgres
import Wire

/// Notes as a table that goes out, and in a calendar.
extension NotesDomain {
    static let exports = [
        ExportKind(
            "note", "Notes", .notesRead, filter: Notes.Filter.self,
            columns: { _, _ in
                [
                    .init("title", "Title"), .init("due_on", "Due"), .init("tags", "Tags"),
                    .init("version", "Version"),
                ]
            },
            base: { _, member, _ in
                """
                SELECT x.*, (SELECT string_agg(tag.name, ', ' ORDER BY tag.name) FROM tags tag
                              WHERE tag.company_id = \(member.companyId) AND tag.id = ANY(x.tag_ids)) AS tags
                  FROM (\(fragment: Notes.select(member.companyId ?? .zero, member.memberId, internalToo: true))) AS x
                """
            })
    ]

    static let calendarSources = [
        CalendarSource("note", "Notes", .notesRead) { member, from, to, isMine in
            """
            SELECT n.id, n.title, NULL::text AS description, '/notes/' || n.id AS link, n.due_on AS starts_on,
                   n.due_on AS ends_on, NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, false AS is_done,
                   n.version, n.created_at, n.updated_at
              FROM notes n
             WHERE n.company_id = \(member.companyId) AND \(fragment: Notes.visible(to: member.memberId))
               AND n.due_on >= (\(from)::timestamptz AT TIME ZONE 'UTC')::date
               AND n.due_on <= (\(to)::timestamptz AT TIME ZONE 'UTC')::date
               AND (\(!isMine) OR n.owner_id = \(member.memberId))
            """
        }
    ]
}
