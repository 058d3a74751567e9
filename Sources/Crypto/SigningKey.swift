import COpenSSL
import Wire

/// The public half of an ES256 key (P-256): verifies, and is published in the JWKS.
// @unchecked Sendable: an EVP_PKEY is not changed after it is made; libcrypto counts its uses atomically.
public final class VerifyingKey: @unchecked Sendable {
    public let kid: String
    /// The point's coordinates, 32 bytes each.
    public let x: [UInt8]
    public let y: [UInt8]
    let pointer: OpaquePointer

    /// Takes the key over; nil unless it is one on P-256.
    init?(owning pointer: OpaquePointer) {
        guard let (x, y) = ECKey.coordinates(of: pointer) else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.pointer = pointer
        self.x = x
        self.y = y
        kid = Self.thumbprint(x, y)
    }

    deinit { EVP_PKEY_free(pointer) }

    /// Reads SubjectPublicKeyInfo.
    public convenience init?(der: [UInt8]) {
        let key = der.withUnsafeBytes { room -> OpaquePointer? in
            var at = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let key = d2i_PUBKEY(nil, &at, room.count) else {
                ERR_clear_error()
                return nil
            }
            return key
        }
        guard let key else { return nil }
        self.init(owning: key)
    }

    /// Reads the coordinates of a JWK; nil when they are no point of the curve.
    public convenience init?(x: [UInt8], y: [UInt8]) {
        guard x.count == 32, y.count == 32 else { return nil }
        self.init(der: ECKey.publicKeyHeader + [4] + x + y)
    }

    public var der: [UInt8] { ECKey.publicKeyHeader + [4] + x + y }

    /// Whether `signature` (r ‖ s, 64 bytes) is this key's over `message`.
    public func isSignature(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
        guard let der = ECKey.der(fromRaw: signature) else { return false }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, pointer, nil) == 1 else {
            return false
        }
        let result = EVP_DigestVerify(
            context, der, der.count, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count)
        if result != 1 { ERR_clear_error() }
        return result == 1
    }

    /// This key as a JSON Web Key (RFC 7517).
    public var jwk: String {
        #"{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":""# + kid + #"","x":""#
            + Base64.encode(x, .url) + #"","y":""# + Base64.encode(y, .url) + #""}"#
    }

    /// RFC 7638: the digest of the required members in the order of their names.
    private static func thumbprint(_ x: [UInt8], _ y: [UInt8]) -> String {
        let members =
            #"{"crv":"P-256","kty":"EC","x":""# + Base64.encode(x, .url) + #"","y":""#
            + Base64.encode(y, .url) + #""}"#
        return Base64.encode(SHA256.digest(members).bytes, .url)
    }
}

/// An ES256 key pair (P-256).
// @unchecked Sendable: as VerifyingKey.
public final class SigningKey: @unchecked Sendable {
    public let publicKey: VerifyingKey
    private let pointer: OpaquePointer

    public var kid: String { publicKey.kid }

    private init?(owning pointer: OpaquePointer) {
        EVP_PKEY_up_ref(pointer)
        guard let publicKey = VerifyingKey(owning: pointer) else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.pointer = pointer
        self.publicKey = publicKey
    }

    deinit { EVP_PKEY_free(pointer) }

    public static func make() -> SigningKey {
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        var pointer: OpaquePointer?
        let isMade =
            EVP_PKEY_keygen_init(context) == 1
            && withParameters(["group": "prime256v1"]) { EVP_PKEY_CTX_set_params(context, $0) == 1 }
            && EVP_PKEY_generate(context, &pointer) == 1
        guard isMade, let pointer, let key = SigningKey(owning: pointer) else {
            preconditionFailure("libcrypto cannot make a P-256 key")
        }
        return key
    }

    /// Reads PKCS#8 or the older SEC 1 form.
    public convenience init?(der: [UInt8]) {
        let key = der.withUnsafeBytes { room -> OpaquePointer? in
            var at = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let key = d2i_AutoPrivateKey(nil, &at, room.count) else {
                ERR_clear_error()
                return nil
            }
            return key
        }
        guard let key else { return nil }
        self.init(owning: key)
    }

    public convenience init?(pem: String) {
        guard let bio = BIO_new_mem_buf(pem, Int32(pem.utf8.count)) else { return nil }
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in 0 }, nil) else {
            ERR_clear_error()
            return nil
        }
        self.init(owning: key)
    }

    /// PKCS#8.
    public var der: [UInt8] {
        guard let info = EVP_PKEY2PKCS8(pointer) else {
            preconditionFailure("a private key has a PKCS#8 form")
        }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        return [UInt8](unsafeUninitializedCapacity: Int(i2d_PKCS8_PRIV_KEY_INFO(info, nil))) { room, count in
            var at = room.baseAddress
            count = Int(i2d_PKCS8_PRIV_KEY_INFO(info, &at))
        }
    }

    public var pem: String {
        let text = Base64.encode(der)
        var lines = ["-----BEGIN PRIVATE KEY-----"]
        var rest = Substring(text)
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + ["-----END PRIVATE KEY-----"]).joined(separator: "\n") + "\n"
    }

    /// r ‖ s over SHA-256 of `message`, 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var length = 0
        var der = [UInt8](repeating: 0, count: 80)
        length = der.count
        guard EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, pointer, nil) == 1,
            EVP_DigestSign(context, &der, &length, message, message.count) == 1,
            let raw = ECKey.raw(fromDER: Array(der.prefix(length)))
        else { preconditionFailure("libcrypto cannot sign with a P-256 key") }
        return raw
    }
}

private enum ECKey {
    /// SubjectPublicKeyInfo of P-256 up to the point itself: algorithm, curve, bit string.
    static let publicKeyHeader: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
        0x48,
        0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ]

    static func coordinates(of key: OpaquePointer) -> (x: [UInt8], y: [UInt8])? {
        var room: UnsafeMutablePointer<UInt8>?
        let length = Int(i2d_PUBKEY(key, &room))
        guard length > 0, let room else { return nil }
        defer { CRYPTO_free(room, nil, 0) }
        let der = [UInt8](UnsafeBufferPointer(start: room, count: length))
        guard length == publicKeyHeader.count + 65,
            Array(der.prefix(publicKeyHeader.count)) == publicKeyHeader,
            der[publicKeyHeader.count] == 4
        else { return nil }
        let point = der.suffix(64)
        return (Array(point.prefix(32)), Array(point.suffix(32)))
    }

    static func der(fromRaw raw: [UInt8]) -> [UInt8]? {
        guard raw.count == 64, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let r = raw.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress, 32, nil) }
        let s = raw.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress.map { $0 + 32 }, 32, nil) }
        guard ECDSA_SIG_set0(signature, r, s) == 1 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: 80) { room, count in
            var at = room.baseAddress
            count = Int(max(0, i2d_ECDSA_SIG(signature, &at)))
        }
    }

    static func raw(fromDER der: [UInt8]) -> [UInt8]? {
        der.withUnsafeBufferPointer { room in
            var at = room.baseAddress
            guard let signature = d2i_ECDSA_SIG(nil, &at, room.count) else { return nil }
            defer { ECDSA_SIG_free(signature) }
            var out = [UInt8](repeating: 0, count: 64)
            let isWhole = out.withUnsafeMutableBufferPointer { out in
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.baseAddress, 32) == 32
                    && BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.baseAddress.map { $0 + 32 }, 32) == 32
            }
            return isWhole ? out : nil
        }
    }
}
