import API
import Core
import Postgres
import Wire

/// Activities as things that are found, kept in views, taken out as a table and shown in calendars.
enum ActivityRegistered {
    static let subject = Subject(
        "activity", "Activity", .crmRead,
        view: ViewShape(
            ActivityFilter.self,
            columns: [
                "kind", "direction", "title", "at", "due_at", "completed_at", "duration_seconds", "outcome",
                "owner",
                "records", "created_at",
            ],
            groups: ["kind", "owner"]),
        search: SubjectSearch { member, text, limit in
            let company = member.companyId ?? .zero
            return """
                SELECT a.id, a.title, a.kind AS detail, '/activities/' || a.id AS link, found.rank, a.updated_at
                  FROM activities a
                  JOIN (\(fragment: Search.matching("activity", text, company: company))) found ON found.subject_id = a.id
                 WHERE a.company_id = \(company) AND \(fragment: ActivityAccess.visible(member))
                 ORDER BY found.rank DESC, a.updated_at DESC LIMIT \(limit)
                """
        },
        see: { call, id in
            let rows = try await call.db.query(
                """
                SELECT a.title FROM activities a
                 WHERE a.company_id = \(call.company) AND a.id = \(id) AND \(fragment: ActivityAccess.visible(call))
                """)
            guard let row = rows.first else { return nil }
            return SubjectHead(
                title: try row.get("title"), link: "/activities/\(id)", canComment: call.can(.crmWrite),
                canModerate: call.can(.crmManage))
        },
        visible: { company, id in
            """
            (EXISTS (SELECT 1 FROM activities a WHERE a.company_id = \(company) AND a.id = \(id) AND a.deleted_at IS NULL)
             AND \(fragment: ActivityAccess.isShown(toMember: id, company: company)))
            """
        })

    static let export = ExportKind(
        "activity", "Activities", .crmRead, filter: ActivityFilter.self,
        columns: { _, _ in
            [
                .init("kind", "Kind"), .init("direction", "Direction"), .init("title", "Title"),
                .init("body", "Text"),
                .init("at", "At"), .init("due_at", "Due"), .init("completed_at", "Completed"),
                .init("duration_seconds", "Duration (seconds)"), .init("outcome", "Outcome"),
                .init("from_address", "From"), .init("owner_name", "Owner"),
                .init("created_by_name", "Written by"),
                .init("source", "Source"), .init("external_id", "External id"),
                .init("created_at", "Created"),
            ]
        },
        base: { list, member, _ in Activities.forList(member) + list.filter.conditions(member) })

    static let calendar = CalendarSource("activity", "Activities", .crmRead) { member, from, to, isMine in
        """
        SELECT a.id, a.title, a.body AS description, '/activities/' || a.id AS link,
               NULL::date AS starts_on, NULL::date AS ends_on, a.at AS starts_at, a.ends_at,
               a.completed_at IS NOT NULL AS is_done, a.version, a.created_at, a.updated_at
          FROM activities a
         WHERE a.company_id = \(member.companyId) AND a.at >= \(from) AND a.at <= \(to)
           AND (a.kind = 'meeting' OR a.kind = 'call' AND a.due_at IS NOT NULL)
           AND \(fragment: ActivityAccess.visible(member)) AND (\(!isMine) OR a.owner_id = \(member.memberId))
        """
    }

    static let watchable = Watchable("activity", .crmRead) { id, company in
        "SELECT 1 FROM activities a WHERE a.company_id = \(company) AND a.id = \(id) AND a.deleted_at IS NULL"
    }

    static let handover = HandoverPart(
        "planned_activities", "Activities that are planned go to the other.",
        count: { who in
            """
            SELECT count(*) AS count FROM activities
             WHERE company_id = \(who.company) AND owner_id = \(who.member) AND completed_at IS NULL AND deleted_at IS NULL
            """
        },
        move: { from, to in
            [
                """
                UPDATE activities SET owner_id = \(to.member), version = version + 1, updated_at = now()
                 WHERE company_id = \(from.company) AND owner_id = \(from.member) AND completed_at IS NULL
                   AND deleted_at IS NULL
                """
            ]
        })
}
