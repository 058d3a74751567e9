import COpenSSL
import Glibc

/// A certificate that vouches for itself, for development: localhost, 127.0.0.1 and ::1.
public enum SelfSignedCertificate {
    /// Makes a fresh P-256 key and a certificate for it; both as PEM.
    ///
    /// It is no certificate authority, since some clients refuse one as a server's own.
    public static func make(
        names: [String] = ["localhost"], addresses: [String] = ["127.0.0.1", "::1"], days: Int = 397
    ) throws(TLSError) -> (certificate: [UInt8], key: [UInt8]) {
        ERR_clear_error()
        let key = try newKey()
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw TLSError("libssl has no memory") }
        defer { X509_free(certificate) }
        try describe(certificate, key, names[0], days)
        let alternatives = names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        try add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try add(NID_key_usage, "critical,digitalSignature", to: certificate)
        try add(NID_ext_key_usage, "serverAuth", to: certificate)
        try add(NID_subject_key_identifier, "hash", to: certificate)
        try add(NID_subject_alt_name, alternatives.joined(separator: ","), to: certificate)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else {
            throw TLSError("The certificate cannot be signed")
        }
        return (
            try pem { PEM_write_bio_X509($0, certificate) },
            try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        )
    }

    /// Makes both files unless they are there; the key can be read by its owner alone.
    public static func ensure(_ identity: TLSIdentity) throws(TLSError) {
        if access(identity.certificateFile, R_OK) == 0, access(identity.keyFile, R_OK) == 0 { return }
        let (certificate, key) = try make()
        try write(key, to: identity.keyFile, mode: 0o600)
        try write(certificate, to: identity.certificateFile, mode: 0o644)
    }

    private static func newKey() throws(TLSError) -> OpaquePointer {
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw TLSError("A key cannot be made") }
        return key
    }

    private static func describe(
        _ certificate: OpaquePointer, _ key: OpaquePointer, _ name: String, _ days: Int
    ) throws(TLSError) {
        var serial: UInt64 = 0
        withUnsafeMutableBytes(of: &serial) { room in
            _ = RAND_bytes(room.bindMemory(to: UInt8.self).baseAddress, 8)
        }
        let subject = X509_get_subject_name(certificate)
        let text = Array(name.utf8)
        // A day early: clocks of clients run behind.
        guard X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), (days - 1) * 86_400) != nil,
            X509_set_pubkey(certificate, key) == 1,
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, Int32(text.count), -1, 0) == 1,
            X509_set_issuer_name(certificate, subject) == 1
        else { throw TLSError("The certificate cannot be made") }
    }

    private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) throws(TLSError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let added = X509V3_EXT_nconf_nid(nil, &context, kind, value) else {
            throw TLSError("\(value) is nothing a certificate can say")
        }
        defer { X509_EXTENSION_free(added) }
        X509_add_ext(certificate, added, -1)
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
        guard let memory = BIO_new(BIO_s_mem()) else { throw TLSError("libssl has no memory") }
        defer { BIO_free(memory) }
        var start: UnsafeMutablePointer<CChar>?
        guard write(memory) == 1 else { throw TLSError("The certificate cannot be written") }
        let length = BIO_ctrl(memory, BIO_CTRL_INFO, 0, &start)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: length))
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(TLSError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw TLSError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw TLSError("\(path) cannot be written whole")
        }
    }
}
