import CLinux
import Glibc
import Loop
import Wire

extension Connection {
    // MARK: having a request answered

    func answer(_ request: Request) {
        if request.isAsterisk { return deliverNow(.options, request) }
        if let redirect { return deliverNow(redirect.answer(to: request), request) }
        switch home.responder.respond(to: request) {
        case .now(let response): deliverNow(response, request)
        case .later(let work): answerLater(request, work)
        }
    }

    private func answerLater(_ request: Request, _ work: @escaping @Sendable () async -> Response) {
        guard home.beginWork() else { return refuse(.tooManyRequests, request) }
        // The answers before this one need not wait for it.
        flushReplies()
        guard phase == .answering else { return home.endWork() }
        let task = home.loop.immediateTask { [self] in
            let response = await Representation.shapeElsewhere(work(), for: request, home)
            home.endWork()
            guard self.request === request, phase == .answering else { return }
            if let stream = deliver(response, request) { await run(stream) }
            if !isTaking { pump() }
        }
        // What is pushed goes on without a task.
        if self.request === request, !responseDone, stream?.push == nil { self.task = task }
    }

    private func deliverNow(_ response: Response, _ request: Request) {
        guard let stream = deliver(response, request) else { return }
        let task = home.loop.immediateTask { [self] in
            await run(stream)
            if !isTaking { pump() }
        }
        if self.request === request, !responseDone, self.stream?.push == nil { self.task = task }
    }

    /// Answers what the server will not pass on, and ends the connection behind it.
    func refuse(_ reason: Refusal, _ request: Request?) {
        if request == nil { phase = .answering }
        if reason != .tooManyRequests {
            isLast = true
            mustLinger = true
            bodyDone = true
        }
        _ = deliver(home.refusal(reason, request), request)
        flushReplies()
    }

    // MARK: the answer

    /// Puts the answer on its way; a stream is returned, for its body still has to be made.
    private func deliver(_ answer: Response, _ request: Request?) -> OutgoingStream? {
        let response = Representation.shape(answer, for: request, home)
        if !bodyDone, !willSkipBody {
            isLast = true
            mustLinger = true
        }
        if let request, !request.isKeepAlive { isLast = true }
        if home.isDraining { isLast = true }
        let hasBody =
            request?.method != .head && response.status >= 200 && response.status != 204
            && response.status != 304
        let out = home.out
        let start = out.count
        if case .stream(let body) = response.body, hasBody {
            return begin(body, response, request)
        }
        ResponseHead.write(response, length: response.body.length, to: request, isLast: isLast, home)
        let now = EventLoop.monotonicNanoseconds()
        let exchange = Exchange(
            request: request, status: response.status, bytesIn: (request?.headBytes ?? 0) + bodyBytes,
            bytesOut: out.count - start + (hasBody ? response.body.length ?? 0 : 0),
            started: request?.receivedAt ?? home.loop.now, firstByte: now, ended: now, outcome: .sent)
        home.exchanges.append(exchange)
        responseDone = true
        if hasBody { send(response.body) }
        if bodyDone || isLast { exchangeOver() }
        return nil
    }

    /// Whether what is left of the body is little enough, and sure enough to come, to be read over.
    private var willSkipBody: Bool {
        chunks == nil && !continueDue && bodyRemaining <= limits.skippedBodyBytes
    }

    private func send(_ body: Response.Body) {
        let out = home.out
        switch body {
        case .empty, .stream: break
        case .bytes(let bytes) where bytes.count <= limits.joinedBodyBytes: out.write(bytes)
        case .buffer(let writer) where writer.count <= limits.joinedBodyBytes: out.write(writer.bytes)
        case .bytes(let bytes): queue(.bytes(bytes, from: 0))
        case .buffer(let writer): queue(.writer(writer, from: 0))
        case .file(let file): queue(.file(file, from: 0))
        }
    }

    /// Sends a large body behind what the loop's writer holds, without copying it.
    private func queue(_ segment: Outgoing.Segment) {
        keepUnsent(home.out.bytes)
        home.out.removeAll()
        unfinished.append(contentsOf: home.exchanges)
        home.exchanges.removeAll(keepingCapacity: true)
        if unsent.isEmpty { unsentBegins() }
        unsent.append(segment)
        flush()
    }

