import API
import Logging
import Loop
import Postgres
import Synchronization

/// All background work of this process.
public final class Workforce: Sendable {
    public let figures = WorkFigures()
    private let workers: [Worker]
    private let database: Database
    private let environment: Environment
    private let loops: LoopGroup
    private let log: Logger
    private let pulses: [Pulse]
    private let isStopping = Atomic<Bool>(false)
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let listeners = Mutex<[Task<Void, Never>]>([])
    private let bell = Mutex<Int?>(nil)

    /// The pause after failures: doubled each time, to this at most.
    private static let failurePauseMax: Duration = .seconds(300)
    private static let failurePause: Duration = .seconds(1)
    /// How often the lease of single work is looked at.
    private static let leasePause: Duration = .seconds(30)

    public init(
        _ workers: [Worker], database: Database, environment: Environment, loops: LoopGroup,
        log: Logger = Logger(label: "work")
    ) {
        precondition(Set(workers.map(\.name)).count == workers.count, "two workers share a name")
        self.workers = workers
        self.database = database
        self.environment = environment
        self.loops = loops
        self.log = log
        pulses = workers.map { _ in Pulse() }
    }

    public func start() {
        let running = zip(workers, pulses).map { worker, pulse in
            loops.next().task { [self] in await run(worker, pulse) }
        }
        let listening = Set(workers.compactMap(\.wakeUp)).map { channel in
            loops.next().task { [self] in await listen(channel) }
        }
        let id = JobBell.here.add(database) { [weak self] hint in self?.hear(hint.channel) ?? false }
        bell.withLock { $0 = id }
        tasks.withLock { $0 = running }
        listeners.withLock { $0 = listening }
    }

    /// Waits for the rounds in hand, then ends. What is left undone is found by whoever starts next.
    public func stop() async {
        isStopping.store(true, ordering: .relaxed)
        if let id = bell.withLock({ $0 }) { JobBell.here.remove(id) }
        for pulse in pulses { pulse.beat() }
        for listener in listeners.withLock({ $0 }) { listener.cancel() }
        for task in tasks.withLock({ $0 }) { await task.value }
    }

    /// Wakes the worker of this name, if there is one here.
    public func wake(_ name: String) {
        for (worker, pulse) in zip(workers, pulses) where worker.name == name { pulse.beat() }
    }

    /// Whatever is said on the channel, and a gap in what was heard, wakes those who wait on it.
    private func listen(_ channel: String) async {
        for await _ in database.listen(channel) { _ = hear(channel) }
    }

    /// True when somebody here waits for it.
    private func hear(_ channel: String) -> Bool {
        var isHeard = false
        for (worker, pulse) in zip(workers, pulses) where worker.wakeUp == channel {
            pulse.beat()
            isHeard = true
        }
        return isHeard
    }

    private func run(_ worker: Worker, _ pulse: Pulse) async {
        let work = Work(database: database, environment: environment, log: log, figures: figures) { [self] in
            isStopping.load(ordering: .relaxed)
        }
        var failures = 0
        while !work.isStopping {
            do {
                let round = try await once(worker, work)
                failures = 0
                if round == .more { continue }
                // Single work is due by its lease, whichever instance looks first.
                let pause = worker.isSingle ? min(worker.interval, Self.leasePause) : worker.interval
                await pulse.wait(upTo: pause * Double.random(in: 0.9...1.1))
            } catch {
                failures += 1
                figures.finished(worker.name, "failed_round")
                log.warning(
                    "a round of background work failed",
                    metadata: [
                        "worker": "\(worker.name)", "error": "\(String(reflecting: error))",
                        "failures": "\(failures)",
                    ])
                await pulse.wait(upTo: Self.pause(after: failures))
            }
        }
    }

    private func once(_ worker: Worker, _ work: Work) async throws -> Worker.Round {
        guard worker.isSingle else { return try await worker.round(work) }
        guard let fence = try await WorkerLease.take(worker.name, database) else { return .idle }
        do {
            let round = try await worker.round(work)
            let pause = round == .more ? .zero : worker.interval
            try await WorkerLease.giveBack(worker.name, fence, nextAfter: pause, database)
            return round
        } catch {
            // Due again at once, for this instance after its pause; when even this fails, the lease ends by itself.
            try? await WorkerLease.giveBack(worker.name, fence, nextAfter: .zero, database)
            throw error
        }
    }

    private static func pause(after failures: Int) -> Duration {
        let doubled = failurePause * (1 << min(failures - 1, 10))
        return min(doubled, failurePauseMax) * Double.random(in: 0.5...1)
    }
}
