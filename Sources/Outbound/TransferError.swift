import CCurl

/// Why a request that went out brought no answer.
public enum TransferError: Error, Equatable {
    case invalidURL
    case schemeNotAllowed
    case portNotAllowed
    /// The host's address is private, local, reserved or otherwise none a stranger may send us to.
    case addressNotAllowed
    case unknownHost
    case connectFailed
    case connectTimedOut
    /// The certificate, its name or the handshake: the text says which.
    case insecure(String)
    case firstByteTimedOut
    case idleTimedOut
    case totalTimedOut
    case responseTooLarge
    /// What came is no HTTP, or its compression is damaged.
    case badResponse
    case disconnected
    case cancelled
    case other(String)

    /// Whether the same request may do better later.
    public var isTemporary: Bool {
        switch self {
        case .invalidURL, .schemeNotAllowed, .portNotAllowed, .addressNotAllowed, .responseTooLarge,
            .cancelled:
            false
        case .unknownHost, .connectFailed, .connectTimedOut, .insecure, .firstByteTimedOut, .idleTimedOut,
            .totalTimedOut, .badResponse, .disconnected, .other:
            true
        }
    }
}

extension TransferError {
    /// - Parameter detail: what libcurl has to say beyond its code.
    init(_ code: CURLcode, _ detail: String) {
        self =
            switch code {
            case CURLE_URL_MALFORMAT: .invalidURL
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unknownHost
            case CURLE_COULDNT_CONNECT: .connectFailed
            // libcurl keeps a deadline of five minutes for connecting besides ours.
            case CURLE_OPERATION_TIMEDOUT: .connectTimedOut
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
                .insecure(detail)
            // "Unsupported protocol" is an answer that is no HTTP/1 or later; the scheme was looked at before.
            case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
                CURLE_HTTP2:
                .badResponse
            case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR,
                CURLE_HTTP2_STREAM:
                .disconnected
            case CURLE_ABORTED_BY_CALLBACK: .cancelled
            default: .other(String(cString: curl_easy_strerror(code)))
            }
    }
}
