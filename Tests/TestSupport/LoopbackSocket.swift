import CLinux
import Glibc

/// Connections to a server of the tests.
public enum LoopbackSocket {
    public struct Unreachable: Error, CustomStringConvertible {
        public let description: String
    }

    /// A connected socket, which the caller closes.
    public static func connect(to port: UInt16) throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Unreachable(description: "no socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            defer { close(socket) }
            throw Unreachable(description: "cannot connect to port \(port): errno \(errno)")
        }
        return socket
    }
}
