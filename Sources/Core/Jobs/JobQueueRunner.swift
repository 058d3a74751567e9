import Logging
import Loop
import Postgres
import Synchronization
import Wire

/// Runs the jobs of one queue on this instance: claims what is due, hands it to the handlers, and settles how it ended,
/// all three in one round trip.
///
/// The round runs on the engine's own loop, where no handler ever does; handlers run on the shared pool of tasks.
final class JobQueueRunner: Sendable {
    let name: String
    private let handlers: [String: JobHandler]
    private let kinds: [String]
    private let maxes: [Int]
    /// Some kind in it limits what one company may have running.
    private let isLimited: Bool
    private let engine: JobEngine
    private let pulse = Pulse()

    /// A job from its claim to its settlement.
    struct Held: Sendable {
        let job: Job
        let leaseSeconds: Int
        /// When the lease was last known to hold, by the monotonic clock.
        var beatAt: UInt64
        var task: Task<Void, Never>?
    }

    private typealias Ready = (job: Job, arguments: String)

    private enum Ending: Sendable {
        case done(UUID, Int)
        case result(JobSettlement.End)
        case cancelled(JobSettlement.End)
        case retry(JobSettlement.Retry)
        case dead(JobSettlement.End)

        var id: UUID {
            switch self {
            case .done(let id, _): id
            case .result(let end), .cancelled(let end), .dead(let end): end.id
            case .retry(let retry): retry.id
            }
        }

        var claim: Int {
            switch self {
            case .done(_, let claim): claim
            case .result(let end), .cancelled(let end), .dead(let end): end.claim
            case .retry(let retry): retry.claim
            }
        }
    }

    private struct State {
        var held: [UUID: Held] = [:]
        /// Claimed, and not yet begun, the last first.
        var ready: [Ready] = []
        var running = 0
        var endings: [Ending] = []
        var concurrency: Int
        /// So until it is known what the operators want.
        var isPaused = true
        var mayHaveMore = true
        var nextPoll: UInt64 = 0
        /// How long a job takes, as a moving mean; nil before the first.
        var nanoseconds: Double?
        var marks = [Timestamp](repeating: Timestamp(microseconds: 0), count: 10)
        var nextFullLook: UInt64 = 0
        /// The last claim by order was full, so somebody's backlog may hide others: the next goes by shares.
        var isByShare = false
        var cursor = JobClaim.Cursor()
        var failures = 0
    }

    private let state: Mutex<State>

