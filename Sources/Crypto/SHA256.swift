import COpenSSL
import Wire

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// The 32 bytes of a digest; made only by hashing, so it can be a dictionary's key without being hashed again.
    public struct Digest: Hashable, Sendable {
        let words: (UInt64, UInt64, UInt64, UInt64)

        public var bytes: [UInt8] { withUnsafeBytes(of: words) { [UInt8]($0) } }
        public var hex: String { Hex.encode(bytes) }

        public static func == (left: Digest, right: Digest) -> Bool {
            let difference =
                (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1)
                | (left.words.2 ^ right.words.2) | (left.words.3 ^ right.words.3)
            return difference == 0
        }

        public func hash(into hasher: inout Swift.Hasher) { hasher.combine(words.0) }
    }

    public static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest { Hasher().digest(bytes) }
    public static func digest(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { digest($0) } }

    public static func digest(_ text: String) -> Digest {
        var text = text
        return text.withUTF8 { digest(UnsafeRawBufferPointer($0)) }
    }

    /// A context used again and again, for one thread's hot path.
    public final class Hasher {
        private let context: OpaquePointer

        public init() {
            context = EVP_MD_CTX_new()
            precondition(
                EVP_DigestInit_ex2(context, Algorithm.sha256.md, nil) == 1, "libcrypto has no SHA-256")
        }

        deinit { EVP_MD_CTX_free(context) }

        public func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
            var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
            // A nil algorithm starts afresh with the one already in the context, without looking it up again.
            EVP_DigestInit_ex2(context, nil, nil)
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
            withUnsafeMutableBytes(of: &words) { room in
                _ = EVP_DigestFinal_ex(context, room.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
            }
            return Digest(words: words)
        }
    }
}

/// What is fetched from libcrypto once, because a fetch costs more than the hash of a short text.
// @unchecked Sendable: a fetched EVP_MD, EVP_MAC or EVP_CIPHER is never changed; libcrypto counts its uses atomically.
struct Algorithm: @unchecked Sendable {
    let md: OpaquePointer

    static let sha256 = Algorithm("SHA256")
    static let sha1 = Algorithm("SHA1")

    private init(_ name: String) {
        guard let md = EVP_MD_fetch(nil, name, nil) else { preconditionFailure("libcrypto has no \(name)") }
        self.md = md
    }
}
