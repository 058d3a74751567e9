import API
import Core
import Postgres
import Wire

/// The company's events to be fetched, for those who cannot receive: in order, without gaps, from wherever the reader was.
enum Feed {
    @RouteList static var routes: [Route] {
        GET("/v1/webhook-events", "Fetch events", .can(.webhooksRead), read)
            .describe(
                """
                Keep `page.next_cursor` and begin there the next time: it is given also when there is nothing new. Without \
                a cursor the feed begins with the oldest that is kept, or with `since`. A reader that names types gets a \
                cursor past the others too.
                """)
    }

    struct Place: Codable, Sendable {
        let cursor: FeedCursor?
        let limit: Whole<1, 100>?
        let since: Timestamp?
        let types: UpTo<100, EventTypePattern>?
    }

    struct FeedEvent: Codable, Sendable {
        let id: UUID
        let webhookId: String
        let type: String
        let timestamp: Timestamp
        let channels: [String]
        let data: JSON
    }

    struct FeedPage: Codable, Sendable {
        let nextCursor: String
        let hasMore: Bool
    }

    struct FeedEvents: Codable, Sendable {
        let data: [FeedEvent]
        let page: FeedPage
    }

    static func read(_ call: Call, _ place: Query<Place>) async throws -> Single<FeedEvents> {
        let company = try call.company
        let limit = place.limit?.value ?? 50
        let patterns = place.types?.items.map(\.text) ?? []
        let wanted = EventTypes.names.filter { name in
            patterns.contains { EventTypes.pattern($0, fits: name) }
        }
        var condition: SQL = "company_id = \(company) AND position > \(place.cursor?.position ?? 0)"
        if let since = place.since { condition += " AND created_at >= \(since)" }
        let ofTypes: SQL = patterns.isEmpty ? "TRUE" : "type = ANY(\(Array(wanted)))"
        // The end is read in the same snapshot, so that a cursor past what was left out skips nothing.
        let rows = try await call.db.query(
            """
            SELECT (SELECT position FROM webhook_feeds WHERE company_id = \(company)) AS last,
                   (SELECT coalesce(json_agg(json_build_object('id', e.id, 'position', e.position, 'type', e.type,
                               'timestamp', to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                               'channels', e.channels, 'data', e.data) ORDER BY e.position), '[]')
                      FROM (SELECT id, position, type, occurred_at, channels, data FROM webhook_messages
                             WHERE \(fragment: condition) AND \(fragment: ofTypes)
                             ORDER BY position LIMIT \(limit + 1)) e)::text AS events
            """)
        let events = try JSON.parse(rows[0].get("events", as: String.self)).arrayValue ?? []
        let shown = events.prefix(limit)
        let hasMore = events.count > limit
        let last = try rows[0].get("last", as: Int64?.self) ?? 0
        let next = hasMore ? shown.last?["position"]?.intValue.map(Int64.init) ?? last : last
        return Single(
            FeedEvents(
                data: try shown.map(event),
                page: FeedPage(nextCursor: String(max(next, place.cursor?.position ?? 0)), hasMore: hasMore)))
    }

    private static func event(_ json: JSON) throws -> FeedEvent {
        let id: UUID = try (json["id"] ?? .null).decode()
        return FeedEvent(
            id: id, webhookId: MessageId(id).text, type: json["type"]?.stringValue ?? "",
            timestamp: try (json["timestamp"] ?? .null).decode(),
            channels: try (json["channels"] ?? .null).decode(),
            data: json["data"] ?? .null)
    }
}

/// A place in the feed, as it was given out.
struct FeedCursor: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    var position: Int64 { Int64(text) ?? 0 }

    static var rule: TextRule {
        TextRule(length: 1...19, pattern: "^[0-9]+$") { text in
            text.utf8.allSatisfy { (48...57).contains($0) } && Int64(text) != nil
                ? nil : "is no cursor of this feed"
        }
    }
    static var exampleText: String { "1024" }
}
