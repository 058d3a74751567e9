import Wire

/// Who asks, by our own eyes or by the word of a proxy we trust.
extension Request {
    /// The other end of the connection: the client itself or the nearest proxy.
    public var peerAddress: IPAddress { peer.address }

    public var clientAddress: IPAddress { believedHop?.client ?? peer.address }

    /// The client's address as text.
    public var clientName: String { believedHop?.client?.description ?? peer.name }

    /// The client speaks https, to us or to the proxy before us.
    public var isSecure: Bool {
        guard let scheme = believedHop?.scheme else { return peer.isSecure }
        return scheme == "https"
    }

    public var scheme: String { isSecure ? "https" : "http" }

    /// The authority the client addressed; empty only for HTTP/1.0.
    public var host: String { believedHop?.host ?? hostField }

    func findBelievedHop() -> Forwarded.Hop? {
        guard !peer.trustedProxies.isEmpty, peer.trustedProxies.contains(where: { $0.contains(peer.address) })
        else { return nil }
        let said: Forwarded?
        if let forwarded = headerList("forwarded") {
            said = Forwarded(forwarded)
        } else if let addresses = headerList("x-forwarded-for") {
            said = Forwarded(
                xForwardedFor: addresses, proto: headerList("x-forwarded-proto"),
                host: headerList("x-forwarded-host"))
        } else {
            said = nil
        }
        return said?.believed(peer: peer.address, trusted: peer.trustedProxies)
    }
}
