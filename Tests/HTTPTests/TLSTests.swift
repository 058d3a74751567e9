import COpenSSL
import Glibc
import HTTP
import Loop
import Synchronization
import Testing

extension SocketTests {
    @Suite struct TLSTests {
        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `requests are answered over both versions, bodies of any size both ways`(_ version: Int32)
            async throws
        {
            let live = try SecureServer(Answering(Self.echoBytes))
            let client = try TLSClient(port: live.port, version: version)
            for size in [0, 5, 16_384, 16_385, 3_000_000] {
                let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 3) }
                // Written from aside, since both directions of so much cannot wait for each other.
                let writer = Thread {
                    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
                        && client.send(body)
                }
                #expect(await writer.value)
                #expect(client.readResponse()?.body == body)
            }
            await live.stop()
        }

        @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
        func `older versions are refused`(_ version: Int32) async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            #expect(throws: TLSClient.Refused.self) { try TLSClient(port: live.port, version: version) }
            await live.stop()
        }

        @Test func `http is agreed on, h2 alone is refused`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            #expect(try TLSClient(port: live.port, alpn: ["h2", "http/1.1"]).alpn == "http/1.1")
            #expect(try TLSClient(port: live.port, alpn: ["http/1.0"]).alpn == "http/1.0")
            #expect(try TLSClient(port: live.port, alpn: ["http/1.0", "http/1.1"]).alpn == "http/1.1")
            #expect(throws: TLSClient.Refused.self) { try TLSClient(port: live.port, alpn: ["h2"]) }
            #expect(try TLSClient(port: live.port).alpn == "")
            await live.stop()
        }

        @Test func `the name asked for chooses the certificate`() async throws {
            let live = try SecureServer(
                Answering(Self.echoBytes), names: [["localhost"], ["a.test"], ["*.b.test", "b.test"]])
            let first = try TLSClient(port: live.port).serial
            let a = try TLSClient(port: live.port, name: "a.test").serial
            let b = try TLSClient(port: live.port, name: "B.test").serial
            #expect(Set([first, a, b]).count == 3)
            #expect(try TLSClient(port: live.port, name: "x.b.test").serial == b)
            #expect(try TLSClient(port: live.port, name: "x.y.b.test").serial == first)
            #expect(try TLSClient(port: live.port, name: "other.test").serial == first)
            await live.stop()
        }

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `a session is resumed on any loop, also after a reload`(_ version: Int32) async throws {
            let live = try SecureServer(Answering(Self.echoBytes), loops: 2)
            let client = try TLSClient(port: live.port, version: version)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.status == 200)
            #expect(!client.isResumed)
            // Six connections fall on both loops but for one case in 32.
            for round in 0..<6 {
                let ticket = SSL_get1_session(client.session)
                defer { SSL_SESSION_free(ticket) }
                if round == 3 { try live.server.reloadCertificates() }
                #expect(try TLSClient(port: live.port, version: version, resuming: ticket).isResumed)
            }
            await live.stop()
        }

        @Test func `a reload takes new connections to the new certificate and leaves the old ones alone`()
            async throws
        {
            let live = try SecureServer(Answering(Self.echoBytes))
            let kept = try TLSClient(port: live.port)
            let before = kept.serial
            try live.renew()
            try live.server.reloadCertificates()
            #expect(try TLSClient(port: live.port).serial != before)
            kept.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(kept.readResponse()?.status == 200)
            await live.stop()
        }

        @Test func `a pair that does not belong together is never put to use`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            let before = try TLSClient(port: live.port).serial
            try live.renew(keyOnly: true)
            let error = try #require(throws: TLSError.self) { try live.server.reloadCertificates() }
            #expect("\(error)".contains("is not the key of"))
            #expect(try TLSClient(port: live.port).serial == before)
            await live.stop()
        }

        @Test func `a reload under load drops nobody`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes), loops: 2)
            let clients = try (0..<4).map { _ in try TLSClient(port: live.port) }
            let answered = Atomic<Int>(0)
            let working = clients.map { client in
                Thread {
                    for _ in 0..<200 {
                        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                        guard client.readResponse()?.status == 200 else { return false }
                        answered.add(1, ordering: .relaxed)
                    }
                    return true
                }
            }
            for _ in 0..<5 {
                try live.renew()
                try live.server.reloadCertificates()
                _ = try TLSClient(port: live.port)
            }
            for work in working { #expect(await work.value) }
            #expect(answered.load(ordering: .relaxed) == 800)
            await live.stop()
        }

        @Test func `the last answer is followed by a goodbye before the end`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            for request in ["GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "nonsense\r\n\r\n"] {
                let client = try TLSClient(port: live.port)
                client.send(request)
                #expect(client.readResponse()?["connection"] == "close")
                #expect(client.endsWithGoodbye())
            }
            await live.stop()
        }

        @Test func `a drain does not wait for idle clients to say goodbye`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            let client = try TLSClient(port: live.port)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.status == 200)
            live.server.beginDrain()
            await live.server.drained(deadline: .seconds(60))
            #expect(client.endsWithGoodbye())
            live.loops.stop()
        }

        @Test func `a body cut by the end of the connection is not taken for whole`() async throws {
            let answering = Answering(Self.echoBytes)
            let live = try SecureServer(answering)
            let client = try TLSClient(port: live.port)
            client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            client.cut()
            #expect(client.readResponse() == nil)
            #expect(await eventually { answering.exchanges.map(\.outcome) == [.aborted] })
            await live.stop()
        }

        @Test func `a file is sent encrypted, whole and in part`() async throws {
            let file = try TemporaryFile((0..<400_000).map { UInt8(truncatingIfNeeded: $0 / 11) })
            let live = try SecureServer(
                Answering { _ in
                    .later {
                        guard let body = try? FileBody(path: file.path) else { return Response(status: 404) }
                        return Response(status: 200, body: .file(body))
                    }
                })
            let client = try TLSClient(port: live.port)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.body == file.bytes)
            client.send("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=100000-299999\r\n\r\n")
            #expect(client.readResponse()?.body == Array(file.bytes[100_000..<300_000]))
            await live.stop()
        }

        @Test func `a client that writes its whole body first still reads that it was too large`()
            async throws
        {
            let live = try SecureServer(Answering(ExchangeTests.echo))
            let client = try TLSClient(port: live.port)
            let size = 10 << 20
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
            #expect(client.send([UInt8](repeating: 65, count: size)))
            #expect(client.readResponse()?.status == 413)
            await live.stop()
        }

        @Test func `plain http on the encrypted port is told so`() async throws {
            let live = try SecureServer(Answering(Self.echoBytes))
            let client = RawClient(port: live.port)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer.status == 400)
            #expect(answer.text.contains("https"))
            await live.stop()
        }

        @Test func `a handshake that stalls is given up as a whole`() async throws {
            let live = try SecureServer(
                Answering(Self.echoBytes), limits: { $0.handshake = .milliseconds(100) })
            let client = RawClient(port: live.port)
            client.send([0x16, 0x03, 0x01])
            #expect(client.isOver)
            #expect(await eventually { live.server.statistics.connections == 0 })
            await live.stop()
        }

        @Test func `the certificate made for development is no authority and names this machine`() throws {
            let (certificate, key) = try SelfSignedCertificate.make()
            let bio = BIO_new_mem_buf(certificate, Int32(certificate.count))
            defer { BIO_free(bio) }
            let parsed = try #require(PEM_read_bio_X509(bio, nil, nil, nil))
            defer { X509_free(parsed) }
            #expect(X509_check_ca(parsed) == 0)
            #expect(X509_check_host(parsed, "localhost", 0, 0, nil) == 1)
            #expect(X509_check_ip_asc(parsed, "127.0.0.1", 0) == 1)
            #expect(X509_check_ip_asc(parsed, "::1", 0) == 1)
            #expect(X509_check_host(parsed, "example.com", 0, 0, nil) == 0)
            #expect(String(decoding: key, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----"))
        }

        private static func echoBytes(_ request: Request) -> Reply {
            .later {
                guard let body = try? await request.body.collect(upTo: 8 << 20) else {
                    return Response(status: 400)
                }
                return Response(status: 200, body: .bytes(body))
            }
        }
    }
}

