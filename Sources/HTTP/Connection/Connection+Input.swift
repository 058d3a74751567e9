import CLinux
import Glibc
import Loop
import Wire

extension Connection {
    /// Reads what has come and acts on it; in turns, so that one busy client does not hold up the others.
    func receive() {
        for _ in 0..<Self.readsAtOnce {
            guard wantsInput else { return }
            if phase == .lingering {
                guard skipInput() else { return }
                continue
            }
            let room = input.isEmpty ? home.readRoom : input.room(Self.readMore)
            let count = tls?.read(room) ?? recv(descriptor, room.baseAddress, room.count, 0)
            guard count > 0 else {
                if count == 0 { inputIsOver() } else if errno != EAGAIN && errno != EINTR { abort() }
                return
            }
            if input.isEmpty {
                let received = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                let used = take(received)
                if used < count { input.append(UnsafeRawBufferPointer(rebasing: received[used...])) }
            } else {
                input.received(count)
                input.dropFirst(take(input.bytes))
            }
            flushReplies()
            // Less than there was room for: the socket is empty, unless libssl keeps more than the one record it gave.
            if count < room.count, !(tls?.hasPending ?? false) { return }
        }
        if tls?.hasPending ?? false { receiveSoon() }
    }

    func receiveSoon() {
        home.loop.execute { [self] in
            guard phase != .closed else { return }
            receive()
            settle()
        }
    }

    /// Gets on with the TLS handshake.
    func greet() {
        guard let tls else { return }
        greetingWrites = false
        switch tls.handshake() {
        case .wantsRead: break
        case .wantsWrite: greetingWrites = true
        case .failed: return close()
        case .plainHTTP:
            home.turnAway(descriptor, .plainOnEncryptedPort)
            return close()
        case .done:
            phase = .waiting
            since = home.loop.now
            // The first request may have come along with the end of the handshake.
            receive()
        }
        settle()
    }

    /// Goes on with what is already here.
    func pump() {
        pumpIsDue = false
        guard phase != .closed else { return }
        input.dropFirst(take(input.bytes))
        flushReplies()
        if inputEnded { checkEnd() }
        settle()
    }

    /// In the next turn, so that other connections get theirs first.
    func pumpSoon() {
        guard !pumpIsDue else { return }
        pumpIsDue = true
        home.loop.execute { [self] in pump() }
    }

