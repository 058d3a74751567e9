import COpenSSL
import Glibc

/// A key for HMAC (RFC 2104), prepared once; authenticating with it may happen on any thread.
// @unchecked Sendable: the prepared context is only ever copied from, never advanced.
public final class HMACKey: @unchecked Sendable {
    public enum Hash: Sendable {
        case sha256
        /// For RFC 6238 alone, where every authenticator app expects it.
        case sha1

        var name: String { self == .sha256 ? "SHA256" : "SHA1" }
        var length: Int { self == .sha256 ? 32 : 20 }
    }

    private let prepared: OpaquePointer
    private let length: Int

    public init(_ key: [UInt8], _ hash: Hash = .sha256) {
        length = hash.length
        prepared = EVP_MAC_CTX_new(Self.algorithm.mac)
        // An empty key is legal for HMAC, but libcrypto takes a nil pointer as "keep the old key".
        let bytes = key.isEmpty ? [0] : key
        let isReady = withParameters(["digest": hash.name]) {
            EVP_MAC_init(prepared, bytes, key.count, $0) == 1
        }
        precondition(isReady, "libcrypto has no HMAC-\(hash.name)")
    }

    deinit { EVP_MAC_CTX_free(prepared) }

    public func authenticate(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        guard let context = EVP_MAC_CTX_dup(prepared) else { preconditionFailure("out of memory") }
        defer { EVP_MAC_CTX_free(context) }
        EVP_MAC_update(context, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count)
        return [UInt8](unsafeUninitializedCapacity: length) { room, count in
            EVP_MAC_final(context, room.baseAddress, &count, room.count)
        }
    }

    public func authenticate(_ message: [UInt8]) -> [UInt8] { message.withUnsafeBytes { authenticate($0) } }

    public func authenticate(_ message: String) -> [UInt8] {
        var message = message
        return message.withUTF8 { authenticate(UnsafeRawBufferPointer($0)) }
    }

    public func isValid(_ code: [UInt8], for message: [UInt8]) -> Bool {
        constantTimeEquals(code, authenticate(message))
    }

    private struct Fetched: @unchecked Sendable { let mac: OpaquePointer }
    private static let algorithm: Fetched = {
        guard let mac = EVP_MAC_fetch(nil, "HMAC", nil) else { preconditionFailure("libcrypto has no HMAC") }
        return Fetched(mac: mac)
    }()
}

/// HKDF with SHA-256 (RFC 5869): several keys out of one secret.
public enum HKDF {
    public static func derive(_ secret: [UInt8], salt: [UInt8] = [], info: String, length: Int = 32)
        -> [UInt8]
    {
        derive(secret, salt: salt, info: Array(info.utf8), length: length)
    }

    public static func derive(_ secret: [UInt8], salt: [UInt8], info: [UInt8], length: Int) -> [UInt8] {
        precondition((1...255 * 32).contains(length), "HKDF-SHA256 yields 1 to 8160 bytes")
        let extracted = HMACKey(salt).authenticate(secret)
        let key = HMACKey(extracted)
        var out: [UInt8] = []
        var block: [UInt8] = []
        var counter: UInt8 = 1
        while out.count < length {
            block = key.authenticate(block + info + [counter])
            out += block
            counter &+= 1
        }
        return Array(out.prefix(length))
    }
}

/// Compares without telling by its time where the two differ; lengths are no secret.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return CRYPTO_memcmp(left, right, left.count) == 0
}

public func constantTimeEquals(_ left: String, _ right: String) -> Bool {
    constantTimeEquals(Array(left.utf8), Array(right.utf8))
}

/// Hands libcrypto text parameters as the array it wants; the texts live as long as the call.
func withParameters<Value>(_ texts: [String: String], _ body: (UnsafePointer<OSSL_PARAM>) -> Value) -> Value {
    let builder = OSSL_PARAM_BLD_new()
    defer { OSSL_PARAM_BLD_free(builder) }
    // The builder keeps no copies: it reads the values when it builds, and the array points at the names thereafter.
    let copies = texts.map { (name: strdup($0.key), text: strdup($0.value)) }
    defer { for copy in copies { free(copy.name); free(copy.text) } }
    for copy in copies { OSSL_PARAM_BLD_push_utf8_string(builder, copy.name, copy.text, 0) }
    guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { preconditionFailure("out of memory") }
    defer { OSSL_PARAM_free(parameters) }
    return body(parameters)
}
