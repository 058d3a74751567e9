import Core
import Postgres
import Wire

/// All that decides whether, when and how a notification leaves the house to one person, as it stands now: wishes are
/// read when something is to be sent, not when it happened.
struct DeliveryCase: Sendable {
    let notification: UUID
    let user: UUID
    let event: UUID
    let type: String
    let category: String
    let isCritical: Bool
    let title: String
    let body: String
    let link: String?
    let data: JSON
    let severity: String
    let subject: Notify.Subject?
    let email: String?
    let name: String
    let locale: String
    let person: NotificationRouting.Person
    let requested: Set<NotificationChannel>?
    let isCancelled: Bool
    let isMember: Bool
    /// Why its address is not to be tried.
    let suppression: String?
    let quietUntil: Timestamp?
    let nextDaily: Timestamp
    let nextWeekly: Timestamp

    static func load(_ notifications: [UUID], at now: Timestamp, _ company: UUID, in tx: Transaction)
        async throws
        -> [DeliveryCase]
    {
        let rows = try await tx.query(
            """
            SELECT n.id, n.user_id, n.event_id, n.type, n.category, n.is_critical, n.title, n.body, n.link,
                   n.data::text AS data, n.severity, n.object_type, n.object_id, u.email, u.name, u.locale,
                   array_to_string(n.relations, ',') AS relations, array_to_string(e.channels, ',') AS channels,
                   e.cancelled_at IS NOT NULL AS is_cancelled, coalesce(m.status = 'active', false) AS is_member,
                   \(fragment: NotificationAudience.preferences(company, "n.user_id", "n.category"))::text AS preferences,
                   \(fragment: NotificationAudience.roles("m"))::text AS roles,
                   x.reason AS suppression, \(fragment: QuietHours.end("s.quiet", "z.name", now)) AS quiet_until,
                   \(fragment: QuietHours.nextDaily("z.name", now)) AS next_daily,
                   \(fragment: QuietHours.nextWeekly("z.name", now)) AS next_weekly
              FROM notifications n
              JOIN notification_events e ON e.company_id = n.company_id AND e.id = n.event_id
              JOIN users u ON u.id = n.user_id
              LEFT JOIN memberships m ON m.company_id = n.company_id AND m.user_id = n.user_id
              LEFT JOIN notification_schedules s ON s.company_id = n.company_id AND s.user_id = n.user_id
             CROSS JOIN LATERAL (SELECT coalesce(s.time_zone, u.time_zone) AS name,
                                        coalesce(s.digest_time, '09:00') AS digest_time) z
              LEFT JOIN email_suppressions x
                     ON x.company_id = n.company_id AND x.lifted_at IS NULL
                    AND x.address_sha256 = \(fragment: Suppressions.digest("u.email_norm", company))
             WHERE n.company_id = \(company) AND n.id = ANY(\(notifications)::uuid[])
             ORDER BY n.id
            """)
        return try rows.map(DeliveryCase.init)
    }

    private init(_ row: Row) throws {
        notification = try row.get("id")
        user = try row.get("user_id")
        event = try row.get("event_id")
        type = try row.get("type")
        category = try row.get("category")
        isCritical = try row.get("is_critical")
        title = try row.get("title")
        body = try row.get("body")
        link = try row.get("link")
        data = try JSON.parse(row.get("data", as: String.self))
        severity = try row.get("severity")
        let objectType: String? = try row.get("object_type")
        let objectId: UUID? = try row.get("object_id")
        subject = if let objectType, let objectId { Notify.Subject(objectType, objectId) } else { nil }
        email = try row.get("email")
        name = try row.get("name")
        locale = try row.get("locale")
        let relations: String = try row.get("relations")
        person = NotificationRouting.Person(
            roles: try JSON.parse(row.get("roles", as: String.self)).decode(),
            relations: Set(relations.split(separator: ",").map(String.init)),
            preferences: try JSON.parse(row.get("preferences", as: String.self)).decode())
        let channels: String? = try row.get("channels")
        requested = channels.map {
            Set($0.split(separator: ",").compactMap { NotificationChannel(rawValue: String($0)) })
        }
        isCancelled = try row.get("is_cancelled")
        isMember = try row.get("is_member")
        suppression = try row.get("suppression")
        quietUntil = try row.get("quiet_until")
        nextDaily = try row.get("next_daily")
        nextWeekly = try row.get("next_weekly")
    }
}
