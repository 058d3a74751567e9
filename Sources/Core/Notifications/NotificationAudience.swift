import Postgres
import Wire

/// Who hears of an event, with all that is needed to decide how.
public enum NotificationAudience {
    struct Person: Sendable {
        let user: UUID
        let locale: String
        let relations: [String]
        let routed: NotificationRouting.Person
    }

    /// What the company has set up for this kind of news.
    struct Settings: Sendable {
        let rules: [NotificationRouting.Rule]
        let defaults: [NotificationRouting.Default]
        /// The company's own words for the inbox, by language.
        let texts: [String: NotificationText]

        init(_ rows: Rows) throws {
            let row = rows[0]
            rules = try JSON.parse(row.get("rules", as: String.self)).decode()
            defaults = try JSON.parse(row.get("defaults", as: String.self)).decode()
            let templates = try JSON.parse(row.get("templates", as: String.self)).decode([Template].self)
            texts = Dictionary(templates.map { ($0.locale, NotificationText($0.title, $0.body)) }) { one, _ in
                one
            }
        }

        private struct Template: Decodable {
            let locale: String
            let title: String
            let body: String
        }
    }

    static func settings(of news: News, _ company: UUID) -> SQL {
        """
        SELECT \(fragment: rules(company, news.type.patterns))::text AS rules,
               \(fragment: defaults(company, news.category))::text AS defaults,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('locale', locale, 'title', title, 'body', body)), '[]')
                  FROM notification_templates
                 WHERE company_id = \(company) AND type = \(news.type.name) AND channel = 'in_app' AND is_active)::text
                   AS templates
        """
    }

    public static func rules(_ company: UUID, _ patterns: [String]) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'id', id, 'name', name, 'roles', roles, 'relations', relations, 'channels', channels,
                    'digest_minutes', digest_minutes, 'throttle_max', throttle_max,
                    'throttle_seconds', throttle_seconds, 'escalate_minutes', escalate_minutes,
                    'escalate_channel', escalate_channel, 'escalate_user', escalate_user)
                    ORDER BY position, id), '[]')
           FROM notification_rules
          WHERE company_id = \(company) AND is_active AND event = ANY(\(patterns)))
        """
    }

    public static func defaults(_ company: UUID, _ category: String) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'category', category, 'channel', channel, 'is_on', is_on, 'is_locked', is_locked)), '[]')
           FROM notification_defaults
          WHERE company_id = \(company) AND category IN (\(category), '*'))
        """
    }

    /// Those who watch the subject and may still see it.
    private static func watchers(of subject: Notify.Subject?, _ company: UUID) -> SQL {
        guard let subject else { return "SELECT NULL::uuid, 'watcher' WHERE false" }
        return """
            SELECT watching.user_id, 'watcher'
              FROM notification_watchers watching
              JOIN memberships m ON m.company_id = watching.company_id AND m.user_id = watching.user_id
             WHERE watching.company_id = \(company) AND watching.object_type = \(subject.type)
               AND watching.object_id = \(subject.id) AND \(fragment: WatchableCatalogue.maySee(subject, company: company))
            """
    }

    /// The active members among those the event names, who watch its subject, or whom a rule adds.
    static func people(of news: News, _ audience: Notify.Audience, _ company: UUID) -> SQL {
        let silent = news.actor.person
        let patterns = news.type.patterns
        return """
            WITH candidates AS (
                SELECT * FROM unnest(\(audience.people.map(\.user))::uuid[], \(audience.people.map(\.relation))::text[])
                    AS named (user_id, relation)
                UNION
                \(fragment: watchers(of: news.subject, company))
                UNION
                SELECT m.user_id, 'role'
                  FROM roles r
                  JOIN member_roles mr ON mr.company_id = r.company_id AND mr.role_id = r.id
                  JOIN memberships m ON m.company_id = mr.company_id AND m.id = mr.member_id
                 WHERE r.company_id = \(company)
                   AND (r.key = ANY(\(audience.roles)::text[]) OR r.key = ANY(ARRAY(
                        SELECT unnest(add_roles) FROM notification_rules
                         WHERE company_id = \(company) AND is_active AND event = ANY(\(patterns)))))
                UNION
                SELECT unnest(add_users), 'rule' FROM notification_rules
                 WHERE company_id = \(company) AND is_active AND event = ANY(\(patterns)))
            SELECT c.user_id, u.locale, array_to_string(array_agg(DISTINCT c.relation), ',') AS relations,
                   \(fragment: preferences(company, "c.user_id", "\(news.category)"))::text AS preferences,
                   \(fragment: roles("m"))::text AS roles
              FROM candidates c
              JOIN memberships m ON m.company_id = \(company) AND m.user_id = c.user_id AND m.status = 'active'
              JOIN users u ON u.id = c.user_id AND u.status <> 'deleted'
             WHERE c.user_id IS DISTINCT FROM \(silent)::uuid OR c.relation = 'recipient'
             GROUP BY c.user_id, u.locale, m.company_id, m.id
             ORDER BY c.user_id
            """
    }

    /// The wishes of somebody for a category, as JSON.
    public static func preferences(_ company: UUID, _ user: StaticString, _ category: SQL) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'category', p.category, 'channel', p.channel, 'is_on', p.is_on, 'digest', p.digest)), '[]')
           FROM notification_preferences p
          WHERE p.company_id = \(company) AND p.user_id = \(unescaped: "\(user)") AND p.category IN (\(fragment: category), '*'))
        """
    }

    /// The keys of a membership's roles, as JSON.
    public static func roles(_ member: StaticString) -> SQL {
        """
        (SELECT coalesce(jsonb_agg(held.key), '[]')
           FROM member_roles given
           JOIN roles held ON held.company_id = given.company_id AND held.id = given.role_id
          WHERE given.company_id = \(unescaped: "\(member)").company_id AND given.member_id = \(unescaped: "\(member)").id)
        """
    }

    static func decode(_ rows: Rows) throws -> [Person] {
        try rows.map { row in
            let relations = try row.get("relations", as: String.self).split(separator: ",").map(String.init)
            return Person(
                user: try row.get("user_id"), locale: try row.get("locale"), relations: relations,
                routed: NotificationRouting.Person(
                    roles: try JSON.parse(row.get("roles", as: String.self)).decode(),
                    relations: Set(relations),
                    preferences: try JSON.parse(row.get("preferences", as: String.self)).decode()))
        }
    }
}
