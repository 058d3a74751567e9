import API
import Core
import Postgres
import Wire

/// Why somebody did, or did not, hear of something, by each channel.
enum Traces {
    @RouteList static var routes: [Route] {
        GET("/v1/notifications/{id}/trace", "See why I got this", .member, mine)
            .describe("Your own; whoever manages the company's notifications sees others' too.")
        GET(
            "/v1/notification-traces", "See why somebody did or did not get something",
            .can(.notificationsManage), ofEvent)
    }

    struct Way: Codable, Sendable, FieldNotes {
        let channel: NotificationChannel
        let state: String
        let reason: String
        let detail: String
        let steps: [Step]

        static let fieldNotes = [
            "state":
                "`shown` or `hidden` in the inbox; else the state of the delivery, or `none` when there is none.",
            "steps": "Each step of the decision, the oldest first.",
        ]
    }

    struct Step: Codable, Sendable {
        let step: String
        let outcome: String
        let reason: String
        let detail: String
        let at: Timestamp
    }

    struct Trace: Codable, Sendable {
        let eventId: UUID
        let userId: UUID
        let type: String
        let notificationId: UUID?
        let isAddressed: Bool
        let reason: String
        let detail: String
        let relations: [String]
        let channels: [Way]
    }

    static func mine(_ call: Call, _ id: Path<UUID>) async throws -> Single<Trace> {
        let company = try call.company
        let rows = try await call.db.query(
            "SELECT event_id, user_id FROM notifications WHERE company_id = \(company) AND id = \(id)")
        guard let row = rows.first else { throw Problem.notFound }
        let (event, user): (UUID, UUID) = (try row.get("event_id"), try row.get("user_id"))
        guard user == (try call.user) || call.can(.notificationsManage) else { throw Problem.notFound }
        let trace = try await trace(event, user, call)
        return Single(trace)
    }

    struct Question: Codable, Sendable {
        let event: UUID
        let user: UUID
    }

    static func ofEvent(_ call: Call, _ query: Query<Question>) async throws -> Single<Trace> {
        let trace = try await trace(query.event, query.user, call)
        return Single(trace)
    }

    private static func trace(_ event: UUID, _ user: UUID, _ call: Call) async throws -> Trace {
        let company = try call.company
        return try await call.db.transaction { tx in
            let answers = try await tx.batch([
                "SELECT type, actor_id FROM notification_events WHERE company_id = \(company) AND id = \(event)",
                "SELECT status FROM memberships WHERE company_id = \(company) AND user_id = \(user)",
                """
                SELECT id, decision::text AS decision, relations, created_at FROM notifications
                 WHERE company_id = \(company) AND event_id = \(event) AND user_id = \(user)
                """,
            ])
            guard let happened = answers[0].first else { throw Problem.notFound }
            guard let member = answers[1].first else { throw Problem.notFound }
            let type: String = try happened.get("type")
            guard let told = answers[2].first else {
                let isActor = try happened.get("actor_id", as: UUID?.self) == user
                let status: String = try member.get("status")
                let (reason, detail) =
                    if status != "active" {
                        ("not-a-member", "The person is no active member: \(status).")
                    } else if isActor {
                        ("was-the-actor", "It was the person's own doing.")
                    } else {
                        (
                            "not-in-audience",
                            "The event did not name the person, nor did a rule or the watchers of its subject."
                        )
                    }
                return Trace(
                    eventId: event, userId: user, type: type, notificationId: nil, isAddressed: false,
                    reason: reason,
                    detail: detail, relations: [], channels: [])
            }
            let id: UUID = try told.get("id")
            let relations = try told.get("relations", as: [String].self)
            let channels = try await ways(id, told, company, call, in: tx)
            return Trace(
                eventId: event, userId: user, type: type, notificationId: id, isAddressed: true,
                reason: "addressed",
                detail: "The person is concerned as \(relations.joined(separator: ", ")).",
                relations: relations,
                channels: channels)
        }
    }

    private static func ways(_ id: UUID, _ told: Row, _ company: UUID, _ call: Call, in tx: Transaction)
        async throws
        -> [Way]
    {
        let decision = try JSON.parse(told.get("decision", as: String.self)).decode(
            NotificationRouting.Decision.self)
        let inbox = Step(
            step: "routing", outcome: decision.isOn ? "on" : "off", reason: decision.reason,
            detail: decision.detail,
            at: try told.get("created_at"))
        var ways = [
            Way(
                channel: .inApp, state: decision.isOn ? "shown" : "hidden", reason: decision.reason,
                detail: decision.detail, steps: [inbox])
        ]
        let rows = try await tx.query(
            """
            SELECT channel, state, reason, detail, trace::text AS trace FROM notification_deliveries
             WHERE company_id = \(company) AND notification_id = \(id)
            """)
        for row in rows {
            guard let channel = NotificationChannel(rawValue: try row.get("channel")) else { continue }
            ways.append(
                Way(
                    channel: channel, state: try row.get("state"), reason: try row.get("reason"),
                    detail: try row.get("detail"),
                    steps: try JSON.parse(row.get("trace", as: String.self)).decode()))
        }
        let cases = try await DeliveryCase.load([id], at: call.now, company, in: tx)
        if let one = cases.first,
            let courier = try await Courier.load(
                for: one, call.environment[PostOffice.self], at: call.now, company, in: tx)
        {
            for channel in NotificationChannel.allCases where !ways.contains(where: { $0.channel == channel })
            {
                let now = courier.routing.decide(channel, for: one.person)
                let state = now.isOn ? "pending" : "none"
                ways.append(
                    Way(channel: channel, state: state, reason: now.reason, detail: now.detail, steps: []))
            }
        }
        return ways
    }
}
