import Wire

/// The members of a token's header or payload: one flat JSON object, read strictly.
public struct Claims: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([String])
        case null
    }

    public private(set) var members: [(name: String, value: Value)] = []

    public init() {}

    public init(_ members: KeyValuePairs<String, Value>) {
        self.members = members.map { (name: $0.key, value: $0.value) }
    }

    public subscript(name: String) -> Value? { members.first { $0.name == name }?.value }

    public func text(_ name: String) -> String? {
        if case .text(let text)? = self[name] { text } else { nil }
    }

    public func number(_ name: String) -> Int64? {
        if case .number(let number)? = self[name] { number } else { nil }
    }

    public func id(_ name: String) -> UUID? { text(name).flatMap { UUID(text: $0) } }

    public static func == (left: Claims, right: Claims) -> Bool {
        left.members.count == right.members.count
            && left.members.allSatisfy { member in right[member.name] == member.value }
    }

    /// Nil unless `json` is one object without a repeated name whose values are texts, whole numbers, truth values,
    /// null, or lists of texts: a token of ours holds nothing else.
    public init?(json: [UInt8]) {
        var reader = ClaimsReader(json)
        guard let members = reader.object() else { return nil }
        self.members = members
    }

    public var json: String {
        let out = ByteWriter(capacity: 256)
        out.write(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { out.write(UInt8(ascii: ",")) }
            out.writeJSONString(member.name)
            out.write(UInt8(ascii: ":"))
            write(member.value, to: out)
        }
        out.write(UInt8(ascii: "}"))
        return out.string
    }

    private func write(_ value: Value, to out: ByteWriter) {
        switch value {
        case .text(let text): out.writeJSONString(text)
        case .number(let number): out.write(number)
        case .flag(let flag): out.write(flag ? "true" : "false")
        case .null: out.write("null")
        case .list(let texts):
            out.write(UInt8(ascii: "["))
            for (index, text) in texts.enumerated() {
                if index > 0 { out.write(UInt8(ascii: ",")) }
                out.writeJSONString(text)
            }
            out.write(UInt8(ascii: "]"))
        }
    }
}

extension UUID {
    fileprivate init?(text: String) {
        var text = text
        guard let id = text.withUTF8({ UUID(text: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = id
    }
}

/// Reads the flat object from left to right; nil at the first thing that is not as it should be.
private struct ClaimsReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func object() -> [(name: String, value: Claims.Value)]? {
        var members: [(name: String, value: Claims.Value)] = []
        guard take("{") else { return nil }
        if !take("}") {
            repeat {
                skipSpace()
                guard let name = string(), !members.contains(where: { $0.name == name }), take(":"),
                    let value = value()
                else { return nil }
                members.append((name, value))
            } while take(",")
            guard take("}") else { return nil }
        }
        skipSpace()
        return at == bytes.count ? members : nil
    }

    private mutating func value() -> Claims.Value? {
        skipSpace()
        guard at < bytes.count else { return nil }
        switch bytes[at] {
        case UInt8(ascii: "\""): return string().map { .text($0) }
        case UInt8(ascii: "["): return list().map { .list($0) }
        case UInt8(ascii: "t"): return word("true") ? .flag(true) : nil
        case UInt8(ascii: "f"): return word("false") ? .flag(false) : nil
        case UInt8(ascii: "n"): return word("null") ? .null : nil
        default: return number().map { .number($0) }
        }
    }

    private mutating func list() -> [String]? {
        guard take("[") else { return nil }
        if take("]") { return [] }
        var texts: [String] = []
        repeat {
            skipSpace()
            guard let text = string() else { return nil }
            texts.append(text)
        } while take(",")
        return take("]") ? texts : nil
    }

    private mutating func number() -> Int64? {
        let start = at
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
        let digits = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        guard at > digits, bytes[digits] != UInt8(ascii: "0") || at == digits + 1 else { return nil }
        return Int64(String(decoding: bytes[start..<at], as: UTF8.self))
    }

    private mutating func string() -> String? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return nil }
        at += 1
        var out: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: out, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &out) else { return nil }
            case 0..<0x20: return nil
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into out: inout [UInt8]) -> Bool {
        guard at < bytes.count else { return false }
        let letter = bytes[at]
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "u"):
            guard let scalar = unicodeEscape() else { return false }
            out += Array(String(Character(scalar)).utf8)
        default: return false
        }
        return true
    }

    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexUnit() else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
            return nil
        }
        at += 2
        guard let second = hexUnit(), (0xDC00..<0xE000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func hexUnit() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            guard let digit = Hex.value(of: byte) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        at += 4
        return unit
    }

    private mutating func word(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func take(_ letter: Character) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == letter.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }
}
