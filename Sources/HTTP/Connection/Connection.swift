import CLinux
import Glibc
import Loop
import Wire

/// One client's connection: reads requests, has them answered one after the other, and writes the answers.
///
/// An idle one holds no buffers: what is read goes through the loop's, and only a rest that cannot be understood or
/// sent yet is kept here.
// @unchecked Sendable: everything in it is touched on its loop's thread alone; tasks that hold it are bound to that loop.
final class Connection: Readiness, @unchecked Sendable {
    enum Phase: UInt8 {
        /// TLS is being set up.
        case greeting
        /// For a request, or the rest of its head.
        case waiting
        /// A request is being answered, or the rest of its body being skipped.
        case answering
        /// The last answer is on its way out.
        case ending
        /// All is sent; the client is given time to read it.
        case lingering
        case closed
    }

    let descriptor: Int32
    let home: ServerLoop
    let peer: Peer
    /// Nil on a plain port.
    let tls: TLSSession?
    /// Where the loop keeps it.
    var slot = 0

    var phase: Phase
    /// When the phase, or within `waiting` the head, began.
    var since: UInt64
    var input = InputBuffer()
    var inputEnded = false
    var hasServed = false
    /// Input is here that will be acted on in the next turn.
    var pumpIsDue = false
    /// Input is being acted on: what follows from it is written when that is done.
    var isTaking = false
    var headEnd = HeadEnd()
    var emptyLines = 0

    var request: Request?
    var source: BodySource?
    var bodyRemaining = 0
    var chunks: ChunkDecoder?
    var bodyDone = true
    var bodyBytes = 0
    /// The present stretch of the least rate: since when, and what has come in it.
    var bodySince: UInt64 = 0
    var bodyProgress = 0
    var bodyPausedAt: UInt64?
    var continueDue = false

    var task: Task<Void, Never>?
    var responseDone = false
    /// The connection ends behind the present answer.
    var isLast = false
    /// The client may still be writing: what it sends is read over before the connection is closed.
    var mustLinger = false
    var stream: OutgoingStream?

    var unsent = Outgoing()
    /// The same for what is being sent.
    var unsentSince: UInt64 = 0
    var unsentProgress = 0
    var flushIsDue = false
    /// A piece of a file is on its way from the disk.
    var fileIsBeingRead = false
    var greetingWrites = false
    /// Answers that lie in `unsent`; they are over when it is empty.
    var unfinished: [Exchange] = []
    var lingered = 0

    var interest: EventLoop.Events = .readable
    private lazy var timer = home.loop.timer { [unowned self] in expired() }
    var inputDue = UInt64.max
    var outputDue = UInt64.max

    /// Set on a port that only sends callers elsewhere.
    let redirect: Redirect?

    init(_ descriptor: Int32, _ home: ServerLoop, _ peer: Peer, tls: TLSSession?, _ redirect: Redirect?) {
        self.tls = tls
        self.redirect = redirect
        phase = tls == nil ? .waiting : .greeting
        self.descriptor = descriptor
        self.home = home
        self.peer = peer
        since = home.loop.now
    }

    var limits: Limits { home.limits }

    func start() {
        home.loop.watch(descriptor, interest, self)
        settle()
    }

    func ready(_ events: EventLoop.Events) {
        if phase == .greeting { return greet() }
        if events.contains(.writable) { flush() }
        if events.contains(.readable) { receive() }
        // Told whether asked for or not, and again and again.
        if events.contains(.broken) { return abort() }
        settle()
    }

    /// After anything has happened: what to be told of next, and until when.
    func settle() {
        guard phase != .closed else { return }
        var wanted: EventLoop.Events = []
        if wantsInput { wanted.insert(.readable) }
        if greetingWrites || !unsent.isEmpty && !fileIsBeingRead { wanted.insert(.writable) }
        if wanted != interest {
            // What libssl has read already raises no event.
            if wanted.contains(.readable), !interest.contains(.readable), tls?.hasPending ?? false {
                receiveSoon()
            }
            interest = wanted
            home.loop.change(descriptor, wanted)
        }
        setDeadlines()
    }

    var wantsInput: Bool {
        guard !inputEnded else { return false }
        return switch phase {
        case .greeting: !greetingWrites
        case .waiting: unsent.isEmpty && !pumpIsDue
        case .answering: bodyDone ? input.count < limits.pipelinedBytes : !bodyIsPaused
        case .ending: false
        case .lingering: true
        case .closed: false
        }
    }

    var bodyIsPaused: Bool { !responseDone && source?.isFull ?? false }

    // MARK: the end