    /// Acts on `bytes` as far as it can now; returns how many it is done with.
    private func take(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        isTaking = true
        defer { isTaking = false }
        var at = 0
        var begun = 0
        while at < bytes.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[at...])
            switch phase {
            case .waiting:
                guard unsent.isEmpty else { return at }
                guard begun < limits.pipelinedAtOnce else {
                    pumpSoon()
                    return at
                }
                let used = takeHead(rest)
                if used == 0 { return at }
                begun += 1
                at += used
            case .answering:
                if bodyDone || bodyIsPaused { return at }
                at += takeBody(UnsafeRawBufferPointer(rest))
            case .greeting, .ending, .lingering, .closed:
                return bytes.count
            }
        }
        return at
    }

    // MARK: the head

    /// Returns 0 while the head is not whole.
    private func takeHead(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
        if emptyLines < limits.emptyLinesBefore, bytes[0] == 0x0D {
            guard bytes.count > 1 else { return 0 }
            if bytes[1] == 0x0A {
                emptyLines += 1
                return 2
            }
        }
        switch headEnd.find(in: UnsafeRawBufferPointer(bytes), limits) {
        case .incomplete:
            if input.isEmpty, hasServed { since = home.loop.now }
            return 0
        case .refused(let reason):
            refuse(reason, nil)
            return bytes.count
        case .complete(let length):
            headEnd = HeadEnd()
            emptyLines = 0
            return length + begin(UnsafeMutableRawBufferPointer(rebasing: bytes[..<length]), bytes, length)
        }
    }

    /// Starts the exchange of the head that ends at `length`; returns how much of the body it has taken as well.
    private func begin(
        _ head: UnsafeMutableRawBufferPointer, _ bytes: UnsafeMutableRawBufferPointer, _ length: Int
    ) -> Int {
        do throws(Refusal) {
            try home.parser.parse(head)
        } catch {
            refuse(error, nil)
            return bytes.count - length
        }
        expectBody()
        let request = Request(
            UnsafeRawBufferPointer(head), home.parser, peer: peer, loop: home.loop, body: source)
        self.request = request
        phase = .answering
        since = home.loop.now
        responseDone = false
        isLast = false
        mustLinger = false
        if case .length(let announced) = request.framing, announced > limits.bodyBytes {
            refuse(.bodyTooLarge, request)
            return bytes.count - length
        }
        // What of the body came along with the head is put in place first, so that its reader need not wait.
        var used = 0
        if !bodyDone, length < bytes.count {
            used = takeBody(UnsafeRawBufferPointer(rebasing: bytes[length...]))
        }
        if source?.failure == .malformed { refuse(.chunk, request) } else { answer(request) }
        return used
    }

    private func expectBody() {
        bodyBytes = 0
        bodyProgress = 0
        bodyDone = false
        continueDue = home.parser.expectsContinue
        bodySince = home.loop.now
        bodyPausedAt = nil
        switch home.parser.framing {
        case .none:
            bodyDone = true
            continueDue = false
            source = nil
        case .length(let length):
            bodyRemaining = length
            chunks = nil
            source = BodySource(announced: length, home.parser.contentCoding, limits, self)
        case .chunked:
            chunks = ChunkDecoder()
            source = BodySource(announced: nil, home.parser.contentCoding, limits, self)
        }
    }

    // MARK: the body

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        continueDue = false
        let used: Int
        if chunks == nil {
            used = min(bodyRemaining, bytes.count)
            bodyRemaining -= used
            keep(UnsafeRawBufferPointer(rebasing: bytes[..<used]))
            if bodyRemaining == 0 { bodyDone = true }
        } else {
            do throws(Refusal) {
                used = try chunks!.decode(bytes, limits) { (content) throws(Refusal) in keep(content) }
                bodyDone = chunks!.isDone
            } catch {
                bodyFailed(error == .bodyTooLarge ? .tooLarge(limit: limits.bodyBytes) : .malformed)
                return bytes.count
            }
        }
        bodyBytes += used
        bodyProgress += used
        if bodyDone { source?.complete() } else { source?.wake() }
        if bodyDone, responseDone { exchangeOver() }
        return used
    }

    private func keep(_ content: UnsafeRawBufferPointer) {
        guard !responseDone else { return }
        source?.append(content)
        if bodyIsPaused, bodyPausedAt == nil { bodyPausedAt = home.loop.now }
    }

    /// Nothing more can be read: the reader is told, the answer still goes out, then the connection ends.
    func bodyFailed(_ error: BodyError) {
        bodyDone = true
        isLast = true
        mustLinger = true
        source?.fail(error)
        if responseDone { exchangeOver() }
    }

    /// The reader waits for content.
    func bodyIsWanted() {
        if continueDue {
            continueDue = false
            bodySince = home.loop.now
            sendContinue()
        }
        bodyHasRoom()
    }

    func bodyHasRoom() {
        guard phase == .answering, !bodyDone else { return }
        if let paused = bodyPausedAt {
            // The client did not dawdle, we did.
            bodySince += home.loop.now - paused
            bodyPausedAt = nil
            if !input.isEmpty { pumpSoon() }
        }
        settle()
    }

    // MARK: the end of the input

    /// The client has finished writing. What it asked for is still answered.
    private func inputIsOver() {
        inputEnded = true
        checkEnd()
    }

    private func checkEnd() {
        switch phase {
        case .waiting:
            // Half a head is nobody's request; with answers still unsent the client may yet read them.
            if unsent.isEmpty { close() }
        case .answering:
            if !bodyDone { abort() } else { since = home.loop.now }
        case .lingering: close()
        case .greeting, .ending, .closed: break
        }
    }

    /// Reads over what comes after the last answer; false when there is no more for now.
    private func skipInput() -> Bool {
        let room = home.readRoom
        let count = recv(descriptor, room.baseAddress, room.count, 0)
        if count > 0 {
            lingered += count
            if lingered > limits.lingerBytes { close() }
            return phase != .closed
        }
        if count == 0 || (errno != EAGAIN && errno != EINTR) { close() }
        return false
    }

    private static let readsAtOnce = 4
    private static let readMore = 16 << 10
}
