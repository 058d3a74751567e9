import API
import Core

public enum NotificationsDomain: Domain {
    public static let name = "Notifications"
    public static let summary = "What people hear of: inbox, stream, mail, preferences, rules and digests."

    public static var routes: [Route] { [] }
}
