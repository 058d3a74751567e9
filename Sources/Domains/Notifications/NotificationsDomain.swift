import API
import Core

/// What people hear of: their inbox and its stream, mails and webhooks, and who decides which way news takes.
///
/// Owns notifications, notification_events, notification_counters and what hangs on them: watchers, preferences, rules,
/// schedules, templates, deliveries, digests and suppressions. Other domains tell people by `Notify` in their own
/// transaction; reads users, memberships and roles.
public enum NotificationsDomain: Domain {
    public static let name = "Notifications"
    public static let summary = "What people hear of: inbox, stream, mail, preferences, rules and digests."

    public static var routes: [Route] { Inbox.routes }
}
