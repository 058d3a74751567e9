import HTTP
import Loop
import Postgres
import Synchronization

/// Every limit on how often somebody may ask: by address, user and API key as the routes declare, and by company as its
/// plan allows.
public final class Rates: Sendable {
    /// An API key is counted by itself, not with the person it belongs to.
    static let apiKey = RatePolicy("api-key", quota: 600, windowSeconds: 60, per: .user)
    /// All people and keys of a company together: ten busy ones.
    static let company = RatePolicy("company", quota: 6000, windowSeconds: 60, per: .company)
    /// Who sends bad tokens by the hundred is guessing, and each costs a look at a signature or the database.
    static let badToken = RatePolicy("bad-token", quota: 120, windowSeconds: 60, per: .client)

    private let isOn: Bool
    private let given: [String: Int]
    private let peers = RatePeers()
    private let exchange: RateExchange
    private let known = Mutex<[String: RateLimiter]>([:])
    private let plans = Mutex<[String: Int]>([:])
    private let keys: RateLimiter?
    private let companies: RateLimiter?
    private let guesses: RateLimiter?

    init(_ configuration: APIConfiguration, _ db: Database) {
        isOn = configuration.limitsRates
        given = configuration.quotas
        exchange = RateExchange(db, peers)
        func make(_ policy: RatePolicy, _ isOn: Bool, _ peers: RatePeers) -> RateLimiter? {
            isOn ? RateLimiter(policy, peers) : nil
        }
        keys = make(Self.apiKey, isOn, peers)
        companies = make(Self.company, isOn, peers)
        guesses = make(Self.badToken, isOn, peers)
        for limiter in [keys, companies, guesses].compactMap({ $0 }) { keep(limiter) }
    }

    private func keep(_ limiter: RateLimiter) {
        exchange.add(limiter)
        known.withLock { $0[limiter.policy.name] = limiter }
    }

    /// One limiter for all routes of a policy: they share the quota.
    func limiter(for declared: RatePolicy) -> RateLimiter? {
        let policy = given[declared.name].map { declared.with(quota: $0) } ?? declared
        guard isOn, policy.quota > 0 else { return nil }
        if let known = known.withLock({ $0[policy.name] }) { return known }
        let limiter = RateLimiter(policy, peers)
        keep(limiter)
        return limiter
    }

    /// Begins to count together with the other instances.
    public func start(on loop: EventLoop) {
        if isOn { exchange.start(on: loop) }
    }

    public func stop() { exchange.stop() }

    /// Instances that count together, this one included.
    public var instances: Int { peers.instances.load(ordering: .relaxed) }

    /// Other quotas from now on: by policy, and of a company by its plan.
    public func set(quotas: [String: Int], byPlan: [String: Int]) {
        for (name, quota) in quotas { known.withLock { $0[name] }?.set(quota: quota) }
        plans.withLock { $0 = byPlan }
    }

    /// Counts the request; throws 429 when it is one too many. What is nearest to its end is told to the caller.
    func admit(_ call: Call, _ endpoint: Endpoint) throws(Problem) {
        guard var limiter = endpoint.limiter else { return }
        let (principal, now) = (call.principal, call.request.loop.now)
        if let keys, principal?.apiKeyId != nil, limiter.policy.subject == .user { limiter = keys }
        try count(limiter, RateSubject.key(limiter.policy.subject, call), nil, call, now)
        guard let companies, let principal, principal.companyId != nil else { return }
        let quota = principal.standing.flatMap { standing in
            plans.withLock { $0.isEmpty ? nil : $0[standing.plan] }
        }
        try count(companies, RateSubject.key(.company, call), quota, call, now)
    }

    private func count(
        _ limiter: RateLimiter, _ key: RateLimiter.Key, _ quota: Int?, _ call: Call, _ now: UInt64
    ) throws(Problem) {
        let outcome = limiter.count(key, quota: quota, now: now)
        if !outcome.isAllowed || outcome.remaining < call.rate?.outcome.remaining ?? .max {
            call.rate = (limiter, outcome)
        }
        if outcome.isAllowed { return }
        throw Problem(
            .quotaExceeded, "At most \(outcome.quota) requests in \(limiter.policy.windowSeconds) seconds."
        )
        .header("retry-after", String(outcome.seconds))
    }

    /// Counts a token that is not valid.
    func countBadToken(_ call: Call) throws(Problem) {
        guard let guesses else { return }
        let outcome = guesses.count(RateSubject.key(.client, call), now: call.request.loop.now)
        if outcome.isAllowed { return }
        throw Problem(.quotaExceeded, "Too many tokens that are not valid.").header(
            "retry-after", String(outcome.seconds))
    }
}
