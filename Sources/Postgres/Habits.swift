import Synchronization

/// What the connections of one database have in common.
final class Habits: Sendable {
    let catalogue = TypeCatalogue()
    private let preparing: Atomic<Bool>

    init(prepares: Bool) { preparing = Atomic(prepares) }

    var prepares: Bool { preparing.load(ordering: .relaxed) }

    /// Behind a pooler that keeps no prepared statements, every statement is sent whole from now on.
    func stopPreparing() { preparing.store(false, ordering: .relaxed) }
}

extension Duration {
    var nanoseconds: UInt64 {
        let (seconds, atto) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, atto)) / 1_000_000_000
    }

    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
