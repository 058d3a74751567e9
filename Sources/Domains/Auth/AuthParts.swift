import API
import Core
import Crypto
import Logging
import Loop
import Outbound
import Postgres
import Synchronization
import Telemetry
import Wire

/// What the handlers of signing in work with; made once at the start and shared.
public final class AuthParts: Sendable {
    /// What the operator has chosen.
    public struct Choices: Sendable {
        public var publicURL: String
        public var ring: KeyRing
        public var pepper: [UInt8]
        public var bcryptCost: Int
        public var accessTokenLife: Duration
        public var sessionIdle: Duration
        public var sessionLife: Duration
        public var confirmationLife: Duration
        public var resetLife: Duration
        public var webOrigins: [String]
        var providers: [IdentityProvider] = []
        /// Not public, and may be reached for a company's provider all the same.
        public var ssoAllowedRanges: [AddressRange] = []
        /// A list of leaked passwords to ask; none when nil.
        public var leakedPasswordsURL: String?

        public init(
            publicURL: String, ring: KeyRing, pepper: [UInt8], bcryptCost: Int = 11,
            accessTokenLife: Duration = .seconds(900), sessionIdle: Duration = .seconds(30 * 86_400),
            sessionLife: Duration = .seconds(90 * 86_400), confirmationLife: Duration = .seconds(86_400),
            resetLife: Duration = .seconds(3600), webOrigins: [String] = []
        ) {
            self.publicURL = publicURL
            self.ring = ring
            self.pepper = pepper
            self.bcryptCost = bcryptCost
            self.accessTokenLife = accessTokenLife
            self.sessionIdle = sessionIdle
            self.sessionLife = sessionLife
            self.confirmationLife = confirmationLife
            self.resetLife = resetLife
            self.webOrigins = webOrigins
        }
    }

    public let choices: Choices
    let passwords: Passwords
    let keys: SigningKeys
    let tokens: AccessTokens
    let chain: RefreshChain
    let browser: BrowserMode
    let feed: AccessFeed
    /// For six-digit and recovery codes, which are too short to be kept as plain digests.
    let codes: HMACKey
    let db: Database
    let figures: AuthFigures
    let directory = ProviderDirectory()
    /// For addresses the operator has set.
    let http: HTTPClient
    /// For addresses that companies give.
    let guardedHTTP: HTTPClient
    let leaked: LeakedPasswords?
    let log = Logger(label: "auth")
    private let uses = PermissionUses()
    private let doorkeeper: Doorkeeper
    private let running = Mutex<[Task<Void, Never>]>([])

    public init(
        _ choices: Choices, database: Database, loops: LoopGroup, metrics: Metrics = Metrics(),
        news: AccessNews = .here
    ) {
        self.choices = choices
        db = database
        passwords = Passwords(cost: choices.bcryptCost, pepper: choices.pepper)
        keys = SigningKeys(choices.ring, database, tokenLife: choices.accessTokenLife)
        tokens = AccessTokens(keys: keys, issuer: choices.publicURL, life: choices.accessTokenLife)
        chain = RefreshChain(choices.ring)
        let isSecure = choices.publicURL.hasPrefix("https://")
        browser = BrowserMode(
            choices.ring, origins: [choices.publicURL] + choices.webOrigins, isSecure: isSecure)
        feed = AccessFeed(news: news, db: database)
        // From the secret that is never exchanged: recovery codes must outlive the keys.
        codes = HMACKey(HKDF.derive(choices.pepper, info: "short codes"))
        http = HTTPClient(loops: loops, resolver: .names)
        var guarded = HTTPClient.Configuration()
        guarded.ssrfGuard = SSRFGuard(allowed: choices.ssoAllowedRanges)
        guardedHTTP = HTTPClient(loops: loops, resolver: .names, configuration: guarded)
        leaked = choices.leakedPasswordsURL.map { [guardedHTTP, log] in
            LeakedPasswords(url: $0, http: guardedHTTP, log: log)
        }
        figures = AuthFigures(in: metrics, passwords: passwords)
        doorkeeper = Doorkeeper(
            loops: loops.loops.count, news: news, feed: feed, tokens: tokens, browser: browser, db: database,
            uses: uses)
    }

    public var authenticator: any Authenticator { doorkeeper }

    /// Loads or makes the signing keys and begins to listen for changes; before the first request.
    public func start(on loop: EventLoop) async throws {
        try await keys.start()
        try await feed.poll()
        let tasks =
            feed.start(on: loop) + [
                keys.keepFresh(on: loop), PermissionRecord(db, uses: uses).start(on: loop),
            ]
        running.withLock { $0 = tasks }
    }

    public func stop() { running.withLock { $0.forEach { $0.cancel() } } }

    /// The address of a page that a mail leads to. The secret stands behind `#`, which no server and no log sees.
    func link(_ page: String, token: String) -> String {
        "\(choices.publicURL)/account/\(page)#token=\(token)"
    }
}

extension Call {
    var auth: AuthParts { environment[AuthParts.self] }

    /// The signed-in person and her session; an API key has none, and nobody has it who works in another's name.
    var session: (user: UUID, id: UUID) {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            guard let session = principal.sessionId else { throw Problem(.sessionRequired) }
            guard !principal.isImpersonated else { throw Problem(.notInAnothersName) }
            return (principal.userId, session)
        }
    }

    /// Throws unless the person has proven who she is within the last quarter of an hour.
    func requireRecentProof() async throws {
        let session = try session
        let rows = try await auth.db.query(
            "SELECT 1 FROM sessions WHERE id = \(session.id) AND authenticated_at > \(now - AuthLimits.reauthentication)"
        )
        if rows.isEmpty { throw Problem(.reauthenticationRequired) }
    }

    /// Waits until at least `AuthLimits.uniformAnswer` has passed since the request came.
    func answerUniformly() async {
        let passed = request.loop.now &- request.receivedAt
        let wanted = UInt64(AuthLimits.uniformAnswer.seconds * 1e9)
        if passed < wanted { try? await Task.sleep(nanoseconds: wanted - passed) }
    }
}
