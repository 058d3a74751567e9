import API
import Core
import Postgres
import Wire

/// What was sent or is to be, and every attempt at it.
enum Messages {
    @RouteList static var routes: [Route] {
        GET("/v1/webhook-messages", "List webhook messages", .can(.webhooksRead), list)
            .describe("The newest first; kept for at least two whole months.")
        GET("/v1/webhook-messages/{id}", "Read a webhook message", .can(.webhooksRead), read)
            .describe("With its data in full, and where it stands with each endpoint.")
        GET(
            "/v1/webhook-messages/{id}/attempts", "List the attempts at a message", .can(.webhooksRead),
            attempts)
        POST("/v1/webhook-messages/{id}/resend", "Send a message again", .can(.webhooksWrite), resend)
            .describe(
                "By the whole schedule, under the same `webhook-id`: a receiver that knows it passes over it."
            )
            .problems(.webhookEndpointInactive)
            .example(body: ["endpoint_id": "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11"])
        GET(
            "/v1/webhook-endpoints/{id}/attempts", "List the attempts at an endpoint", .can(.webhooksRead),
            ofEndpoint)
    }

    struct WebhookMessage: Codable, Sendable, FieldNotes {
        let id: UUID
        let webhookId: String
        let type: String
        let channels: [String]
        let isTest: Bool
        let occurredAt: Timestamp
        let createdAt: Timestamp

        static let fieldNotes = ["webhook_id": "As receivers see it in the header of that name."]

        static let columns: SQL = """
            id, 'msg_' || replace(id::text, '-', '') AS webhook_id, type, channels, position IS NULL AS is_test,
            occurred_at, created_at
            """
    }

    enum DeliveryState: String, Codable, CaseIterable, Sendable {
        case pending, delivered, failed
    }

    struct MessageDelivery: Codable, Sendable {
        let endpointId: UUID
        let state: DeliveryState
        let attempts: Int
        let lastAttemptAt: Timestamp?
        let nextTryAt: Timestamp?
    }

    struct MessageDetail: Codable, Sendable {
        let id: UUID
        let webhookId: String
        let type: String
        let channels: [String]
        let isTest: Bool
        let occurredAt: Timestamp
        let createdAt: Timestamp
        let data: JSON
        let deliveries: [MessageDelivery]
    }

    struct Attempt: Codable, Sendable, FieldNotes {
        let id: UUID
        let messageId: UUID
        let endpointId: UUID
        let number: Int
        let at: Timestamp
        let cause: DeliveryCause
        let outcome: AttemptOutcome
        let status: Int?
        let error: String?
        let durationMs: Int
        let response: String
        let nextTryAt: Timestamp?

        static let fieldNotes = [
            "number": "1 for the first attempt at this message for this endpoint.",
            "response": "The first kilobyte of what the receiver answered.",
        ]

        static let columns: SQL = """
            id, message_id, endpoint_id, number, at, cause, outcome, status, error, duration_ms, response, next_try_at
            """
    }

    struct Filter: ListFilter {
        let type: [String]?
        let createdAt: Bounds<Timestamp>?
        let webhookId: String?
        let channel: String?

