import COpenSSL
import Glibc

/// One identity made ready: an `SSL_CTX` that never changes once it is in use. A reload makes a new one.
// @unchecked Sendable: libssl counts references to a context and locks it inside; we only read the pointer.
final class TLSContext: @unchecked Sendable {
    fileprivate let context: OpaquePointer
    /// Lower case; a name may begin with `*.`.
    let names: [String]
    private let tickets: TicketKeys

    init(_ identity: TLSIdentity, _ tickets: TicketKeys) throws(TLSError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw TLSError("libssl has no memory") }
        self.context = context
        self.tickets = tickets
        do throws(TLSError) {
            names = try Self.load(identity, into: context)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        configure()
    }

    deinit { SSL_CTX_free(context) }

    /// Whole days until the certificate runs out; negative when it has.
    var daysLeft: Int {
        var (days, seconds): (Int32, Int32) = (0, 0)
        let certificate = SSL_CTX_get0_certificate(context)
        guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else { return 0 }
        return Int(days)
    }

    func newSession() -> OpaquePointer? { SSL_new(context) }

    /// Checks everything before it is put to use: a wrong pair must not replace a right one.
    private static func load(_ identity: TLSIdentity, into context: OpaquePointer) throws(TLSError)
        -> [String]
    {
        guard SSL_CTX_use_certificate_chain_file(context, identity.certificateFile) == 1 else {
            throw TLSError("\(identity.certificateFile) cannot be read as a PEM certificate chain")
        }
        guard SSL_CTX_use_PrivateKey_file(context, identity.keyFile, SSL_FILETYPE_PEM) == 1 else {
            let reason = Int32(truncatingIfNeeded: ERR_peek_last_error() & 0x7F_FFFF)
            if reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH {
                throw mismatch(identity)
            }
            throw TLSError("\(identity.keyFile) cannot be read as a PEM key")
        }
        // libssl takes a key of another type beside the certificate, and every handshake fails from then on.
        guard SSL_CTX_check_private_key(context) == 1 else { throw mismatch(identity) }
        return CertificateNames.of(SSL_CTX_get0_certificate(context))
    }

    private static func mismatch(_ identity: TLSIdentity) -> TLSError {
        TLSError("\(identity.keyFile) is not the key of \(identity.certificateFile)")
    }

    private func configure() {
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_set_options(context, Self.noRenegotiation | Self.noCompression)
        // Mozilla's intermediate list: forward secrecy and authenticated encryption only.
        SSL_CTX_set_cipher_list(
            context,
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
        "X25519:P-256:P-384".withCString { groups in
            _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, UnsafeMutableRawPointer(mutating: groups))
        }
        // An idle session holds no record buffers; a write may be gone on with from a moved buffer.
        let mode =
            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(mode), nil)
        // One read takes a whole record instead of its five first bytes.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_READ_AHEAD, 1, nil)
        // Sessions live in tickets alone, so any loop and any process can resume them.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        tickets.install(in: context)
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, offeredLength, _ in
                TLSContext.chooseProtocol(chosen, length, offered, offeredLength)
            }, nil)
    }

    /// http/1.1, else http/1.0 (which `curl -0` offers); a client that wants neither is told so by an alert.
    private static func chooseProtocol(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32
    ) -> Int32 {
        guard let chosen, let length, let offered else { return SSL_TLSEXT_ERR_NOACK }
        let list = UnsafeRawBufferPointer(start: offered, count: Int(offeredLength))
        for wanted: StaticString in ["http/1.1", "http/1.0"] {
            var at = 0
            while at < list.count {
                let end = at + 1 + Int(list[at])
                guard end <= list.count else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let name = UnsafeRawBufferPointer(rebasing: list[at + 1..<end])
                if name.isWord(wanted) {
                    chosen.pointee = offered + at + 1
                    length.pointee = UInt8(name.count)
                    return SSL_TLSEXT_ERR_OK
                }
                at = end
            }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }

    // The headers have these as casts, which Swift does not see.
    private static let noCompression: UInt64 = 1 << 17
    private static let noRenegotiation: UInt64 = 1 << 30
}

/// All identities of a server at one moment; the first takes the greeting and hands over to the one that is meant.
final class TLSContexts: Sendable {
    private let contexts: [TLSContext]

    init(_ identities: [TLSIdentity], _ tickets: TicketKeys) throws(TLSError) {
        var contexts: [TLSContext] = []
        for identity in identities { contexts.append(try TLSContext(identity, tickets)) }
        guard !contexts.isEmpty else { throw TLSError("TLS needs at least one certificate") }
        self.contexts = contexts
        // The callback's argument is not held by libssl: whoever makes a session holds `self` as long as it lives.
        let greeter = contexts[0].context
        SSL_CTX_ctrl(
            greeter, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, Unmanaged.passUnretained(self).toOpaque())
        let choose:
            @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 =
                {
                    session, _, contexts in
                    guard let session, let contexts else { return SSL_TLSEXT_ERR_NOACK }
                    return Unmanaged<TLSContexts>.fromOpaque(contexts).takeUnretainedValue().choose(
                        for: session)
                }
        SSL_CTX_callback_ctrl(
            greeter, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
            unsafeBitCast(choose, to: (@convention(c) () -> Void).self))
    }

    func newSession() -> OpaquePointer? { contexts[0].newSession() }

    private func choose(for session: OpaquePointer) -> Int32 {
        guard let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        let wanted = String(cString: name).lowercased()
        let exact = contexts.first { $0.names.contains(wanted) }
        if let context = exact ?? contexts.first(where: { $0.names.contains { Self.covers($0, wanted) } }) {
            SSL_set_SSL_CTX(session, context.context)
        }
        // An unknown name gets the first certificate; the client will judge it.
        return SSL_TLSEXT_ERR_OK
    }

    /// A star stands for one label (RFC 6125 section 6.4.3).
    private static func covers(_ pattern: String, _ name: String) -> Bool {
        guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
        return name[dot...] == pattern.dropFirst()
    }
}

/// The DNS names of a certificate.
private enum CertificateNames {
    static func of(_ certificate: OpaquePointer?) -> [String] {
        guard let certificate, let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            return []
        }
        let list = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(list) }
        return (0..<OPENSSL_sk_num(list)).compactMap { index in
            guard let entry = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                entry.pointee.type == GEN_DNS, let text = entry.pointee.d.dNSName
            else { return nil }
            let bytes = UnsafeRawBufferPointer(
                start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
            return String(decoding: bytes, as: UTF8.self).lowercased()
        }
    }
}
