import CLinux
import Dispatch
import Glibc
import Wire

/// A caller of the API over a plain socket, as somebody else's client would be: one connection a request.
public struct Client: Sendable {
    public let port: UInt16
    /// Sent as `Authorization: Bearer` when set.
    public var token: String?
    /// Sent with every request.
    public var headers: [(String, String)] = []
    /// When set, an answer that breaks it is a failure of the test.
    public var contract: Contract?

    public init(port: UInt16, token: String? = nil, contract: Contract? = nil) {
        self.port = port
        self.token = token
        self.contract = contract
    }

    public func with(token: String?) -> Client {
        var other = self
        other.token = token
        return other
    }

    public func with(header name: String, _ value: String) -> Client {
        var other = self
        other.headers.append((name, value))
        return other
    }

    public func get(_ path: String) async throws -> Answer { try await send("GET", path) }
    public func delete(_ path: String) async throws -> Answer { try await send("DELETE", path) }

    public func post(_ path: String, _ body: JSON = [:]) async throws -> Answer {
        try await send("POST", path, body)
    }
    public func put(_ path: String, _ body: JSON) async throws -> Answer { try await send("PUT", path, body) }
    public func patch(_ path: String, _ body: JSON) async throws -> Answer {
        try await send("PATCH", path, body)
    }

    public func send(_ method: String, _ path: String, _ body: JSON?) async throws -> Answer {
        try await send(
            method, path, body: body.map { [UInt8]($0.description.utf8) }, type: "application/json")
    }

    public func send(
        _ method: String, _ path: String, body: [UInt8]? = nil, type: String = "application/json"
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n" }
        let bytes = [UInt8]((head + "\r\n").utf8) + (body ?? [])
        let answer = try Answer(try await raw(bytes), to: method)
        if let breach = contract?.breach(answer, method, path) { throw Failure(description: breach) }
        return answer
    }

    /// Sends the bytes as they are and gives back all that comes until the server closes.
    public func raw(_ bytes: [UInt8]) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            // Blocking calls stay off the pool of Swift tasks, which the tests themselves run on.
            // A queue each: it gets a thread of its own, however many others wait for their answers.
            DispatchQueue(label: "client").async {
                continuation.resume(with: Result { try Self.exchange(port, bytes) })
            }
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
        public init(description: String) { self.description = description }
    }

    private static func exchange(_ port: UInt16, _ bytes: [UInt8]) throws -> [UInt8] {
        let socket = try LoopbackSocket.connect(to: port)
        defer { close(socket) }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The server may refuse a body without reading it; what it said is still there to be read.
            if count <= 0 { break }
            sent += count
        }
        var reply: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &room, room.count, 0)
            if count < 0 && reply.isEmpty { throw Failure(description: "no answer: errno \(errno)") }
            if count <= 0 { return reply }
            reply += room[..<count]
        }
    }
}
