import Synchronization

/// The certificates in use, and how they are exchanged for fresh ones while connections go on.
final class Certificates: Sendable {
    private let identities: [TLSIdentity]
    /// Outlive a reload, so that tickets stay good.
    private let tickets: TicketKeys
    private let current: Mutex<TLSContexts>

    init(_ configuration: HTTPConfiguration.TLS?) throws(TLSError) {
        identities = configuration?.identities ?? []
        tickets = TicketKeys(secret: configuration?.ticketSecret)
        current = Mutex(try TLSContexts(identities, tickets))
    }

    var contexts: TLSContexts { current.withLock { $0 } }

    func reload() throws(TLSError) {
        let fresh = try TLSContexts(identities, tickets)
        current.withLock { $0 = fresh }
    }
}
