import HTTP
import Loop
import Wire

/// One open stream: what it has been told, and what waits until it has caught up.
// @unchecked Sendable: but for its constants it is touched on its loop's thread alone.
final class InboxListener: @unchecked Sendable {
    let key: InboxFrame.Key
    let loop: EventLoop
    /// Ends as soon as it has caught up: for those who ask now and then.
    let isPoll: Bool
    private let push: PushStream
    /// The last number sent.
    private var sent: Int64
    private var changes: Int64 = 0
    /// What came while it was catching up; nil when it is up to date.
    private var held: [InboxFrame.Content]?
    private var heldTooMuch = false
    private let endsAt: UInt64

    /// While it catches up a stream keeps so many events; what came beyond them is looked up once more.
    private static let heldMax = 32
    /// Who may not be here any more is found out at once; this is for what nobody thought of.
    private static let hours: ClosedRange<Double> = 0.9...1.1

    init(_ key: InboxFrame.Key, _ push: PushStream, since: Int64?, isPoll: Bool) {
        self.key = key
        self.push = push
        self.isPoll = isPoll
        loop = push.loop
        sent = since ?? -1
        held = []
        endsAt = push.loop.now + UInt64(Double.random(in: Self.hours) * 3600e9)
    }

    /// What to ask the database for; nil wants nothing of the past.
    var since: Int64? { sent < 0 ? nil : sent }

    var isTired: Bool { loop.now > endsAt }

    func end() { push.end() }

    /// Takes what was just told; true when it has to catch up.
    func take(_ content: InboxFrame.Content) -> Bool {
        if held != nil {
            if held!.count < Self.heldMax { held!.append(content) } else { heldTooMuch = true }
            return false
        }
        return !deliver(content)
    }

    /// False when something is missing between what it has and this, or it reads too slowly to be told.
    private func deliver(_ content: InboxFrame.Content) -> Bool {
        switch content {
        case .notification(let seq, _) where seq <= sent: return true
        case .change(let number, _) where number <= changes: return true
        case .notification(let seq, let bytes):
            guard let bytes, seq == sent + 1, push.hasRoom else { return false }
            sent = seq
            push.push(bytes)
        case .change(let number, let bytes):
            guard let bytes, push.hasRoom else { return false }
            changes = number
            push.push(bytes)
        }
        return true
    }

    /// Whether the inbox is known to be further than this stream.
    func lags(behind seq: Int64, _ number: Int64) -> Bool { held == nil && (seq > sent || number > changes) }

    enum Beginning { case begun, later, no }

    /// Begins to catch up, unless it does so already, is gone, or could not be told.
    func beginCatchingUp() -> Beginning {
        guard held == nil, push.isOpen else { return .no }
        guard push.hasRoom else { return .later }
        held = []
        return .begun
    }

    /// Takes what was looked up, then what came meanwhile; true when it has to catch up again.
    func caughtUp(_ found: InboxCatchUp.Found, isFirst: Bool) -> Bool {
        let wasNew = sent < 0
        let isTooOld = found.missed.count > InboxCatchUp.missedMax || sent > found.lastSeq
        if isTooOld {
            let data =
                "{\"reason\":\"\(sent > found.lastSeq ? "unknown" : "too-old")\",\"counts\":\(found.counts)}"
            push.push(InboxFrame.bytes(event: "reset", id: found.lastSeq, data: data))
        } else {
            for (seq, notification) in found.missed {
                let data = "{\"notification\":\(notification),\"counts\":\(found.counts)}"
                push.push(InboxFrame.bytes(event: "notification", id: seq, data: data))
            }
        }
        let hasNews = isFirst || found.changes > changes || wasNew
        sent = found.lastSeq
        changes = found.changes
        if hasNews {
            let data = "{\"counts\":\(found.counts)}"
            push.push(
                InboxFrame.bytes(event: isFirst ? "ready" : "changed", id: isFirst ? sent : nil, data: data))
        }
        return release()
    }

    private func release() -> Bool {
        let waiting = held ?? []
        let lostSome = heldTooMuch
        (held, heldTooMuch) = (nil, false)
        if isPoll {
            push.end()
            return false
        }
        for content in waiting where !deliver(content) { return true }
        return lostSome
    }

    /// The question failed: it is asked again.
    func failedToCatchUp() {
        held = nil
        heldTooMuch = false
    }
}
