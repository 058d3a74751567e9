import Wire

/// One kind of background work: its name, what it is given, and how it is treated.
public struct JobKind<Arguments: Codable & Sendable>: Sendable {
    public let name: String
    let traits: JobTraits

    /// - Parameters:
    ///   - name: `domain.verb`; it stands in the database and never changes.
    ///   - queue: whose workers it shares. Slow work and quick work belong into different queues.
    ///   - attemptsMax: after so many failures it is dead and waits for a person.
    ///   - priority: 0 first, 9 last.
    ///   - leaseSeconds: how long after its worker's last sign of life another takes over.
    ///   - perCompanyMax: how many of this kind one company may have running, over all instances.
    public init(
        _ name: String, queue: String = "default", attemptsMax: Int = 20, priority: Int = 5,
        leaseSeconds: Int = JobLimits.leaseSeconds, backoff: Backoff = .standard, perCompanyMax: Int? = nil
    ) {
        precondition(
            attemptsMax > 0 && (0...9).contains(priority), "\(name): attempts or priority out of range")
        precondition(leaseSeconds >= JobLimits.leaseSecondsMin, "\(name): a lease too short to be kept")
        precondition(perCompanyMax.map { $0 > 0 } ?? true, "\(name): a company must be allowed one")
        self.name = name
        traits = JobTraits(
            name: name, queue: queue, attemptsMax: attemptsMax, priority: priority,
            leaseSeconds: leaseSeconds,
            backoff: backoff, perCompanyMax: perCompanyMax)
    }

    public var queue: String { traits.queue }
}

/// What is known of a kind whatever its arguments are.
struct JobTraits: Sendable {
    let name: String
    let queue: String
    let attemptsMax: Int
    let priority: Int
    let leaseSeconds: Int
    let backoff: Backoff
    let perCompanyMax: Int?
}

/// How many jobs of a queue one instance runs at once, unless the operators say otherwise. A queue that nobody
/// describes has the limit of `JobLimits.concurrency`.
public struct JobQueue: Sendable {
    public let name: String
    public let concurrency: Int

    public init(_ name: String, concurrency: Int) {
        precondition(
            (1...JobLimits.concurrencyMax).contains(concurrency), "\(name): concurrency out of range")
        self.name = name
        self.concurrency = concurrency
    }
}
