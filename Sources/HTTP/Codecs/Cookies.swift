import Wire

/// The cookies a browser sent back (RFC 6265 section 5.4).
public struct Cookies: Sendable {
    public let pairs: [(name: String, value: String)]

    /// Reads a Cookie field; a pair that is not of the grammar is passed over, as the other sites of a domain may
    /// have set anything.
    public init(_ field: some StringProtocol) {
        var pairs: [(name: String, value: String)] = []
        for piece in field.split(separator: ";") where pairs.count < CodecLimits.cookies {
            let pair: (name: String, value: String)? = piece.reading { reader in
                reader.skipSpace()
                guard let name = reader.token(), reader.take(UInt8(ascii: "=")) else { return nil }
                let isQuoted = reader.take(UInt8(ascii: "\""))
                let value = reader.take(while: SetCookie.isValueByte)
                if isQuoted, !reader.take(UInt8(ascii: "\"")) { return nil }
                reader.skipSpace()
                guard reader.atEnd else { return nil }
                return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            }
            if let pair { pairs.append(pair) }
        }
        self.pairs = pairs
    }

    /// The value of a name; of several the first, which has the longest path.
    public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }
}

/// A cookie to be set (RFC 6265 section 4.1, with SameSite and the name prefixes of its successor).
public struct SetCookie: Equatable, Sendable {
    public enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    /// Why a browser would drop the cookie.
    public enum Fault: Error, Equatable {
        case badName
        case badValue
        case badPath
        /// `__Host-` wants Secure and the path `/`.
        case brokenHostPrefix
        /// `__Secure-` wants Secure.
        case brokenSecurePrefix
        /// SameSite=None wants Secure.
        case insecureCrossSite
    }

    public let name: String
    public let value: String
    public let path: String
    /// Seconds; nil until the browser ends, 0 removes the cookie.
    public let maxAgeSeconds: Int?
    public let isSecure: Bool
    public let isHTTPOnly: Bool
    public let sameSite: SameSite

    public init(
        _ name: String, _ value: String, path: String = "/", maxAgeSeconds: Int? = nil, isSecure: Bool,
        isHTTPOnly: Bool = true, sameSite: SameSite = .lax
    ) throws(Fault) {
        guard !name.isEmpty, name.utf8.allSatisfy(FieldReader.isTokenByte) else { throw .badName }
        guard value.utf8.allSatisfy(Self.isValueByte) else { throw .badValue }
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ";") })
        else {
            throw .badPath
        }
        // Browsers look at the prefixes without regard to case.
        if name.lowercased().hasPrefix("__host-"), !isSecure || path != "/" { throw .brokenHostPrefix }
        if name.lowercased().hasPrefix("__secure-"), !isSecure { throw .brokenSecurePrefix }
        if sameSite == .none, !isSecure { throw .insecureCrossSite }
        self.name = name
        self.value = value
        self.path = path
        self.maxAgeSeconds = maxAgeSeconds
        self.isSecure = isSecure
        self.isHTTPOnly = isHTTPOnly
        self.sameSite = sameSite
    }

    /// The same cookie, gone.
    public var removal: SetCookie {
        SetCookie(removing: self)
    }

    private init(removing cookie: SetCookie) {
        name = cookie.name
        value = ""
        path = cookie.path
        maxAgeSeconds = 0
        isSecure = cookie.isSecure
        isHTTPOnly = cookie.isHTTPOnly
        sameSite = cookie.sameSite
    }

    static func isValueByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }
}

extension SetCookie: CustomStringConvertible {
    /// The value of the Set-Cookie field.
    public var description: String {
        var text = "\(name)=\(value); Path=\(path)"
        if let maxAgeSeconds { text += "; Max-Age=\(maxAgeSeconds)" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        return text + "; SameSite=\(sameSite.rawValue)"
    }
}
