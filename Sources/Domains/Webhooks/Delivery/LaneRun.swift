import Core
import Logging
import Loop
import Outbound
import Postgres
import Wire

/// The deliveries to one endpoint while this process holds its lane: a few at a time, each result written down as soon
/// as the one before it is.
// @unchecked Sendable: made and used on its courier's loop alone.
final class LaneRun: @unchecked Sendable {
    let lane: Lanes.Held
    private let courier: Courier
    private let bell: Bell

    private var target: Target?
    private var queue: [Delivery] = []
    private var underWay: Set<UUID> = []
    private var results: [AttemptResult] = []
    private var mayHaveMore = true

    private var firstFailureAt: Timestamp?
    private var slowSteps: Int
    private var hasNewState = false
    private var pause: Duration = .zero
    /// Set when the endpoint is to be disabled, or is already.
    private var ending: Ending?
    private var nextStart: UInt64 = 0
    private var isLost = false

    private enum Ending { case gone, failing, inactive, deleted }

    init(_ lane: Lanes.Held, _ courier: Courier) {
        self.lane = lane
        self.courier = courier
        bell = Bell(courier.loop)
        firstFailureAt = lane.firstFailureAt
        slowSteps = lane.slowSteps
    }

    /// Runs until there is nothing to do; true when something is due again at once.
    func run() async -> Bool {
        defer { over() }
        while courier.holdsLanes, !isLost {
            let isLast = mustRest && underWay.isEmpty
            if !results.isEmpty || wantsMore || isLast {
                do {
                    let isDue = try await turn(isLast: isLast)
                    if isLast { return isDue }
                } catch {
                    courier.log.warning(
                        "webhook deliveries cannot be written down",
                        metadata: ["error": "\(String(reflecting: error))"])
                    await bell.wait(upTo: .seconds(1))
                }
                continue
            }
            await bell.wait(upTo: underWay.isEmpty ? .seconds(1) : WebhookLimits.look)
            if queue.isEmpty, !mustRest { mayHaveMore = true }
        }
        // The lease is over or the process ends; what is under way is sent again by whoever takes the lane.
        return false
    }

    /// The lane has become another's.
    func lose() {
        isLost = true
        bell.ring()
    }

    private func over() {
        isLost = true
        queue = []
        bell.end()
    }

    /// Nothing more is to be started.
    private var mustRest: Bool {
        isLost || ending != nil || pause > .zero || courier.isEnding
            || (queue.isEmpty && !mayHaveMore && underWay.isEmpty)
    }

    private var wantsMore: Bool {
        mayHaveMore && queue.isEmpty && !mustRest && underWay.count < WebhookLimits.inFlightPerEndpoint
    }

    /// One trip to the database.
    private func turn(isLast: Bool) async throws -> Bool {
        var turn = Lanes.Turn()
        turn.results = results
        turn.url = target?.url ?? ""
        if hasNewState { turn.state = (firstFailureAt, slowSteps) }
        if wantsMore {
            turn.reads = WebhookLimits.readAtOnce
            turn.underWay = Array(underWay) + results.map(\.delivery.message.uuid)
        }
        if isLast, ending == nil { turn.release = pause }
        results = []
        hasNewState = false
        do {
            let answer = try await Lanes.take(turn, of: lane, courier.work.database)
            courier.wrote(turn.results)
            if turn.reads > 0 { try accept(answer) }
            if isLast, let ending {
                try await end(ending)
                return false
            }
            return answer.isDue
        } catch {
            results = turn.results + results
            if turn.state != nil { hasNewState = true }
            throw error
        }
    }

    private func accept(_ answer: Lanes.Answer) throws {
        guard let row = answer.target?.first else { return ending = .deleted }
        target = try Target(row, of: lane.endpoint, courier.parts.ring)
        guard target?.isActive == true else { return ending = .inactive }
        queue =
            try (answer.due ?? nil)?.map { try Delivery($0, publicURL: courier.parts.publicURL) }.reversed()
            ?? []
        mayHaveMore = queue.count == WebhookLimits.readAtOnce
        start()
    }

    private func end(_ ending: Ending) async throws {
        switch ending {
        case .gone: try await Disabling.disable(lane, .gone, courier.work)
        case .failing: try await Disabling.disable(lane, .failing, courier.work)
        case .inactive: try await Disabling.clear(lane, courier.work.database)
        case .deleted: try await Disabling.forget(lane, courier.work.database)
        }
    }

    /// Starts what may be started now.
    func start() {
        while !mustRest, underWay.count < WebhookLimits.inFlightPerEndpoint, let target, !queue.isEmpty {
            guard courier.hasRoom else { return courier.waitForRoom(self) }
            if let rate = target.throttlePerSecond {
                let now = EventLoop.monotonicNanoseconds()
                if now < nextStart { return courier.later(self, at: nextStart) }
                nextStart = max(nextStart, now) + 1_000_000_000 / UInt64(rate)
            }
            send(queue.removeLast(), to: target)
        }
        if queue.isEmpty, mayHaveMore { bell.ring() }
    }

    private func send(_ delivery: Delivery, to target: Target) {
        underWay.insert(delivery.message.uuid)
        courier.began()
        let now = Timestamp.now
        let signed = SignedMessage(
            id: delivery.message.text, seconds: now.seconds, body: delivery.body, target.secrets)
        let post = Post(
            target.url, headers: [("content-type", "application/json")] + signed.headers + target.headers,
            body: delivery.body, deadline: WebhookLimits.deadline, keptBytes: WebhookLimits.responseBytesKept)
        courier.parts.client.send(post) { [self] outcome in
            underWay.remove(delivery.message.uuid)
            courier.finished()
            // Broken off by ourselves: nothing is known about it, so it is as if it had not been begun.
            if case .failure(.cancelled) = outcome.result { return bell.ring() }
            ended(AttemptResult(delivery, outcome, at: now, slowSteps: slowSteps + 1))
        }
    }

    private func ended(_ result: AttemptResult) {
        results.append(result)
        if result.outcome == .delivered {
            if firstFailureAt != nil || slowSteps > 0 { hasNewState = true }
            firstFailureAt = nil
            slowSteps = 0
        } else {
            if firstFailureAt == nil { hasNewState = true }
            let first = firstFailureAt ?? result.at
            firstFailureAt = first
            if let wished = result.pause {
                slowSteps += 1
                hasNewState = true
                pause = max(pause, wished)
            }
            if result.isGone {
                ending = .gone
            } else if result.at - first >= .seconds(WebhookLimits.failingSeconds) {
                ending = .failing
            }
            if mustRest { queue = [] }
        }
        start()
        bell.ring()
    }

    func wakeUp() { bell.ring() }
}
