import Synchronization
import Wire

/// How far companies are from their limits, as last counted, so that not every insert has to count.
///
/// Half of the room is used without looking again, for ten seconds at most: several instances together overrun a limit
/// by little, and a company near its limit is counted each time.
final class Headroom: Sendable {
    struct Key: Hashable, Sendable {
        let company: UUID
        let problem: ProblemCode
    }

    private struct Room {
        var left: Int
        let end: UInt64
    }

    private let rooms = Mutex<[Key: Room]>([:])

    /// Beyond so many, all is forgotten and counted anew.
    private static let keptMax = 20_000
    private static let leftMax = 100
    private static let keptNanoseconds: UInt64 = 10_000_000_000

    /// Whether one more may be made without counting.
    func take(_ key: Key, now: UInt64) -> Bool {
        rooms.withLock { rooms in
            guard let room = rooms[key], room.left > 0, now < room.end else { return false }
            rooms[key]?.left -= 1
            return true
        }
    }

    func learn(_ key: Key, left: Int, now: UInt64) {
        rooms.withLock { rooms in
            if rooms.count >= Self.keptMax { rooms.removeAll(keepingCapacity: true) }
            rooms[key] = Room(left: min(left / 2, Self.leftMax), end: now + Self.keptNanoseconds)
        }
    }
}
