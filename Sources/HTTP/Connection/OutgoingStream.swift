import Glibc
import Loop
import Wire

/// The state of one streamed answer.
// @unchecked Sendable: for the connection's loop alone.
final class OutgoingStream: @unchecked Sendable {
    enum Framing: Equatable {
        case chunked
        /// So many bytes are still to be written.
        case length(Int)
        /// HTTP/1.0: the end of the connection is the end of the body.
        case untilClose
    }

    let body: StreamBody
    let status: Int
    let firstByte: UInt64
    var framing: Framing
    var bytesOut = 0
    let gzip: GzipWriter?
    /// zlib holds back something that was written.
    var owesFlush = false
    /// Set while the body comes from outside.
    var push: PushStream?
    private(set) var hasFailed = false
    private var waiter: UnsafeContinuation<Void, Never>?

    init(_ body: StreamBody, status: Int, framing: Framing, gzip: GzipWriter?) {
        self.gzip = gzip
        self.body = body
        self.status = status
        self.framing = framing
        firstByte = EventLoop.monotonicNanoseconds()
    }

    func wait() async {
        await withUnsafeContinuation { continuation in
            if hasFailed { continuation.resume() } else { waiter = continuation }
        }
    }

    func fail() {
        hasFailed = true
        wake()
        push?.over()
        push = nil
    }

    /// Half of what may be unsent: the writer comes back before the socket runs dry.
    func hasRoom(_ unsent: Int, _ limits: Limits) {
        if unsent <= limits.unsentBytes / 2 { wake() }
    }

    private func wake() {
        guard let waiter else { return }
        self.waiter = nil
        waiter.resume()
    }
}

extension Connection {
    /// Writes the head of a streamed answer.
    func begin(_ body: StreamBody, _ answer: Response, _ request: Request?) -> OutgoingStream? {
        flushReplies()
        boundKernelQueue()
        var response = answer
        let isCompressed = Representation.compressesStream(&response, body, for: request)
        guard phase == .answering else { return nil }
        let framing: OutgoingStream.Framing
        if let length = body.length {
            framing = .length(length)
        } else if request?.minorVersion == 0 {
            framing = .untilClose
            isLast = true
        } else {
            framing = .chunked
        }
        let stream = OutgoingStream(
            body, status: response.status, framing: framing, gzip: isCompressed ? GzipWriter() : nil)
        ResponseHead.write(response, length: body.length, to: request, isLast: isLast, home)
        stream.bytesOut = home.out.count
        unsentWillGrow()
        unsent.append(copy: home.out.bytes)
        home.resetOut()
        self.stream = stream
        flushSoon()
        return stream
    }

    /// Lets the body be made, and ends the answer; one that is pushed goes on without this task.
    func run(_ stream: OutgoingStream) async {
        switch stream.body.making {
        case .produced(let produce): await run(stream, produce)
        case .pushed(let host):
            let push = PushStream(self)
            stream.push = push
            task = nil
            host(push)
            if home.isDraining { push.drain() }
        }
    }

    private func run(
        _ stream: OutgoingStream, _ produce: @Sendable (BodyWriter) async throws -> Void
    ) async {
        let writer = BodyWriter(self)
        var isWhole = true
        do { try await produce(writer) } catch { isWhole = false }
        writer.close()
        guard self.stream === stream, phase == .answering else { return }
        if case .length(let missing) = stream.framing, missing > 0 { isWhole = false }
        guard isWhole else {
            // Where only the end of the connection ends the body, an orderly end would make half of it look whole.
            if stream.framing == .untilClose { resetOnClose() }
            return abort()
        }
        end(stream)
    }

    /// The stream was ended by whoever pushed.
    func endPush() {
        guard let stream, phase == .answering else { return }
        stream.push = nil
        end(stream)
        if !isTaking { pump() }
    }

