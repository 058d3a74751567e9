import Postgres
import Wire

/// Mail as the domains see it: a row written in their own transaction. It is sent after the commit, or not at all.
public enum Mail {
    public struct Message: Sendable {
        public var template: MailTemplate
        public var to: String
        public var name: String?
        public var locale: String
        /// The values the template fills in; `name` is added from the message's own. Times as RFC 3339.
        public var context: [String: String]
        public var company: UUID?
        /// Queuing a second mail with the same key does nothing.
        public var onceKey: String?
        /// Its Message-ID, when something else is to know it by that.
        public var id: UUID?

        public init(
            _ template: MailTemplate, to: String, name: String? = nil, locale: String = "en",
            context: [String: String] = [:], company: UUID? = nil, onceKey: String? = nil
        ) {
            self.template = template
            self.to = to
            self.name = name
            self.locale = locale
            self.context = context
            self.company = company
            self.onceKey = onceKey
        }
    }

    public static let channel = "mail_queued"

    /// Queues the mail with the transaction of the caller. A value the template needs and does not get is an error
    /// here, where it can still be undone.
    // Not inlined: the optimiser of Swift 6.3.1 breaks down over callers in other modules that have it inside.
    @inline(never)
    public static func queue(_ message: Message, in tx: Transaction) async throws {
        _ = try await tx.query(sql(message))
    }

    /// The same as one statement, to send along with others.
    public static func sql(_ message: Message) throws -> SQL {
        var context = message.context
        if let name = message.name, context["name"] == nil { context["name"] = name }
        if let missing = message.template.keys.first(where: { context[$0] == nil }) {
            throw MailRenderer.MissingValue(template: message.template, key: missing)
        }
        let id = message.id ?? UUID.v7()
        return """
            WITH mail AS (
                INSERT INTO mail_queue (id, company_id, once_key, template, locale, to_address, to_name, context)
                VALUES (\(id), \(message.company), \(message.onceKey), \(message.template),
                        \(message.locale), \(message.to), \(message.name), \(JSONText(MailSeal.stored(context, of: id))))
                ON CONFLICT (once_key) DO NOTHING
                RETURNING id)
            SELECT pg_notify('mail_queued', '') FROM mail
            """
    }

    /// Takes back mails that have not gone out; gives the ids of those.
    public static func withdraw(_ ids: [UUID]) -> SQL {
        "DELETE FROM mail_queue WHERE id = ANY(\(ids)::uuid[]) AND state IN ('queued', 'dead') RETURNING id"
    }

    /// Makes room for a mail that is to be sent again under the same id.
    public static func forget(_ id: UUID) -> SQL {
        "DELETE FROM mail_queue WHERE id = \(id) AND state <> 'sending'"
    }
}
