import Postgres
import Wire

/// What one person is told.
struct Letter: Sendable {
    let id = UUID.v7()
    let user: UUID
    let words: LetterWords
    let relations: String
    let decision: NotificationRouting.Decision

    /// One letter each; the words are filled in once for each language.
    static func all(
        to people: [NotificationAudience.Person], of news: News, _ settings: NotificationAudience.Settings
    ) throws -> [Letter] {
        let texts = news.type.texts.merging(settings.texts) { _, own in own }
        let routing = NotificationRouting(
            news.type, category: news.category, rules: settings.rules, defaults: settings.defaults,
            requested: news.channels)
        var words: [String: LetterWords] = [:]
        return try people.map { person in
            let spoken = try words[person.locale] ?? LetterWords(in: person.locale, of: news, texts)
            words[person.locale] = spoken
            return Letter(
                user: person.user, words: spoken, relations: person.relations.joined(separator: ","),
                decision: routing.decide(.inApp, for: person.routed))
        }
    }
}

/// What is said in one language.
struct LetterWords: Sendable {
    let title: String
    let body: String
    let actions: String

    init(in locale: String, of news: News, _ texts: [String: NotificationText]) throws {
        let text = NotificationRenderer.spoken(texts, locale)
        title = NotificationRenderer.oneLine(try NotificationRenderer.plain(text.title, news.values))
        body = String(
            try NotificationRenderer.plain(text.body, news.values).prefix(NotificationLimits.bodyLengthMax))
        actions =
            JSON.array(
                news.type.actions.map { action in
                    [
                        "key": .string(action.key),
                        "label": .string(NotificationRenderer.spoken(action.labels, locale)),
                    ]
                }
            ).description
    }
}

/// Writes the inboxes.
enum NotificationWriting {
    static func write(
        _ letters: [Letter], of news: News, _ event: UUID, _ company: UUID, in tx: Transaction
    ) async throws {
        guard !letters.isEmpty else { return }
        let shown = letters.filter(\.decision.isOn).map(\.user)
        let numbers = try await NotificationNumbers.take(shown, company, in: tx)
        _ = try await tx.batch([
            insert(letters, numbers, of: news, event, company),
            InboxNews.tell(of: "n.event_id = \(event)", company),
        ])
        try await Jobs.enqueue(Notify.dispatch, .init(event: event), company: company, in: tx)
        await tx.onCommit { NotificationFigures.here.count("in_app", "sent", shown.count) }
    }

    private static func insert(
        _ letters: [Letter], _ numbers: [UUID: Int64], of news: News, _ event: UUID, _ company: UUID
    ) -> SQL {
        """
        INSERT INTO notifications (company_id, id, user_id, event_id, seq, type, category, severity, is_critical, title,
                                   body, link, object_type, object_id, actor_id, relations, data, actions, decision)
        SELECT \(company), told.id, told.user_id, \(event), nullif(told.seq, 0), \(news.type.name), \(news.category),
               \(news.severity), \(news.type.isCritical), told.title, told.body, \(news.link), \(news.subject?.type),
               \(news.subject?.id), \(news.actor.person), string_to_array(told.relations, ','),
               \(JSONText(news.values))::jsonb, told.actions::jsonb, told.decision::jsonb
          FROM unnest(\(letters.map(\.id))::uuid[], \(letters.map(\.user))::uuid[],
                      \(letters.map { numbers[$0.user] ?? 0 })::bigint[], \(letters.map(\.words.title))::text[],
                      \(letters.map(\.words.body))::text[], \(letters.map(\.words.actions))::text[],
                      \(letters.map(\.relations))::text[], \(letters.map { Self.text($0.decision) })::text[])
            AS told (id, user_id, seq, title, body, actions, relations, decision)
        """
    }

    private static func text(_ decision: NotificationRouting.Decision) -> String {
        ([
            "is_on": .bool(decision.isOn), "reason": .string(decision.reason),
            "detail": .string(decision.detail),
        ] as JSON)
        .description
    }
}

