import HTTP
import Testing
import Wire

@Suite struct ForwardedTests {
    let trusted = ["10.0.0.0/8", "::1"].compactMap { AddressRange($0) }

    private func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `the client is the first hop from our side that is no proxy of ours`() throws {
        let chain = try #require(
            Forwarded("for=6.6.6.6, for=198.51.100.7;proto=https;host=a.example, for=10.0.0.3"))
        let hop = chain.believed(peer: try ip("10.0.0.2"), trusted: trusted)
        #expect(hop == Forwarded.Hop(client: try ip("198.51.100.7"), scheme: "https", host: "a.example"))
    }

    @Test func `a stranger's word about itself does not count`() throws {
        let chain = try #require(Forwarded("for=10.0.0.9"))
        #expect(chain.believed(peer: try ip("203.0.113.5"), trusted: trusted) == nil)
    }

    @Test func `a chain of our own proxies alone ends at its far end`() throws {
        let chain = try #require(Forwarded("for=10.9.9.9, for=10.0.0.3"))
        #expect(chain.believed(peer: try ip("::1"), trusted: trusted)?.client == (try ip("10.9.9.9")))
    }

    @Test func `behind a hidden client nothing is believed`() throws {
        let chain = try #require(Forwarded("for=6.6.6.6, for=_hidden, for=10.0.0.3;proto=https"))
        let hop = chain.believed(peer: try ip("10.0.0.2"), trusted: trusted)
        #expect(hop?.client == (try ip("10.0.0.3")))
        #expect(
            try #require(Forwarded("for=unknown")).believed(peer: ip("10.0.0.2"), trusted: trusted) == nil)
    }

    @Test(
        arguments: [
            ("for=192.0.2.43", "192.0.2.43"), ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"192.0.2.43:47011\"", "192.0.2.43"), ("proto=http; for=\"[::1]\" ;by=203.0.113.43", "::1"),
            ("for=unknown", nil), ("for=_SEVKISEK", nil), ("for=\"[::1\"", nil),
        ] as [(String, String?)])
    func `a node is read in each of its forms`(field: String, client: String?) throws {
        let chain = try #require(Forwarded(field))
        #expect(chain.hops.map(\.client) == [client.flatMap { IPAddress($0) }])
    }

    @Test(arguments: ["for", "for=", "for=a b", "for=\"a", "for=1.2.3.4;", "=x"])
    func `a field against the grammar is refused`(field: String) { #expect(Forwarded(field) == nil) }

    @Test func `the older fields are read alike`() throws {
        let chain = try #require(
            Forwarded(xForwardedFor: "198.51.100.7, 2001:db8::1,[::1]:80", proto: "https", host: "a.example"))
        #expect(chain.hops.map(\.client?.description) == ["198.51.100.7", "2001:db8::1", "::1"])
        #expect(chain.hops.allSatisfy { $0.scheme == "https" && $0.host == "a.example" })
        let each = try #require(Forwarded(xForwardedFor: "8.8.8.8, 9.9.9.9", proto: "https, http"))
        #expect(each.hops.map(\.scheme) == ["https", "http"])
        #expect(try #require(Forwarded(xForwardedFor: "8.8.8.8", proto: "javascript")).hops[0].scheme == nil)
    }

    @Test func `a chain that is too long is refused`() {
        let long = [String](repeating: "1.2.3.4", count: CodecLimits.forwardedHops + 1).joined(separator: ",")
        #expect(Forwarded(xForwardedFor: long) == nil)
        let fields = [String](repeating: "for=1.2.3.4", count: CodecLimits.forwardedHops + 1)
        #expect(Forwarded(fields.joined(separator: ",")) == nil)
    }
}