    /// Both the answer and the body are done with: on to the next request, or to the end.
    func exchangeOver() {
        guard phase == .answering else { return }
        source?.abandon()
        source = nil
        request = nil
        task = nil
        stream = nil
        bodyDone = true
        hasServed = true
        since = home.loop.now
        // A stream that began before the drain has promised to keep the connection; it is over all the same.
        phase = isLast || home.isDraining && input.isEmpty ? .ending : .waiting
        if phase == .ending, unsent.isEmpty, home.out.isEmpty { part() }
    }

    // MARK: writing

    func sendContinue() {
        flushReplies()
        home.out.write("HTTP/1.1 100 Continue\r\n\r\n")
        flushReplies()
    }

    /// Writes the answers gathered in the loop's writer, in one go.
    func flushReplies() {
        let out = home.out
        guard !out.isEmpty else { return }
        defer { home.resetOut() }
        guard phase != .closed else { return home.exchanges.removeAll(keepingCapacity: true) }
        var sent = 0
        if unsent.isEmpty {
            sent = write(out.bytes)
            if sent < 0 {
                unfinished.append(contentsOf: home.exchanges)
                home.exchanges.removeAll(keepingCapacity: true)
                return abort()
            }
        }
        if sent == out.count {
            home.finishExchanges()
            if phase == .ending { part() }
        } else {
            unfinished.append(contentsOf: home.exchanges)
            home.exchanges.removeAll(keepingCapacity: true)
            keepUnsent(UnsafeRawBufferPointer(rebasing: out.bytes[sent...]))
        }
    }

    private func keepUnsent(_ bytes: UnsafeRawBufferPointer) {
        if unsent.isEmpty { unsentBegins() }
        unsent.append(copy: bytes)
    }

    func unsentBegins() {
        unsentSince = home.loop.now
        unsentProgress = 0
    }

    /// Writes what is still to be sent, as far as the socket takes it.
    func flush() {
        var budget = limits.fileBytesAtOnce
        while let segment = unsent.first {
            let sent: Int
            switch segment {
            case .writer(let writer, let from):
                sent = write(UnsafeRawBufferPointer(rebasing: writer.bytes[from...]))
            case .bytes(let bytes, let from):
                sent = bytes.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[from...])) }
            case .file(let file, let from):
                guard tls == nil else { return readPiece(of: file, from) }
                guard budget > 0 else { return }
                sent = write(file, from, min(budget, file.length - from))
                budget -= sent
            }
            guard sent >= 0 else { return abort() }
            guard sent > 0 else { break }
            unsentProgress += sent
            unsent.advance(sent)
        }
        stream?.hasRoom(unsent.bytes, limits)
        if unsent.isEmpty { allIsSent() }
    }

    private func allIsSent() {
        let now = EventLoop.monotonicNanoseconds()
        let over = unfinished
        unfinished = []
        for var exchange in over {
            exchange.ended = now
            home.responder.finished(exchange)
        }
        if phase == .ending { part() } else if phase == .waiting, !input.isEmpty { pumpSoon() }
    }

    /// How many bytes the socket took; 0 when it is full, -1 when it is broken.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let sent =
            tls?.write(bytes) ?? Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if sent >= 0 { return sent }
        return errno == EAGAIN || errno == EINTR ? 0 : -1
    }

    /// libssl cannot send out of a file: a piece is read off the loop, for the disk may keep us waiting.
    private func readPiece(of file: FileBody, _ from: Int) {
        guard !fileIsBeingRead else { return }
        fileIsBeingRead = true
        let count = min(limits.filePieceBytes, file.length - from)
        let accepted = home.shared.workers.submit { [self] in
            let piece = file.read(from, count)
            home.loop.execute { [self] in
                fileIsBeingRead = false
                guard phase != .closed else { return }
                // Shorter than the length said: the file was cut under us, and so is the answer.
                guard let piece else { return abort() }
                unsent.replaceFile(with: piece)
                flush()
                settle()
            }
        }
        if !accepted { abort() }
    }

    private func write(_ file: FileBody, _ from: Int, _ count: Int) -> Int {
        var offset = off_t(file.offset + from)
        let sent = sendfile(descriptor, file.file.descriptor, &offset, count)
        if sent > 0 { return sent }
        // Nothing left although the length said so: the file was cut short under us, and so is the answer.
        return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1
    }
}

extension Response {
    fileprivate static let options: Response = {
        var response = Response(status: 204)
        response.headers.add("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        return response
    }()
}

extension Response.Body {
    /// Nil when it is known only at its end.
    var length: Int? {
        switch self {
        case .empty: 0
        case .buffer(let writer): writer.count
        case .bytes(let bytes): bytes.count
        case .file(let file): file.length
        case .stream(let stream): stream.length
        }
    }
}
