import Postgres
import Wire

/// The queue as the sending worker sees it: mails are claimed for a while, then sent, put back, or given up.
enum MailQueue {
    struct Claimed: Sendable {
        let id: UUID
        let company: UUID?
        let template: String
        let locale: String
        let to: String
        let name: String?
        let context: [String: String]
        /// Which attempt this is; whoever lost the claim has an older number and writes nothing.
        let attempt: Int

        var isLastAttempt: Bool { attempt > MailQueue.pauses.count }
    }

    /// Past this a mail counts as dropped by its worker and another takes it.
    static let claimSeconds = 300
    static let claimedAtOnce = 10
    /// After the last of these pauses the mail is given up: some 30 hours in all.
    static let pauses: [Duration] = [
        .seconds(30), .seconds(120), .seconds(600), .seconds(1800), .seconds(3600 * 2), .seconds(3600 * 4),
        .seconds(3600 * 8), .seconds(3600 * 16),
    ]

    static func claim(_ db: Database) async throws -> [Claimed] {
        let rows = try await db.query(
            """
            UPDATE mail_queue
               SET state = 'sending', attempts = attempts + 1, held_until = now() + make_interval(secs => \(claimSeconds))
             WHERE id IN (SELECT id FROM mail_queue
                           WHERE state = 'queued' AND next_attempt_at <= now()
                              OR state = 'sending' AND held_until < now()
                           ORDER BY next_attempt_at
                           LIMIT \(claimedAtOnce)
                             FOR UPDATE SKIP LOCKED)
            RETURNING id, company_id, template, locale, to_address, to_name, context::text AS context, attempts
            """)
        return try rows.map { row in
            let id = try row.get("id", as: UUID.self)
            return Claimed(
                id: id, company: try row.get("company_id"), template: try row.get("template"),
                locale: try row.get("locale"),
                to: try row.get("to_address"), name: try row.get("to_name"),
                context: try MailSeal.values(JSON.parse(row.get("context", as: String.self)), of: id),
                attempt: try row.get("attempts"))
        }
    }

    /// The mail is out: what was secret in it is wiped.
    static func sent(_ mail: Claimed) -> SQL {
        """
        UPDATE mail_queue
           SET state = 'sent', sent_at = now(), held_until = NULL, last_error = NULL, context = '{}'
         WHERE id = \(mail.id) AND attempts = \(mail.attempt) AND state = 'sending'
        """
    }

    /// Not wanted any more.
    static func drop(_ mail: Claimed) -> SQL {
        "DELETE FROM mail_queue WHERE id = \(mail.id) AND attempts = \(mail.attempt) AND state = 'sending'"
    }

    /// Tries again later, or gives up when the pauses are used up or trying again cannot help.
    static func failed(_ mail: Claimed, _ reason: String, isPermanent: Bool) -> SQL {
        let isLast = isPermanent || mail.isLastAttempt
        let pause = isLast ? 0 : Int(pauses[mail.attempt - 1].components.seconds)
        let state = isLast ? "dead" : "queued"
        return """
            UPDATE mail_queue
               SET state = \(state), held_until = NULL, last_error = \(String(reason.prefix(500))),
                   next_attempt_at = now() + make_interval(secs => \(pause))
             WHERE id = \(mail.id) AND attempts = \(mail.attempt) AND state = 'sending'
            """
    }

    /// How many mails are due and not in anybody's hands, and for how long the first of them.
    static func waiting(_ db: Database) async throws -> (count: Int, oldestSeconds: Double) {
        let rows = try await db.query(
            """
            SELECT count(*) AS count,
                   coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::double precision AS oldest
              FROM mail_queue WHERE state = 'queued' AND next_attempt_at <= now()
            """)
        return (try rows[0].get("count"), try rows[0].get("oldest"))
    }

    /// Forgets what went out a month ago and what was given up three months ago.
    static func trim(_ db: Database) async throws {
        _ = try await db.query(
            """
            DELETE FROM mail_queue
             WHERE state = 'sent' AND created_at < now() - interval '30 days'
                OR state = 'dead' AND created_at < now() - interval '90 days'
            """)
    }
}