/// The numbers of inboxes. Taking one locks the inbox until the transaction ends.
public enum NotificationNumbers {
    /// The next number of each person's inbox.
    public static func take(_ users: [UUID], _ company: UUID, in tx: Transaction) async throws -> [UUID:
        Int64]
    {
        guard !users.isEmpty else { return [:] }
        // In one order, so that two events for the same people do not lock each other out.
        let rows = try await tx.query(
            """
            INSERT INTO notification_counters AS c (company_id, user_id, last_seq)
            SELECT \(company), user_id, 1 FROM unnest(\(users)::uuid[]) AS told (user_id) ORDER BY user_id
            ON CONFLICT (company_id, user_id) DO UPDATE SET last_seq = c.last_seq + 1, xid = pg_current_xact_id()
            RETURNING user_id, last_seq
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.get("user_id", as: UUID.self), try $0.get("last_seq", as: Int64.self))
            })
    }

    /// Says that something in the inbox is no longer as it was; the first statement of such a transaction, since it
    /// takes the lock under which counts are right.
    public static func change(of user: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO notification_counters AS c (company_id, user_id, changes) VALUES (\(company), \(user), 1)
        ON CONFLICT (company_id, user_id) DO UPDATE SET changes = c.changes + 1, xid = pg_current_xact_id()
        """
    }
}

/// What an inbox says of itself to those who have it open.
public enum InboxNews {
    /// As every answer prints times.
    public static func time(_ column: StaticString) -> SQL {
        "to_char(\(unescaped: "\(column)") AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    }

    /// What the badge shows, as JSON; `n` names the inbox.
    public static let counts: SQL = """
        (SELECT json_build_object('unread', count(*), 'unseen', count(*) FILTER (WHERE u.seen_at IS NULL))
           FROM notifications u
          WHERE u.company_id = n.company_id AND u.user_id = n.user_id AND u.seq IS NOT NULL AND u.read_at IS NULL
            AND u.archived_at IS NULL AND u.deleted_at IS NULL AND u.snoozed_until IS NULL)
        """

    /// A notification as a list shows it.
    public static let notification: SQL = """
        json_build_object('id', n.id, 'seq', n.seq, 'type', n.type, 'category', n.category, 'severity', n.severity,
            'is_critical', n.is_critical, 'title', n.title, 'body', n.body, 'link', n.link,
            'object_type', n.object_type, 'object_id', n.object_id, 'actor_id', n.actor_id,
            'relations', n.relations, 'data', n.data, 'actions', n.actions, 'action_taken', n.action_taken,
            'seen_at', \(fragment: time("n.seen_at")), 'read_at', \(fragment: time("n.read_at")),
            'archived_at', \(fragment: time("n.archived_at")), 'snoozed_until', \(fragment: time("n.snoozed_until")),
            'created_at', \(fragment: time("n.created_at")), 'version', n.version)
        """

    /// Tells the instances of new notifications, each with the counts as of this transaction. What is too long for a
    /// NOTIFY is only announced.
    public static func tell(of condition: SQL, _ company: UUID) -> SQL {
        """
        SELECT count(pg_notify('notifications', concat_ws('|', told.company_id, told.user_id, told.seq,
                   CASE WHEN octet_length(told.body) <= \(NotificationLimits.notifyBytesMax) THEN told.body ELSE '' END)))
          FROM (SELECT n.company_id, n.user_id, n.seq,
                       json_build_object('notification', \(fragment: notification), 'counts', \(fragment: counts))::text
                           AS body
                  FROM notifications n
                 WHERE n.company_id = \(company) AND n.seq IS NOT NULL AND \(fragment: condition)
                 ORDER BY n.user_id, n.seq) told
        """
    }
}

extension InboxNews {
    /// Tells the instances that something in an inbox is no longer as it was, with the counts as of this transaction.
    /// - Parameter what: `{"act": "read", "ids": […]}`; of many, no ids.
    public static func tellChange(_ what: JSON, of user: UUID, _ company: UUID) -> SQL {
        """
        SELECT pg_notify('notifications', concat_ws('|', n.company_id, n.user_id, -n.changes,
                   json_build_object('changed', \(JSONText(what))::json, 'counts', \(fragment: counts))::text))
          FROM notification_counters n
         WHERE n.company_id = \(company) AND n.user_id = \(user)
        """
    }
}
