import API
import Core
import Crypto
import Loop
import Outbound
import Telemetry
import Wire

/// What handlers and deliverer work with; made once at the start.
struct WebhookParts: Sendable {
    let ring: KeyRing
    let client: HTTPClient
    let destinations: SSRFGuard
    let publicURL: String
    /// Plain http is for trying things out, and for networks the operator has allowed.
    let allowsHTTP: Bool
    /// Deliveries by outcome; without metrics nobody counts.
    let figures: Counters?

    init(_ environment: Environment) {
        let settings = environment[Settings.self]
        ring = environment[KeyRing.self]
        publicURL = settings.publicURL.text
        allowsHTTP = settings.mode == .development || !settings.webhookAllowedRanges.isEmpty
        figures = environment.find(Metrics.self)?.counters(
            "webhook_deliveries_total", "Attempts to deliver webhooks, by outcome.", labels: ["outcome"])
        destinations = SSRFGuard(allowed: settings.webhookAllowedRanges)
        var configuration = HTTPClient.Configuration()
        configuration.userAgent = "Infinity-Webhooks/1"
        configuration.ssrfGuard = destinations
        configuration.connectionsPerLoop = WebhookLimits.inFlight
        configuration.connectionsPerHost = WebhookLimits.inFlight
        client = HTTPClient(
            loops: environment[LoopGroup.self], resolver: .names,
            configuration: configuration)
    }
}

extension Call {
    var webhooks: WebhookParts { environment[WebhookParts.self] }
}

extension KeyRing {
    /// Bound to the endpoint, so that a sealed text copied to another does not open.
    func sealText(_ text: String, _ what: String, of endpoint: UUID) -> [UInt8] {
        seal(Array(text.utf8), context: "webhook-\(what):\(endpoint)")
    }

    func openText(_ sealed: [UInt8], _ what: String, of endpoint: UUID) throws(Failure) -> String {
        String(decoding: try open(sealed, context: "webhook-\(what):\(endpoint)"), as: UTF8.self)
    }
}
