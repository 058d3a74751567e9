import Synchronization
import Wire

/// How far companies are from their limits, as last counted, so that not every insert has to count.
///
/// Far from a limit an instance makes a few rows without counting; whoever counts waits for those under way, by a lock of
/// the company and the limit. Within the last hundred each row is counted under that lock, so the limit is kept to the row.
/// Only a company that makes those hundred rows on other instances while one still has rows to make uncounted, two
/// seconds at most, could overrun it.
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
    /// The last rows before the limit are counted one by one.
    private static let countedLast = 100
    /// So many instances may count at one moment and each make its share, and the last hundred are still untouched.
    private static let instances = 16
    private static let leftMax = 100
    private static let keptNanoseconds: UInt64 = 2_000_000_000

    /// Whether one more may be made without counting.
    func take(_ key: Key, now: UInt64) -> Bool {
        rooms.withLock { rooms in
            guard let room = rooms[key], room.left > 0, now < room.end else { return false }
            rooms[key]?.left -= 1
            return true
        }
    }

    func learn(_ key: Key, left: Int, now: UInt64) {
        let share = min((left - Self.countedLast) / Self.instances, Self.leftMax)
        rooms.withLock { rooms in
            if rooms.count >= Self.keptMax { rooms.removeAll(keepingCapacity: true) }
            rooms[key] = share > 0 ? Room(left: share, end: now + Self.keptNanoseconds) : nil
        }
    }
}
