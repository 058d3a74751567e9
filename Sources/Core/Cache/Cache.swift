import Loop
import Synchronization
import Wire

/// Values kept in memory for a while, each for one company and no other.
///
/// The company is part of every key by type: a value cannot be read but by naming whose it is. It is bounded in size
/// and time, a missing value is fetched once however many ask for it, and what changes is dropped on every instance
/// through `CacheNews`. A value fetched while its topic changed is given to those who waited, and not kept.
public final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Place: Hashable {
        let company: UUID
        let key: Key
    }

    private struct Entry {
        let value: Value
        let goodUntil: UInt64
    }

    private struct State {
        var entries: [Place: Entry] = [:]
        var fetches: [Place: Task<Value, any Error>] = [:]
        /// Raised by every drop: what was fetched before one may be stale.
        var drops = 0
        var hits = 0
        var misses = 0
    }

    public let topic: String
    private let sizeMax: Int
    private let lifeNanoseconds: UInt64
    private let state = Mutex(State())

    /// - Parameter topic: what `CacheNews` calls the changes of these values.
    public init(_ topic: String, sizeMax: Int, life: Duration, news: CacheNews) {
        self.topic = topic
        self.sizeMax = sizeMax
        let (seconds, atto) = life.components
        lifeNanoseconds = UInt64(seconds) * 1_000_000_000 + UInt64(atto / 1_000_000_000)
        news.listen { [weak self] change in
            guard let self else { return }
            guard let change else { return self.drop(company: nil) }
            if change.topic == self.topic { self.drop(company: change.company) }
        }
    }

    /// The value if it is here, without waiting.
    public func known(_ key: Key, company: UUID) -> Value? {
        let place = Place(company: company, key: key)
        let now = EventLoop.monotonicNanoseconds()
        return state.withLock { state in
            guard let entry = state.entries[place], entry.goodUntil > now else { return nil }
            state.hits += 1
            return entry.value
        }
    }

    /// The value, fetched when it is not here; those who ask meanwhile wait for the same fetch.
    public func value(
        _ key: Key, company: UUID, fetch: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        if let value = known(key, company: company) { return value }
        let place = Place(company: company, key: key)
        let task = state.withLock { state -> Task<Value, any Error> in
            state.misses += 1
            if let task = state.fetches[place] { return task }
            let drops = state.drops
            let task = Task { [self] in
                let result = await Result(catching: fetch)
                settle(place, result, asOf: drops)
                return try result.get()
            }
            state.fetches[place] = task
            return task
        }
        return try await task.value
    }

    private func settle(_ place: Place, _ result: Result<Value, any Error>, asOf drops: Int) {
        let goodUntil = EventLoop.monotonicNanoseconds() &+ lifeNanoseconds
        state.withLock { state in
            // After a drop those who come later fetch anew, perhaps already do: that one is theirs to settle.
            guard state.drops == drops else { return }
            state.fetches[place] = nil
            guard case .success(let value) = result else { return }
            if state.entries.count >= sizeMax { makeRoom(&state) }
            state.entries[place] = Entry(value: value, goodUntil: goodUntil)
        }
    }

    /// What is over goes first; when that is not enough, half of the rest, whichever it is.
    private func makeRoom(_ state: inout State) {
        let now = EventLoop.monotonicNanoseconds()
        state.entries = state.entries.filter { $0.value.goodUntil > now }
        guard state.entries.count >= sizeMax else { return }
        for place in state.entries.keys.prefix(state.entries.count / 2 + 1) { state.entries[place] = nil }
    }

    private func drop(company: UUID?) {
        state.withLock { state in
            state.drops += 1
            state.fetches = [:]
            guard let company else { return state.entries.removeAll(keepingCapacity: true) }
            state.entries = state.entries.filter { $0.key.company != company }
        }
    }

    public var figures: (entries: Int, hits: Int, misses: Int) {
        state.withLock { ($0.entries.count, $0.hits, $0.misses) }
    }
}

extension Result where Failure == any Error {
    fileprivate init(catching body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
