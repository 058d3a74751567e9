import Wire

/// Keeps requests whose address a customer gave away from our own networks: only http and https, only sensible ports,
/// only addresses of the open Internet, whatever name they hide behind.
///
/// The client looks the name up once, asks this guard about every address, connects to those very addresses, and asks
/// again when the socket is opened.
public struct SSRFGuard: Sendable {
    /// Ranges that may be reached although they are not public.
    public var allowed: [AddressRange]
    /// Ports below 1024 that may be reached; those from 1024 on may be, as people run their receivers there.
    public var lowPorts: Set<Int>

    public init(allowed: [AddressRange] = [], lowPorts: Set<Int> = [80, 443]) {
        self.allowed = allowed
        self.lowPorts = lowPorts
    }

    public func allows(_ address: IPAddress) -> Bool {
        address.isPublic || allowed.contains { $0.contains(address) }
    }

    /// All of them: a name with one good and one bad address is a trick.
    func check(_ addresses: [IPAddress]) throws(TransferError) {
        guard !addresses.isEmpty else { throw .unknownHost }
        guard addresses.allSatisfy(allows) else { throw .addressNotAllowed }
    }

    func check(port: Int) throws(TransferError) {
        guard lowPorts.contains(port) || (1024...65_535).contains(port) else { throw .portNotAllowed }
    }
}
