import API
import Core
import Postgres
import Wire

/// Telling members something by hand, and taking back what has not gone out.
enum Sending {
    @RouteList static var routes: [Route] {
        POST("/v1/notifications/send", "Send a notification", .can(.notificationsSend), send)
            .describe(
                "To people, roles, teams, or those who watch a thing. Sending again with the same `dedupe_key` sends "
                    + "nothing and answers with the first. Preferences, rules and quiet hours apply."
            )
            .problems(.nobodyAddressed)
            .example(body: [
                "title": "The office is closed on Friday", "body": "Enjoy the long weekend.",
                "to": ["roles": ["member", "manager"]], "dedupe_key": "closed-2026-12-25",
            ])
        GET("/v1/notification-batches", "List what was sent", .can(.notificationsManage), list)
        GET("/v1/notification-batches/{id}", "Read what was sent", .can(.notificationsManage), read)
        POST(
            "/v1/notification-batches/{id}/cancel", "Cancel what has not gone out",
            .can(.notificationsManage), cancel
        )
        .describe("Mails and digests that wait are taken back; what stands in inboxes stays.")
    }

    /// What a person says to others. Its category is the sender's to choose.
    static let announcement = NotificationType(
        "announcement", category: "announcements", summary: "Somebody in the company has something to say.",
        values: ["title", "body"], texts: ["en": NotificationText("{{title}}", "{{body}}")])

    struct Watched: Codable, Sendable {
        let objectType: Text<60>
        let objectId: UUID
    }

    struct Addressees: Codable, Sendable {
        let userIds: UpTo<1000, UUID>?
        let roles: UpTo<20, Text<60>>?
        let teamIds: UpTo<50, UUID>?
        let watchersOf: Watched?
    }

    struct NewMessage: Codable, Sendable {
        let title: Text<200>
        let body: Prose<4000>
        let category: Text<60>?
        let severity: NotificationSeverity?
        let link: WebURL?
        let to: Addressees
        let channels: UpTo<3, NotificationChannel>?
        let dedupeKey: Text<200>?
    }

    struct Batch: Codable, Sendable {
        let id: UUID
        let type: String
        let category: String
        let title: String?
        let objectType: String?
        let objectId: UUID?
        let actorId: UUID?
        let dedupeKey: String?
        let recipients: Int
        let read: Int
        let cancelledAt: Timestamp?
        let createdAt: Timestamp
    }

    struct Filter: ListFilter {
        let type: [Text<80>]?
        let category: [Text<60>]?
        let actorId: UUID?
        let createdAt: Bounds<Timestamp>?
    }

    static func send(_ call: Call, _ body: Body<NewMessage>) async throws -> Created<Batch> {
        let (company, message) = (try call.company, body.value)
        let id = try await call.db.transaction { tx in
            let audience = try await audience(message.to, company, in: tx)
            var news = News(
                announcement, about: message.to.watchersOf.map { .init($0.objectType.text, $0.objectId) },
                values: ["title": .string(message.title.text), "body": .string(message.body.text)],
                link: message.link?.text, dedupeKey: message.dedupeKey?.text, by: call.actor)
            if let category = message.category { news.category = category.text }
            if let severity = message.severity { news.severity = severity }
            news.channels = message.channels.map { Set($0.items) }
            return try await send(news, to: audience, call, company, in: tx)
        }
        return try Created(
            await call.db.query("\(fragment: select(company)) AND e.id = \(id)"),
            at: "/v1/notification-batches/\(id)")
    }

    private static func send(
        _ news: News, to audience: Notify.Audience, _ call: Call, _ company: UUID, in tx: Transaction
    )
        async throws -> UUID
    {
        guard let event = try await Notify.record(news, to: audience, company: company, in: tx) else {
            let first = try await tx.query(
                """
                SELECT id FROM notification_events
                 WHERE company_id = \(company) AND type = \(news.type.name) AND dedupe_key = \(news.dedupeKey)
                """)
            return try first[0].get("id")
        }
        let told = try await tx.query(
            "SELECT count(*) AS count FROM notifications WHERE company_id = \(company) AND event_id = \(event)"
        )
        let count: Int = try told[0].get("count")
        if count == 0 { throw Problem(.nobodyAddressed) }
        try await Audit.record(
            Audit.Entry(
                "notification.sent", on: "notification_batch", event, after: ["recipients": JSON(count)]),
            by: call.actor, company: company, in: tx)
        return event
    }

    private static func audience(_ to: Addressees, _ company: UUID, in tx: Transaction) async throws
        -> Notify.Audience
    {
        var audience = Notify.Audience.users(to.userIds?.items ?? []).and(
            roles: to.roles?.items.map(\.text) ?? [])
        if let teams = to.teamIds?.items, !teams.isEmpty {
            let rows = try await tx.query(
                """
                SELECT DISTINCT m.user_id FROM team_members t
                  JOIN memberships m ON m.company_id = t.company_id AND m.id = t.member_id
                 WHERE t.company_id = \(company) AND t.team_id = ANY(\(teams)::uuid[])
                """)
            audience = audience.and(try rows.map { try $0.get("user_id", as: UUID.self) }, as: "team")
        }
        return audience
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Batch> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Batch> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND e.id = \(id)"))
    }

    struct Cancelled: Codable, Sendable, FieldNotes {
        let cancelled: Int
        static let fieldNotes = ["cancelled": "Deliveries that were taken back."]
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<Cancelled> {
        let company = try call.company
        let count: Int = try await call.db.transaction { tx in
            let event = try await tx.query(
                """
                UPDATE notification_events SET cancelled_at = coalesce(cancelled_at, now())
                 WHERE company_id = \(company) AND id = \(id) RETURNING id
                """)
            if event.isEmpty { throw Problem.notFound }
            let waiting = try await tx.query(
                """
                SELECT d.id FROM notification_deliveries d
                  JOIN notifications n ON n.company_id = d.company_id AND n.id = d.notification_id
                 WHERE d.company_id = \(company) AND n.event_id = \(id) AND d.state = 'sending' FOR UPDATE OF d
                """
            ).map { try $0.get("id", as: UUID.self) }
            // A mail that is in the hands of a worker cannot be taken back any more.
            let withdrawn = try await tx.query(Mail.withdraw(waiting)).map { try $0.get("id", as: UUID.self) }
            let cancelled = try await tx.query(
                """
                UPDATE notification_deliveries d
                   SET state = 'cancelled', reason = 'cancelled', detail = 'It was cancelled before it went out.',
                       next_at = NULL, updated_at = now()
                  FROM notifications n
                 WHERE d.company_id = \(company) AND n.company_id = d.company_id AND n.id = d.notification_id
                   AND n.event_id = \(id) AND (d.state IN ('deferred', 'gathered') OR d.id = ANY(\(withdrawn)::uuid[]))
                RETURNING d.id
                """)
            try await Audit.record(
                Audit.Entry("notification.cancelled", on: "notification_batch", id.value), by: call.actor,
                company: company, in: tx)
            return cancelled.count
        }
        return Single(Cancelled(cancelled: count))
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT e.id, e.type, e.category, e.data ->> 'title' AS title, e.object_type, e.object_id, e.actor_id, e.dedupe_key,
               (SELECT count(*) FROM notifications n WHERE n.company_id = e.company_id AND n.event_id = e.id) AS recipients,
               (SELECT count(*) FROM notifications n
                 WHERE n.company_id = e.company_id AND n.event_id = e.id AND n.read_at IS NOT NULL) AS read,
               e.cancelled_at, e.created_at
          FROM notification_events e
         WHERE e.company_id = \(company)
        """
    }
}
