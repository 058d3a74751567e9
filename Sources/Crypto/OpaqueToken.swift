import Wire

/// A secret that means nothing by itself: it is shown once and kept only as its digest.
public enum OpaqueToken {
    /// 256 bits in base64url.
    public static func make() -> String { Base64.encode(RandomBytes.make(32), .url) }

    /// What is stored and looked up in place of the token.
    public static func digest(_ token: String) -> SHA256.Digest { SHA256.digest(token) }
}

/// The text of an API key: a prefix that secret scanners know, 32 random base62 digits, and a checksum that tells a
/// mistyped key from a wrong one without asking the database.
public enum APIKeyToken {
    public static let livePrefix = "inf_live_"
    public static let testPrefix = "inf_test_"
    private static let secretLength = 32
    private static let checksumLength = 6

    public static func make(prefix: String = livePrefix) -> String {
        let secret = prefix + Base62.random(secretLength)
        return secret + checksum(secret)
    }

    /// Whether `text` has the form of a key and its checksum holds.
    public static func isWellFormed(_ text: String) -> Bool {
        guard let prefix = [livePrefix, testPrefix].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(prefix.count)
        guard rest.utf8.count == secretLength + checksumLength, rest.utf8.allSatisfy(Base62.isDigit) else {
            return false
        }
        return text.suffix(checksumLength) == checksum(String(text.dropLast(checksumLength)))
    }

    /// The part that may be shown again, so that a person can tell keys apart.
    public static func hint(_ key: String) -> String { String(key.prefix(livePrefix.count + 4)) }

    private static func checksum(_ text: String) -> String {
        Base62.encode(CRC32.of(text.utf8), width: checksumLength)
    }
}

enum Base62 {
    private static let letters = [UInt8](
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func random(_ count: Int) -> String {
        var out: [UInt8] = []
        while out.count < count {
            // 248 is the last multiple of 62 in a byte: what lies beyond would favour the first letters.
            for byte in RandomBytes.make(count) where byte < 248 && out.count < count {
                out.append(letters[Int(byte % 62)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func encode(_ number: UInt32, width: Int) -> String {
        var rest = number
        var out = [UInt8](repeating: letters[0], count: width)
        for index in out.indices.reversed() {
            out[index] = letters[Int(rest % 62)]
            rest /= 62
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func isDigit(_ byte: UInt8) -> Bool { letters.contains(byte) }
}

/// The checksum of zlib, PNG and Ethernet (polynomial 0xEDB88320): finds mistakes, protects nothing.
public enum CRC32 {
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}
