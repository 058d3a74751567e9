import Wire

/// What the proxies in front of us say about the client: one hop per proxy, the client's end first.
public struct Forwarded: Equatable, Sendable {
    public struct Hop: Equatable, Sendable {
        /// Nil for `unknown`, a made-up name (`_hidden`) or anything that is no address.
        public var client: IPAddress?
        public var scheme: String?
        public var host: String?

        public init(client: IPAddress? = nil, scheme: String? = nil, host: String? = nil) {
            self.client = client
            self.scheme = scheme
            self.host = host
        }
    }

    public private(set) var hops: [Hop]

    /// Reads `Forwarded` (RFC 7239); nil when it does not follow the grammar or has too many hops.
    public init?(_ field: some StringProtocol) {
        let hops: [Hop]? = field.reading { reader in
            var hops: [Hop] = []
            while true {
                reader.skipSpace()
                if reader.take(UInt8(ascii: ",")) { continue }
                if reader.atEnd { return hops }
                guard hops.count < CodecLimits.forwardedHops, let hop = Self.hop(&reader) else { return nil }
                hops.append(hop)
                reader.skipSpace()
                guard reader.atEnd || reader.next == UInt8(ascii: ",") else { return nil }
            }
        }
        guard let hops else { return nil }
        self.hops = hops
    }

    /// Reads the three older fields; each is the list of its values over all lines, joined by commas.
    ///
    /// A scheme or host that is given once counts for every hop: that is how most proxies send them.
    public init?(xForwardedFor addresses: String, proto: String? = nil, host: String? = nil) {
        let clients = Self.list(addresses)
        let schemes = proto.map(Self.list) ?? []
        let hosts = host.map(Self.list) ?? []
        guard clients.count <= CodecLimits.forwardedHops else { return nil }
        hops = clients.enumerated().map { index, client in
            Hop(
                client: Self.address(client),
                scheme: Self.entry(schemes, index, of: clients.count).flatMap(Self.scheme),
                host: Self.entry(hosts, index, of: clients.count))
        }
    }

    /// The hop to believe: going back from our own peer through proxies we trust, the first that is none of them.
    ///
    /// Nil when the peer itself is not trusted: then nothing it says counts. What a stranger wrote lies further left
    /// and is never reached.
    public func believed(peer: IPAddress, trusted: [AddressRange]) -> Hop? {
        func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }
        guard isTrusted(peer) else { return nil }
        var nearest: Hop?
        for hop in hops.reversed() {
            // Behind an unknown client the chain cannot be followed: what is known up to here is what counts.
            guard let client = hop.client else { return nearest }
            nearest = hop
            if !isTrusted(client) { return hop }
        }
        return nearest
    }

    private static func hop(_ reader: inout FieldReader) -> Hop? {
        var hop = Hop()
        while true {
            guard let name = reader.token(), reader.take(UInt8(ascii: "=")), let value = reader.value() else {
                return nil
            }
            if name.isWord("for") { hop.client = address(value) }
            if name.isWord("proto") { hop.scheme = scheme(value) }
            if name.isWord("host") { hop.host = value }
            reader.skipSpace()
            guard reader.take(UInt8(ascii: ";")) else { return hop }
            reader.skipSpace()
        }
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
    private static func address(_ text: some StringProtocol) -> IPAddress? {
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return IPAddress(text[text.index(after: text.startIndex)..<end])
        }
        if let address = IPAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let address = IPAddress(text[..<colon])
        return address?.isV4 == true ? address : nil
    }

    private static func scheme(_ text: some StringProtocol) -> String? {
        let scheme = text.lowercased()
        return scheme == "http" || scheme == "https" ? scheme : nil
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { part in
            part.reading { reader in
                reader.skipSpace()
                let word = reader.take { $0 != 0x20 && $0 != 0x09 }
                return String(decoding: word, as: UTF8.self)
            }
        }
    }

    private static func entry(_ list: [String], _ index: Int, of count: Int) -> String? {
        list.count == count ? list[index] : list.last
    }
}
