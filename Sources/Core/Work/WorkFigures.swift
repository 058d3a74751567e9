import Synchronization

/// Figures of the background work of this process, for /metrics.
public final class WorkFigures: Sendable {
    public struct Outcome: Hashable, Sendable {
        public let kind: String
        public let outcome: String
    }

    /// What waits: how many, and how long the first has been due.
    public struct Waiting: Sendable {
        public let count: Int
        public let oldestSeconds: Double
    }

    private struct State {
        var queues: [String: Waiting] = [:]
        var mail: Waiting?
        var events: [String: Waiting] = [:]
        var finished: [Outcome: Int] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// For each queue the jobs that are due, as last looked at; the mails among them.
    public var waiting: [String: Waiting] {
        state.withLock { state in
            var all = state.queues
            all["mail"] = state.mail
            return all
        }
    }
    /// For each reaction the events it has still to be told of.
    public var events: [String: Waiting] { state.withLock { $0.events } }
    public var finished: [Outcome: Int] { state.withLock { $0.finished } }

    func waiting(inQueues queues: [String: Waiting]) { state.withLock { $0.queues = queues } }
    func waiting(mails: Waiting) { state.withLock { $0.mail = mails } }
    func events(waitingFor reactions: [String: Waiting]) { state.withLock { $0.events = reactions } }

    func finished(_ kind: String, _ outcome: String) {
        state.withLock { $0.finished[Outcome(kind: kind, outcome: outcome), default: 0] += 1 }
    }
}
