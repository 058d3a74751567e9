import API
import Core

public enum WebhooksDomain: Domain {
    public static let name = "Webhooks"
    public static let summary = "Events sent to addresses of the company's choice, signed by Standard Webhooks."

    public static var routes: [Route] { [] }
}
