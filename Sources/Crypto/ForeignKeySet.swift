import COpenSSL
import Wire

/// The keys of another house, as it publishes them (RFC 7517): those that verify RS256 and ES256. What else stands in
/// the document is passed over.
public struct ForeignKeySet: Sendable {
    private enum Key: Sendable {
        case rsa(RSAVerifyingKey)
        case ec(VerifyingKey)
    }

    private let keys: [(kid: String?, key: Key)]

    /// A house has a handful; more is a document to wear us out.
    public static let keysMax = 64

    public init?(_ document: JSON) {
        guard let entries = document["keys"]?.arrayValue, entries.count <= Self.keysMax else { return nil }
        keys = entries.compactMap { entry in
            if let use = entry["use"]?.stringValue, use != "sig" { return nil }
            return Self.key(entry).map { (entry["kid"]?.stringValue, $0) }
        }
    }

    private static func key(_ entry: JSON) -> Key? {
        func bytes(_ name: String) -> [UInt8]? {
            entry[name]?.stringValue.flatMap { Base64.decode($0, .url) }
        }
        let algorithm = entry["alg"]?.stringValue
        switch entry["kty"]?.stringValue {
        case "RSA":
            guard algorithm == nil || algorithm == "RS256", let n = bytes("n"), let e = bytes("e") else {
                return nil
            }
            return RSAVerifyingKey(modulus: n, exponent: e).map(Key.rsa)
        case "EC":
            guard algorithm == nil || algorithm == "ES256", entry["crv"] == "P-256", let x = bytes("x"),
                let y = bytes("y")
            else { return nil }
            return VerifyingKey(x: x, y: y).map(Key.ec)
        default: return nil
        }
    }

    /// Nil when there is no key of that name and algorithm; else whether the signature is its.
    func verifies(_ signature: [UInt8], of message: [UInt8], kid: String?, algorithm: String) -> Bool? {
        // One algorithm a key: a token cannot talk a key into another.
        let fitting = keys.filter { entry in
            guard kid == nil || entry.kid == kid else { return false }
            switch entry.key {
            case .rsa: return algorithm == "RS256"
            case .ec: return algorithm == "ES256"
            }
        }
        // Without a name the choice must not be left to the token.
        guard !fitting.isEmpty, kid != nil || fitting.count == 1 else { return nil }
        return message.withUnsafeBytes { message in
            fitting.contains { entry in
                switch entry.key {
                case .rsa(let key): key.isSignature(signature, of: message)
                case .ec(let key): key.isSignature(signature, of: message)
                }
            }
        }
    }
}

/// The public half of an RSA key, for RS256 alone.
// @unchecked Sendable: an EVP_PKEY is not changed after it is made; libcrypto counts its uses atomically.
public final class RSAVerifyingKey: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Nil for keys of fewer than 2048 bits, which RFC 7518 section 3.3 forbids, and for monsters.
    public init?(modulus: [UInt8], exponent: [UInt8]) {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard (2048...8192).contains(bits), (1...8).contains(exponent.count),
            exponent.last.map({ $0 & 1 == 1 }) == true
        else { return nil }
        // SubjectPublicKeyInfo around RSAPublicKey { n, e }.
        let algorithm: [UInt8] = [
            0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
        ]
        let key = DER.sequence(DER.integer(modulus) + DER.integer(exponent))
        let der = DER.sequence(algorithm + DER.element(0x03, [0] + key))
        let found = der.withUnsafeBytes { room -> OpaquePointer? in
            var at = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let key = d2i_PUBKEY(nil, &at, room.count) else {
                ERR_clear_error()
                return nil
            }
            return key
        }
        guard let found else { return nil }
        pointer = found
    }

    deinit { EVP_PKEY_free(pointer) }

    /// Whether `signature` is this key's over `message`, by RSASSA-PKCS1-v1_5 with SHA-256.
    func isSignature(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, pointer, nil) == 1 else {
            ERR_clear_error()
            return false
        }
        let result = EVP_DigestVerify(
            context, signature, signature.count, message.baseAddress?.assumingMemoryBound(to: UInt8.self),
            message.count)
        if result != 1 { ERR_clear_error() }
        return result == 1
    }
}

/// As much of DER as a public key needs.
private enum DER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
        let length = withUnsafeBytes(of: UInt32(content.count).bigEndian) { Array($0.drop { $0 == 0 }) }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }

    /// Without a sign: a leading bit that is set gets a zero before it.
    static func integer(_ bytes: [UInt8]) -> [UInt8] {
        element(0x02, bytes.first.map { $0 & 0x80 != 0 } == true ? [0] + bytes : bytes)
    }
}
