import API
import Logging
import Postgres
import Wire

/// Work that goes on in the background: a round at a time, when its interval has passed or something wakes it up.
public struct Worker: Sendable {
    /// What a round says of itself: with `more` the next follows at once.
    public enum Round: Sendable { case idle, more }

    public let name: String
    public let interval: Duration
    /// The channel of NOTIFY that wakes it early. A hint only: whatever it says is found by the next round anyway.
    public let wakeUp: String?
    /// On one instance at a time, by a lease.
    public let isSingle: Bool
    let round: @Sendable (Work) async throws -> Round

    /// Runs on every instance: the round claims its rows with `FOR UPDATE SKIP LOCKED`.
    public init(
        _ name: String, every interval: Duration, wakeUp: String? = nil,
        _ round: @escaping @Sendable (Work) async throws -> Round
    ) {
        self.init(name, interval, wakeUp, isSingle: false, round)
    }

    /// Runs on one instance at a time, and at most once an interval over all of them.
    public static func single(
        _ name: String, every interval: Duration, _ round: @escaping @Sendable (Work) async throws -> Round
    ) -> Worker {
        Worker(name, interval, nil, isSingle: true, round)
    }

    private init(
        _ name: String, _ interval: Duration, _ wakeUp: String?, isSingle: Bool,
        _ round: @escaping @Sendable (Work) async throws -> Round
    ) {
        self.name = name
        self.interval = interval
        self.wakeUp = wakeUp
        self.isSingle = isSingle
        self.round = round
    }
}

/// What a round of background work has at hand.
public struct Work: Sendable {
    public let database: Database
    public let environment: Environment
    public let log: Logger
    let figures: WorkFigures
    private let stopping: @Sendable () -> Bool

    public init(
        database: Database, environment: Environment, log: Logger, figures: WorkFigures = WorkFigures(),
        stopping: @escaping @Sendable () -> Bool = { false }
    ) {
        self.database = database
        self.environment = environment
        self.log = log
        self.figures = figures
        self.stopping = stopping
    }

    /// Once true the round should finish what it has in hand and take nothing new.
    public var isStopping: Bool { stopping() }
}
