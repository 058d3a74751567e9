import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// The inbox as it happens.
enum StreamRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/notifications/stream", "Hear of my notifications as they come", .member, stream)
            .describe(
                """
                Server-sent events. With `Last-Event-ID` (or `since`) it first sends every notification after that \
                number, then goes on live: nothing is left out and nothing comes twice. Without it, it begins now.

                `notification` carries `{"notification", "counts"}` and its number as id; `changed` tells that \
                something was read, archived and so on, with the new counts; `ready` that all of the past has been \
                sent; `reset` that too much was missed and the list must be read anew; `goodbye` that the server \
                stops. Comments keep the connection alive. `poll=1` ends after `ready`.
                """
            )
            .problems(.tooManyStreams).rate(.none)
        POST("/v1/notifications/stream-tickets", "Get a ticket for a stream", .member, ticket)
            .describe(
                "For a browser's EventSource, which cannot send a token: the ticket opens one stream, once, within "
                    + "30 seconds."
            ).secret.idempotent(.none)
        GET("/v1/public/notification-stream", "Open a stream with a ticket", .open, ticketStream)
            .describe("The same stream as with a token. For each new connection get a new ticket.")
            .problems(.tooManyStreams, .unknownTicket).rate(.none)
    }

    struct StreamQuery: Codable, Sendable, FieldNotes {
        let since: Int64?
        let poll: Whole<0, 1>?

        static let fieldNotes = [
            "since": "The last number you have, for clients that cannot send `Last-Event-ID`.",
            "poll": "1: send what there is, and end.",
        ]
    }

    static func stream(_ call: Call, _ query: Query<StreamQuery>) async throws -> PushedEvents {
        let key = InboxFrame.Key(company: try call.company, user: try call.user)
        return try open(key, since: query.since, poll: query.poll, call)
    }

    struct TicketQuery: Codable, Sendable {
        let ticket: Text<64>
        let since: Int64?
        let poll: Whole<0, 1>?
    }

    static func ticketStream(_ call: Call, _ query: Query<TicketQuery>) async throws -> PushedEvents {
        let digest = OpaqueToken.digest(query.ticket.text).bytes
        // Taking it away is what makes it good for once.
        let rows = try await call.db.query(
            """
            DELETE FROM notification_stream_tickets WHERE ticket_sha256 = \(digest)
            RETURNING company_id, user_id, expires_at > now() AS is_good
            """)
        guard let row = rows.first, try row.get("is_good", as: Bool.self) else {
            throw Problem(.unknownTicket)
        }
        let key = InboxFrame.Key(company: try row.get("company_id"), user: try row.get("user_id"))
        let access = try await MemberAccess.load(user: key.user, company: key.company, call.db.database)
        guard access != nil else { throw Problem(.unknownTicket) }
        return try open(key, since: query.since, poll: query.poll, call)
    }

    struct Ticket: Codable, Sendable {
        let ticket: String
        let url: String
        let expiresAt: Timestamp
    }

    static func ticket(_ call: Call) async throws -> Single<Ticket> {
        let (company, user) = (try call.company, try call.user)
        let ticket = OpaqueToken.make()
        let expires = call.now + .seconds(ticketSeconds)
        _ = try await call.db.batch([
            "DELETE FROM notification_stream_tickets WHERE expires_at < now() - interval '1 minute'",
            """
            INSERT INTO notification_stream_tickets (ticket_sha256, company_id, user_id, expires_at)
            VALUES (\(OpaqueToken.digest(ticket).bytes), \(company), \(user), \(expires))
            """,
        ])
        let url = "\(call.environment[PublicAddress.self].url)/v1/public/notification-stream?ticket=\(ticket)"
        return Single(Ticket(ticket: ticket, url: url, expiresAt: expires))
    }

    static let ticketSeconds = 30

    private static func open(_ key: InboxFrame.Key, since: Int64?, poll: Whole<0, 1>?, _ call: Call) throws
        -> PushedEvents
    {
        let streams = call.environment[InboxStreams.self]
        guard streams.count(of: key) < InboxStreams.perPersonMax else {
            throw Problem(
                .tooManyStreams,
                "You have \(InboxStreams.perPersonMax) open already: close one, or share one between tabs."
            ).header("retry-after", "30")
        }
        let since = try lastEvent(call) ?? since
        let isPoll = poll?.value == 1
        return PushedEvents { streams.host($0, for: key, since: since, isPoll: isPoll) }
    }

    /// A reconnecting client says what it had last; that counts more than the address it once began with.
    private static func lastEvent(_ call: Call) throws -> Int64? {
        guard let text = call.request.header("last-event-id"), !text.isEmpty else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw Problem.unprocessable([
                .parameter("Last-Event-ID", "wrong-type", "must be a number this stream has sent")
            ])
        }
        return number
    }
}
