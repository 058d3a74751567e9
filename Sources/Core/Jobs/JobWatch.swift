import Postgres
import Synchronization
import Wire

/// Tells those who watch a job that it has come further. A hint: they look for themselves every now and then.
public final class JobWatch: Sendable {
    static let channel = "job_progress"

    private struct State {
        var lastId = 0
        var watchers: [UUID: [Int: Pulse]] = [:]
        var ear: Task<Void, Never>?
    }

    private let state = Mutex(State())

    public init() {}

    public func start(_ database: Database) {
        let ear = Task { [weak self] in
            for await event in database.listen(Self.channel) {
                guard case .notification(_, let payload) = event, let id = UUID(payload) else { continue }
                self?.tell(id)
            }
        }
        state.withLock { $0.ear = ear }
    }

    public func stop() { state.withLock { $0.ear }?.cancel() }

    private func tell(_ id: UUID) {
        let pulses = state.withLock { Array(($0.watchers[id] ?? [:]).values) }
        for pulse in pulses { pulse.beat() }
    }

    /// Runs `look` at once and after each hint, at least every so often, until it says that it has seen enough.
    public func follow(_ job: UUID, every pause: Duration, _ look: () async throws -> Bool) async throws {
        let pulse = Pulse()
        let id = state.withLock { state in
            state.lastId += 1
            state.watchers[job, default: [:]][state.lastId] = pulse
            return state.lastId
        }
        defer {
            state.withLock { state in
                state.watchers[job]?[id] = nil
                if state.watchers[job]?.isEmpty == true { state.watchers[job] = nil }
            }
        }
        while try await look() {
            try Task.checkCancellation()
            await pulse.wait(upTo: pause)
        }
    }
}
