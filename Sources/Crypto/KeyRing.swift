import COpenSSL
import Wire

/// Seals small secrets for the database with AES-256-GCM. Each sealed value names its key, so that keys can be
/// exchanged while old values still open.
///
/// The `context` (what the value is and whose) is bound in: a sealed value moved to another row does not open.
public struct KeyRing: Sendable {
    public struct Key: Sendable {
        public let id: String
        fileprivate let bytes: [UInt8]

        /// Nil unless the id is 1 to 32 letters, digits, `-` or `_` and the secret has 32 bytes.
        public init?(id: String, secret: [UInt8]) {
            let isPlain = id.utf8.allSatisfy {
                Base62.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
            guard (1...32).contains(id.utf8.count), isPlain, secret.count == 32 else { return nil }
            self.id = id
            self.bytes = secret
        }
    }

    public enum Failure: Error, Equatable {
        /// Sealed with a key that is not on this ring.
        case unknownKey(String)
        /// Altered, cut, or sealed for another context.
        case notAuthentic
    }

    private let keys: [Key]

    /// The first key seals; all of them open.
    public init?(_ keys: [Key]) {
        guard !keys.isEmpty, Set(keys.map(\.id)).count == keys.count else { return nil }
        self.keys = keys
    }

    /// Reads `id:base64,id:base64`, newest first, as it stands in a setting.
    public init?(setting: String) {
        let parts = setting.split(separator: ",", omittingEmptySubsequences: false)
        let keys = parts.compactMap { part -> Key? in
            guard let colon = part.firstIndex(of: ":"),
                let secret = Base64.decode(part[part.index(after: colon)...])
            else { return nil }
            return Key(id: String(part[..<colon]), secret: secret)
        }
        guard keys.count == parts.count else { return nil }
        self.init(keys)
    }

    /// This ring with another key in front; nil when it has one of that id.
    public func with(newest key: Key) -> KeyRing? { KeyRing([key] + keys) }

    /// A key for one purpose, made from the ring's newest; the same text always makes the same key.
    public func derive(_ purpose: String) -> [UInt8] { HKDF.derive(keys[0].bytes, info: purpose) }

    /// The same from every key of the ring, newest first, for what was made before the keys were exchanged.
    public func deriveAll(_ purpose: String) -> [[UInt8]] {
        keys.map { HKDF.derive($0.bytes, info: purpose) }
    }

    private static let version: UInt8 = 1
    private static let nonceLength = 12
    private static let tagLength = 16

    /// What every value begins with that the newest key has sealed.
    public var header: [UInt8] { [Self.version, UInt8(keys[0].id.utf8.count)] + Array(keys[0].id.utf8) }

    /// Version, key id, nonce, ciphertext, tag.
    public func seal(_ secret: [UInt8], context: String) -> [UInt8] {
        let key = keys[0]
        let header = [Self.version, UInt8(key.id.utf8.count)] + Array(key.id.utf8)
        let nonce = RandomBytes.make(Self.nonceLength)
        let bound = header + Array(context.utf8)
        guard let body = AESGCM.seal(secret, key: key.bytes, nonce: nonce, bound: bound) else {
            preconditionFailure("libcrypto has no AES-256-GCM")
        }
        return header + nonce + body
    }

    public func open(_ sealed: [UInt8], context: String) throws(Failure) -> [UInt8] {
        guard sealed.count > 2, sealed[0] == Self.version else { throw .notAuthentic }
        let bodyStart = 2 + Int(sealed[1])
        guard sealed.count >= bodyStart + Self.nonceLength + Self.tagLength else { throw .notAuthentic }
        let id = String(decoding: sealed[2..<bodyStart], as: UTF8.self)
        guard let key = keys.first(where: { $0.id == id }) else { throw .unknownKey(id) }
        let nonce = Array(sealed[bodyStart..<bodyStart + Self.nonceLength])
        let bound = Array(sealed[..<bodyStart]) + Array(context.utf8)
        let body = Array(sealed[(bodyStart + Self.nonceLength)...])
        guard let secret = AESGCM.open(body, key: key.bytes, nonce: nonce, bound: bound) else {
            throw .notAuthentic
        }
        return secret
    }

    /// True when `sealed` was made with another key than today's and should be sealed anew.
    public func needsResealing(_ sealed: [UInt8]) -> Bool {
        guard sealed.count > 2, sealed.count >= 2 + Int(sealed[1]) else { return true }
        return String(decoding: sealed[2..<2 + Int(sealed[1])], as: UTF8.self) != keys[0].id
    }
}

private enum AESGCM {
    private static let tagLength: Int32 = 16

    static func seal(_ plain: [UInt8], key: [UInt8], nonce: [UInt8], bound: [UInt8]) -> [UInt8]? {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plain.count + Int(tagLength))
        var written: Int32 = 0
        var ignored: Int32 = 0
        guard EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key, nonce, nil) == 1,
            EVP_EncryptUpdate(context, nil, &ignored, bound, Int32(bound.count)) == 1,
            EVP_EncryptUpdate(context, &out, &written, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &ignored) == 1
        else { return nil }
        let isTagged = out.withUnsafeMutableBytes {
            EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, tagLength, $0.baseAddress.map { $0 + plain.count }) == 1
        }
        return isTagged ? out : nil
    }

    static func open(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], bound: [UInt8]) -> [UInt8]? {
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let length = sealed.count - Int(tagLength)
        var tag = Array(sealed[length...])
        var out = [UInt8](repeating: 0, count: max(length, 1))
        var ignored: Int32 = 0
        guard EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key, nonce, nil) == 1,
            EVP_DecryptUpdate(context, nil, &ignored, bound, Int32(bound.count)) == 1,
            EVP_DecryptUpdate(context, &out, &ignored, sealed, Int32(length)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tagLength, &tag) == 1,
            EVP_DecryptFinal_ex(context, nil, &ignored) == 1
        else {
            ERR_clear_error()
            return nil
        }
        return Array(out.prefix(length))
    }
}
