import API
import Core
import Postgres
import Wire

/// Hearing of a thing, whoever else does.
enum Watching {
    @RouteList static var routes: [Route] {
        GET("/v1/subscriptions", "List what I watch", .member, list)
        PUT("/v1/subscriptions/{object_type}/{object_id}", "Watch a thing", .member, watch)
            .describe(
                "Every notification about it reaches you too, with the relation `watcher`. Asking again changes nothing."
            )
        DELETE("/v1/subscriptions/{object_type}/{object_id}", "Stop watching a thing", .member, unwatch)
    }

    struct Watched: Codable, Sendable {
        let objectType: String
        let objectId: UUID
        let createdAt: Timestamp
    }

    struct Filter: ListFilter {
        let objectType: [Text<60>]?
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Watched> {
        try await call.page(
            list,
            """
            SELECT object_type, object_id, object_id AS id, created_at FROM notification_watchers
             WHERE company_id = \(call.company) AND user_id = \(call.user)
            """)
    }

    static func watch(_ call: Call, _ type: Path<Text<60>>, _ id: Path<UUID>) async throws -> Single<Watched>
    {
        let (company, user) = (try call.company, try call.user)
        guard let watchable = WatchableCatalogue.named(type.text), call.can(watchable.permission) else {
            throw Problem.notFound
        }
        let there = try await call.db.query(watchable.exists(id.value, company))
        if there.isEmpty { throw Problem.notFound }
        return try Single(
            await call.db.query(
                """
                INSERT INTO notification_watchers AS w (company_id, object_type, object_id, user_id)
                VALUES (\(company), \(type.text), \(id), \(user))
                ON CONFLICT (company_id, object_type, object_id, user_id) DO UPDATE SET created_at = w.created_at
                RETURNING object_type, object_id, created_at
                """))
    }

    static func unwatch(_ call: Call, _ type: Path<Text<60>>, _ id: Path<UUID>) async throws -> NoContent {
        let gone = try await call.db.query(
            """
            DELETE FROM notification_watchers
             WHERE company_id = \(call.company) AND object_type = \(type.text) AND object_id = \(id)
               AND user_id = \(call.user) RETURNING object_id
            """)
        if gone.isEmpty { throw Problem.notFound }
        return NoContent()
    }
}
