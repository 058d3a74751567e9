/// A block of addresses, `10.0.0.0/8`; a bare address is the block of that one.
///
/// The two versions are apart: `::/0` holds no version 4 address.
public struct AddressRange: Hashable, Sendable {
    public let first: IPAddress
    /// Leading bits that are fixed, of 128; version 4 counts from its place in `::ffff:0:0/96`.
    private let fixedBits: Int

    public init(_ address: IPAddress) { self.init(first: address, fixedBits: 128) }

    /// Reads `address/prefix` or a bare address; an address with bits beyond its prefix is refused, since one of the
    /// two must be a slip.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address)
            return
        }
        let digits = parts[1].utf8
        guard (1...3).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }),
            digits.count == 1 || digits.first != 48, let prefix = Int(parts[1])
        else { return nil }
        // `::ffff:0:0/96` is written as version 6 but is version 4 whole.
        let isDotted = !parts[0].utf8.contains(UInt8(ascii: ":"))
        let fixed = isDotted ? prefix + 96 : prefix
        guard fixed <= 128, !address.isV4 || fixed >= 96 else { return nil }
        let mask = Self.mask(fixed)
        guard address.high & ~mask.high == 0, address.low & ~mask.low == 0 else { return nil }
        self.init(first: address, fixedBits: fixed)
    }

    private init(first: IPAddress, fixedBits: Int) {
        self.first = first
        self.fixedBits = fixedBits
    }

    public func contains(_ address: IPAddress) -> Bool {
        guard first.isV4 == address.isV4 else { return false }
        let mask = Self.mask(fixedBits)
        return address.high & mask.high == first.high && address.low & mask.low == first.low
    }

    private static func mask(_ bits: Int) -> (high: UInt64, low: UInt64) {
        (bits >= 64 ? .max : ~(.max >> UInt64(bits)), bits <= 64 ? 0 : ~(.max >> UInt64(bits - 64)))
    }
}

extension AddressRange: CustomStringConvertible {
    public var description: String { "\(first)/\(first.isV4 ? fixedBits - 96 : fixedBits)" }
}

extension IPAddress {
    /// True for an address that any machine of the Internet may have: not this machine, not a private network, not
    /// link-local (where clouds keep their metadata), not multicast, not reserved or for documentation.
    ///
    /// The lists are IANA's special-purpose registries, and the metadata address that one cloud has outside them.
    public var isPublic: Bool {
        if isV4 { return !Self.specialV4.contains { $0.contains(self) } }
        // NAT64 carries a version 4 address in its last 32 bits (RFC 6052): that one decides.
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 {
            return IPAddress(v4: UInt32(truncatingIfNeeded: low)).isPublic
        }
        // Only 2000::/3 is given out as global unicast; all else is special in one way or another.
        return high >> 61 == 1 && !Self.specialV6.contains { $0.contains(self) }
    }

    public var isLoopback: Bool { v4Bits.map { $0 >> 24 == 127 } ?? (high == 0 && low == 1) }

    private static let specialV4 = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",
    ])

    private static let specialV6 = ranges([
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ])

    private static func ranges(_ texts: [String]) -> [AddressRange] {
        texts.map { text in
            guard let range = AddressRange(text) else { preconditionFailure("\(text) is no address range") }
            return range
        }
    }
}
