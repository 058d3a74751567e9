import Wire

/// What came back: status, fields and body, the framing undone.
public struct Answer: Sendable, CustomStringConvertible {
    public let status: Int
    public let fields: [(name: String, value: String)]
    public let body: [UInt8]

    init(_ bytes: [UInt8], to method: String) throws {
        guard let end = Self.endOfHead(bytes) else {
            throw Client.Failure(
                description: "no whole head in \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let parts = lines[0].split(separator: " ")
        guard parts.count >= 2, let status = Int(parts[1]) else {
            throw Client.Failure(description: "no status line: \(lines[0])")
        }
        if status == 100 {
            self = try Answer(Array(bytes[(end + 4)...]), to: method)
            return
        }
        self.status = status
        fields = lines.dropFirst().map { line in
            let name = line.prefix { $0 != ":" }
            let value = line.dropFirst(name.count + 1).drop { $0 == " " }
            return (name.lowercased(), String(value))
        }
        let rest = Array(bytes[(end + 4)...])
        let isChunked = fields.contains { $0.name == "transfer-encoding" && $0.value == "chunked" }
        body = isChunked ? try Self.unchunked(rest) : rest
        if method != "HEAD", !isChunked, let length = fields.first(where: { $0.name == "content-length" }),
            Int(length.value) != rest.count
        {
            throw Client.Failure(description: "\(rest.count) bytes came where \(length.value) were promised")
        }
    }

    public func header(_ name: String) -> String? { fields.first { $0.name == name.lowercased() }?.value }
    public func headers(_ name: String) -> [String] {
        fields.filter { $0.name == name.lowercased() }.map(\.value)
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
    /// The body as JSON; null when it is none.
    public var json: JSON { (try? JSON.parse(body)) ?? .null }
    /// The `code` of a problem.
    public var code: String? { json["code"]?.stringValue }

    public var description: String { "\(status) \(text.prefix(2000))" }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...bytes.count - 4).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }
    }

    private static func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
        var out: [UInt8] = []
        var at = 0
        while true {
            guard let lineEnd = bytes[at...].firstIndex(of: 13),
                let size = Int(
                    String(decoding: bytes[at..<lineEnd].prefix { $0 != 59 }, as: UTF8.self), radix: 16),
                lineEnd + 2 + size + 2 <= bytes.count
            else { throw Client.Failure(description: "the chunked body ends early") }
            if size == 0 { return out }
            out += bytes[(lineEnd + 2)..<(lineEnd + 2 + size)]
            at = lineEnd + 2 + size + 2
        }
    }
}
