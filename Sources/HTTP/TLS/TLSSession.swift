import COpenSSL
import Glibc

/// The TLS side of one connection, on the connection's socket. For its loop's thread alone.
final class TLSSession {
    enum Progress {
        case done, wantsRead, wantsWrite, failed
        /// The client speaks plain HTTP to the encrypted port.
        case plainHTTP
    }

    private let session: OpaquePointer
    /// Keeps the contexts, which the session's callbacks use, as long as the session.
    private let contexts: TLSContexts
    private(set) var isReady = false
    private var isBroken = false

    init?(_ contexts: TLSContexts, descriptor: Int32) {
        ERR_clear_error()
        guard let session = contexts.newSession() else { return nil }
        guard SSL_set_fd(session, descriptor) == 1 else {
            SSL_free(session)
            return nil
        }
        SSL_set_accept_state(session)
        self.session = session
        self.contexts = contexts
    }

    deinit { SSL_free(session) }

    func handshake() -> Progress {
        ERR_clear_error()
        let result = SSL_do_handshake(session)
        if result == 1 {
            isReady = true
            return .done
        }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            let reason = Int32(truncatingIfNeeded: ERR_peek_error() & 0x7F_FFFF)
            return reason == SSL_R_HTTP_REQUEST ? .plainHTTP : .failed
        }
    }

    /// As recv(2): 0 at the end, -1 with EAGAIN when there is nothing for now.
    func read(_ room: UnsafeMutableRawBufferPointer) -> Int {
        ERR_clear_error()
        let count = SSL_read(session, room.baseAddress, Int32(clamping: room.count))
        if count > 0 { return Int(count) }
        switch SSL_get_error(session, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            errno = EAGAIN
            return -1
        case SSL_ERROR_ZERO_RETURN:
            return 0
        default:
            // Also a FIN without close_notify comes here: what was whole before it stays whole, nothing else does.
            isBroken = true
            return 0
        }
    }

    /// As send(2): -1 with EAGAIN when the socket is full.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        ERR_clear_error()
        let count = SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count))
        if count > 0 { return Int(count) }
        switch SSL_get_error(session, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: errno = EAGAIN
        default:
            isBroken = true
            errno = EPIPE
        }
        return -1
    }

    /// Bytes that no event of the socket will tell of.
    var hasPending: Bool { SSL_has_pending(session) == 1 }

    /// close_notify, if the socket takes it.
    func sayGoodbye() {
        guard isReady, !isBroken else { return }
        ERR_clear_error()
        SSL_shutdown(session)
    }
}
