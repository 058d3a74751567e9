import API
import Core
import Postgres
import Wire

/// When a person is not to be disturbed by mail, in their own time zone. What comes meanwhile is kept and goes out after.
enum Schedules {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-schedule", "Read my schedule", .member, read)
        PUT("/v1/notification-schedule", "Replace my schedule", .member, replace)
            .describe("Days as ISO counts them, Monday is 1. `to` not after `from` is on the next day.")
            .example(body: [
                "time_zone": "Europe/Berlin", "digest_time": "08:30",
                "quiet": [["days": [1, 2, 3, 4, 5], "from": "22:00", "to": "07:00"]],
            ])
    }

    struct Quiet: Codable, Sendable {
        let days: UpTo<7, Whole<1, 7>>
        let from: ClockTime
        let to: ClockTime
    }

    struct NewSchedule: Codable, Sendable {
        let timeZone: TimeZoneName
        let quiet: UpTo<14, Quiet>
        let digestTime: ClockTime?
    }

    struct Schedule: Codable, Sendable, FieldNotes {
        let timeZone: String
        let quiet: [Quiet]
        let digestTime: String
        let quietUntil: Timestamp?

        static let fieldNotes = [
            "quiet_until": "Set while quiet hours hold.",
            "digest_time": "When daily and weekly digests come.",
        ]
    }

    static func read(_ call: Call) async throws -> Single<Schedule> {
        let (company, user) = (try call.company, try call.user)
        return try Single(
            await call.db.query(
                """
                SELECT z.name AS time_zone, coalesce(s.quiet, '[]') AS quiet, to_char(z.digest_time, 'HH24:MI') AS digest_time,
                       \(fragment: QuietHours.end("s.quiet", "z.name", call.now)) AS quiet_until
                  FROM users u
                  LEFT JOIN notification_schedules s ON s.company_id = \(company) AND s.user_id = u.id
                 CROSS JOIN LATERAL (SELECT coalesce(s.time_zone, u.time_zone) AS name,
                                            coalesce(s.digest_time, '09:00') AS digest_time) z
                 WHERE u.id = \(user)
                """))
    }

    static func replace(_ call: Call, _ body: Body<NewSchedule>) async throws -> Single<Schedule> {
        let (company, user) = (try call.company, try call.user)
        let quiet = JSONText(try JSON(encoding: body.quiet.items))
        _ = try await call.db.query(
            """
            INSERT INTO notification_schedules (company_id, user_id, time_zone, quiet, digest_time)
            VALUES (\(company), \(user), \(body.timeZone), \(quiet), \(body.digestTime?.text ?? "09:00")::text::time)
            ON CONFLICT (company_id, user_id) DO UPDATE
               SET time_zone = excluded.time_zone, quiet = excluded.quiet, digest_time = excluded.digest_time,
                   version = notification_schedules.version + 1, updated_at = now()
            """)
        return try await read(call)
    }
}

/// A time of day as clocks show it: `22:00`.
struct ClockTime: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 5...5, pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$") { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2,
                parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
                let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
            else { return "is no time of day like 22:00" }
            return nil
        }
    }
    static var exampleText: String { "22:00" }
}
