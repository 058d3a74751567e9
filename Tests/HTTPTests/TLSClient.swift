import COpenSSL
import Glibc

/// A blocking client that speaks TLS by libssl and trusts whatever it meets.
final class TLSClient: @unchecked Sendable {
    struct Refused: Error {}

    private let raw: RawClient
    private let context: OpaquePointer
    let session: OpaquePointer
    private var unread: [UInt8] = []

    init(
        port: Int, name: String? = nil, alpn: [String] = [], version: Int32? = nil,
        resuming: OpaquePointer? = nil
    ) throws {
        raw = RawClient(port: port)
        context = SSL_CTX_new(TLS_client_method())!
        if let version {
            SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
            SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
            // Old versions need the lowest security level to be offered at all.
            SSL_CTX_set_security_level(context, 0)
        }
        session = SSL_new(context)!
        let offered = alpn.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !offered.isEmpty { SSL_set_alpn_protos(session, offered, UInt32(offered.count)) }
        if var name = name.map({ Array($0.utf8CString) }) {
            SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
        }
        if let resuming { SSL_set_session(session, resuming) }
        SSL_set_fd(session, raw.descriptor)
        ERR_clear_error()
        guard SSL_connect(session) == 1 else { throw Refused() }
    }

    deinit {
        // Without this libssl takes the session for a broken one, never to be resumed.
        SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(session)
        SSL_CTX_free(context)
    }

    var alpn: String {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(session, &name, &length)
        return String(decoding: UnsafeRawBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// The serial number of the server's certificate.
    var serial: UInt64 {
        let certificate = SSL_get1_peer_certificate(session)
        defer { X509_free(certificate) }
        var serial: UInt64 = 0
        ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(certificate))
        return serial
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        ERR_clear_error()
        return bytes.isEmpty || SSL_write(session, bytes, Int32(bytes.count)) == Int32(bytes.count)
    }

    func readResponse() -> Answer? {
        while true {
            if let answer = Answer(&unread, toHead: false) { return answer }
            guard fill() else { return nil }
        }
    }

    /// True when the server has said goodbye before it ended the connection.
    func endsWithGoodbye() -> Bool {
        while fill() {}
        return SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0
    }

    /// Ends the sending half without a goodbye.
    func cut() { raw.finishWriting() }

    private func fill() -> Bool {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        ERR_clear_error()
        let count = SSL_read(session, &room, Int32(room.count))
        guard count > 0 else { return false }
        unread.append(contentsOf: room[..<Int(count)])
        return true
    }
}
