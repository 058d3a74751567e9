import COpenSSL
import Glibc

/// A certificate with its chain and key, as PEM files that are read again at each reload.
public struct TLSIdentity: Sendable, Hashable {
    public var certificateFile: String
    public var keyFile: String

    public init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// Whole days until the certificate runs out, negative when it has; throws what a server would refuse it for.
    public func daysLeft() throws(TLSError) -> Int { try TLSContext(self, TicketKeys(secret: nil)).daysLeft }
}

extension HTTPConfiguration {
    public struct TLS: Sendable {
        /// The first answers clients that name no host, or one that no certificate has.
        public var identities: [TLSIdentity]
        /// Processes that share it can resume each other's sessions; random when nil. At least 32 bytes.
        public var ticketSecret: [UInt8]?

        public init(identities: [TLSIdentity], ticketSecret: [UInt8]? = nil) {
            self.identities = identities
            self.ticketSecret = ticketSecret
        }
    }
}
