import Core
import Postgres

/// What the notifications hold about people. What was told to somebody goes with them, and so does what others were told
/// of them: its words name them.
extension NotificationsDomain {
    public static let personalData: [PersonalData] = [
        PersonalData(
            "notification_counters", "How far the numbers of an inbox have come", of: .user("user_id"),
            erase: .delete),
        PersonalData(
            "notification_stream_tickets", "Tickets for streams, good for half a minute",
            of: .user("user_id"), erase: .delete),
        .none("notification_defaults", "what a company proposes"),
        .none("notification_rules", "how a company routes its news"),
        .none("notification_templates", "a company's own words"),
        .none("notification_template_versions", "what these words were before"),
        PersonalData(
            "notifications", "What somebody was told, and what others were told of them",
            of: .user("user_id"),
            .user("actor_id"), ofMembership, erase: .delete),
        PersonalData(
            "notification_events", "What others were told of somebody", of: .user("actor_id"), ofMembership,
            erase: .blank("actor_id = NULL, data = '{}'")),
        PersonalData(
            "notification_watchers", "What somebody wants to hear of", of: .user("user_id"), erase: .delete),
        PersonalData(
            "notification_preferences", "Which news somebody wants", of: .user("user_id"), erase: .delete),
        PersonalData(
            "notification_schedules", "When somebody is not to be disturbed", of: .user("user_id"),
            erase: .delete),
        PersonalData(
            "notification_digests", "Mails gathered for somebody", of: .user("user_id"), erase: .delete),
        PersonalData(
            "notification_deliveries", "How somebody was told", of: .user("user_id"), erase: .delete),
        .none("notification_delivery_attempts", "what mail servers replied"),
        PersonalData(
            "email_suppressions", "That an address is not to be mailed",
            of: .rows { subject in
                subject.email.map {
                    "t.address_sha256 = sha256(convert_to(t.company_id::text || ':' || \($0), 'UTF8'))"
                }
            }, erase: .keep("Kept as a digest, so that the address is not mailed again.")),
    ]

    /// News of somebody's membership: that they came, left, were given a role.
    private static let ofMembership = PersonalData.Mark.rows { subject in
        subject.user.map { user in
            """
            t.object_type = 'member' AND t.object_id IN (
                SELECT m.id FROM memberships m WHERE m.company_id = t.company_id AND m.user_id = \(user))
            """
        }
    }

    public static let retention: [RetentionClass] = [
        RetentionClass(
            "notifications", "News in inboxes", table: "notification_events", since: "created_at", days: 180,
            within: 30...730),
        RetentionClass(
            "deleted_notifications", "Deleted news, which can be brought back", table: "notifications",
            since: "deleted_at", only: "t.deleted_at IS NOT NULL", days: 30),
    ]
}
