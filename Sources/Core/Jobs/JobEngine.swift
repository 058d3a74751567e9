import API
import Logging
import Loop
import Postgres
import Synchronization
import Wire

/// Runs the jobs of every queue on this instance.
///
/// What keeps it alive (claims, settlements, heartbeats) runs on a loop and a connection of its own: a handler that
/// blocks a thread, or every thread there is, never makes a living worker look dead.
public final class JobEngine: Sendable {
    /// This worker, among all there ever are.
    let worker = UUID.v7()
    let control: Database
    let figures: WorkFigures
    let log: Logger
    private let database: Database
    private let environment: Environment
    private let loops = LoopGroup(count: 1)
    private let runners = Mutex<[JobQueueRunner]>([])
    private let concurrency: [String: Int]
    private let isOver = Atomic<Bool>(false)
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let bell = Mutex<Int?>(nil)
    private let clock: CronClock
    private let heartPulse = Pulse()

    public init(
        _ handlers: [JobHandler], queues: [JobQueue] = [], crons: [Cron] = [], database: Database,
        environment: Environment,
        figures: WorkFigures = WorkFigures(), log: Logger = Logger(label: "jobs")
    ) {
        precondition(
            Set(handlers.map(\.traits.name)).count == handlers.count, "two handlers share a kind of job")
        var configuration = database.configuration
        configuration.applicationName += " jobs"
        configuration.pipelinesPerLoop = 1
        control = Database(configuration, loops: loops)
        self.database = database
        self.environment = environment
        self.figures = figures
        self.log = log
        concurrency = Dictionary(queues.map { ($0.name, $0.concurrency) }) { max($0, $1) }
        clock = CronClock(crons, control, log)
        let byQueue = Dictionary(grouping: handlers, by: \.traits.queue)
        runners.withLock { runners in
            runners = byQueue.sorted { $0.key < $1.key }.map { name, handlers in
                JobQueueRunner(name, handlers, concurrency: concurrency[name] ?? JobLimits.concurrency, self)
            }
        }
    }

    var isStopping: Bool { isOver.load(ordering: .relaxed) }

    public func start() {
        let loop = loops.loops[0]
        let runners = runners.withLock { $0 }
        let id = JobBell.here.add(database) { hint in
            hint.channel == Jobs.channel && runners.first { $0.name == hint.payload }?.ring() ?? false
        }
        bell.withLock { $0 = id }
        let running = runners.map { runner in loop.task { await runner.run() } }
        let heart = loop.task { [self] in await beat(runners) }
        let ear = loop.task { [self] in await listen(runners) }
        tasks.withLock { $0 = running + [heart, ear] }
    }

    /// Takes nothing new and waits for the jobs in hand; those that are not done in time are told to end, and what even
    /// then goes on is taken over by another worker once its lease is over.
    public func stop(within patience: Duration = .seconds(10)) async {
        isOver.store(true, ordering: .relaxed)
        if let id = bell.withLock({ $0 }) { JobBell.here.remove(id) }
        let (runners, tasks) = (runners.withLock { $0 }, tasks.withLock { $0 })
        for runner in runners { runner.wake() }
        let impatient = Task {
            try await Task.sleep(for: patience)
            for runner in runners { runner.cancelAll() }
            try await Task.sleep(for: .seconds(2))
            for task in tasks { task.cancel() }
        }
        for task in tasks.dropLast(2) { await task.value }
        impatient.cancel()
        for task in tasks.suffix(2) { task.cancel() }
        heartPulse.beat()
        for task in tasks.suffix(2) { await task.value }
        self.runners.withLock { $0 = [] }
        await control.close()
        loops.stop()
    }

    func job(_ claim: JobClaim) -> Job {
        let work = Work(database: database, environment: environment, log: log, figures: figures) {
            [weak self] in
            self?.isStopping ?? true
        }
        return Job(
            id: claim.id, kind: claim.kind, company: claim.company, attempt: claim.attempt,
            attemptsMax: claim.attemptsMax, claim: claim.claim, worker: worker,
            checkpoint: claim.checkpoint.flatMap { try? JSON.parse($0) }, work: work)
    }

