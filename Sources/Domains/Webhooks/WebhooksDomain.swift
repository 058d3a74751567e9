import API
import Core
import Loop
import Postgres
import Telemetry

/// Events sent to the companies' own servers, exactly by Standard Webhooks.
///
/// Owns webhook_endpoints, webhook_messages, webhook_attempts and webhook_feeds, and the hot tables webhook_lanes and
/// webhook_deliveries. Reacts to every event of every domain. Asks of the others nothing but the catalogue of their
/// events.
public enum WebhooksDomain: Domain {
    public static let name = "Webhooks"
    public static let summary = "Events sent to your own servers, signed, tried again and logged."

    public static var routes: [Route] {
        Endpoints.routes + Secrets.routes + Trial.routes + Recovery.routes + Stats.routes + Messages.routes
            + Feed.routes
            + EventTypes.routes
    }

    public static let permissions: [Permission] = [.webhooksRead, .webhooksWrite, .webhookSecretsRead]
    public static let problems = ProblemCode.ofWebhooks
    public static let workers = [Courier.worker, Retention.worker]
    public static let jobs = [Recovery.handler]
    public static let events = [WebhookEvents.disabled.erased]
    public static let reactions = [FanOut.reaction]
    public static let notifications = [WebhookNews.failing, WebhookNews.gone]

    public static let sealed = [
        SealedColumn("webhook_endpoints", "secret_sealed", key: "id", isTenants: true) {
            "webhook-secret:\($0)"
        },
        SealedColumn("webhook_endpoints", "old_secret_sealed", key: "id", isTenants: true) {
            "webhook-secret:\($0)"
        },
        SealedColumn("webhook_endpoints", "headers_sealed", key: "id", isTenants: true) {
            "webhook-headers:\($0)"
        },
    ]

    public static let personalData: [PersonalData] = [
        .none("webhook_endpoints", "where the company wants its events sent"),
        PersonalData(
            "webhook_messages", "Events that name somebody, as sent to the company's own servers",
            of: .rows { subject in subject.user.map { "strpos(t.data::text, \($0.description)) > 0" } },
            .rows { subject in subject.email.map { "strpos(lower(t.data::text), \($0)) > 0" } },
            erase: .blank("data = '{\"erased\": true}'")),
        .none("webhook_attempts", "what became of each attempt to send a message"),
        .none("webhook_feeds", "how many messages a company has had"),
        .none("webhook_lanes", "which endpoints have something to be delivered"),
        .none("webhook_deliveries", "messages that are still to be delivered"),
    ]

    public static func start(_ environment: inout Environment) async throws {
        environment.set(WebhookParts(environment))
    }
}
