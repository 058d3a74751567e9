import API
import Core
import Postgres
import Wire

/// Sends an example to an endpoint, to see that the receiver understands it.
enum Trial {
    @RouteList static var routes: [Route] {
        POST("/v1/webhook-endpoints/{id}/test", "Send an example to an endpoint", .can(.webhooksWrite), send)
            .describe(
                "The example of the type, as GET /v1/webhook-event-types shows it. It stands in no feed and is not recovered."
            )
            .problems(.webhookEventTypeUnknown, .webhookEndpointInactive)
            .example(body: ["event_type": "team.created"])
    }

    struct TrialRequest: Codable, Sendable {
        let eventType: Text<100>
    }

    static func send(
        _ call: Call, _ id: Path<UUID>, _ body: Body<TrialRequest>
    ) async throws -> Accepted<Messages.MessageReference> {
        let company = try call.company
        let name = body.eventType.text
        let there = try await call.db.query(
            "SELECT 1 FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id)")
        if there.isEmpty { throw Problem.notFound }
        guard let type = EventCatalogue.named(name) else {
            let near = NearMiss.hint(name, among: Array(EventTypes.names))
            throw Problem(.webhookEventTypeUnknown, "\"\(name)\" is none\(near).")
        }
        let message = MessageId(UUID.v7())
        let insert: SQL = """
            INSERT INTO webhook_messages (company_id, id, slot, type, channels, data, occurred_at)
            VALUES (\(company), \(message.uuid), \(message.slot), \(name), '{}', \(JSONText(type.example)), \(call.now))
            """
        try await Messages.send(message, to: id.value, because: .test, company, call, before: [insert])
        return Accepted(
            Messages.MessageReference(id: message.uuid, webhookId: message.text),
            at: "/v1/webhook-messages/\(message.uuid)")
    }
}
