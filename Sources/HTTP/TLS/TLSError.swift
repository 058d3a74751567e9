import COpenSSL

/// What is wrong with a certificate or its key, in a sentence for the person who runs the server.
public struct TLSError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ what: String) {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else {
            description = what + "."
            return
        }
        description = "\(what): \(String(cString: reason))."
    }
}