/// A server on an encrypted port with certificates of its own.
final class SecureServer: Sendable {
    let loops: LoopGroup
    let server: HTTPServer
    let port: Int
    private let identities: [TLSIdentity]
    private let files: [TemporaryFile]

    init(
        _ responder: any Responder, loops count: Int = 1, names: [[String]] = [["localhost"]],
        limits change: (inout Limits) -> Void = { _ in }
    ) throws {
        var files: [TemporaryFile] = []
        identities = try names.map { names in
            let (certificate, key) = try SelfSignedCertificate.make(names: names)
            files += [try TemporaryFile(certificate), try TemporaryFile(key)]
            return TLSIdentity(
                certificateFile: files[files.count - 2].path, keyFile: files[files.count - 1].path)
        }
        self.files = files
        var limits = Limits()
        change(&limits)
        loops = LoopGroup(count: count)
        server = try HTTPServer(
            loops,
            HTTPConfiguration(
                listeners: [.init(host: "127.0.0.1", port: 0, kind: .tls)],
                tls: .init(identities: identities),
                limits: limits), responder)
        port = try server.start()[0]
    }

    /// Writes a fresh pair over the first one.
    func renew(keyOnly: Bool = false) throws {
        let (certificate, key) = try SelfSignedCertificate.make()
        try files[1].replace(key)
        if !keyOnly { try files[0].replace(certificate) }
    }

    func stop() async {
        server.beginDrain()
        await server.drained(deadline: .milliseconds(200))
        loops.stop()
    }
}

extension TemporaryFile {
    func replace(_ bytes: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_TRUNC)
        defer { close(descriptor) }
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }
}

/// A thread for a client that blocks, so that it does not hold one of the few that tasks run on.
final class Thread: Sendable {
    private let gate = Gate()
    private let result = Mutex<Bool?>(nil)

    init(_ work: @escaping @Sendable () -> Bool) {
        let pool = BlockingPool(label: "client", workers: 1, queueLimit: 1)
        _ = pool.submit { [self] in
            let value = work()
            result.withLock { $0 = value }
            gate.open()
        }
        pool.stop()
    }

    var value: Bool {
        get async {
            await gate.wait()
            return result.withLock { $0 ?? false }
        }
    }
}
