/// Reads a field value from left to right by the common rules of RFC 9110 section 5.6.
///
/// Borrows the bytes: it must not outlive the closure that lends them.
struct FieldReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var atEnd: Bool { at == bytes.count }
    var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    mutating func skip(_ count: Int) { at = min(at + count, bytes.count) }

    mutating func take(while isWanted: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
        let start = at
        while at < bytes.count, isWanted(bytes[at]) { at += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<at])
    }

    mutating func token() -> UnsafeRawBufferPointer? {
        let token = take(while: Self.isTokenByte)
        return token.isEmpty ? nil : token
    }

    /// The content of a quoted string; a backslash before a quote or a backslash is taken away, any other one stays,
    /// since old browsers send Windows paths unescaped.
    mutating func quotedString() -> [UInt8]? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var content: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return content
            case UInt8(ascii: "\\"):
                if let escaped = next, escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") {
                    at += 1
                    content.append(escaped)
                } else {
                    content.append(byte)
                }
            case 0..<0x09, 0x0A..<0x20, 0x7F: return nil
            default: content.append(byte)
            }
        }
        return nil
    }

    /// A token or a quoted string that is valid UTF-8.
    mutating func value() -> String? {
        if next == UInt8(ascii: "\"") {
            return quotedString().flatMap { String(validating: $0, as: UTF8.self) }
        }
        return token().map { String(decoding: $0, as: UTF8.self) }
    }

    /// Parameters `;name=value` up to the end or to a byte that cannot follow one; names come in lower case.
    mutating func parameters() -> [(name: String, value: String)]? {
        var found: [(name: String, value: String)] = []
        while true {
            skipSpace()
            guard take(UInt8(ascii: ";")) else { return found }
            skipSpace()
            // An empty parameter (`a; ; b=c`, `a;`) is allowed since RFC 9110.
            if next == nil || next == UInt8(ascii: ";") { continue }
            guard let name = token(), take(UInt8(ascii: "=")), let value = value() else { return nil }
            found.append((String(decoding: name, as: UTF8.self).lowercased(), value))
        }
    }

    /// A weight of RFC 9110 section 12.4.2 in thousandths.
    mutating func weight() -> Int? {
        guard let whole = next, whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1") else { return nil }
        at += 1
        var thousandths = 0
        var place = 100
        if take(UInt8(ascii: ".")) {
            while let digit = next, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") {
                guard place > 0 else { return nil }
                thousandths += Int(digit - UInt8(ascii: "0")) * place
                place /= 10
                at += 1
            }
        }
        if whole == UInt8(ascii: "0") { return thousandths }
        return thousandths == 0 ? 1000 : nil
    }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"),
            UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension StringProtocol {
    /// Lends a reader over the text.
    func reading<Value>(_ body: (inout FieldReader) -> Value) -> Value {
        var text = String(self)
        return text.withUTF8 { bytes in
            var reader = FieldReader(UnsafeRawBufferPointer(bytes))
            return body(&reader)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Equal but for the case of ASCII letters; `word` is in lower case.
    func isWord(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            guard (isCapital ? byte | 0x20 : byte) == word.utf8Start[index] else { return false }
        }
        return true
    }
}
