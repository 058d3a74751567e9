import Loop
import Outbound
import Testing
import Wire

private let loops = LoopGroup(count: 2)
private let resolver = BlockingPool(label: "resolve", workers: 2, queueLimit: 100)

@Suite(.timeLimit(.minutes(2))) struct HTTPClientTests {
    private let server: PythonServer
    private let client = HTTPClient(loops: loops, resolver: resolver)

    init() throws { server = try PythonServer("http_server.py", ["plain"]) }

    private func url(_ path: String) -> String { "http://127.0.0.1:\(server.port)\(path)" }

    private func error(_ request: HTTPClient.Request, _ client: HTTPClient? = nil) async -> TransferError? {
        do throws(TransferError) {
            _ = try await (client ?? self.client).send(request).body.collect()
            return nil
        } catch { return error }
    }

    @Test func `a request arrives as it was written and its answer comes back whole`() async throws {
        let response = try await client.send(
            .init(
                "PATCH", url("/echo?a=b%20c"),
                headers: [("X-One", "1"), ("Content-Type", "text/x"), ("Empty", "")],
                body: [UInt8]("héllo".utf8)))
        #expect(response.status == 200)
        #expect(response.header("content-type") == "application/json")
        #expect(response.headers.filter { $0.name == "x-two" }.map(\.value) == ["a", "b"])
        let told = try JSON.parse(try await response.body.collect())
        #expect(told["method"] == "PATCH")
        #expect(told["target"] == "/echo?a=b%20c")
        let fields = try #require(told["fields"]?.arrayValue)
        let sent = fields.map { field in "\(field[0]?.stringValue ?? "")=\(field[1]?.stringValue ?? "")" }
        #expect(sent.contains("X-One=1"))
        #expect(sent.contains("Content-Type=text/x"))
        #expect(sent.contains("Empty="))
        #expect(sent.contains("User-Agent=Infinity"))
        #expect(!sent.contains { $0.hasPrefix("Expect") })
        #expect(told["body"]?.stringValue?.unicodeScalars.map { UInt8($0.value) } == [UInt8]("héllo".utf8))
    }

    @Test(arguments: ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
    func `a method without a body sends none`(method: String) async throws {
        let response = try await client.send(.init(method, url("/echo")))
        let told = try JSON.parse(try await response.body.collect())
        #expect(told["method"]?.stringValue == method)
        #expect(told["body"] == "")
        #expect(try await client.send(.init("HEAD", url("/echo"))).status == 200)
    }

    @Test func `a connection is used again`() async throws {
        let loop = loops.loops[0]
        let (server, client) = (server.port, client)
        let numbers: [Int?] = try await withCheckedThrowingContinuation { continuation in
            loop.task {
                do {
                    var numbers: [Int?] = []
                    for _ in 0..<3 {
                        let response = try await client.send(.init("GET", "http://127.0.0.1:\(server)/echo"))
                        numbers.append(
                            try JSON.parse(try await response.body.collect())["connection"]?.intValue)
                        #expect(EventLoop.current === loop)
                    }
                    continuation.resume(returning: numbers)
                } catch { continuation.resume(throwing: error) }
            }
        }
        #expect(numbers == [1, 1, 1])
    }

    @Test func `a compressed body comes out plain`() async throws {
        let response = try await client.send(.init("GET", url("/gzip")))
        #expect(try await response.body.collect() == [UInt8](String(repeating: "word ", count: 1000).utf8))
        #expect(await error(.init("GET", url("/bad-gzip"))) == .badResponse)
    }

    @Test func `a body beyond its limit is an error, also when it was small on the wire`() async {
        #expect(await error(.init("GET", url("/gzip"), responseBytesMax: 4999)) == .responseTooLarge)
        #expect(await error(.init("GET", url("/gzip"), responseBytesMax: 5000)) == nil)
        #expect(await error(.init("GET", url("/bomb"), responseBytesMax: 1 << 20)) == .responseTooLarge)
        #expect(await error(.init("GET", url("/long-head"))) == .responseTooLarge)
    }

    @Test func `a redirect is an answer`() async throws {
        let response = try await client.send(.init("GET", url("/redirect")))
        #expect(response.status == 302)
        #expect(response.header("location") == "/echo")
    }

    @Test func `what comes before the real head is passed over`() async throws {
        let response = try await client.send(.init("GET", url("/early-hints")))
        #expect(response.status == 204)
        #expect(response.header("link") == nil)
    }

    @Test func `a body can be read as it comes`() async throws {
        let response = try await client.send(.init("GET", url("/chunks")))
        var pieces: [String] = []
        for try await piece in response.body { pieces.append(String(decoding: piece, as: UTF8.self)) }
        #expect(pieces == ["one", "two", "three"])
        #expect(try await response.body.next() == nil)
    }

    @Test func `a reader who takes his time holds the sender up`() async throws {
        let response = try await client.send(.init("GET", url("/flood?slow"), responseBytesMax: 1 << 30))
        var got = try #require(try await response.body.next()).count
        // The sender stands still when what it got rid of no longer grows; the kernel's buffers have the rest.
        var before = -1
        var now = try await flooded()
        while now != before {
            before = now
            for _ in 0..<20 { _ = try await client.send(.init("GET", url("/echo"))).body.collect() }
            now = try await flooded()
        }
        #expect(now < 32 << 20)
        while let piece = try await response.body.next() { got += piece.count }
        #expect(got == 209_715_200)
    }

    private func flooded() async throws -> Int {
        let response = try await client.send(.init("GET", url("/flooded?slow")))
        return try #require(Int(String(decoding: try await response.body.collect(), as: UTF8.self)))
    }

    @Test func `each stage has its deadline`() async {
        let soon = Duration.milliseconds(150)
        #expect(
            await error(.init("GET", url("/silence"), deadlines: .init(firstByte: soon)))
                == .firstByteTimedOut)
        #expect(await error(.init("GET", url("/stall"), deadlines: .init(idle: soon))) == .idleTimedOut)
        #expect(
            await error(.init("GET", url("/drip"), deadlines: .init(idle: .seconds(5), total: soon)))
                == .totalTimedOut)
        #expect(await error(.init("GET", url("/silence"), deadlines: .init(total: soon))) == .totalTimedOut)
    }

    @Test func `an answer that breaks off is an error`() async {
        #expect(await error(.init("GET", url("/half"))) == .disconnected)
        #expect(await error(.init("GET", url("/hang-up"))) == .disconnected)
        #expect(await error(.init("GET", url("/rubbish"))) == .badResponse)
    }

    @Test func `nobody there is an error at once`() async throws {
        let port = server.port
        #expect(await error(.init("GET", "http://127.0.0.1:1/")) == .connectFailed)
        #expect(await error(.init("GET", "http://nothing.invalid:\(port)/")) == .unknownHost)
    }

    @Test func `cancelling ends the request`() async throws {
        let (client, url) = (client, url("/silence"))
        let asking = Task { try await client.send(.init("GET", url)) }
        asking.cancel()
        await #expect(throws: TransferError.cancelled) { try await asking.value }

        let response = try await client.send(.init("GET", self.url("/stall")))
        #expect(try await response.body.next() == [UInt8]("half".utf8))
        let reading = Task { try await response.body.next() }
        reading.cancel()
        await #expect(throws: TransferError.cancelled) { try await reading.value }
    }

    @Test func `letting go of the client ends what it is doing`() async throws {
        var short: HTTPClient? = HTTPClient(loops: loops, resolver: resolver)
        let response = try #require(try await short?.send(.init("GET", url("/stall"))))
        #expect(try await response.body.next() == [UInt8]("half".utf8))
        short = nil
        await #expect(throws: TransferError.cancelled) { try await response.body.next() }
    }

    @Test(arguments: [
        ("GET", "ftp://127.0.0.1/", TransferError.schemeNotAllowed),
        ("GET", "file:///etc/passwd", .schemeNotAllowed),
        ("GET", "/echo", .invalidURL), ("GET", "", .invalidURL), ("GET", "http://", .invalidURL),
        ("GET", "http://münchen.example/", .invalidURL), ("GET", "http://127.0.0.1/ü", .invalidURL),
        ("GET", "http://user:pw@127.0.0.1/", .invalidURL), ("GET", "http://127.0.0.1/a b", .invalidURL),
        ("GET", "http://127.0.0.1/\r\nX: y", .invalidURL),
        ("GET / HTTP/1.1\r\nX: y", "http://127.0.0.1/", .invalidURL),
        ("", "http://127.0.0.1/", .invalidURL), ("GET", "http://127.0.0.1:99999/", .invalidURL),
    ])
    func `what is no request of HTTP is refused`(method: String, url: String, expected: TransferError) async {
        #expect(await error(.init(method, url)) == expected)
    }

    @Test(arguments: [
        ("X: y", "1"), ("X", "1\r\nY: 2"), ("X", "1\n"), ("", "1"), ("X", "a\0b"),
        ("Content-Length", "5"), ("transfer-encoding", "chunked"), ("Host", "other.example"),
        ("CONNECTION", "close"),
    ])
    func `a header can break neither its line nor the message`(name: String, value: String) async {
        #expect(await error(.init("GET", url("/echo"), headers: [(name, value)])) == .invalidURL)
    }

    @Test func `many requests at once are answered, each its own`() async throws {
        let (client, url) = (client, url("/echo"))
        let told = try await withThrowingTaskGroup(of: (Int, JSON).self) { group in
            for index in 0..<100 {
                group.addTask {
                    let response = try await client.send(.init("POST", url, body: [UInt8]("\(index)".utf8)))
                    return (index, try JSON.parse(try await response.body.collect()))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(told.count == 100)
        for (index, answer) in told { #expect(answer["body"]?.stringValue == "\(index)") }
    }

    @Test func `a certificate is checked against its authority and its name`() async throws {
        let secure = try PythonServer("http_server.py", ["tls"])
        #expect(await error(.init("GET", "https://localhost:\(secure.port)/echo"))?.isInsecure == true)
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthorities = secure.authority
        let trusting = HTTPClient(loops: loops, resolver: resolver, configuration: configuration)
        #expect(await error(.init("GET", "https://localhost:\(secure.port)/echo"), trusting) == nil)
        #expect(await error(.init("GET", "https://127.0.0.1:\(secure.port)/echo"), trusting) == nil)
        #expect(
            await error(.init("GET", "https://127.0.0.2:\(secure.port)/echo"), trusting) == .connectFailed)
        configuration.ssrfGuard = SSRFGuard(
            allowed: [AddressRange("127.0.0.0/8"), AddressRange("::1")].compactMap { $0 })
        let guarded = HTTPClient(loops: loops, resolver: resolver, configuration: configuration)
        #expect(await error(.init("GET", "https://localhost:\(secure.port)/echo"), guarded) == nil)
    }

    @Test func `a proxy is used for all but its exceptions`() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.proxy = "http://127.0.0.1:\(server.port)"
        configuration.proxyExceptions = ["127.0.0.1"]
        let client = HTTPClient(loops: loops, resolver: resolver, configuration: configuration)
        let through = try await client.send(.init("GET", "http://elsewhere.invalid/echo"))
        #expect(try JSON.parse(try await through.body.collect())["target"] == "http://elsewhere.invalid/echo")
        let direct = try await client.send(.init("GET", url("/echo")))
        #expect(try JSON.parse(try await direct.body.collect())["target"] == "/echo")

        let secure = try PythonServer("http_server.py", ["tls"])
        configuration.certificateAuthorities = secure.authority
        let tunnelling = HTTPClient(loops: loops, resolver: resolver, configuration: configuration)
        let response = try await tunnelling.send(.init("GET", "https://localhost:\(secure.port)/echo"))
        #expect(response.status == 200)
        #expect(response.header("x-proxy") == nil)
    }
}

extension TransferError {
    fileprivate var isInsecure: Bool { if case .insecure = self { true } else { false } }
}
