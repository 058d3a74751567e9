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
        case .invalidURL, .schemeNotAllowed, .portNotAllowed, .addressNotAllowed, .responseTooLarge, .cancelled: false
        case .unknownHost, .connectFailed, .connectTimedOut, .insecure, .firstByteTimedOut, .idleTimedOut,
            .totalTimedOut, .badResponse, .disconnected, .other:
            true
        }
    }
}
