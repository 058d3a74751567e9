extension JSON {
    /// How much a text may ask of the parser.
    public struct Limits: Sendable {
        /// More than any body the API takes; the HTTP layer has its own limit before this one.
        public var bytes = 8 << 20
        /// The parser calls itself once a level; real bodies stay below ten.
        public var depth = 32
        /// Values in all, so that a small body cannot become a large tree.
        public var values = 100_000

        public init() {}
    }

    /// Why a text is no JSON we take, and the byte where that shows.
    public struct SyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
        public let offset: Int
        public let reason: String

        public var description: String { "\(reason) (at byte \(offset))" }
    }

    /// Reads one JSON text, strictly: no duplicate keys, no NUL, no half surrogate pairs, only valid UTF-8, nothing
    /// behind the value.
    public static func parse(_ bytes: UnsafeRawBufferPointer, limits: Limits = Limits()) throws(SyntaxError)
        -> JSON
    {
        var parser = JSONParser(bytes: bytes, limits: limits)
        return try parser.document()
    }

    public static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(SyntaxError) -> JSON {
        let result: Result<JSON, SyntaxError> = bytes.withUnsafeBytes { buffer in
            do throws(SyntaxError) { return .success(try parse(buffer, limits: limits)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    public static func parse(_ text: String, limits: Limits = Limits()) throws(SyntaxError) -> JSON {
        try parse(Array(text.utf8), limits: limits)
    }
}

/// Reads from left to right, one byte ahead.
private struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let limits: JSON.Limits
    var at = 0
    var values = 0

    init(bytes: UnsafeRawBufferPointer, limits: JSON.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSON.SyntaxError) -> JSON {
        if bytes.count > limits.bytes {
            throw fault("is longer than \(limits.bytes) bytes", at: limits.bytes)
        }
        skipSpace()
        if at == bytes.count { throw fault("is empty") }
        let value = try value(depth: 0)
        skipSpace()
        if at < bytes.count { throw fault("has something behind its end") }
        return value
    }

    private func fault(_ reason: String, at offset: Int? = nil) -> JSON.SyntaxError {
        JSON.SyntaxError(offset: offset ?? at, reason: reason)
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSON.SyntaxError) -> JSON {
        values += 1
        if values > limits.values { throw fault("has more than \(limits.values) values") }
        guard at < bytes.count else { throw fault("ends where a value should stand") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw fault("has no value here")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
        for index in 0..<word.utf8CodeUnitCount {
            guard at + index < bytes.count, bytes[at + index] == word.utf8Start[index] else {
                throw fault("has no value here")
            }
        }
        at += word.utf8CodeUnitCount
        return value
    }

    private mutating func array(depth: Int) throws(JSON.SyntaxError) -> JSON {
        if depth > limits.depth { throw fault("is nested deeper than \(limits.depth)") }
        at += 1
        var items: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        while true {
            skipSpace()
            items.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(items) }
            guard take(UInt8(ascii: ",")) else { throw fault("wants ',' or ']' here") }
        }
    }

    private mutating func object(depth: Int) throws(JSON.SyntaxError) -> JSON {
        if depth > limits.depth { throw fault("is nested deeper than \(limits.depth)") }
        at += 1
        var members: [(key: String, value: JSON)] = []
        // Few members are compared one by one; for many a set, so that a hostile body stays linear.
        var seen: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(JSON.Object()) }
        while true {
            skipSpace()
            let start = at
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw fault("wants a member's name here")
            }
            let key = try string()
            if members.count == Self.comparedOneByOne { seen = Set(members.map(\.key)) }
            let isKnown =
                members.count < Self.comparedOneByOne
                ? members.contains { $0.key == key } : !seen.insert(key).inserted
            if isKnown { throw fault("names the member \"\(key.prefix(40))\" twice", at: start) }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("wants ':' here") }
            skipSpace()
            members.append((key, try value(depth: depth)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(JSON.Object(unchecked: members)) }
            guard take(UInt8(ascii: ",")) else { throw fault("wants ',' or '}' here") }
        }
    }

    private static let comparedOneByOne = 12

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    // MARK: numbers

    private mutating func number() throws(JSON.SyntaxError) -> JSON.Number {
        let start = at
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if digits() > 0 { throw fault("has a number with a leading zero", at: start) }
        } else if digits() == 0 {
            throw fault("has a number without digits", at: start)
        }
        if take(UInt8(ascii: ".")), digits() == 0 {
            throw fault("has a number that ends in a point", at: start)
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "-")) { _ = take(UInt8(ascii: "+")) }
            if digits() == 0 { throw fault("has a number with an empty exponent", at: start) }
        }
        return JSON.Number(unchecked: String(decoding: bytes[start..<at], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") { at += 1 }
        return at - start
    }

    // MARK: strings

    private mutating func string() throws(JSON.SyntaxError) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let text = String(decoding: bytes[start..<at], as: UTF8.self)
                at += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try stringWithEscapes(from: start) }
            try skipCharacter(byte)
        }
        throw fault("ends inside a string")
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSON.SyntaxError) -> String {
        var text = [UInt8](bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                at += 1
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &text)
            } else {
                let from = at
                try skipCharacter(byte)
                text.append(contentsOf: bytes[from..<at])
            }
        }
        throw fault("ends inside a string")
    }

    /// Steps over one character that stands for itself.
    @inline(__always)
    private mutating func skipCharacter(_ byte: UInt8) throws(JSON.SyntaxError) {
        if byte < 0x20 { throw fault("has a bare control character in a string") }
        if byte < 0x80 { at += 1; return }
        let length = UTF8Check.sequenceLength(bytes, at)
        if length == 0 { throw fault("is not valid UTF-8") }
        at += length
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSON.SyntaxError) {
        let start = at
        at += 1
        guard at < bytes.count else { throw fault("ends inside a string") }
        let letter = bytes[at]
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape(from: start)).utf8)
        default: throw fault("has an unknown escape in a string", at: start)
        }
    }

    private mutating func unicodeEscape(from start: Int) throws(JSON.SyntaxError) -> Unicode.Scalar {
        let first = try fourHexDigits(from: start)
        if first == 0 { throw fault("has a NUL character, which no text here may hold", at: start) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw fault("has half a surrogate pair", at: start)
        }
        let second = try fourHexDigits(from: start)
        guard second >= 0xDC00, second < 0xE000,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw fault("has half a surrogate pair", at: start) }
        return scalar
    }

    private mutating func fourHexDigits(from start: Int) throws(JSON.SyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard at < bytes.count, let digit = Hex.value(of: bytes[at]) else {
                throw fault("has a broken \\u escape in a string", at: start)
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }
}

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
public enum UTF8Check {
    /// How many bytes the sequence that starts at `index` has; 0 when it is none.
    public static func sequenceLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = bytes[index]
        let rest = bytes.count - index - 1
        func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            range.contains(bytes[index + offset])
        }
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return rest >= 1 && continues(1) ? 2 : 0
        case 0xE0: return rest >= 2 && continues(1, 0xA0...0xBF) && continues(2) ? 3 : 0
        case 0xED: return rest >= 2 && continues(1, 0x80...0x9F) && continues(2) ? 3 : 0
        case 0xE1...0xEF: return rest >= 2 && continues(1) && continues(2) ? 3 : 0
        case 0xF0: return rest >= 3 && continues(1, 0x90...0xBF) && continues(2) && continues(3) ? 4 : 0
        case 0xF1...0xF3: return rest >= 3 && continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return rest >= 3 && continues(1, 0x80...0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }
}
