import API
import Core
import Postgres
import Wire

/// How far the reactions to events have come, and what they could not do.
enum EventReactions {
    @RouteList static var routes: [Route] {
        GET("/v1/event-reactions", "List the reactions to events and how far each has come", .operator, list)
        PATCH("/v1/event-reactions/{name}", "Pause a reaction, or let it go on", .operator, change)
        GET("/v1/event-failures", "List events that a reaction failed on", .operator, failures)
            .describe(
                """
                Those that will be tried again hold up later events of their company for that reaction; those that are dead \
                have been put aside and hold up nothing.
                """)
        POST("/v1/event-failures/{id}/retry", "Let a reaction try an event again", .operator, retry)
            .operation("retryEventFailure")
            .describe("At once; one that is dead goes before all later events of its company.")
    }

    struct ReactionState: Codable, Sendable, FieldNotes {
        let name: String
        let isPaused: Bool
        let waiting: Int
        let failing: Int
        let dead: Int
        let lagSeconds: Double

        static let fieldNotes = [
            "waiting": "Events it has still to be told of.",
            "failing": "Those of them that failed at least once.",
            "dead": "Events that were put aside after the last try.",
            "lag_seconds": "How old the first of the events is that wait.",
        ]
    }

    struct ReactionChange: Codable, Sendable {
        let isPaused: Bool?
    }

    struct ReactionFault: Codable, Sendable {
        let at: Timestamp
        let error: String
    }

    struct Failure: Codable, Sendable, FieldNotes {
        let id: Int64
        let reaction: String
        let companyId: UUID
        let eventId: UUID
        let type: String
        let attempt: Int
        let isDead: Bool
        let dueAt: Timestamp
        let errors: [ReactionFault]

        static let fieldNotes = ["due_at": "When it is tried next, unless it is dead."]
    }

    struct FailureFilter: ListFilter {
        let reaction: Text<80>?
        let companyId: UUID?
        let isDead: Bool?

        static let sorts = ["-id"]
    }

    static func list(_ call: Call) async throws -> Page<ReactionState> {
        Page(all: try await call.db.query("\(fragment: select(call)) ORDER BY reaction.name"))
    }

    static func change(
        _ call: Call, _ name: Path<Text<80>>, _ body: Patch<ReactionChange>
    ) async throws -> Single<ReactionState> {
        if let isPaused = body.isPaused {
            try await call.db.transaction { tx in
                let rows = try await tx.query(
                    "UPDATE reactions SET is_paused = \(isPaused) WHERE name = \(name.text) RETURNING name")
                if rows.isEmpty { throw Problem.notFound }
                _ = try await tx.batch(
                    call.installationRecord("reaction.changed", of: name.text, ["is_paused": .bool(isPaused)])
                )
            }
        }
        return try Single(await call.db.query("\(fragment: select(call)) AND reaction.name = \(name.text)"))
    }

    static func failures(_ call: Call, _ list: List<FailureFilter>) async throws -> Page<Failure> {
        try await call.page(list, failing)
    }

    static func retry(_ call: Call, _ id: Path<Int64>) async throws -> Single<Failure> {
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE reactions_due SET dead_at = NULL, attempt = 0, due_at = now()
                 WHERE position = \(id.value) AND attempt > 0
                RETURNING reaction, pg_notify('events', '')
                """)
            guard let row = rows.first else { throw Problem.notFound }
            let reaction = try row.get("reaction", as: String.self)
            _ = try await tx.batch(
                call.installationRecord("event_failure.retried", of: reaction, ["failure": JSON(id.value)]))
        }
        return try Single(
            await call.db.query("SELECT * FROM (\(fragment: every)) failure WHERE id = \(id.value)"))
    }

    private static func select(_ call: Call) -> SQL {
        """
        SELECT reaction.name, reaction.is_paused, coalesce(due.waiting, 0) AS waiting, coalesce(due.failing, 0) AS failing,
               coalesce(due.dead, 0) AS dead, coalesce(due.lag, 0)::double precision AS lag_seconds
          FROM reactions reaction
          LEFT JOIN (SELECT reaction, count(*) FILTER (WHERE dead_at IS NULL) AS waiting,
                            count(*) FILTER (WHERE dead_at IS NULL AND attempt > 0) AS failing,
                            count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead,
                            extract(epoch FROM now() - min(event.at) FILTER (WHERE dead_at IS NULL)) AS lag
                       FROM reactions_due JOIN outbox event USING (seq)
                      GROUP BY reaction) due ON due.reaction = reaction.name
         WHERE reaction.name = ANY (\(call.environment[JobCatalogue.self].reactions)::text[])
        """
    }

    private static let every: SQL = """
        SELECT due.position AS id, due.reaction, due.company_id, event.id AS event_id, event.type, due.attempt,
               due.dead_at IS NOT NULL AS is_dead, due.due_at, due.errors
          FROM reactions_due due JOIN outbox event ON event.seq = due.seq
        """
    private static let failing: SQL = "\(fragment: every) WHERE due.attempt > 0"
}
