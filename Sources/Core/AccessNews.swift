import Synchronization

/// What this very instance has changed about anybody's rights, told without a detour: a change holds from the next
/// request here, before the database's notification comes back.
public final class AccessNews: Sendable {
    public static let here = AccessNews()

    private struct Log {
        /// The number of the first change still kept.
        var first = 0
        var changes: [AccessChange] = []
    }

    private let log = Mutex(Log())
    private let count = Atomic<Int>(0)

    /// More than a cache can fall behind between two of its looks; one that did forgets everything.
    private static let kept = 4096

    public init() {}

    /// How many changes there have been. Reading it costs next to nothing: caches ask before every use.
    public var version: Int { count.load(ordering: .acquiring) }

    public func announce(_ change: AccessChange) {
        log.withLock { log in
            log.changes.append(change)
            if log.changes.count > Self.kept * 2 {
                log.first += Self.kept
                log.changes.removeFirst(Self.kept)
            }
            count.store(log.first + log.changes.count, ordering: .releasing)
        }
    }

    /// The changes after `version`, or nil when some of them are no longer known.
    public func since(_ version: Int) -> (changes: ArraySlice<AccessChange>?, version: Int) {
        log.withLock { log in
            let now = log.first + log.changes.count
            return (version < log.first ? nil : log.changes[(version - log.first)...], now)
        }
    }
}
