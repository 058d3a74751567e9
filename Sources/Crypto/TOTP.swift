import Wire

/// Six-digit codes from a shared secret and the time (RFC 6238 with SHA-1, 30 seconds: what every app speaks).
public struct TOTP: Sendable {
    public static let period: Int64 = 30
    /// Clocks may differ by one step either way.
    private static let drift: Int64 = 1

    public let secret: [UInt8]
    private let digits: Int

    public init(secret: [UInt8], digits: Int = 6) {
        self.secret = secret
        self.digits = digits
    }

    /// A new secret as long as the hash, as RFC 4226 advises.
    public static func make() -> TOTP { TOTP(secret: RandomBytes.make(20)) }

    public var base32: String { Base32.encode(secret) }

    public static func step(at time: Timestamp) -> Int64 { time.seconds / period }

    public func code(step: Int64) -> String {
        let counter = withUnsafeBytes(of: step.bigEndian) { [UInt8]($0) }
        let mac = HMACKey(secret, .sha1).authenticate(counter)
        let offset = Int(mac[19] & 15)
        let bits = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        let modulus = (0..<digits).reduce(UInt32(1)) { power, _ in power * 10 }
        let text = String(bits % modulus)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    /// The step whose code this is, or nil. A step not later than `last` is refused: each code opens once.
    public func step(of code: String, at time: Timestamp, after last: Int64?) -> Int64? {
        let now = Self.step(at: time)
        var found: Int64?
        for step in now - Self.drift...now + Self.drift where constantTimeEquals(self.code(step: step), code)
        {
            if step > last ?? .min { found = step }
        }
        return found
    }

    /// What the QR code of an authenticator app holds.
    public func url(issuer: String, account: String) -> String {
        "otpauth://totp/" + Self.escape(issuer) + ":" + Self.escape(account) + "?secret=" + base32
            + "&issuer=" + Self.escape(issuer) + "&algorithm=SHA1&digits=\(digits)&period=\(Self.period)"
    }

    private static func escape(_ text: String) -> String {
        let out = ByteWriter(capacity: 64)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.write(byte)
            default:
                out.write(UInt8(ascii: "%"))
                out.write(Hex.encode([byte]).uppercased())
            }
        }
        return out.string
    }
}

/// Base32 (RFC 4648 section 6) without padding, as authenticator apps write secrets.
public enum Base32 {
    private static let letters = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    public static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                out.append(letters[Int(buffer >> UInt32(bits) & 31)])
            }
        }
        if bits > 0 { out.append(letters[Int(buffer << UInt32(5 - bits) & 31)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes that `text` spells in either case, padding or not; nil when it has a foreign letter.
    public static func decode(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        var digits = Array(text.uppercased().utf8)
        while digits.last == UInt8(ascii: "=") { digits.removeLast() }
        for digit in digits {
            guard let value = letters.firstIndex(of: digit) else { return nil }
            buffer = (buffer << 5 | UInt32(value)) & 0xFFFF
            bits += 5
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        return out
    }
}
