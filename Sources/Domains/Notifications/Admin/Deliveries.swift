import API
import Core
import Postgres
import Wire

/// Where the company's news went, each try with what the other side said.
enum Deliveries {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-deliveries", "List deliveries", .can(.notificationsManage), list)
        GET(
            "/v1/notification-deliveries/{id}", "Read a delivery with its tries", .can(.notificationsManage),
            read)
        POST(
            "/v1/notification-deliveries/{id}/retry", "Try a delivery again", .can(.notificationsManage),
            retry
        )
        .describe("One that failed, or whose address was suppressed and no longer is. It is decided anew.")
        .problems(.deliveryNotOver)
    }

    struct Filter: ListFilter {
        let state: [DeliveryState]?
        let channel: [NotificationChannel]?
        let reason: [Text<40>]?
        let category: [Text<60>]?
        let userId: UUID?
        let notificationId: UUID?
        let createdAt: Bounds<Timestamp>?
    }

    struct Delivery: Codable, Sendable {
        let id: UUID
        let notificationId: UUID
        let userId: UUID
        let category: String
        let channel: NotificationChannel
        let state: DeliveryState
        let reason: String
        let detail: String
        let attempts: Int
        let nextAt: Timestamp?
        let digestId: UUID?
        let sentAt: Timestamp?
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct DeliveryWithTries: Codable, Sendable, FieldNotes {
        let id: UUID
        let notificationId: UUID
        let userId: UUID
        let category: String
        let channel: NotificationChannel
        let state: DeliveryState
        let reason: String
        let detail: String
        let attempts: Int
        let nextAt: Timestamp?
        let digestId: UUID?
        let sentAt: Timestamp?
        let createdAt: Timestamp
        let updatedAt: Timestamp
        let tries: [Try]

        static let fieldNotes = [
            "id": "Also the Message-ID of its mail; of a digest's mail it is `digest_id`."
        ]
    }

    struct Try: Codable, Sendable {
        let attempt: Int
        let outcome: String
        let reply: String
        let at: Timestamp
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Delivery> {
        try await call.page(
            list,
            "SELECT \(fragment: columns) FROM notification_deliveries d WHERE d.company_id = \(call.company)")
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<DeliveryWithTries> {
        try Single(
            await call.db.query(
                """
                SELECT \(fragment: columns),
                       (SELECT coalesce(jsonb_agg(jsonb_build_object('attempt', a.attempt, 'outcome', a.outcome,
                                   'reply', a.reply, 'at', \(fragment: InboxNews.time("a.at"))) ORDER BY a.attempt), '[]')
                          FROM notification_delivery_attempts a
                         WHERE a.company_id = d.company_id AND a.delivery_id = d.id) AS tries
                  FROM notification_deliveries d
                 WHERE d.company_id = \(call.company) AND d.id = \(id)
                """))
    }

    static func retry(_ call: Call, _ id: Path<UUID>) async throws -> Single<DeliveryWithTries> {
        let company = try call.company
        try await call.db.transaction { tx in
            let found = try await tx.query(
                "SELECT state FROM notification_deliveries WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
            )
            guard let row = found.first else { throw Problem.notFound }
            guard ["failed", "suppressed"].contains(try row.get("state", as: String.self)) else {
                throw Problem(.deliveryNotOver)
            }
            _ = try await tx.batch([
                """
                UPDATE notification_deliveries
                   SET state = 'deferred', reason = 'retry', detail = 'Somebody asked to try again.', digest_id = NULL,
                       next_at = now(), updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry("notification_delivery.retried", on: "notification_delivery", id.value),
                    by: call.actor, company: company),
            ])
            try await Jobs.enqueue(
                DeliveryJobs.deliver, .init(delivery: id.value), company: company,
                uniqueKey: id.value.description,
                in: tx)
        }
        return try await read(call, id)
    }

    private static let columns: SQL = """
        d.id, d.notification_id, d.user_id, d.category, d.channel, d.state, d.reason, d.detail, d.attempts, d.next_at,
        d.digest_id, d.sent_at, d.created_at, d.updated_at
        """
}
