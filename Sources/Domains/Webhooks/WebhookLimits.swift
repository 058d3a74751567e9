/// The limits of webhooks, each with its reason.
enum WebhookLimits {
    /// Beyond this a company is better served by one receiver that fans out itself.
    static let endpointsMax = 50
    /// Enough to name every type of a domain; who wants more takes all.
    static let eventTypesMax = 100
    static let channelsMax = 20
    static let headersMax = 10

    /// Standard Webhooks: "payloads should be smaller than 20 kB".
    static let bodyBytesMax = 20_000
    /// Standard Webhooks asks for 15 to 30 s.
    static let deadline: Duration = .seconds(15)
    /// Of an answer's body, for the log: a stack trace's first lines.
    static let responseBytesKept = 1024

    /// Deliveries to one endpoint at once, over all instances: a receiver that hangs holds no more than these.
    static let inFlightPerEndpoint = 4
    /// Deliveries of one instance at once. Each is a connection and about 30 KiB.
    static let inFlight = 512
    /// Lanes one instance holds at once: those with nothing in flight are given back at once.
    static let lanesHeld = 512
    /// Deliveries of one endpoint read at once: some round trips' worth, so that a change of the endpoint is soon seen.
    static let readAtOnce = 64

    /// A dead instance's lanes are taken over after so long.
    static let leaseSeconds = 20
    static let beat: Duration = .seconds(5)
    /// How often due lanes are looked for when nobody says there are any.
    static let poll: Duration = .milliseconds(500)
    /// How often a lane with free hands looks for new deliveries while others of it are under way.
    static let look: Duration = .milliseconds(250)
    /// What is under way when the process is told to stop may take so long; the rest is sent again by another.
    static let grace: Duration = .seconds(5)

    /// The longest pause an endpoint is given after it said it was too busy, unless it asks for more itself.
    static let slowPauseSecondsMax = 60
    /// Whoever asks for more by Retry-After is asked again after a day.
    static let retryAfterSecondsMax = 86_400
    /// Five days without one success.
    static let failingSeconds = 5 * 86_400

    static let recoverDaysMax = 60
    static let statsDaysMax = 60
    static let bulkMax = 50
    /// Messages looked at by one statement of a recovery.
    static let recoveredAtOnce = 500
}
