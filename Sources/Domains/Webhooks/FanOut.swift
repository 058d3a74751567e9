import Core
import Postgres
import Wire

/// Makes of each event a message, and of the message a delivery to every endpoint that wants it, in the transaction that
/// also notes the event as seen.
enum FanOut {
    static let reaction = Reaction("webhooks.fan-out", on: .all) { event, tx, _ in
        try await message(of: event, in: tx)
    }

    private static func message(of event: Event, in tx: Transaction) async throws {
        let id = MessageId(event.id)
        let channels = channels(of: event)
        let message: SQL = """
            WITH place AS (
                INSERT INTO webhook_feeds (company_id, position) VALUES (\(event.company), 1)
                ON CONFLICT (company_id) DO UPDATE SET position = webhook_feeds.position + 1
                RETURNING position)
            INSERT INTO webhook_messages (company_id, id, slot, position, type, channels, data, occurred_at)
            SELECT \(event.company), \(id.uuid), \(id.slot), position, \(event.type), \(channels),
                   \(JSONText(event.data)), \(event.at)
              FROM place
            """
        let wanted = endpoints(of: event.company, wanting: event.type, on: channels)
        _ = try await tx.batch([message] + Lanes.deliver(id, because: .event, to: wanted, of: event.company))
    }

    /// The active endpoints of a company that want messages of this type and about these things.
    static func endpoints(of company: UUID, wanting type: String, on channels: [String]) -> SQL {
        """
        FROM webhook_endpoints e
         WHERE e.company_id = \(company) AND e.is_active
           AND (e.event_types = '{}' OR e.event_types && \(EventTypes.patterns(for: type)))
           AND (e.channels = '{}' OR e.channels && \(channels))
        """
    }

    /// What the event is about: its subject, and whatever its data names by an identifier (`team_id` is a `team`).
    private static func channels(of event: Event) -> [String] {
        var channels = ["\(event.subjectType):\(event.subjectId)"]
        for (key, value) in event.data.objectValue?.members ?? [] where key.hasSuffix("_id") {
            guard let text = value.stringValue, let id = UUID(text), id != event.company else { continue }
            let channel = "\(key.dropLast(3)):\(id)"
            if !channels.contains(channel) { channels.append(channel) }
        }
        return Array(channels.prefix(WebhookLimits.channelsMax))
    }
}
