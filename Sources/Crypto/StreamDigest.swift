import COpenSSL

/// A digest over bytes that come in pieces, by the name its algorithm has in protocols. For checksums that somebody
/// else chose; what we choose ourselves is SHA-256.
// @unchecked Sendable: used by one task at a time; the context is its own.
public final class StreamDigest: @unchecked Sendable {
    public static let names = ["md5", "sha1", "sha256", "sha512"]
    private let context: OpaquePointer

    /// Nil for an algorithm that is not among `names`.
    public init?(_ name: String) {
        guard Self.names.contains(name), let md = EVP_MD_fetch(nil, name, nil) else { return nil }
        context = EVP_MD_CTX_new()
        let isReady = EVP_DigestInit_ex2(context, md, nil) == 1
        EVP_MD_free(md)
        if !isReady { return nil }
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// Ends the digest; nothing may follow.
    public func finish() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &bytes, &count)
        return Array(bytes.prefix(Int(count)))
    }
}
