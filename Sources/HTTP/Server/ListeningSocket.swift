import CLinux
import Glibc

/// Why a port could not be opened, in a sentence for the person who starts the server.
public struct ListenError: Error, CustomStringConvertible, Sendable {
    public enum Reason: Sendable, Equatable {
        case portTaken, notPermitted, noSuchAddress
        case other(Int32)
    }

    public let host: String
    public let port: Int
    public let reason: Reason

    public var description: String {
        switch reason {
        case .portTaken: "Port \(port) on \(host) is taken by another program."
        case .notPermitted:
            "Port \(port) on \(host) may not be opened by this user; ports below 1024 are the system's."
        case .noSuchAddress: "\(host) is not an address of this machine."
        case .other(let code): "Port \(port) on \(host) cannot be opened: \(String(cString: strerror(code)))."
        }
    }
}

/// Opens listening sockets that several loops share by SO_REUSEPORT.
enum ListeningSocket {
    /// One list of sockets, one for each loop, per address that `host` stands for.
    static func open(_ host: String, _ port: Int, count: Int, backlog: Int32) throws(ListenError) -> [[Int32]]
    {
        var port = port
        var sockets: [[Int32]] = []
        var missing: ListenError?
        for address in try addresses(host, port) {
            do throws(ListenError) {
                let same = try open(address, host, port, count, backlog)
                // A port the system chose for the first address counts for the next.
                port = self.port(of: same[0])
                sockets.append(same)
            } catch  where error.reason == .noSuchAddress {
                // `localhost` also stands for ::1 where there is no version 6.
                missing = error
            } catch {
                for descriptor in sockets.joined() { close(descriptor) }
                throw error
            }
        }
        if sockets.isEmpty { throw missing ?? ListenError(host: host, port: port, reason: .noSuchAddress) }
        return sockets
    }

    private static func open(
        _ address: Address, _ host: String, _ port: Int, _ count: Int, _ backlog: Int32
    ) throws(ListenError) -> [Int32] {
        // SO_REUSEPORT would let a second server of the same user in; so first without it.
        if port != 0 { close(try bound(address, host, port, shared: false)) }
        var port = port
        var same: [Int32] = []
        do throws(ListenError) {
            for _ in 0..<count {
                let descriptor = try bound(address, host, port, shared: true)
                same.append(descriptor)
                guard Glibc.listen(descriptor, backlog) == 0 else { throw failure(host, port) }
                // The first of them gets a port from the system, the others join it.
                if port == 0 { port = self.port(of: descriptor) }
            }
        } catch {
            for descriptor in same { close(descriptor) }
            throw error
        }
        return same
    }

    static func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getsockname(descriptor, $0, &length)
            }
            // The port stands at the same place for both families.
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    private struct Address {
        var storage: sockaddr_storage
        let length: socklen_t
        let family: Int32
    }

    private static func addresses(_ host: String, _ port: Int) throws(ListenError) -> [Address] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else {
            throw ListenError(host: host, port: port, reason: .noSuchAddress)
        }
        defer { freeaddrinfo(list) }
        var found: [Address] = []
        var next = list
        while let entry = next {
            var storage = sockaddr_storage()
            memcpy(&storage, entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen))
            found.append(
                Address(storage: storage, length: entry.pointee.ai_addrlen, family: entry.pointee.ai_family))
            next = entry.pointee.ai_next
        }
        return found
    }

    private static func bound(
        _ address: Address, _ host: String, _ port: Int, shared: Bool
    ) throws(ListenError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw failure(host, port) }
        set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if shared { set(descriptor, SOL_SOCKET, SO_REUSEPORT) }
        // What is accepted inherits these.
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE)
        var storage = address.storage
        // 0.0.0.0 and :: are asked for one by one, so the latter must not take the former's place.
        if address.family == AF_INET6, host != "::" { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        if port != 0 {
            withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
                }
            }
        }
        let result = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, address.length) }
        }
        guard result == 0 else {
            let error = failure(host, port)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure(_ host: String, _ port: Int) -> ListenError {
        let reason: ListenError.Reason =
            switch errno {
            case EADDRINUSE: .portTaken
            case EACCES, EPERM: .notPermitted
            case EADDRNOTAVAIL, EAFNOSUPPORT: .noSuchAddress
            default: .other(errno)
            }
        return ListenError(host: host, port: port, reason: reason)
    }
}