    /// The client is gone or not to be waited for: whatever was under way is over.
    func abort() {
        guard phase != .closed else { return }
        endExchange(.aborted)
        close()
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        timer.cancel()
        home.loop.forget(descriptor)
        Glibc.close(descriptor)
        releaseInput()
        unsent.removeAll()
        home.remove(self)
    }

    /// What the kernel still holds for the client goes with the connection.
    func resetOnClose() {
        setOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    }

    func setOption<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) {
        withUnsafeBytes(of: value) { bytes in
            _ = setsockopt(descriptor, level, name, bytes.baseAddress, socklen_t(bytes.count))
        }
    }

    /// Gives up the exchange under way and those whose answers are not out.
    private func endExchange(_ outcome: Exchange.Outcome) {
        let now = EventLoop.monotonicNanoseconds()
        for var exchange in unfinished {
            exchange.ended = now
            exchange.outcome = outcome
            home.responder.finished(exchange)
        }
        unfinished = []
        task?.cancel()
        task = nil
        source?.abandon()
        source = nil
        stream?.fail()
        if let request, !responseDone {
            let exchange = Exchange(
                request: request, status: stream?.status ?? 0, bytesIn: request.headBytes + bodyBytes,
                bytesOut: stream?.bytesOut ?? 0, started: request.receivedAt,
                firstByte: stream?.firstByte ?? now,
                ended: now, outcome: outcome)
            home.responder.finished(exchange)
        }
        stream = nil
        request = nil
    }

    /// All is sent: says so to the client, and closes when there is nothing it could still be writing.
    func part() {
        tls?.sayGoodbye()
        // The client's own goodbye, unread, would turn our close into a reset and take the end of the answer with it.
        guard mustLinger || tls != nil, !inputEnded else { return close() }
        phase = .lingering
        since = home.loop.now
        releaseInput()
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// What is being acted on stays where it is until that is done.
    private func releaseInput() {
        if !isTaking { input.release() }
    }

    // MARK: deadlines

    private func setDeadlines() {
        inputDue = inputDeadline
        outputDue = unsent.isEmpty ? .max : unsentSince + limits.write.nanoseconds
        let due = min(inputDue, outputDue)
        if due == .max { timer.disarm() } else { timer.arm(at: due) }
    }

    private var inputDeadline: UInt64 {
        switch phase {
        case .waiting:
            guard unsent.isEmpty else { return .max }
            let isBetween = hasServed && input.isEmpty
            return since + (isBetween ? limits.idle : limits.head).nanoseconds
        case .answering:
            guard bodyDone else {
                if bodyIsPaused { return .max }
                return bodySince + limits.body.nanoseconds
            }
            return inputEnded && stream == nil ? since + limits.halfClosed.nanoseconds : .max
        case .greeting: return since + limits.handshake.nanoseconds
        case .lingering: return since + (home.isDraining ? limits.drainingLinger : limits.linger).nanoseconds
        case .ending, .closed: return .max
        }
    }

    private func expired() {
        let now = home.loop.now
        if now >= outputDue {
            guard Self.keepsRate(unsentProgress, limits.writeBytesPerSecond, limits.write) else {
                resetOnClose()
                return abort()
            }
            unsentBegins()
        }
        if now >= inputDue { inputExpired() }
        settle()
    }

    private static func keepsRate(_ bytes: Int, _ perSecond: Int, _ stretch: Duration) -> Bool {
        bytes > 0 && UInt64(bytes) * 1_000_000_000 >= UInt64(perSecond) * stretch.nanoseconds
    }

    private func inputExpired() {
        switch phase {
        case .waiting:
            // Silence between requests is no fault; half a head is.
            if input.isEmpty { close() } else { refuse(.headTooSlow, nil) }
        case .answering:
            if bodyDone { return abort() }
            if Self.keepsRate(bodyProgress, limits.bodyBytesPerSecond, limits.body) {
                bodySince = home.loop.now
                bodyProgress = 0
            } else if responseDone {
                abort()
            } else {
                bodyFailed(.timedOut)
            }
        case .greeting, .lingering: close()
        case .ending, .closed: break
        }
    }

    /// The server is to stop: an idle connection ends, a busy one after its answer.
    func drain() {
        switch phase {
        case .waiting where input.isEmpty && unsent.isEmpty:
            tls?.sayGoodbye()
            close()
        case .answering:
            // A stream without end would hold up the stop; its producer learns of it by being cancelled.
            if let push = stream?.push {
                push.drain()
            } else if let stream, stream.body.isEventStream {
                task?.cancel()
            }
        case .lingering: settle()
        case .greeting, .waiting, .ending, .closed: break
        }
    }
}

extension Duration {
    var nanoseconds: UInt64 {
        let (seconds, atto) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, atto)) / 1_000_000_000
    }
}
