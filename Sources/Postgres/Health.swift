import Synchronization

/// Whether a database can be reached.
public enum DatabaseState: Sendable, Equatable {
    case connecting
    case up
    /// The reason is for the operator: it may name hosts.
    case down(reason: String)
}

/// The state of a database as its lanes see it, for anyone to read.
final class Health: Sendable {
    private let states: Mutex<[DatabaseState]>

    init(lanes: Int) { states = Mutex(Array(repeating: .connecting, count: lanes)) }

    func set(_ state: DatabaseState, of lane: Int) { states.withLock { $0[lane] = state } }

    var state: DatabaseState {
        states.withLock { states in
            for case .down(let reason) in states { return .down(reason: reason) }
            return states.contains(.connecting) ? .connecting : .up
        }
    }
}
