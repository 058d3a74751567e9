import CLinux
import Glibc
import Loop
import Synchronization
import Wire

/// What one loop holds of a server: its buffers, its connections, its figures.
// @unchecked Sendable: for its loop's thread alone, but for `shared`, which is safe by itself.
final class ServerLoop: @unchecked Sendable {
    let loop: EventLoop
    let shared: ServerShared
    let limits: Limits
    let responder: any Responder

    var parser: HeadParser
    /// Answers gathered while one connection's input is acted on; empty in between.
    private(set) var out = ByteWriter(capacity: 64 << 10)
    /// The exchanges those answers belong to.
    var exchanges: [Exchange] = []
    /// Sockets are read into this.
    let readRoom: UnsafeMutableRawBufferPointer
    private(set) lazy var gzip = GzipWriter()
    private(set) var isDraining = false
    private var hasSaidEmpty = false
    private var connections: [Connection] = []
    private var listeners: [Listener] = []
    private var dateSecond: UInt64 = .max
    private var date = ByteWriter(capacity: 64)

    init(_ loop: EventLoop, _ shared: ServerShared) {
        self.loop = loop
        self.shared = shared
        limits = shared.configuration.limits
        responder = shared.responder
        precondition(limits.headBytes <= 65_535, "places within a head are 16 bits wide")
        parser = HeadParser(fieldsMax: limits.fields)
        readRoom = .allocate(byteCount: Self.readBytes, alignment: 16)
    }

    deinit { readRoom.deallocate() }

    // MARK: listening

    func listen(_ listener: Listener) {
        listeners.append(listener)
        listener.start()
    }

    /// A new client; refused when there are too many already.
    func accept(_ descriptor: Int32, _ peer: Peer, tls contexts: TLSContexts?, _ redirect: Redirect?) {
        shared.accepted.add(1, ordering: .relaxed)
        guard
            shared.connections.add(1, ordering: .relaxed).newValue
                <= shared.connectionsMax.load(ordering: .relaxed)
        else {
            shared.connections.subtract(1, ordering: .relaxed)
            shared.shed.add(1, ordering: .relaxed)
            if contexts == nil { turnAway(descriptor, .tooManyRequests) }
            close(descriptor)
            return
        }
        let session = contexts.flatMap { TLSSession($0, descriptor: descriptor) }
        guard (session == nil) == (contexts == nil) else {
            shared.connections.subtract(1, ordering: .relaxed)
            close(descriptor)
            return
        }
        let connection = Connection(descriptor, self, peer, tls: session, redirect)
        connection.slot = connections.count
        connections.append(connection)
        connection.start()
    }

    /// 503 in one write, if the socket takes it; nothing is read, for nothing would be kept.
    func turnAway(_ descriptor: Int32, _ reason: Refusal) {
        let response = refusal(reason, nil)
        ResponseHead.write(response, length: response.body.length, to: nil, isLast: true, self)
        if case .bytes(let bytes) = response.body { out.write(bytes) }
        if case .buffer(let writer) = response.body { out.write(writer.bytes) }
        _ = send(descriptor, out.bytes.baseAddress, out.count, Int32(MSG_NOSIGNAL))
        resetOut()
        shutdown(descriptor, Int32(SHUT_WR))
        // What the client has sent already would turn the close into a reset and take the answer with it.
        _ = recv(descriptor, readRoom.baseAddress, readRoom.count, 0)
    }

    /// What is answered when the server itself refuses.
    func refusal(_ reason: Refusal, _ request: Request?) -> Response {
        var response = responder.refusal(reason.status, reason, request)
        if reason == .tooManyRequests, !response.headers.contains("retry-after") {
            response.headers.add("retry-after", String(limits.retryAfterSeconds))
        }
        return response
    }

    func remove(_ connection: Connection) {
        let slot = connection.slot
        let last = connections.removeLast()
        if last !== connection {
            connections[slot] = last
            last.slot = slot
        }
        shared.connections.subtract(1, ordering: .relaxed)
        sayIfEmpty()
    }

    // MARK: stopping

    func drain() {
        guard !isDraining else { return }
        isDraining = true
        for listener in listeners { listener.stop() }
        listeners = []
        for connection in connections { connection.drain() }
        sayIfEmpty()
    }

    private func sayIfEmpty() {
        guard isDraining, connections.isEmpty, !hasSaidEmpty else { return }
        hasSaidEmpty = true
        shared.loopIsEmpty()
    }

    func abortAll() {
        for connection in connections { connection.abort() }
    }

    // MARK: work under way

    /// False when the server has as much under way as it will take.
    func beginWork() -> Bool {
        guard shared.inFlight.add(1, ordering: .relaxed).newValue <= limits.requestsInFlight else {
            shared.inFlight.subtract(1, ordering: .relaxed)
            shared.shed.add(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func endWork() { shared.inFlight.subtract(1, ordering: .relaxed) }

    // MARK: writing

    func resetOut() {
        // A burst of large answers must not stay resident.
        if out.count > Self.outBytesKept { out = ByteWriter(capacity: 64 << 10) } else { out.removeAll() }
    }

    func finishExchanges() {
        let now = EventLoop.monotonicNanoseconds()
        for index in exchanges.indices {
            exchanges[index].ended = now
            responder.finished(exchanges[index])
        }
        exchanges.removeAll(keepingCapacity: true)
    }

    /// `Date: …` with its line end, printed once a second.
    var dateLine: UnsafeRawBufferPointer {
        let second = loop.now / 1_000_000_000
        if second != dateSecond {
            dateSecond = second
            date.removeAll()
            date.write("date: ")
            HTTPDate.write(.now, into: date)
            date.write("\r\n")
        }
        return date.bytes
    }

    private static let readBytes = 64 << 10
    private static let outBytesKept = 256 << 10
}
