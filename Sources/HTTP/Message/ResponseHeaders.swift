import Glibc
import Wire

/// The fields of an answer, kept as the bytes that go out.
///
/// Content-Length, Transfer-Encoding, Connection and Date belong to the server and are not accepted here.
public struct ResponseHeaders: Sendable {
    /// `name: value` lines, each with its CR LF.
    private(set) var lines: [UInt8] = []

    public init() {}

    public var isEmpty: Bool { lines.isEmpty }

    /// Makes room, so that many fields cost one allocation.
    public mutating func reserve(_ bytes: Int) { lines.reserveCapacity(lines.count + bytes) }

    public mutating func add(_ name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { add(name, UnsafeRawBufferPointer($0)) }
    }

    public mutating func add(_ name: StaticString, _ value: StaticString) {
        add(name, UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    public mutating func add(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        precondition(!Self.belongsToServer(name), "the server itself writes this field")
        lines.append(contentsOf: name)
        lines.append(UInt8(ascii: ":"))
        lines.append(UInt8(ascii: " "))
        let start = lines.count
        lines.append(contentsOf: value)
        // A line end out of somebody's data would begin a field, or an answer, of his own making.
        for index in start..<lines.count
        where lines[index] < 0x20 && lines[index] != 0x09 || lines[index] == 0x7F {
            lines[index] = UInt8(ascii: " ")
        }
        lines.append(0x0D)
        lines.append(0x0A)
    }

    /// Adds whole lines, each ended by CR LF, that were rendered once and for all.
    public mutating func add(lines block: [UInt8]) {
        if lines.isEmpty { lines = block } else { lines.append(contentsOf: block) }
    }

    /// Adds all fields of `other`.
    public mutating func add(_ other: ResponseHeaders) { add(lines: other.lines) }

    /// The lines rendered so far, for use with `add(lines:)`.
    public var rendered: [UInt8] { lines }

    /// Replaces every field of that name.
    public mutating func set(_ name: StaticString, _ value: String) {
        remove(name)
        add(name, value)
    }

    public mutating func remove(_ name: StaticString) {
        while let line = line(of: name) { lines.removeSubrange(line.whole) }
    }

    public func contains(_ name: StaticString) -> Bool { line(of: name) != nil }

    /// The value of the first field of that name; `name` is in lower case.
    public func first(_ name: StaticString) -> String? {
        line(of: name).map { String(decoding: lines[$0.value], as: UTF8.self) }
    }

    func value<Value>(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        line(of: name).map { line in
            lines.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[line.value])) }
        }
    }

    /// Calls `body` with each name and value.
    public func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        var at = 0
        while let line = line(at: at) {
            body(
                String(decoding: lines[at..<line.value.lowerBound - 2], as: UTF8.self),
                String(decoding: lines[line.value], as: UTF8.self))
            at = line.whole.upperBound
        }
    }

    private func line(of name: StaticString) -> (whole: Range<Int>, value: Range<Int>)? {
        lines.withUnsafeBytes { bytes in
            var at = 0
            while let line = Self.line(bytes, at: at) {
                let found = UnsafeRawBufferPointer(rebasing: bytes[at..<line.value.lowerBound - 2])
                if found.isWord(name) { return line }
                at = line.whole.upperBound
            }
            return nil
        }
    }

    private func line(at start: Int) -> (whole: Range<Int>, value: Range<Int>)? {
        lines.withUnsafeBytes { Self.line($0, at: start) }
    }

    private static func line(
        _ bytes: UnsafeRawBufferPointer, at start: Int
    ) -> (whole: Range<Int>, value: Range<Int>)? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let colon = memchr(base + start, Int32(UInt8(ascii: ":")), bytes.count - start),
            let end = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        let value = UnsafeRawPointer(colon) - base + 2
        let next = UnsafeRawPointer(end) - base + 1
        return (start..<next, value..<next - 2)
    }

    private static func belongsToServer(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 4: name.isWord("date")
        case 10: name.isWord("connection")
        case 14: name.isWord("content-length")
        case 17: name.isWord("transfer-encoding")
        default: false
        }
    }
}
