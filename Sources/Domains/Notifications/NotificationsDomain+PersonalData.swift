import Core
import Postgres

/// What the notifications hold about people. What was told to somebody goes with them; that they did something which
/// others were told of stays with those others, under an id that no longer names anybody.
extension NotificationsDomain {
    public static let personalData: [PersonalData] = [
        PersonalData("notification_counters", "How far the numbers of an inbox have come", of: .user("user_id"), erase: .delete),
        .none("notification_defaults", "what a company proposes"),
        .none("notification_rules", "how a company routes its news"),
        .none("notification_templates", "a company's own words"),
        .none("notification_template_versions", "what these words were before"),
        PersonalData("notifications", "What somebody was told", of: .user("user_id"), erase: .delete),
        PersonalData(
            "notification_events", "What others were told somebody did", of: .user("actor_id"),
            erase: .blank("actor_id = NULL, data = '{}'")),
        PersonalData("notification_watchers", "What somebody wants to hear of", of: .user("user_id"), erase: .delete),
        PersonalData("notification_preferences", "Which news somebody wants", of: .user("user_id"), erase: .delete),
        PersonalData(
            "notification_schedules", "When somebody is not to be disturbed", of: .user("user_id"), erase: .delete),
    ]

    public static let retention: [RetentionClass] = [
        RetentionClass(
            "notifications", "News in inboxes", table: "notification_events", since: "created_at", days: 180,
            within: 30...730)
    ]
}
