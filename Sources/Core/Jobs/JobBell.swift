import Postgres
import Synchronization

/// What may be worth a look: a channel of NOTIFY and what is said on it.
struct Hint: Hashable, Sendable {
    let channel: String
    let payload: String
}

/// Tells the workers that there is something new: those of this process at once, the others by NOTIFY when nobody here
/// has a hand free. One notification at a time is on its way; what comes meanwhile goes with the next.
///
/// It rings after the commit: PostgreSQL lets transactions that notify commit only one after another, which is no price
/// for a hint.
final class JobBell: Sendable {
    static let here = JobBell()

    /// Whoever may take work: true when it has a hand free for it.
    typealias Ear = @Sendable (Hint) -> Bool

    private struct State {
        var lastId = 0
        var ears: [Int: Ear] = [:]
        var databases: [Int: Database] = [:]
        var waiting: Set<Hint> = []
        var isTelling = false
    }

    private let state = Mutex(State())

    /// Until `remove`, other processes are told by this database.
    func add(_ database: Database, ear: Ear? = nil) -> Int {
        state.withLock { state in
            state.lastId += 1
            state.ears[state.lastId] = ear
            state.databases[state.lastId] = database
            return state.lastId
        }
    }

    func remove(_ id: Int) {
        state.withLock { state in
            state.ears[id] = nil
            state.databases[id] = nil
        }
    }

    func ring(_ hint: Hint) {
        let ears = state.withLock { Array($0.ears.values) }
        var isTaken = false
        for ear in ears where ear(hint) { isTaken = true }
        if isTaken { return }
        let begins = state.withLock { state in
            if state.databases.isEmpty { return false }
            state.waiting.insert(hint)
            defer { state.isTelling = true }
            return !state.isTelling
        }
        if begins { Task { await tell() } }
    }

    private func tell() async {
        while true {
            let (hints, databases) = state.withLock { state -> (Set<Hint>, [Database]) in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isTelling = false }
                return (state.waiting, Array(state.databases.values))
            }
            if hints.isEmpty { return }
            for database in databases {
                for hint in hints { try? await database.notify(hint.channel, hint.payload) }
            }
            try? await Task.sleep(for: JobLimits.tellPause)
        }
    }
}

/// Lets what a process that serves records be noticed at once by the processes that work.
public final class JobTelling: Sendable {
    private let id: Int

    public init(_ database: Database) { id = JobBell.here.add(database) }
    public func stop() { JobBell.here.remove(id) }
}
