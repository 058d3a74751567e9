import Glibc
import Testing
import Wire

/// A client that reads like the API's user: one request, one answer, on a connection of its own.
struct Client: Sendable {
    let port: Int
    /// Held, so that the server lives as long as somebody may ask it.
    let ground: Ground
    var token: String? = "owner-0"

    func `as`(_ token: String?) -> Client {
        var copy = self
        copy.token = token
        return copy
    }

    func get(_ path: String, _ headers: [String: String] = [:]) throws -> Answer {
        try send("GET", path, headers: headers)
    }

    func send(
        _ method: String, _ path: String, _ body: JSON? = nil, raw: String? = nil,
        headers: [String: String] = [:]
    ) throws -> Answer {
        var fields = headers
        if let token, fields["Authorization"] == nil { fields["Authorization"] = "Bearer \(token)" }
        let content = raw ?? body?.description
        if let content {
            if fields["Content-Type"] == nil { fields["Content-Type"] = "application/json" }
            fields["Content-Length"] = String(content.utf8.count)
        }
        let lines = fields.filter { !$0.value.isEmpty }.map { "\($0): \($1)\r\n" }.joined()
        return try exchange(
            "\(method) \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\(lines)\r\n\(content ?? "")")
    }

    func exchange(_ text: String) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(text.utf8)
        try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        var received: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &room, room.count, 0)
            guard count > 0 else { break }
            received += room[..<count]
        }
        return try #require(Answer(received))
    }
}

struct Answer {
    let status: Int
    let headers: [(name: String, value: String)]
    let text: String

    subscript(header: String) -> String? { headers.first { $0.name == header }?.value }

    var json: JSON { (try? JSON.parse(text)) ?? .null }
    var code: String? { json["code"]?.stringValue }
    /// `place code` of each fault.
    var faults: [String] {
        (json["errors"]?.arrayValue ?? []).map {
            "\($0["pointer"]?.stringValue ?? $0["parameter"]?.stringValue ?? "?") \($0["code"]?.stringValue ?? "?")"
        }
    }

    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            return nil
        }
        self.status = status
        headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.startIndex
            return (line[..<colon].lowercased(), String(line[colon...].dropFirst(2)))
        }
        text = String(decoding: bytes[end.upperBound...], as: UTF8.self)
    }
}
