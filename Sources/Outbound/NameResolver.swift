// Both have the constants of sockets; which of them the compiler takes them from depends on the order of the build.
import CCurl
import CLinux
import Glibc
import Loop
import Wire

/// Looks names up on the threads for blocking work; what was found is kept for a while.
///
/// One per loop, for its thread.
final class NameResolver {
    private struct Entry {
        let addresses: [IPAddress]
        let until: UInt64
    }

    private let loop: EventLoop
    private let pool: BlockingPool
    private var known: [String: Entry] = [:]

    init(loop: EventLoop, pool: BlockingPool) {
        self.loop = loop
        self.pool = pool
    }

    /// Calls back on the loop's thread, at once when the name is known; no address means there is none to be had.
    func addresses(of host: String, _ found: @escaping @Sendable ([IPAddress]) -> Void) {
        if let entry = known[host], entry.until > loop.now { return found(entry.addresses) }
        let loop = loop
        // Carries the resolver through the pool's thread, which does not touch it.
        let me = LoopBound(self)
        let accepted = pool.submit {
            let addresses = Self.lookUp(host)
            loop.execute {
                me.value.remember(host, addresses)
                found(addresses)
            }
        }
        if !accepted { found([]) }
    }

    private func remember(_ host: String, _ addresses: [IPAddress]) {
        guard !addresses.isEmpty else { return }
        if known.count >= OutboundLimits.namesRemembered {
            known = known.filter { $0.value.until > loop.now }
        }
        guard known.count < OutboundLimits.namesRemembered else { return }
        known[host] = Entry(
            addresses: addresses, until: loop.now + OutboundLimits.nameSeconds * 1_000_000_000)
    }

    /// Blocks as long as the system's resolver does.
    private static func lookUp(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr.flatMap({ IPAddress($0) }), !addresses.contains(address) {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }
}

/// A value that belongs to one loop, on its way through another thread.
// @unchecked Sendable: only the loop's thread opens it.
struct LoopBound<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
