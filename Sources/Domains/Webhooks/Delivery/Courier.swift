import API
import Core
import Logging
import Loop
import Postgres
import Wire

/// Delivers webhooks for as long as the process works: takes lanes that are due, and runs each until it is empty.
// @unchecked Sendable: made and used on one loop's thread alone.
final class Courier: @unchecked Sendable {
    let work: Work
    let parts: WebhookParts
    let loop: EventLoop
    var log: Logger { work.log }

    private let holder = UUID.v7()
    private let bell: Bell
    private var lanes: [UUID: LaneRun] = [:]
    private var inFlight = 0
    private var waitingForRoom: [LaneRun] = []
    private var leaseEnds: UInt64 = 0
    private(set) var isEnding = false
    private var hasEnded = false

    static let worker = Worker("webhooks", every: .seconds(1)) { work in
        guard let loop = EventLoop.current else { preconditionFailure("workers run on loops") }
        await Courier(work, loop).run()
        return .idle
    }

    init(_ work: Work, _ loop: EventLoop) {
        self.work = work
        self.loop = loop
        parts = work.environment[WebhookParts.self]
        bell = Bell(loop)
    }

    /// Until the process is told to stop.
    private func run() async {
        let listening = loop.task { [self] in
            for await _ in work.database.listen(Lanes.channel) { bell.ring() }
        }
        let beating = loop.task { [self] in await beat() }
        while !work.isStopping {
            do {
                try await takeLanes()
                await bell.wait(upTo: WebhookLimits.poll)
            } catch {
                log.warning(
                    "webhook deliveries cannot be looked for",
                    metadata: ["error": "\(String(reflecting: error))"])
                await bell.wait(upTo: .seconds(1))
            }
        }
        await end()
        listening.cancel()
        beating.cancel()
    }

    private func takeLanes() async throws {
        let room = WebhookLimits.lanesHeld - lanes.count
        guard room > 0, hasRoom else { return }
        // Read before the statement is sent, so that the lease is never thought longer than it is.
        let asked = loop.now
        let held = try await Lanes.claim(room, for: holder, besides: Array(lanes.keys), work.database)
        if lanes.isEmpty { leaseEnds = asked + UInt64(WebhookLimits.leaseSeconds) * 1_000_000_000 }
        for lane in held {
            let run = LaneRun(lane, self)
            lanes[lane.endpoint] = run
            loop.task { [self] in
                let isDue = await run.run()
                lanes[lane.endpoint] = nil
                if isDue || isEnding { bell.ring() }
            }
        }
    }

    /// Keeps the leases; when that fails for too long, the lanes are another's.
    private func beat() async {
        let pace = Bell(loop)
        defer { pace.end() }
        while !hasEnded {
            await pace.wait(upTo: WebhookLimits.beat)
            guard !lanes.isEmpty else { continue }
            let asked = loop.now
            do {
                let asking = Array(lanes.keys)
                let kept = try await Lanes.beat(asking, for: holder, work.database)
                for lost in Set(asking).subtracting(kept) { lanes[lost]?.lose() }
                leaseEnds = asked + UInt64(WebhookLimits.leaseSeconds) * 1_000_000_000
            } catch {
                log.warning(
                    "webhook lanes cannot be kept", metadata: ["error": "\(String(reflecting: error))"])
            }
        }
    }

    /// Lets what is under way finish for a while, and gives the lanes back.
    private func end() async {
        isEnding = true
        for lane in lanes.values { lane.wakeUp() }
        let patience = loop.now + UInt64(WebhookLimits.grace.components.seconds) * 1_000_000_000
        while !lanes.isEmpty, loop.now < patience { await bell.wait(upTo: .milliseconds(100)) }
        // Told as cancelled, they leave no trace, and their lanes are given back with them due.
        if !lanes.isEmpty { parts.client.cancelPosts() }
        let last = loop.now + UInt64(WebhookLimits.grace.components.seconds) * 1_000_000_000
        while !lanes.isEmpty, loop.now < last { await bell.wait(upTo: .milliseconds(100)) }
        hasEnded = true
        bell.end()
    }

    /// Whether the lanes are still this process's.
    var holdsLanes: Bool { !hasEnded && loop.now < leaseEnds }

    // MARK: what the lanes share

    var hasRoom: Bool { inFlight < WebhookLimits.inFlight }
    func began() { inFlight += 1 }

    func finished() {
        inFlight -= 1
        while hasRoom, let next = waitingForRoom.popLast() { next.start() }
    }

    func waitForRoom(_ lane: LaneRun) {
        if !waitingForRoom.contains(where: { $0 === lane }) { waitingForRoom.insert(lane, at: 0) }
    }

    func later(_ lane: LaneRun, at time: UInt64) {
        let timer = loop.timer { lane.start() }
        timer.arm(at: time)
    }

    /// For /metrics.
    func wrote(_ results: [AttemptResult]) {
        for result in results { parts.figures?.with(result.outcome.rawValue).add(on: loop) }
    }
}
