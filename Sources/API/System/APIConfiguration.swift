import Crypto

/// What the API needs to know of its deployment.
public struct APIConfiguration: Sendable {
    /// Shown by the docs and `/healthz?verbose`.
    public var version = "0"
    /// Where the service stands for its users, without a slash at the end; problem types are links below it.
    public var publicURL: String?
    /// Pages of these origins may call the API from a browser.
    public var allowedOrigins: Set<String> = []
    public var isDevelopment = false
    /// Signs cursors; the same on every instance.
    public var secret: [UInt8]
    /// Seals the answers kept for repeated requests.
    public var keyRing: KeyRing
    /// Other quotas than the declared ones, by the policy's name; 0 turns a policy off.
    public var quotas: [String: Int] = [:]
    /// Off: nothing is counted, for load tests and behind a gateway that limits for us.
    public var limitsRates = true
    /// The files of Swagger UI; without them /docs is the built-in page.
    public var docsFolder: String?
    public var metricsAccess = MetricsAccess.loopback
    /// A day of `Strict-Transport-Security` and more is a promise; 0 makes none.
    public var hstsSeconds = 31_536_000

    /// Who may read /metrics.
    public enum MetricsAccess: Sendable {
        /// This machine alone, and not through a proxy on it for somebody else.
        case loopback
        case token(String)
        case open
        /// There is no such address.
        case off
    }

    public init(secret: [UInt8], keyRing: KeyRing) {
        self.secret = secret
        self.keyRing = keyRing
    }
}

/// The routes of one domain and what belongs to them.
public struct DomainRoutes: Sendable {
    public var name: String
    public var summary: String
    public var routes: [Route]
    public var permissions: [Permission]
    public var problems: [ProblemCode]
    public var constraints: [ConstraintProblem]
    /// The events it tells the companies' own servers of.
    public var webhooks: [OpenAPI.Webhook]

    public init(
        name: String, summary: String, routes: [Route], permissions: [Permission] = [],
        problems: [ProblemCode] = [],
        constraints: [ConstraintProblem] = [], webhooks: [OpenAPI.Webhook] = []
    ) {
        self.name = name
        self.summary = summary
        self.routes = routes
        self.permissions = permissions
        self.problems = problems
        self.constraints = constraints
        self.webhooks = webhooks
    }
}

/// Everything wrong with the declarations, told at once; the process does not start.
public struct WiringFaults: Error, CustomStringConvertible, Sendable {
    public let faults: [String]
    public var description: String {
        "the routes are not wired soundly:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
    }
}
