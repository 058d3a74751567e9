import CLibPQ
import Loop

/// What a listener is told.
public enum ListenEvent: Sendable, Equatable {
    /// From here on everything is told; what was sent before may have been missed, so look for yourself. Comes first,
    /// after every loss of the connection, and again and again while there is none.
    case mayHaveMissed
    case notification(channel: String, payload: String)
}

/// The connection that hears NOTIFY, for all who listen to this database.
// @unchecked Sendable: touched on its loop's thread alone.
final class Listener: @unchecked Sendable {
    private typealias Stream = AsyncStream<ListenEvent>.Continuation

    private struct Subscriber {
        let channel: String
        let stream: Stream
        /// An event found no room.
        var owesGap = false
    }

    private let lane: Lane
    private let habits: Habits
    private var pipeline: Pipeline?
    private var subscribers: [Int: Subscriber] = [:]
    private var heard: Set<String> = []
    private var lastId = 0
    private var beat: LoopTimer?
    private var isClosed = false

    init(lane: Lane, habits: Habits) {
        self.lane = lane
        self.habits = habits
    }

    func subscribe(_ channel: String, _ stream: AsyncStream<ListenEvent>.Continuation) {
        if isClosed { return stream.finish() }
        lastId += 1
        let id = lastId
        subscribers[id] = Subscriber(channel: channel, stream: stream)
        stream.onTermination = { [self] _ in lane.perform { [self] in unsubscribe(id) } }
        start()
        if pipeline?.isUp == true { listen(to: channel) }
    }

    private func unsubscribe(_ id: Int) {
        guard let gone = subscribers.removeValue(forKey: id) else { return }
        guard heard.contains(gone.channel),
            !subscribers.values.contains(where: { $0.channel == gone.channel })
        else { return }
        heard.remove(gone.channel)
        run("UNLISTEN \(Self.quoted(gone.channel))") { _ in }
    }

    private func start() {
        guard beat == nil else { return }
        beat = lane.loop.timer { [weak self] in self?.heartbeat() }
        beat?.arm(after: DatabaseLimits.listenBeat)
        guard let target = lane.configuration.listenTarget else { return }
        let pipeline = Pipeline(
            loop: lane.loop, dialer: lane.dialer, target: target, habits: habits, statistics: lane.statistics)
        pipeline.connected = { [weak self] in self?.connected($0) }
        self.pipeline = pipeline
        pipeline.start()
    }

    private func connected(_ connection: Connection) {
        connection.notified = { [weak self] in self?.tell(channel: $0, payload: $1) }
        heard = []
        for channel in Set(subscribers.values.map(\.channel)) { listen(to: channel) }
    }

    private func listen(to channel: String) {
        if heard.contains(channel) { return tellGap(on: channel) }
        heard.insert(channel)
        run("LISTEN \(Self.quoted(channel))") { [weak self] isDone in
            if isDone { self?.tellGap(on: channel) } else { self?.heard.remove(channel) }
        }
    }

    private func run(_ text: String, _ done: @escaping (Bool) -> Void) {
        let now = lane.loop.now
        pipeline?.submit(
            Request(
                statements: [SQL(fixed: text, bound: [])], started: now,
                deadline: now &+ lane.configuration.statementDeadline.nanoseconds,
                reply: .call { done(!$0.isFailure) }))
    }

    /// Without a connection the listeners look for themselves; with one, a question shows whether it still lives.
    private func heartbeat() {
        if isClosed { return }
        if pipeline?.isUp == true {
            run("SELECT 1") { _ in }
            for id in subscribers.keys { settleGap(id) }
        } else {
            for channel in Set(subscribers.values.map(\.channel)) { tellGap(on: channel) }
        }
        beat?.arm(after: DatabaseLimits.listenBeat)
    }

    private func tell(channel: String, payload: String) {
        for (id, subscriber) in subscribers where subscriber.channel == channel {
            settleGap(id)
            if case .dropped = subscriber.stream.yield(.notification(channel: channel, payload: payload)) {
                subscribers[id]?.owesGap = true
            }
        }
    }

    private func tellGap(on channel: String) {
        for (id, subscriber) in subscribers where subscriber.channel == channel {
            subscribers[id]?.owesGap = true
            settleGap(id)
        }
    }

    private func settleGap(_ id: Int) {
        guard let subscriber = subscribers[id], subscriber.owesGap else { return }
        if case .enqueued = subscriber.stream.yield(.mayHaveMissed) { subscribers[id]?.owesGap = false }
    }

    private static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    func close() {
        isClosed = true
        beat?.disarm()
        beat = nil
        pipeline?.close()
        let subscribers = subscribers.values
        self.subscribers = [:]
        for subscriber in subscribers { subscriber.stream.finish() }
    }
}

extension DatabaseConfiguration {
    /// Nil when the only way leads through a pooler, which swallows LISTEN without a word.
    var listenTarget: Target? {
        guard let url = listenURL ?? (isPooled ? nil : self.url) else { return nil }
        return Target(url: url, isPooled: false, role: nil, applicationName: "\(applicationName) listen")
    }
}

extension Database {
    /// What is sent to `channel` by NOTIFY, as long as the stream is read.
    ///
    /// A hint, never a promise: `mayHaveMissed` says when to look at the tables. A reader that falls far behind is told
    /// that as well, instead of what it missed.
    public func listen(_ channel: String) -> AsyncStream<ListenEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ListenEvent.self, bufferingPolicy: .bufferingOldest(DatabaseLimits.listenBuffer))
        lanes[0].perform { [listener] in listener.subscribe(channel, continuation) }
        return stream
    }

    /// Tells everyone who listens to `channel`. Within a transaction: `tx.notify`, told when it commits.
    public func notify(_ channel: String, _ payload: String = "") async throws(DatabaseError) {
        _ = try await query("SELECT pg_notify(\(channel), \(payload))")
    }
}

extension Transaction {
    /// Tells everyone who listens to `channel`, once the transaction has been committed.
    public func notify(_ channel: String, _ payload: String = "") async throws(DatabaseError) {
        _ = try await query("SELECT pg_notify(\(channel), \(payload))")
    }
}
