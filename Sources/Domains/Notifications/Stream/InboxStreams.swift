import Core
import HTTP
import Logging
import Loop
import Postgres
import Synchronization
import Wire

/// All open streams of this instance. One listener hears of all inboxes; what it does not bring is found by looking at
/// the counters a few times a second, so that nothing depends on it.
final class InboxStreams: Sendable {
    private struct State {
        var listeners: [InboxFrame.Key: [InboxListener]] = [:]
        var count = 0
        /// Who waits to be told what was missed, by company: one question asks for many.
        var asking: [UUID: [Question]] = [:]
        var askers = 0
        /// Who was behind and could not be told: reads too slowly, or the database did not answer.
        var slow: [InboxListener] = []
        var mark: String?
        var isHearing = false
        var isLooking = false
    }

    private struct Question {
        let listener: InboxListener
        let since: Int64?
        let isFirst: Bool
    }

    private let db: Database
    private let loops: LoopGroup
    private let log = Logger(label: "notification-streams")
    private let state = Mutex(State())

    /// Of one person in one company, on one instance: more tabs than anybody watches.
    static let perPersonMax = 10
    private static let lookEvery: Duration = .milliseconds(250)
    /// Who has been here too long is looked for at each so-manyth look.
    private static let looksPerRound = 40
    /// Questions to the database at once; the others wait and are then asked together.
    private static let askersMax = 4

    init(_ db: Database, _ loops: LoopGroup) {
        self.db = db
        self.loops = loops
    }

    var count: Int { state.withLock { $0.count } }

    func count(of key: InboxFrame.Key) -> Int { state.withLock { $0.listeners[key]?.count ?? 0 } }

    /// Takes a stream in, on its loop: it hears what comes from now on, and is then told what it has missed.
    func host(_ push: PushStream, for key: InboxFrame.Key, since: Int64?, isPoll: Bool) {
        let listener = InboxListener(key, push, since: since, isPoll: isPoll)
        push.whenOver = { [weak self, unowned listener] in self?.remove(listener) }
        let (mustHear, mustLook) = state.withLock { state in
            state.listeners[key, default: []].append(listener)
            state.count += 1
            defer { (state.isHearing, state.isLooking) = (true, true) }
            return (!state.isHearing, !state.isLooking)
        }
        if mustHear { hear() }
        if mustLook { look() }
        ask(listener, isFirst: true)
    }

    private func remove(_ listener: InboxListener) {
        state.withLock { state in
            guard let at = state.listeners[listener.key]?.firstIndex(where: { $0 === listener }) else {
                return
            }
            state.count -= 1
            if state.listeners[listener.key]!.count == 1 {
                state.listeners[listener.key] = nil
            } else {
                state.listeners[listener.key]!.remove(at: at)
            }
        }
    }

    // MARK: the channel

    private func hear() {
        let events = db.listen(Notify.channel)
        _ = loops.loops[0].task { [weak self] in
            for await event in events {
                guard let self else { return }
                switch event {
                case .notification(_, let payload):
                    if let frame = InboxFrame(payload: payload) { tell(frame) }
                case .mayHaveMissed: try? await lookOnce()
                }
            }
        }
    }

    private func tell(_ frame: InboxFrame) {
        guard let listeners = state.withLock({ $0.listeners[frame.key] }) else { return }
        for listener in listeners {
            listener.loop.execute { [self] in
                if listener.take(frame.content) { catchUp(listener) }
            }
        }
    }

    // MARK: the look at the counters

    private func look() {
        _ = loops.loops[0].task { [weak self] in
            var version = AccessNews.here.version
            var looks = 0
            while true {
                try? await Task.sleep(for: Self.lookEvery)
                guard let self, goesOn() else { return }
                do { try await lookOnce() } catch {
                    log.debug("the counters of inboxes could not be read", metadata: ["error": "\(error)"])
                }
                version = await endForbidden(since: version)
                looks += 1
                attend(endsTired: looks % Self.looksPerRound == 0)
            }
        }
    }

    /// False when there is no stream left to look for.
    private func goesOn() -> Bool {
        state.withLock { state in
            if state.count == 0 { (state.isLooking, state.mark) = (false, nil) }
            return state.isLooking
        }
    }

