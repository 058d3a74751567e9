import Synchronization

/// Figures of the background work of this process, for /metrics.
public final class WorkFigures: Sendable {
    public struct Outcome: Hashable, Sendable {
        public let kind: String
        public let outcome: String
    }

    private struct State {
        var available = 0
        var oldestSeconds = 0.0
        var finished: [Outcome: Int] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// Jobs that are due and wait, as last looked at.
    public var available: Int { state.withLock { $0.available } }
    /// How long the first of them has been due.
    public var oldestSeconds: Double { state.withLock { $0.oldestSeconds } }
    public var finished: [Outcome: Int] { state.withLock { $0.finished } }

    func waiting(_ count: Int, oldestSeconds: Double) {
        state.withLock { ($0.available, $0.oldestSeconds) = (count, oldestSeconds) }
    }

    func finished(_ kind: String, _ outcome: String) {
        state.withLock { $0.finished[Outcome(kind: kind, outcome: outcome), default: 0] += 1 }
    }
}