        static let sorts = ["-id"]
        static let ownFields: Set<String> = ["webhook_id", "channel"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<WebhookMessage> {
        var sql: SQL = """
            SELECT \(fragment: WebhookMessage.columns) FROM webhook_messages WHERE company_id = \(try call.company)
            """
        if let text = list.filter.webhookId {
            guard let id = MessageId(text) else { return try await call.page(list, sql + " AND false") }
            sql += " AND id = \(id.uuid)"
        }
        if let channel = list.filter.channel { sql += " AND channels @> \([channel])" }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<MessageDetail> {
        let company = try call.company
        let id = MessageId(id.value)
        return try Single(
            await call.db.query(
                """
                SELECT \(fragment: WebhookMessage.columns), data, (
                    SELECT coalesce(json_agg(json_build_object(
                               'endpoint_id', x.endpoint_id,
                               'state', CASE WHEN x.is_pending THEN 'pending' WHEN x.outcome = 'delivered' THEN 'delivered'
                                             ELSE 'failed' END,
                               'attempts', coalesce(x.number, 0),
                               'last_attempt_at', \(fragment: time("x.at")),
                               'next_try_at', \(fragment: time("x.due_at"))) ORDER BY x.endpoint_id), '[]')
                      FROM (SELECT endpoint_id, l.outcome, l.number, l.at, d.due_at, d.endpoint_id IS NOT NULL AS is_pending
                              FROM (SELECT DISTINCT ON (endpoint_id) endpoint_id, outcome, number, at
                                      FROM webhook_attempts
                                     WHERE company_id = \(company) AND message_id = \(id.uuid) AND slot = \(id.slot)
                                     ORDER BY endpoint_id, number DESC) l
                              FULL JOIN (SELECT d.endpoint_id, d.due_at
                                           FROM webhook_endpoints e
                                           JOIN webhook_deliveries d ON d.endpoint_id = e.id AND d.message_id = \(id.uuid)
                                          WHERE e.company_id = \(company)) d USING (endpoint_id)) x) AS deliveries
                  FROM webhook_messages
                 WHERE company_id = \(company) AND id = \(id.uuid) AND slot = \(id.slot)
                """))
    }

    /// A time within a JSON object, as the API prints it everywhere.
    private static func time(_ column: String) -> SQL {
        "to_char(\(unescaped: column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    }

    struct AttemptFilter: ListFilter {
        let outcome: [AttemptOutcome]?
        let status: [Int]?
        let at: Bounds<Timestamp>?

        static let sorts = ["-id"]
    }

    static func attempts(_ call: Call, _ id: Path<UUID>, _ list: List<AttemptFilter>) async throws -> Page<
        Attempt
    > {
        let company = try call.company
        let id = MessageId(id.value)
        try await mustExist(id, company, call)
        return try await call.page(
            list,
            """
            SELECT \(fragment: Attempt.columns) FROM webhook_attempts
             WHERE company_id = \(company) AND message_id = \(id.uuid) AND slot = \(id.slot)
            """)
    }

    static func ofEndpoint(_ call: Call, _ id: Path<UUID>, _ list: List<AttemptFilter>) async throws -> Page<
        Attempt
    > {
        let company = try call.company
        let there = try await call.db.query(
            "SELECT 1 FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id)")
        if there.isEmpty { throw Problem.notFound }
        return try await call.page(
            list,
            """
            SELECT \(fragment: Attempt.columns) FROM webhook_attempts
             WHERE company_id = \(company) AND endpoint_id = \(id)
            """)
    }

    struct Resend: Codable, Sendable {
        let endpointId: UUID
    }

    struct MessageReference: Codable, Sendable {
        let id: UUID
        let webhookId: String
    }

    static func resend(
        _ call: Call, _ id: Path<UUID>, _ body: Body<Resend>
    ) async throws -> Accepted<MessageReference> {
        let company = try call.company
        let id = MessageId(id.value)
        try await mustExist(id, company, call)
        try await send(id, to: body.endpointId, because: .resend, company, call, before: [])
        return Accepted(
            MessageReference(id: id.uuid, webhookId: id.text), at: "/v1/webhook-messages/\(id.uuid)")
    }

    /// Delivers a message to one endpoint that must exist and be active, with the statements before it.
    static func send(
        _ id: MessageId, to endpoint: UUID, because cause: DeliveryCause, _ company: UUID, _ call: Call,
        before: [SQL]
    ) async throws {
        let action = cause == .test ? "webhook_endpoint.tested" : "webhook_message.resent"
        let audit = Audit.sql(
            Audit.Entry(action, on: "webhook_endpoint", endpoint, after: ["webhook_id": .string(id.text)]),
            by: call.actor, company: company)
        try await call.db.transaction { tx in
            // FOR SHARE: it is not switched off between this look and the delivery.
            let rows = try await tx.query(
                "SELECT is_active FROM webhook_endpoints WHERE company_id = \(company) AND id = \(endpoint) FOR SHARE"
            )
            guard let row = rows.first else { throw Problem.notFound }
            guard try row.get("is_active") else { throw Problem(.webhookEndpointInactive) }
            let one: SQL = "FROM webhook_endpoints e WHERE e.company_id = \(company) AND e.id = \(endpoint)"
            _ = try await tx.batch(before + Lanes.deliver(id, because: cause, to: one, of: company) + [audit])
        }
    }

    private static func mustExist(_ id: MessageId, _ company: UUID, _ call: Call) async throws {
        let rows = try await call.db.query(
            """
            SELECT 1 FROM webhook_messages WHERE company_id = \(company) AND id = \(id.uuid) AND slot = \(id.slot)
            """)
        if rows.isEmpty { throw Problem.notFound }
    }
}
