import CLinux
import Glibc

/// The other end of a connection.
final class Peer: Sendable {
    let isSecure: Bool

    init(isSecure: Bool) { self.isSecure = isSecure }
}
