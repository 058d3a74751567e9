import API
import Core
import Crypto
import Loop
import Postgres
import Telemetry

/// What people hear of: their inbox and its stream, mails and webhooks, and who decides which way news takes.
///
/// Owns notifications, notification_events, notification_counters and what hangs on them: watchers, preferences, rules,
/// schedules, templates, deliveries, digests and suppressions. Other domains tell people by `Notify` in their own
/// transaction; reads users, memberships and roles.
public enum NotificationsDomain: Domain {
    public static let name = "Notifications"
    public static let summary = "What people hear of: inbox, stream, mail, preferences, rules and digests."

    public static var routes: [Route] {
        Inbox.routes + InboxActs.routes + StreamRoutes.routes + Preferences.routes + Schedules.routes
            + Watching.routes
            + NotificationTypes.routes + CompanyDefaults.routes + Rules.routes + Templates.routes
            + Sending.routes
            + Deliveries.routes + Traces.routes + Suppressions.routes + UnsubscribeRoutes.routes
    }

    public static let permissions: [Permission] = [.notificationsSend, .notificationsManage]

    public static let problems = ProblemCode.ofNotifications
    public static let constraints = [
        ConstraintProblem("notification_templates_one_per_place", .templateTaken, pointer: "/locale")
    ]
    public static let notifications = [Sending.announcement]
    public static let jobs = DeliveryJobs.handlers
    public static let events = [NotificationTold.event.erased]

    public static func start(_ environment: inout Environment) async throws {
        let streams = InboxStreams(environment[Database.self], environment[LoopGroup.self])
        let post = PostOffice(
            publicURL: environment[PublicAddress.self].url,
            unsubscribing: Unsubscribing(environment[KeyRing.self]))
        environment.set(streams)
        environment.set(post)
        environment.set(MailChecks.watch(post))
        observe(streams, environment[Metrics.self])
    }

    private static func observe(_ streams: InboxStreams, _ metrics: Metrics) {
        metrics.observe(.gauge, "sse_connections", "Open streams of notifications.") { [weak streams] in
            Double(streams?.count ?? 0)
        }
        metrics.observe(
            .counter, "notifications_sent_total", "Notifications by channel, and how it went.",
            labels: ["channel", "outcome"]
        ) {
            NotificationFigures.here.all.map { ([$0.key.channel, $0.key.outcome], Double($0.value)) }
        }
    }
}
