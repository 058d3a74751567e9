import Synchronization

/// Figures of the background work of this process, for /metrics.
public final class WorkFigures: Sendable {
    public struct Outcome: Hashable, Sendable {
        public let kind: String
        public let outcome: String
    }

    private struct State {
        var waiting: [String: (count: Int, oldestSeconds: Double)] = [:]
        var finished: [Outcome: Int] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// For each queue the jobs that are due and wait, as last looked at, and how long the first has been due.
    public var waiting: [String: (count: Int, oldestSeconds: Double)] { state.withLock { $0.waiting } }
    public var finished: [Outcome: Int] { state.withLock { $0.finished } }

    func waiting(in queue: String, _ count: Int, oldestSeconds: Double) {
        state.withLock { $0.waiting[queue] = (count, oldestSeconds) }
    }

    func finished(_ kind: String, _ outcome: String) {
        state.withLock { $0.finished[Outcome(kind: kind, outcome: outcome), default: 0] += 1 }
    }
}