    private func end(_ stream: OutgoingStream) {
        if let gzip = stream.gzip {
            putCompressed(UnsafeRawBufferPointer(start: nil, count: 0), .finish, gzip, stream)
        }
        if stream.framing == .chunked {
            unsentWillGrow()
            unsent.append { $0.write("0\r\n\r\n") }
            stream.bytesOut += 5
        }
        if let request {
            unfinished.append(
                Exchange(
                    request: request, status: stream.status, bytesIn: request.headBytes + bodyBytes,
                    bytesOut: stream.bytesOut, started: request.receivedAt, firstByte: stream.firstByte,
                    ended: stream.firstByte, outcome: .sent))
        }
        responseDone = true
        flush()
        if bodyDone || isLast { exchangeOver() }
    }

    func writeStream(_ bytes: UnsafeRawBufferPointer) throws(ClientGone) {
        guard phase == .answering, let stream, !stream.hasFailed else { throw ClientGone() }
        guard bytes.count > 0 else { return }
        if case .length(let missing) = stream.framing {
            precondition(bytes.count <= missing, "a stream writes more than the length it announced")
            stream.framing = .length(missing - bytes.count)
        }
        if let gzip = stream.gzip {
            stream.owesFlush = true
            putCompressed(bytes, .none, gzip, stream)
        } else {
            put(bytes, stream)
        }
        flushSoon()
    }

    private func putCompressed(
        _ bytes: UnsafeRawBufferPointer, _ flush: GzipWriter.Flush, _ gzip: GzipWriter,
        _ stream: OutgoingStream
    ) {
        let out = ByteWriter(capacity: bytes.count / 4 + 64)
        gzip.write(bytes, into: out, flush: flush)
        if !out.isEmpty { put(out.bytes, stream) }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, _ stream: OutgoingStream) {
        let before = unsent.bytes
        unsentWillGrow()
        unsent.append { out in
            if stream.framing == .chunked { Self.writeChunkSize(bytes.count, out) }
            out.write(bytes)
            if stream.framing == .chunked { out.write("\r\n") }
        }
        stream.bytesOut += unsent.bytes - before
    }

    /// Waits while the client is behind.
    func streamRoom() async throws(ClientGone) {
        guard unsent.bytes > limits.unsentBytes else { return }
        flush()
        settle()
        guard let stream, phase == .answering else { throw ClientGone() }
        if unsent.bytes > limits.unsentBytes { await stream.wait() }
        if stream.hasFailed { throw ClientGone() }
    }

    /// Small pieces written in one turn leave together.
    private func flushSoon() {
        guard !flushIsDue else { return }
        flushIsDue = true
        home.loop.atEndOfTurn { [self] in
            flushIsDue = false
            guard phase != .closed else { return }
            // What a turn has written is worth reading at once, even if it is little.
            if let stream, let gzip = stream.gzip, stream.owesFlush {
                stream.owesFlush = false
                putCompressed(UnsafeRawBufferPointer(start: nil, count: 0), .sync, gzip, stream)
            }
            flush()
            settle()
        }
    }

    /// The kernel would take up to 4 MiB more for a client that reads nothing, and its silence would go unnoticed so long.
    private func boundKernelQueue() {
        setOption(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, Int32(clamping: limits.unsentBytes))
        setOption(
            Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, Int32(clamping: limits.streamStall.nanoseconds / 1_000_000))
    }

    private func unsentWillGrow() {
        if unsent.isEmpty { unsentBegins() }
    }

    private static func writeChunkSize(_ size: Int, _ out: ByteWriter) {
        var shift = (Int.bitWidth - max(size, 1).leadingZeroBitCount - 1) & ~3
        while shift >= 0 {
            out.write(Hex.value(size >> shift & 15))
            shift -= 4
        }
        out.write("\r\n")
    }
}

extension Hex {
    fileprivate static func value(_ nibble: Int) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + UInt8(nibble) : UInt8(ascii: "a") - 10 + UInt8(nibble)
    }
}