    init(_ name: String, _ handlers: [JobHandler], concurrency: Int, _ engine: JobEngine) {
        self.name = name
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.traits.name, $0) })
        kinds = handlers.map(\.traits.name)
        maxes = handlers.map { $0.traits.perCompanyMax ?? 0 }
        isLimited = maxes.contains { $0 > 0 }
        self.engine = engine
        state = Mutex(State(concurrency: concurrency))
    }

    /// What the operators want of the queue.
    func obey(isPaused: Bool, concurrency: Int) {
        let isNew = state.withLock { state in
            let isNew = state.isPaused != isPaused || state.concurrency != concurrency
            if isNew { state.mayHaveMore = true }
            state.isPaused = isPaused
            state.concurrency = concurrency
            return isNew
        }
        if isNew { pulse.beat() }
    }

    /// There may be something new. True when there is a hand free for it.
    func ring() -> Bool {
        let isFree = state.withLock { state in
            state.mayHaveMore = true
            return !state.isPaused && state.held.count < state.concurrency
        }
        pulse.beat()
        return isFree
    }

    func wake() { pulse.beat() }

    /// Goes on until the engine stops and everything in hand is settled.
    func run() async {
        while true {
            let now = EventLoop.monotonicNanoseconds()
            let isStopping = engine.isStopping
            if isStopping {
                if Task.isCancelled { return }
                release()
            }
            switch state.withLock({ Self.plan(&$0, now, isStopping) }) {
            case .over: return
            case .rest(let pause): await pulse.wait(upTo: pause)
            case .round(let limit): await round(limit)
            }
        }
    }

    private enum Plan {
        case over
        case rest(Duration)
        /// Settles what has ended and claims so many.
        case round(Int)
    }

    private static func plan(_ state: inout State, _ now: UInt64, _ isStopping: Bool) -> Plan {
        if isStopping && state.held.isEmpty && state.endings.isEmpty { return .over }
        let isQuick = state.nanoseconds.map { $0 < Double(JobLimits.quick.wholeNanoseconds) } ?? false
        let ahead = isQuick ? JobLimits.claimedAtOnce : 0
        let waiting = state.held.count - state.endings.count
        var limit = min(JobLimits.claimedAtOnce, max(0, state.concurrency + ahead - waiting))
        if isStopping || state.isPaused || !(state.mayHaveMore || now >= state.nextPoll) { limit = 0 }
        let half = JobLimits.claimedAtOnce / 2
        if !state.endings.isEmpty {
            // A handful that ended wait a moment for the rest of their batch.
            let isWorthWaiting = state.running > 0 && state.endings.count < half && limit < half
            return isWorthWaiting ? .rest(JobLimits.settlePause) : .round(limit)
        }
        if limit > 0 && (waiting < state.concurrency || limit >= half) { return .round(limit) }
        return .rest(JobLimits.pollPause)
    }

    // MARK: a round

    private func round(_ limit: Int) async {
        let (endings, claim) = state.withLock { state -> ([Ending], [SQL]) in
            let now = EventLoop.monotonicNanoseconds()
            if now >= state.nextFullLook {
                state.marks = [Timestamp](repeating: Timestamp(microseconds: 0), count: 10)
                state.nextFullLook = now + JobLimits.fullLookPause.wholeNanoseconds
            }
            // What rang while there was no room is still to be looked for.
            if limit == 0 { return (state.endings, []) }
            state.mayHaveMore = false
            state.nextPoll = now + JobLimits.pollPause.wholeNanoseconds
            return (state.endings, claiming(state, limit))
        }
        let statements = [JobClaim.tuning] + Self.settling(endings, by: engine.worker) + claim
        do {
            let rows = try await engine.control.batch(statements)
            let claimed = limit > 0 ? try rows[rows.count - 1].map(JobClaim.init) : []
            settled(endings.count)
            take(claimed, limit)
        } catch let error as DatabaseError where !endings.isEmpty && Self.isOfTheData(error) {
            await settleApart(endings)
        } catch {
            await failed(error)
        }
    }

    private static func isOfTheData(_ error: DatabaseError) -> Bool {
        switch error.kind {
        case .invalidText, .invalidValue: true
        case .unavailable, .timedOut, .cancelled, .constraint, .serialization, .forbidden, .undecodable,
            .other:
            false
        }
    }

    /// One of the outcomes cannot be stored: it must not keep the others from it, nor the queue from going on.
    private func settleApart(_ endings: [Ending]) async {
        for ending in endings {
            do {
                _ = try await engine.control.batch(Self.settling([ending], by: engine.worker))
            } catch  where Self.isOfTheData(error) {
                let entry =
                    #"{"attempt": 0, "at": "\#(Timestamp.now)", "error": "its outcome could not be stored"}"#
                let end = Ending.dead(.init(id: ending.id, claim: ending.claim, text: entry))
                _ = try? await engine.control.batch(Self.settling([end], by: engine.worker))
            } catch {
                return await failed(error)
            }
        }
        settled(endings.count)
        state.withLock { $0.mayHaveMore = true }
    }

    private func claiming(_ state: State, _ limit: Int) -> [SQL] {
        if isLimited || state.isByShare {
            let byShare = JobClaim.byShare(
                name, kinds: kinds, maxes: maxes, limit: limit, marks: state.marks, after: state.cursor,
                holder: engine.worker)
            return isLimited ? [JobClaim.turn(name), byShare] : [byShare]
        }
        return [JobClaim.inOrder(name, kinds: kinds, limit: limit, marks: state.marks, holder: engine.worker)]
    }

    private static func settling(_ endings: [Ending], by holder: UUID) -> [SQL] {
        var done: [(UUID, Int)] = []
        var cancelled: [JobSettlement.End] = []
        var dead: [JobSettlement.End] = []
        var retries: [JobSettlement.Retry] = []
        var statements: [SQL] = []
        for ending in endings {
            switch ending {
            case .done(let id, let claim): done.append((id, claim))
            case .result(let end): statements.append(JobSettlement.result(end, by: holder))
            case .cancelled(let end): cancelled.append(end)
            case .dead(let end): dead.append(end)
            case .retry(let retry): retries.append(retry)
            }
        }
        if !done.isEmpty { statements.append(JobSettlement.done(done, by: holder)) }
        if !cancelled.isEmpty { statements.append(JobSettlement.cancelled(cancelled, by: holder)) }
        if !dead.isEmpty { statements.append(JobSettlement.dead(dead, by: holder)) }
        if !retries.isEmpty { statements.append(JobSettlement.retry(retries, by: holder)) }
        return statements
    }

    private func settled(_ count: Int) {
        state.withLock { state in
            state.failures = 0
            for ending in state.endings.prefix(count) where state.held[ending.id]?.job.claim == ending.claim {
                state.held[ending.id] = nil
            }
            state.endings.removeFirst(count)
            // What has ended makes room for its company's next.
            if isLimited && count > 0 { state.mayHaveMore = true }
        }
    }

    private func failed(_ error: any Error) async {
        let failures = state.withLock { state in
            state.failures += 1
            state.mayHaveMore = true
            return state.failures
        }
        engine.log.warning(
            "jobs could not be claimed",
            metadata: [
                "queue": "\(name)", "error": "\(String(reflecting: error))", "failures": "\(failures)",
            ])
        let pause = min(JobLimits.failurePause * (1 << min(failures, 8)), JobLimits.failurePauseMax)
        try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
    }

    private func take(_ claimed: [JobClaim], _ limit: Int) {
        let inOrder = claimed.sorted { ($0.priority, $0.wasDueAt, $0.id) < ($1.priority, $1.wasDueAt, $1.id) }
        let now = EventLoop.monotonicNanoseconds()
        let begun = state.withLock { state in
            note(claimed, limit, &state)
            var ready: [Ready] = []
            for claim in inOrder {
                if let old = state.held[claim.id] {
                    // This worker's own, whose lease it could not keep: never twice at a time, so once the first has ended.
                    old.job.markLost()
                    old.task?.cancel()
                    let later = Timestamp.now + JobLimits.ghostPause
                    state.endings.append(
                        .retry(.init(id: claim.id, claim: claim.claim, dueAt: later, error: nil)))
                    continue
                }
                let job = engine.job(claim)
                state.held[claim.id] = Held(job: job, leaseSeconds: claim.leaseSeconds, beatAt: now)
                let end = JobSettlement.End(id: claim.id, claim: claim.claim, text: nil)
                if claim.isCancelled {
                    state.endings.append(.cancelled(end))
                } else if claim.attempt > claim.attemptsMax {
                    state.endings.append(.dead(end))
                } else {
                    ready.append((job, claim.arguments))
                }
            }
            state.ready = ready.reversed() + state.ready
            return Self.beginning(&state)
        }
        for ready in begun { begin(ready) }
    }

    /// What a claim tells about the next one.
    private func note(_ claimed: [JobClaim], _ limit: Int, _ state: inout State) {
        if limit == 0 { return }
        let isFull = claimed.count == limit
        if isLimited || state.isByShare {
            // On from the last company that got something; from the first when each has had its part.
            let furthest = claimed.max { $0.place < $1.place }
            let isMore =
                furthest.map { $0.shares == JobLimits.sharesAtOnce || isFull && $0.place < $0.shares }
                ?? false
            let last = isMore ? furthest : nil
            state.cursor = last.map { .init(kind: $0.kind, share: $0.company ?? .zero) } ?? .init()
            if isFull || !isLimited { state.mayHaveMore = true }
            state.isByShare = false
            return
        }
        state.isByShare = isFull
        if isFull { state.mayHaveMore = true }
        for claim in claimed {
            let mark = isFull ? claim.wasDueAt : claim.wasDueAt - JobLimits.markSlack
            state.marks[claim.priority] = max(state.marks[claim.priority], mark)
        }
    }

    // MARK: attempts

    /// Those of the ready that have room to run.
    private static func beginning(_ state: inout State) -> [Ready] {
        var begun: [Ready] = []
        while state.running < state.concurrency, let next = state.ready.popLast() {
            state.running += 1
            begun.append(next)
        }
        return begun
    }

    private func begin(_ ready: Ready) {
        let task = Task { await attempt(ready.job, ready.arguments) }
        let isOver = state.withLock { state in
            state.held[ready.job.id]?.task = task
            return ready.job.isCancelled
        }
        if isOver { task.cancel() }
    }

    private func attempt(_ job: Job, _ arguments: String) async {
        let begun = EventLoop.monotonicNanoseconds()
        let (ending, outcome) = await end(of: job, arguments)
        let took = Double(EventLoop.monotonicNanoseconds() - begun)
        engine.figures.finished(job.kind, outcome)
        let (next, mustWake) = state.withLock { state -> ([Ready], Bool) in
            state.nanoseconds = state.nanoseconds.map { $0 * 0.95 + took * 0.05 } ?? took
            state.running -= 1
            state.held[job.id]?.task = nil
            // What another worker has taken over is its own to settle.
            if job.isLost { state.held[job.id] = nil } else { state.endings.append(ending) }
            let next = Self.beginning(&state)
            return (next, state.endings.count == 1 || state.running == 0 || job.isLost)
        }
        for ready in next { begin(ready) }
        if mustWake { pulse.beat() }
    }

    private func end(of job: Job, _ arguments: String) async -> (Ending, outcome: String) {
        guard let handler = handlers[job.kind] else {
            return (
                failure(job, JobFailure.passing("nobody here knows this kind of job"), .standard), "failed"
            )
        }
        do {
            let parsed = try JSON.parse(arguments)
            let outcome = try await handler.run(parsed, job)
            return try settle(job, outcome)
        } catch {
            if job.isCancelled {
                return (
                    .cancelled(.init(id: job.id, claim: job.claim, text: "cancelled while it ran")),
                    "cancelled"
                )
            }
            if error is CancellationError && job.isStopping { return (putBack(job), "put_back") }
            let ending = failure(job, error, handler.traits.backoff)
            if case .dead = ending { return (ending, "dead") }
            return (ending, "failed")
        }
    }

    private func settle(_ job: Job, _ outcome: JobOutcome) throws -> (Ending, outcome: String) {
        switch outcome {
        case .done:
            return (.done(job.id, job.claim), "done")
        case .result(let json):
            let text = try JobText.json(json, bytesMax: JobLimits.resultBytesMax)
            return (.result(.init(id: job.id, claim: job.claim, text: text)), "done")
        case .cancelled(let reason):
            let text = JobText.plain(reason, bytesMax: JobLimits.errorBytesMax)
            return (.cancelled(.init(id: job.id, claim: job.claim, text: text)), "cancelled")
        case .again(let at, let error):
            if job.isCancelled {
                return (.cancelled(.init(id: job.id, claim: job.claim, text: nil)), "cancelled")
            }
            guard let error else {
                return (.retry(.init(id: job.id, claim: job.claim, dueAt: at, error: nil)), "again")
            }
            let entry = engine.entry(job, JobFailure.passing(error))
            if job.attempt >= job.attemptsMax {
                return (.dead(.init(id: job.id, claim: job.claim, text: entry)), "dead")
            }
            return (.retry(.init(id: job.id, claim: job.claim, dueAt: at, error: entry)), "failed")
        }
    }

    private func failure(_ job: Job, _ error: any Error, _ backoff: Backoff) -> Ending {
        engine.log.warning(
            "a job failed",
            metadata: [
                "job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)",
                "error": "\(String(reflecting: error))",
            ])
        let entry = engine.entry(job, error)
        let isPermanent = (error as? JobFailure)?.isPermanent ?? false
        if isPermanent || job.attempt >= job.attemptsMax {
            return .dead(.init(id: job.id, claim: job.claim, text: entry))
        }
        let dueAt = Timestamp.now + backoff.pause(afterAttempt: job.attempt)
        return .retry(.init(id: job.id, claim: job.claim, dueAt: dueAt, error: entry))
    }

    private func putBack(_ job: Job) -> Ending {
        .retry(.init(id: job.id, claim: job.claim, dueAt: .now, error: nil))
    }

    /// The kinds here that one company may have only so many of.
    var limitedKinds: [String] { zip(kinds, maxes).filter { $1 > 0 }.map(\.0) }

    // MARK: leases

    /// The jobs whose lease should be renewed by now.
    func beatsDue(_ now: UInt64) -> [Held] {
        state.withLock { state in
            state.held.values.filter { now &- $0.beatAt >= UInt64($0.leaseSeconds) * 1_000_000_000 / 3 }
        }
    }

    /// The leases asked about at `askedAt`: those in `kept` hold on, the others are another worker's now.
    func beaten(_ asked: [Held], kept: Set<UUID>, askedAt: UInt64) {
        for held in asked {
            let id = held.job.id
            if kept.contains(id) {
                state.withLock { $0.held[id]?.beatAt = askedAt }
            } else {
                lose(id, held.job.claim)
            }
        }
    }

    /// Gives up what could not be renewed for a whole lease: another worker may have it by now.
    func loseLapsed(_ now: UInt64) {
        let lapsed = state.withLock { state in
            state.held.values.filter { now &- $0.beatAt >= UInt64($0.leaseSeconds) * 1_000_000_000 }
        }
        for held in lapsed { lose(held.job.id, held.job.claim) }
    }

    private func lose(_ id: UUID, _ claim: Int) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard let held = state.held[id], held.job.claim == claim else { return nil }
            // Settled in the meantime, or about to be: the fence decides that.
            if state.endings.contains(where: { $0.id == id }) { return nil }
            held.job.markLost()
            if let at = state.ready.firstIndex(where: { $0.job.id == id }) {
                state.ready.remove(at: at)
                state.held[id] = nil
            }
            return held.task
        }
        task?.cancel()
    }

    /// Somebody wants this job to end.
    func cancel(_ id: UUID) {
        let task = state.withLock { state -> Task<Void, Never>? in
            state.held[id]?.job.markCancelled()
            return state.held[id]?.task
        }
        task?.cancel()
    }

    /// What is claimed and has not begun goes back at once.
    private func release() {
        state.withLock { state in
            for ready in state.ready { state.endings.append(putBack(ready.job)) }
            state.ready = []
        }
    }

    /// The time to finish by oneself is over.
    func cancelAll() {
        let tasks = state.withLock { $0.held.values.compactMap(\.task) }
        for task in tasks { task.cancel() }
    }
}
