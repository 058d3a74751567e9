import CLinux
import Glibc
import Wire

/// The other end of a connection.
final class Peer: Sendable {
    let address: IPAddress
    /// The address as text, for every line of the log.
    let name: String
    let isSecure: Bool
    /// Whose word about the client counts.
    let trustedProxies: [AddressRange]

    init(address: IPAddress, isSecure: Bool, trustedProxies: [AddressRange]) {
        self.address = address
        name = address.description
        self.isSecure = isSecure
        self.trustedProxies = trustedProxies
    }
}
