import CLinux
import Glibc
import Loop
import Synchronization

/// An HTTP/1.1 server on the loops of a group.
public final class HTTPServer: Sendable {
    private let shared: ServerShared
    private let homes: [ServerLoop]

    /// Throws when a certificate cannot be used.
    public init(
        _ loops: LoopGroup, _ configuration: HTTPConfiguration, _ responder: any Responder
    ) throws(TLSError) {
        let shared = try ServerShared(configuration, responder, loops: loops.loops.count)
        self.shared = shared
        homes = loops.loops.map { ServerLoop($0, shared) }
    }

    /// Opens the ports and begins to answer; returns the port of each listener, in the order of the configuration.
    public func start() throws(ListenError) -> [Int] {
        // A client that goes away while it is written to must not end the process; libssl writes without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        shared.connectionsMax.store(
            Descriptors.makeRoom(forConnections: shared.configuration.limits.connections), ordering: .relaxed)
        let listeners = shared.configuration.listeners
        let backlog = shared.configuration.limits.backlog
        var opened: [[[Int32]]] = []
        do throws(ListenError) {
            for listener in listeners {
                opened.append(
                    try ListeningSocket.open(
                        listener.host, listener.port, count: homes.count, backlog: backlog))
            }
        } catch {
            // All or none: a server on half its ports is no server.
            for descriptor in opened.joined().joined() { close(descriptor) }
            throw error
        }
        for (listener, sockets) in zip(listeners, opened) { listen(on: sockets, listener.kind) }
        return opened.map { ListeningSocket.port(of: $0[0][0]) }
    }

    /// - Parameter sockets: for each address one for each loop.
    private func listen(on sockets: [[Int32]], _ kind: HTTPConfiguration.Listener.Kind) {
        for (index, home) in homes.enumerated() {
            let own = sockets.map { $0[index] }
            home.loop.execute {
                for descriptor in own { home.listen(Listener(descriptor, kind, home)) }
            }
        }
    }

    /// Accepts nobody any more, closes idle connections, ends each other one after its present answer.
    public func beginDrain() {
        for home in homes { home.loop.execute { home.drain() } }
    }

    /// Comes back when the last connection is gone; those still there at the deadline are cut.
    public func drained(deadline: Duration) async {
        let homes = homes
        let cut = Task {
            try await Task.sleep(for: deadline)
            for home in homes { home.loop.execute { home.abortAll() } }
        }
        await shared.emptied()
        cut.cancel()
    }

    /// Reads the certificates again. New connections get them; the old ones stay in use when anything is wrong.
    public func reloadCertificates() throws(TLSError) { try shared.tls?.reload() }

    public struct Statistics: Sendable {
        public let connections: Int
        public let accepted: Int
        /// Answers being worked on; those that need no waiting are not counted.
        public let requestsInFlight: Int
        /// Connections and requests turned away because of a limit.
        public let shed: Int
    }

    public var statistics: Statistics {
        Statistics(
            connections: shared.connections.load(ordering: .relaxed),
            accepted: shared.accepted.load(ordering: .relaxed),
            requestsInFlight: shared.inFlight.load(ordering: .relaxed),
            shed: shared.shed.load(ordering: .relaxed))
    }
}

/// What the loops of a server have in common.
final class ServerShared: Sendable {
    let configuration: HTTPConfiguration
    let responder: any Responder
    let connections = Atomic<Int>(0)
    let connectionsMax = Atomic<Int>(0)
    let accepted = Atomic<Int>(0)
    let inFlight = Atomic<Int>(0)
    let shed = Atomic<Int>(0)
    let tls: Certificates?
    /// Reads files for encrypted connections and compresses large bodies.
    let workers: BlockingPool

    private struct Drain {
        var busyLoops: Int
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }
    private let drain: Mutex<Drain>

    init(_ configuration: HTTPConfiguration, _ responder: any Responder, loops: Int) throws(TLSError) {
        let needsTLS = configuration.listeners.contains { $0.kind == .tls }
        tls = needsTLS ? try Certificates(configuration.tls) : nil
        workers = BlockingPool(label: "http-work", workers: 2, queueLimit: configuration.limits.workQueued)
        self.configuration = configuration
        self.responder = responder
        drain = Mutex(Drain(busyLoops: loops))
    }

    deinit { workers.stop() }

    /// A draining loop has lost its last connection.
    func loopIsEmpty() {
        let waiters = drain.withLock { drain in
            drain.busyLoops -= 1
            guard drain.busyLoops == 0 else { return [UnsafeContinuation<Void, Never>]() }
            defer { drain.waiters = [] }
            return drain.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func emptied() async {
        await withUnsafeContinuation { continuation in
            let isEmpty = drain.withLock { drain in
                if drain.busyLoops > 0 { drain.waiters.append(continuation) }
                return drain.busyLoops == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
