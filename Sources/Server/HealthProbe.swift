import CLinux
import Core
import Glibc

/// Asks the server on this machine how it is; for container health checks, which have no curl.
struct HealthProbe {
    let settings: Settings
    private static let seconds = 2

    /// What is wrong, or nil.
    func ask() -> String? {
        let port = settings.httpPort > 0 ? settings.httpPort : settings.httpsPort
        guard let socket = connected(port) else { return "nothing answers on port \(port)" }
        defer { close(socket) }
        // On the encrypted port alone, being let in must do.
        guard settings.httpPort > 0 else { return nil }
        let request = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        guard
            Array(request.utf8).withUnsafeBytes({ write(socket, $0.baseAddress, $0.count) })
                == request.utf8.count
        else { return "the server closed the connection" }
        let answer = readAll(socket)
        let words = answer.prefix { $0 != "\r\n" }.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return "the answer on port \(port) is not HTTP"
        }
        // A port that only redirects to https is as it should be.
        if status == 200 || [301, 302, 307, 308].contains(status) { return nil }
        return "the server is not ready (\(status)): \(body(answer))"
    }

    private func connected(_ port: Int) -> Int32? {
        let isV6 = settings.bind.contains(":")
        let socket = Glibc.socket(isV6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var wait = timeval(tv_sec: Self.seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &wait, socklen_t(MemoryLayout<timeval>.size))
        }
        let result = isV6 ? connectV6(socket, port) : connectV4(socket, port)
        if result == 0 { return socket }
        close(socket)
        return nil
    }

    private func connectV4(_ socket: Int32, _ port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        if inet_pton(AF_INET, settings.bind == "0.0.0.0" ? "127.0.0.1" : settings.bind, &address.sin_addr)
            != 1
        {
            inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func connectV6(_ socket: Int32, _ port: Int) -> Int32 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(port).bigEndian
        inet_pton(AF_INET6, settings.bind == "::" ? "::1" : settings.bind, &address.sin6_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    private func readAll(_ socket: Int32) -> String {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while all.count < 65536, case let count = read(socket, &bytes, bytes.count), count > 0 {
            all += bytes[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    private func body(_ answer: String) -> Substring {
        answer.firstRange(of: "\r\n\r\n").map { answer[$0.upperBound...] } ?? ""
    }
}
