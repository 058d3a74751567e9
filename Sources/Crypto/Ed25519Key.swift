import COpenSSL

/// An Ed25519 key pair (RFC 8032): the same message always has the same signature.
// @unchecked Sendable: an EVP_PKEY is not changed after it is made; libcrypto counts its uses atomically.
public final class Ed25519Key: @unchecked Sendable {
    /// 32 bytes from which both halves follow.
    public let seed: [UInt8]
    /// 32 bytes.
    public let publicKey: [UInt8]
    private let pointer: OpaquePointer

    /// Nil unless the seed has 32 bytes.
    public init?(seed: [UInt8]) {
        guard seed.count == 32,
            let pointer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
        else { return nil }
        var length = 32
        var publicKey = [UInt8](repeating: 0, count: length)
        guard EVP_PKEY_get_raw_public_key(pointer, &publicKey, &length) == 1, length == 32 else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.pointer = pointer
        self.seed = seed
        self.publicKey = publicKey
    }

    public static func make() -> Ed25519Key {
        guard let key = Ed25519Key(seed: RandomBytes.make(32)) else {
            preconditionFailure("libcrypto cannot make an Ed25519 key")
        }
        return key
    }

    deinit { EVP_PKEY_free(pointer) }

    /// 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var length = 64
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSignInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1,
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1, length == 64
        else { preconditionFailure("libcrypto cannot sign with an Ed25519 key") }
        return signature
    }
}