    /// What is kept of a failed attempt: `error` for everybody, `detail` for the operators.
    func entry(_ job: Job, _ error: any Error) -> String {
        var entry: JSON = [
            "attempt": .number(.init(job.attempt)), "at": .string(Timestamp.now.description),
            "worker": .string(worker.description),
        ]
        if case .object(var object) = entry {
            let told = (error as? JobFailure)?.description ?? "an internal error"
            object["error"] = .string(JobText.plain(told, bytesMax: JobLimits.errorBytesMax))
            if !(error is JobFailure) {
                object["detail"] = .string(
                    JobText.plain(String(reflecting: error), bytesMax: JobLimits.errorBytesMax))
            }
            entry = .object(object)
        }
        return entry.description
    }

    // MARK: the heart

    /// Renews the leases of what is in hand, and reads on the way what the operators want of the queues.
    private func beat(_ runners: [JobQueueRunner]) async {
        while !Task.isCancelled {
            let now = EventLoop.monotonicNanoseconds()
            do {
                try await renew(runners, now)
                try await obey(runners)
                let limited = runners.flatMap(\.limitedKinds)
                if !limited.isEmpty { _ = try await control.query(JobClaim.release(limited)) }
            } catch {
                log.warning(
                    "leases of jobs could not be renewed", metadata: ["error": "\(String(reflecting: error))"]
                )
            }
            do {
                if !isStopping { try await clock.tick() }
            } catch {
                log.warning("the clock of jobs failed", metadata: ["error": "\(String(reflecting: error))"])
            }
            for runner in runners { runner.loseLapsed(EventLoop.monotonicNanoseconds()) }
            await heartPulse.wait(upTo: JobLimits.beatPause)
        }
    }

    private func renew(_ runners: [JobQueueRunner], _ now: UInt64) async throws {
        let due = runners.map { ($0, $0.beatsDue(now)) }
        let held = due.flatMap { $0.1 }
        if held.isEmpty { return }
        let rows = try await control.query(
            """
            UPDATE jobs
               SET due_at = now() + lease_seconds * interval '1 second'
              FROM unnest(\(held.map(\.job.id))::uuid[], \(held.map(\.job.claim))::bigint[]) AS mine (id, claim)
             WHERE jobs.id = mine.id AND jobs.claim = mine.claim AND jobs.holder = \(worker)
            RETURNING jobs.id, is_cancelled
            """)
        var kept: Set<UUID> = []
        for row in rows {
            let id: UUID = try row.get(0)
            kept.insert(id)
            if try row.get(1) { for runner in runners { runner.cancel(id) } }
        }
        for (runner, asked) in due { runner.beaten(asked, kept: kept, askedAt: now) }
    }

    private func obey(_ runners: [JobQueueRunner]) async throws {
        var wishes: [String: (isPaused: Bool, concurrency: Int?)] = [:]
        for row in try await control.query("SELECT name, is_paused, concurrency FROM job_queues") {
            let name: String = try row.get(0)
            wishes[name] = (try row.get(1), try row.get(2))
        }
        for runner in runners {
            let wish = wishes[runner.name]
            runner.obey(
                isPaused: wish?.isPaused ?? false,
                concurrency: wish?.concurrency ?? concurrency[runner.name] ?? JobLimits.concurrency)
        }
    }

    /// NOTIFY says which queue has something new, or which job is to end.
    private func listen(_ runners: [JobQueueRunner]) async {
        for await event in database.listen(Jobs.channel) {
            switch event {
            case .mayHaveMissed:
                for runner in runners { _ = runner.ring() }
            case .notification(_, let payload):
                if let id = UUID(payload) {
                    for runner in runners { runner.cancel(id) }
                } else {
                    _ = runners.first { $0.name == payload }?.ring()
                }
            }
        }
    }
}
