/// Base64 (RFC 4648), strict: one text for one run of bytes, so that a signed text cannot be spelt two ways.
public enum Base64 {
    public enum Alphabet: Sendable {
        /// Section 4, with padding.
        case standard
        /// Section 5, without padding, as JWS wants it.
        case url
    }

    public static func encode(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard) -> String {
        bytes.withContiguousStorageIfAvailable { encode($0, alphabet) }
            ?? Array(bytes).withUnsafeBufferPointer { encode($0, alphabet) }
    }

    private static func encode(_ bytes: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet) -> String {
        let letters = (alphabet == .url ? urlLetters : standardLetters).utf8Start
        return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { room in
            var at = 0
            var buffer: UInt32 = 0
            var bits: UInt32 = 0
            for byte in bytes {
                buffer = buffer << 8 | UInt32(byte)
                bits += 8
                while bits >= 6 {
                    bits -= 6
                    room[at] = letters[Int(buffer >> bits & 63)]
                    at += 1
                }
            }
            if bits > 0 {
                room[at] = letters[Int(buffer << (6 - bits) & 63)]
                at += 1
            }
            while alphabet == .standard, at % 4 != 0 {
                room[at] = UInt8(ascii: "=")
                at += 1
            }
            return at
        }
    }

    /// The bytes that `text` spells, or nil when it has a foreign letter, wrong padding or stray bits at its end.
    public static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var digits = Array(text.utf8)
        if alphabet == .standard {
            guard digits.count % 4 == 0 else { return nil }
            var padding = 0
            while padding < 2, digits.last == UInt8(ascii: "=") { digits.removeLast(); padding += 1 }
        }
        guard digits.count % 4 != 1 else { return nil }
        var out = [UInt8]()
        out.reserveCapacity(digits.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for digit in digits {
            guard let value = value(of: digit, alphabet) else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard buffer & (1 << UInt32(bits) - 1) == 0 else { return nil }
        return out
    }

    private static let standardLetters: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    private static let urlLetters: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    private static func value(of digit: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+") where alphabet == .standard: 62
        case UInt8(ascii: "/") where alphabet == .standard: 63
        case UInt8(ascii: "-") where alphabet == .url: 62
        case UInt8(ascii: "_") where alphabet == .url: 63
        default: nil
        }
    }
}