    private func lookOnce() async throws {
        let mark = state.withLock { $0.mark }
        let rows = try await db.query(
            """
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS mark, c.company_id, c.user_id, c.last_seq, c.changes
              FROM (VALUES (1)) always (present)
              LEFT JOIN notification_counters c ON c.xid >= \(mark)::text::xid8
            """)
        var found: [InboxFrame.Key: (seq: Int64, changes: Int64)] = [:]
        for row in rows {
            guard let company = try row.get("company_id", as: UUID?.self) else { continue }
            found[InboxFrame.Key(company: company, user: try row.get("user_id"))] =
                (try row.get("last_seq"), try row.get("changes"))
        }
        let next: String = try rows[0].get("mark")
        let lagging = state.withLock { state in
            state.mark = next
            return found.flatMap { key, number in (state.listeners[key] ?? []).map { ($0, number) } }
        }
        for (listener, number) in lagging {
            listener.loop.execute { [self] in
                if listener.lags(behind: number.seq, number.changes) { catchUp(listener) }
            }
        }
    }

    /// Ends the streams of those who may no longer be in the company.
    private func endForbidden(since version: Int) async -> Int {
        let now = AccessNews.here.version
        guard now != version else { return version }
        let (changes, next) = AccessNews.here.since(version)
        let listeners = state.withLock { $0.listeners.values.flatMap { $0 } }
        let touched = listeners.filter { listener in
            guard let changes else { return true }
            return changes.contains { change in
                (change.user ?? listener.key.user) == listener.key.user
                    && (change.company ?? listener.key.company) == listener.key.company
            }
        }
        for key in Set(touched.map(\.key)) {
            // A database that does not answer is no reason to end a stream: it says nothing in the meantime.
            do {
                let access = try await MemberAccess.load(user: key.user, company: key.company, db)
                if access != nil { continue }
            } catch { continue }
            for listener in touched where listener.key == key { listener.loop.execute { listener.end() } }
        }
        return next
    }

    /// Who read too slowly is told as soon as there is room; who has been here for long comes anew.
    private func attend(endsTired: Bool) {
        let (slow, all) = state.withLock { state in
            defer { state.slow = [] }
            return (state.slow, endsTired ? state.listeners.values.flatMap { $0 } : [])
        }
        for listener in slow { listener.loop.execute { [self] in catchUp(listener) } }
        for listener in all { listener.loop.execute { if listener.isTired { listener.end() } } }
    }

    // MARK: catching up

    /// On the listener's loop.
    private func catchUp(_ listener: InboxListener) {
        switch listener.beginCatchingUp() {
        case .begun: ask(listener, isFirst: false)
        case .later: state.withLock { $0.slow.append(listener) }
        case .no: break
        }
    }

    private func ask(_ listener: InboxListener, isFirst: Bool) {
        let question = Question(listener: listener, since: listener.since, isFirst: isFirst)
        let isNeeded = state.withLock { state in
            state.asking[listener.key.company, default: []].append(question)
            guard state.askers < Self.askersMax else { return false }
            state.askers += 1
            return true
        }
        if isNeeded { _ = listener.loop.task { [self] in await askAll() } }
    }

    /// Asks company after company until nobody waits.
    private func askAll() async {
        while let (company, questions) = next() {
            do {
                let found = try await InboxCatchUp.find(
                    questions.map { ($0.listener.key.user, $0.since) }, company: company, db)
                for (question, answer) in zip(questions, found) {
                    question.listener.loop.execute { [self] in
                        if question.listener.caughtUp(answer, isFirst: question.isFirst) {
                            catchUp(question.listener)
                        }
                    }
                }
            } catch {
                log.warning("streams could not catch up", metadata: ["error": "\(String(reflecting: error))"])
                for question in questions { question.listener.loop.execute { [self] in fail(question) } }
            }
        }
    }

    private func next() -> (UUID, [Question])? {
        state.withLock { state in
            guard let (company, waiting) = state.asking.first else {
                state.askers -= 1
                return nil
            }
            let now = Array(waiting.prefix(InboxCatchUp.askedAtOnce))
            state.asking[company] = waiting.count > now.count ? Array(waiting.dropFirst(now.count)) : nil
            return (company, now)
        }
    }

    /// A stream that has not begun ends, so that its client comes again; another is asked for again.
    private func fail(_ question: Question) {
        if question.isFirst { return question.listener.end() }
        question.listener.failedToCatchUp()
        state.withLock { $0.slow.append(question.listener) }
    }
}
