import API
import Core
import Postgres
import Wire

/// A person's inbox in a company. Nobody sees another's.
enum Inbox {
    @RouteList static var routes: [Route] {
        GET("/v1/notifications", "List my notifications", .member, list)
            .describe(
                "Newest first. Archived and snoozed ones are left out unless asked for by `archived=true` and "
                    + "`snoozed=true`, deleted ones by `deleted=true`. `since` is the number of the last one you have."
            )
        GET("/v1/notifications/counts", "Count my notifications", .member, counts)
            .describe(
                "The counts of the badge; and one count for each of `filters`, a JSON array of objects with the "
                    + "filters of the list: `[{\"read\": false, \"category\": [\"members\"]}, {\"archived\": true}]`."
            )
        GET("/v1/notifications/{id}", "Read a notification", .member, read)
    }

    static func list(_ call: Call, _ list: List<InboxFilter>) async throws -> Page<Notification> {
        let (company, user) = (try call.company, try call.user)
        return try await call.page(
            list, "\(fragment: select(user, company)) AND \(fragment: list.filter.condition)")
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Notification> {
        let (company, user) = (try call.company, try call.user)
        return try Single(await call.db.query("\(fragment: select(user, company)) AND n.id = \(id)"))
    }

    struct CountsQuery: Codable, Sendable {
        let filters: Text<4000>?
    }

    static func counts(_ call: Call, _ query: Query<CountsQuery>) async throws -> Single<InboxCounts> {
        let (company, user) = (try call.company, try call.user)
        let filters = try query.filters.map { try InboxFilter.several($0.text) } ?? []
        let extra = filters.map {
            "count(*) FILTER (WHERE n.deleted_at IS NULL AND \(fragment: $0.condition))" as SQL
        }
        let rows = try await call.db.query(
            """
            SELECT count(*) FILTER (WHERE \(fragment: InboxFilter().condition)) AS total,
                   count(*) FILTER (WHERE \(fragment: InboxFilter(read: false).condition)) AS unread,
                   count(*) FILTER (WHERE \(fragment: InboxFilter(seen: false).condition)) AS unseen,
                   count(*) FILTER (WHERE \(fragment: InboxFilter(archived: true).condition)) AS archived,
                   count(*) FILTER (WHERE \(fragment: InboxFilter(snoozed: true).condition)) AS snoozed,
                   ARRAY[\(fragment: extra.joined(separator: ", "))]::bigint[] AS filters
              FROM notifications n
             WHERE n.company_id = \(company) AND n.user_id = \(user) AND n.seq IS NOT NULL
            """)
        return try Single(rows)
    }

    /// One's own inbox; more conditions may follow.
    static func select(_ user: UUID, _ company: UUID) -> SQL {
        """
        SELECT n.id, n.seq, n.type, n.category, n.severity, n.is_critical, n.title, n.body, n.link, n.object_type,
               n.object_id, n.actor_id, n.relations, n.data, n.actions, n.action_taken, n.seen_at, n.read_at,
               n.archived_at, n.snoozed_until, n.created_at, n.version
          FROM notifications n
         WHERE n.company_id = \(company) AND n.user_id = \(user) AND n.seq IS NOT NULL
        """
    }
}
