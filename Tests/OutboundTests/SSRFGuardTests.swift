import Loop
import Testing
import Wire

@testable import Outbound

private let loops = LoopGroup(count: 1)
private let resolver = BlockingPool(label: "resolve", workers: 2, queueLimit: 100)

@Suite(.timeLimit(.minutes(2))) struct SSRFGuardTests {
    private func client(_ guardian: SSRFGuard) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.ssrfGuard = guardian
        return HTTPClient(loops: loops, resolver: resolver, configuration: configuration)
    }

    private func error(_ url: String, _ guardian: SSRFGuard = SSRFGuard()) async -> TransferError? {
        do throws(TransferError) {
            _ = try await client(guardian).send(.init("GET", url, deadlines: .init(connect: .seconds(5))))
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/",
        "http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://[::1]/", "http://[::]/",
        "http://[::ffff:127.0.0.1]/", "http://[0:0:0:0:0:ffff:7f00:1]/", "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://192.168.1.1:8080/", "http://172.20.0.1/", "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://100.64.0.1/", "http://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "http://①②⑦.0.0.1/", "http://127.0.0.1%2f@example.org/",
        "http://example.org@127.0.0.1/", "http://224.0.0.1/",
    ])
    func `no spelling of a local address is let through`(url: String) async {
        let error = await error(url)
        #expect(error == .addressNotAllowed || error == .invalidURL || error == .unknownHost)
    }

    @Test(arguments: [
        ("http://8.8.8.8:22/", TransferError.portNotAllowed), ("http://8.8.8.8:25/", .portNotAllowed),
        ("http://8.8.8.8:0/", .portNotAllowed), ("gopher://8.8.8.8/", .schemeNotAllowed),
        ("file:///etc/passwd", .schemeNotAllowed), ("dict://8.8.8.8/", .schemeNotAllowed),
    ])
    func `only the web's schemes and sensible ports are let through`(url: String, expected: TransferError)
        async
    {
        #expect(await error(url) == expected)
    }

    @Test func `one bad address among good ones spoils the name`() throws {
        let good = try #require(IPAddress("8.8.8.8"))
        let bad = try #require(IPAddress("10.0.0.1"))
        #expect(throws: TransferError.addressNotAllowed) { try SSRFGuard().check([good, bad]) }
        #expect(throws: TransferError.unknownHost) { try SSRFGuard().check([]) }
        try SSRFGuard().check([good])
        try SSRFGuard(allowed: [AddressRange(bad)]).check([good, bad])
    }

    @Test func `a name that has no address is no host`() async {
        #expect(await error("http://nothing.invalid/") == .unknownHost)
    }

    @Test func `what the operator allows is reached by address and by name`() async throws {
        let server = try PythonServer("http_server.py", ["plain"])
        let ranges = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }
        let guardian = SSRFGuard(allowed: ranges)
        #expect(await error("http://127.0.0.1:\(server.port)/echo", guardian) == nil)
        #expect(await error("http://localhost:\(server.port)/echo", guardian) == nil)
        #expect(await error("http://localhost:\(server.port)/echo") == .addressNotAllowed)
    }
}
