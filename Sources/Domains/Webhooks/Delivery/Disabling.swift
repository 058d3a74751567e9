import Core
import Postgres
import Wire

/// Ends deliveries to an endpoint that does not want them any more, and tells those who answer for it.
enum Disabling {
    /// Switches the endpoint off, unless somebody has done so or deleted it in the meantime.
    static func disable(_ lane: Lanes.Held, _ reason: DisabledReason, _ work: Work) async throws {
        let company = lane.company
        try await work.database.transaction(as: Tenant(company: company)) { tx in
            try await switchOff(lane, reason, company, in: tx)
        }
    }

    private static func switchOff(
        _ lane: Lanes.Held, _ reason: DisabledReason, _ company: UUID, in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            UPDATE webhook_endpoints
               SET is_active = false, disabled_reason = \(reason), disabled_at = now(), version = version + 1,
                   updated_at = now()
             WHERE company_id = \(company) AND id = \(lane.endpoint) AND is_active
            RETURNING url, (SELECT name FROM companies c WHERE c.id = \(company)) AS company
            """)
        _ = try await tx.batch(clearing(lane))
        guard let row = rows.first else { return }
        let url: String = try row.get("url")
        try await Audit.record(
            Audit.Entry(
                "webhook_endpoint.disabled", on: "webhook_endpoint", lane.endpoint,
                after: ["reason": .string(reason.rawValue)]),
            by: .system, company: company, in: tx)
        try await Events.record(
            WebhookEvents.disabled,
            EndpointDisabled(endpointId: lane.endpoint, url: url, reason: reason.rawValue),
            on: "webhook_endpoint", lane.endpoint, by: .system, company: company, in: tx)
        let since = lane.firstFailureAt?.description ?? Timestamp.now.description
        var news = News(
            reason == .gone ? WebhookNews.gone : WebhookNews.failing,
            about: .init("webhook_endpoint", lane.endpoint),
            values: [
                "url": .string(url), "company": .string(try row.get("company")),
                "since": .string(String(since.prefix(10))),
            ],
            by: .system)
        news.dedupeKey = "\(lane.endpoint) \(lane.fence)"
        try await Notify.record(news, to: .roles(["owner", "admin"]), company: company, in: tx)
    }

    /// The endpoint has been switched off: what had still come in for it is not wanted.
    static func clear(_ lane: Lanes.Held, _ db: Database) async throws {
        _ = try await db.batch(clearing(lane))
    }

    /// The endpoint is gone, and with it everything that was to happen there.
    static func forget(_ lane: Lanes.Held, _ db: Database) async throws {
        _ = try await db.batch([
            Lanes.forget(lane.endpoint), "DELETE FROM webhook_lanes WHERE endpoint_id = \(lane.endpoint)",
        ])
    }

    private static func clearing(_ lane: Lanes.Held) -> [SQL] {
        [
            Lanes.forget(lane.endpoint),
            """
            UPDATE webhook_lanes SET holder = NULL, due_at = NULL, hold_until = NULL, slow_steps = 0, first_failure_at = NULL
             WHERE endpoint_id = \(lane.endpoint) AND fence = \(lane.fence)
            """,
        ]
    }
}

struct EndpointDisabled: Codable, Sendable {
    let endpointId: UUID
    let url: String
    let reason: String
}

enum WebhookEvents {
    static let disabled = EventType(
        "webhook_endpoint.disabled",
        "An endpoint was switched off because its receiver does not take messages.",
        example: EndpointDisabled(
            endpointId: UUID("01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11")!, url: "https://example.com/hooks",
            reason: "failing"))
}

/// What those who answer for an endpoint are told.
enum WebhookNews {
    static let failing = NotificationType(
        "webhook_endpoint.failing", category: "webhooks",
        summary: "A webhook endpoint was switched off after five days without one success.", severity: .high,
        values: ["url", "company", "since"],
        texts: [
            "en": .init(
                "A webhook endpoint is switched off",
                "Since {{since}} not one message of {{company}} has reached {{url}}. Once the receiver works again, "
                    + "switch the endpoint on and recover what it has missed."),
            "de": .init(
                "Ein Webhook-Endpunkt ist abgeschaltet",
                "Seit {{since}} hat {{url}} keine Nachricht von {{company}} angenommen. Sobald der Empfänger wieder "
                    + "arbeitet, schalten Sie den Endpunkt ein und holen Sie Versäumtes nach."),
        ])

    static let gone = NotificationType(
        "webhook_endpoint.gone", category: "webhooks",
        summary: "A webhook endpoint was switched off because it answered that it is gone.", severity: .high,
        values: ["url", "company"],
        texts: [
            "en": .init(
                "A webhook endpoint is gone",
                "{{url}} has answered that it is gone for good (410). {{company}} sends it no more."),
            "de": .init(
                "Einen Webhook-Endpunkt gibt es nicht mehr",
                "{{url}} hat geantwortet, dass es ihn nicht mehr gibt (410). {{company}} sendet nichts mehr dorthin."
            ),
        ])
}
