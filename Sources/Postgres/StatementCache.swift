import Glibc
import Synchronization

/// A statement the server keeps prepared on one connection.
final class Statement {
    let text: String
    /// A C string, unique in the process: behind a pooler a name must never mean two texts.
    let name: UnsafeMutablePointer<CChar>
    /// The types of its parameters, once the server has told them.
    var parameterTypes: [UInt32] = []
    var shape: RowShape?
    var isReady = false
    /// Why it could not be prepared.
    var failure: DatabaseError?
    fileprivate(set) var lastUse = 0

    private static let counter = Atomic<Int>(0)
    private static let processMark = String(UInt32.random(in: 0...UInt32.max), radix: 36)

    init(text: String) {
        self.text = text
        name = strdup("i\(Self.processMark)_\(Self.counter.wrappingAdd(1, ordering: .relaxed).newValue)")
    }

    deinit { free(name) }
}

/// The prepared statements of one connection by their text; the one not used for longest makes room.
struct StatementCache {
    private var statements: [String: Statement] = [:]
    private var clock = 0

    mutating func find(_ text: String) -> Statement? {
        guard let statement = statements[text] else { return nil }
        clock += 1
        statement.lastUse = clock
        return statement
    }

    /// Adds a statement; what had to make room for it comes back, to be deallocated.
    mutating func add(_ statement: Statement) -> Statement? {
        clock += 1
        statement.lastUse = clock
        var evicted: Statement?
        if statements.count >= DatabaseLimits.preparedStatements,
            let oldest = statements.values.min(by: { $0.lastUse < $1.lastUse })
        {
            evicted = statements.removeValue(forKey: oldest.text)
        }
        statements[statement.text] = statement
        return evicted
    }

    mutating func remove(_ statement: Statement) {
        if statements[statement.text] === statement { statements[statement.text] = nil }
    }
}
