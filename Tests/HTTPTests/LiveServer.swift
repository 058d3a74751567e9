import CLinux
import Glibc
import HTTP
import Loop
import Synchronization
import Wire

/// A server on a free port of loopback with loops of its own, stopped when it goes.
final class LiveServer: Sendable {
    let loops: LoopGroup
    let server: HTTPServer
    let ports: [Int]

    init(
        _ responder: any Responder, loops count: Int = 1, kinds: [HTTPConfiguration.Listener.Kind] = [.plain],
        trusted: [AddressRange] = [], limits change: (inout Limits) -> Void = { _ in }
    ) throws {
        var limits = Limits()
        change(&limits)
        loops = LoopGroup(count: count)
        let listeners = kinds.map { HTTPConfiguration.Listener(host: "127.0.0.1", port: 0, kind: $0) }
        server = try HTTPServer(
            loops, HTTPConfiguration(listeners: listeners, trustedProxies: trusted, limits: limits), responder
        )
        ports = try server.start()
    }

    func client() -> RawClient { RawClient(port: ports[0]) }

    /// Closes everything and joins the loops.
    func stop() async {
        server.beginDrain()
        await server.drained(deadline: .milliseconds(200))
        loops.stop()
    }
}

/// Answers by a closure, and keeps the exchanges it was told of.
final class Answering: Responder {
    private let answer: @Sendable (Request) -> Reply
    private let seen = Mutex<[Exchange]>([])

    init(_ answer: @escaping @Sendable (Request) -> Reply) { self.answer = answer }

    func respond(to request: Request) -> Reply { answer(request) }
    func finished(_ exchange: Exchange) { seen.withLock { $0.append(exchange) } }

    var exchanges: [Exchange] { seen.withLock { $0 } }
}

extension Response {
    static func text(_ text: String, status: Int = 200) -> Response {
        var response = Response(status: status, body: .bytes(Array(text.utf8)))
        response.headers.add("content-type", "text/plain")
        return response
    }
}

/// A blocking client that speaks bytes.
final class RawClient: @unchecked Sendable {
    let descriptor: Int32
    private var unread: [UInt8] = []

    init(port: Int, receiveBuffer: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0, "cannot connect")
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// False when the other side no longer takes bytes.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var at = 0
        while at < bytes.count {
            let sent = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + at, bytes.count - at, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            at += sent
        }
        return true
    }

    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Everything up to the end of the connection.
    func readToEnd() -> String {
        while fill() {}
        defer { unread = [] }
        return String(decoding: unread, as: UTF8.self)
    }

    /// One answer with a Content-Length, a chunked body or none.
    func readResponse(toHead: Bool = false) -> Answer? {
        while true {
            if let answer = Answer(&unread, toHead: toHead) { return answer }
            guard fill() else { return nil }
        }
    }

    func read(upTo wanted: String) -> String? {
        while true {
            let text = String(decoding: unread, as: UTF8.self)
            if let range = text.firstRange(of: wanted) {
                let head = text[..<range.upperBound]
                unread.removeFirst(head.utf8.count)
                return String(head)
            }
            guard fill() else { return nil }
        }
    }

    /// The content of the next chunk; empty at the end of the body.
    func readChunk() -> [UInt8]? {
        guard let line = read(upTo: "\r\n"), let size = Int(line.dropLast(1), radix: 16) else { return nil }
        while unread.count < size + 2 { guard fill() else { return nil } }
        defer { unread.removeFirst(size + 2) }
        return Array(unread.prefix(size))
    }

    /// The other side has ended the connection and nothing is left to read.
    var isOver: Bool { !fill() && unread.isEmpty }

    /// What comes next, at most so many bytes; nil at the end.
    func readSome(_ count: Int) -> String? {
        var room = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &room, count, 0)
        return got > 0 ? String(decoding: room[..<got], as: UTF8.self) : nil
    }

    private func fill() -> Bool {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &room, room.count, 0)
        guard count > 0 else { return false }
        unread.append(contentsOf: room[..<count])
        return true
    }
}

struct Answer {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Takes one whole answer off the front, or leaves all as it is.
    init?(_ bytes: inout [UInt8], toHead: Bool) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1])!
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let colon = line.firstIndex(of: ":")!
            return (line[..<colon].lowercased(), String(line[line.index(colon, offsetBy: 2)...]))
        }
        self.status = status
        self.headers = headers
        let rest = bytes[end.upperBound...]
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        if toHead || status < 200 || status == 204 || status == 304 {
            body = []
            bytes.removeFirst(end.upperBound)
        } else if header("transfer-encoding") == "chunked" {
            guard let (content, used) = Self.unchunk(Array(rest)) else { return nil }
            body = content
            bytes.removeFirst(end.upperBound + used)
        } else {
            let length = Int(header("content-length") ?? "0")!
            guard rest.count >= length else { return nil }
            body = Array(rest.prefix(length))
            bytes.removeFirst(end.upperBound + length)
        }
    }

    private static func unchunk(_ bytes: [UInt8]) -> ([UInt8], Int)? {
        var content: [UInt8] = []
        var at = 0
        while true {
            guard let end = bytes[at...].firstRange(of: [13, 10]),
                let size = Int(String(decoding: bytes[at..<end.lowerBound], as: UTF8.self), radix: 16),
                bytes.count >= end.upperBound + size + 2
            else { return nil }
            if size == 0 { return (content, end.upperBound + 2) }
            content += bytes[end.upperBound..<end.upperBound + size]
            at = end.upperBound + size + 2
        }
    }
}
