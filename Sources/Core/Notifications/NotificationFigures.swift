import Synchronization

/// How many notifications this process has sent by each channel, and how that went, for /metrics.
public final class NotificationFigures: Sendable {
    public static let here = NotificationFigures()

    public struct Way: Hashable, Sendable {
        public let channel: String
        public let outcome: String
    }

    private let counts = Mutex<[Way: Int]>([:])

    public init() {}

    public func count(_ channel: String, _ outcome: String, _ number: Int = 1) {
        counts.withLock { $0[Way(channel: channel, outcome: outcome), default: 0] += number }
    }

    public var all: [Way: Int] { counts.withLock { $0 } }
}
