import CLinux
import Glibc
import Loop
import Wire

/// One loop's share of a listening port.
final class Listener: Readiness {
    private let descriptor: Int32
    private let home: ServerLoop
    private let kind: HTTPConfiguration.Listener.Kind
    private lazy var rest = home.loop.timer { [unowned self] in home.loop.change(descriptor, .readable) }

    init(_ descriptor: Int32, _ kind: HTTPConfiguration.Listener.Kind, _ home: ServerLoop) {
        self.descriptor = descriptor
        self.kind = kind
        self.home = home
    }

    func start() { home.loop.watch(descriptor, .readable, self) }

    func ready(_ events: EventLoop.Events) {
        for _ in 0..<Self.acceptedAtOnce {
            let (client, address) = acceptOne()
            guard client >= 0 else {
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM { takeRest() }
                if errno == ECONNABORTED || errno == EINTR { continue }
                return
            }
            let peer = Peer(
                address: address, isSecure: kind == .tls,
                trustedProxies: home.shared.configuration.trustedProxies)
            home.accept(client, peer, tls: kind == .tls ? home.shared.tls?.contexts : nil, redirect)
        }
    }

    private func acceptOne() -> (Int32, IPAddress) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
                let client = accept4(descriptor, address, &length, flags)
                return (client, client < 0 ? Self.nowhere : IPAddress(address) ?? Self.nowhere)
            }
        }
    }

    private static let nowhere = IPAddress(0, 0, 0, 0)

    /// Without a free descriptor nothing can be accepted, and the waiting client would wake the loop for ever.
    private func takeRest() {
        home.loop.change(descriptor, [])
        rest.arm(after: home.limits.acceptRest)
    }

    /// Whoever is waiting already is still let in; then the port is given up.
    func stop() {
        ready(.readable)
        rest.cancel()
        home.loop.forget(descriptor)
        close(descriptor)
    }

    private var redirect: Redirect? {
        if case .redirect(let port) = kind { return Redirect(port: port) }
        return nil
    }

    private static let acceptedAtOnce = 64
}
