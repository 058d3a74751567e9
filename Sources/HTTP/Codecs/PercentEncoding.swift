import Wire

/// `%41` for `A` (RFC 3986 section 2.1).
public enum PercentEncoding {
    /// Undoes it once; nil when a percent sign is not followed by two hexadecimal digits.
    public static func decode(_ bytes: UnsafeRawBufferPointer, plusIsSpace: Bool = false) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "%") {
                guard at + 1 < bytes.count, let high = Hex.value(of: bytes[at]),
                    let low = Hex.value(of: bytes[at + 1])
                else { return nil }
                out.append(high << 4 | low)
                at += 2
            } else {
                out.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return out
    }

    public static func decode(_ text: some StringProtocol) -> String? {
        let bytes = text.reading { Self.decode($0.bytes) }
        return bytes.flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Everything but the unreserved characters is encoded, so the text may stand anywhere in a URL.
    public static func encode(_ text: some StringProtocol) -> String {
        let digits = [UInt8]("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                out.append(byte)
                continue
            }
            out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Letters, digits and `-._~`, which mean the same with or without an escape.
    public static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
