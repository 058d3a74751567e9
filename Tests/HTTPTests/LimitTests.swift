import Glibc
import HTTP
import Loop
import Synchronization
import Testing

extension SocketTests {
    @Suite struct LimitTests {
        @Test func `a head that dribbles in is given up as a whole`() async throws {
            let answering = Answering { .now(.text($0.path)) }
            let live = try LiveServer(answering, limits: { $0.head = .milliseconds(150) })
            let client = live.client()
            // A byte every 20 ms for more than the time a head has: were it counted from the last byte, it would go on.
            for _ in 0..<30 where answering.exchanges.isEmpty {
                client.send("G")
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(answering.exchanges.map(\.status) == [408])
            #expect(client.readToEnd().hasPrefix("HTTP/1.1 408 "))
            await live.stop()
        }

        @Test func `a body that comes slower than the least rate is given up`() async throws {
            let live = try LiveServer(
                Answering(SocketTests.ExchangeTests.echo), limits: { $0.body = .milliseconds(100) })
            let client = live.client()
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            let answer = try #require(client.readResponse())
            #expect(answer.status == 408)
            #expect(answer["connection"] == "close")
            client.finishWriting()
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `an idle connection is closed without a word`() async throws {
            let live = try LiveServer(
                Answering { .now(.text($0.path)) },
                limits: {
                    $0.idle = .milliseconds(50)
                    $0.head = .seconds(5)
                })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.status == 200)
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `a client that does not read is let go, and costs no more than the limit`() async throws {
            let written = Atomic<Int>(0)
            let answering = Answering { _ in
                .now(
                    .stream { out in
                        let piece = [UInt8](repeating: 65, count: 32 << 10)
                        while true {
                            try await out.write(piece)
                            written.add(piece.count, ordering: .relaxed)
                        }
                    })
            }
            let live = try LiveServer(answering, limits: { $0.write = .milliseconds(200) })
            let client = RawClient(port: live.ports[0], receiveBuffer: 8 << 10)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { answering.exchanges.count == 1 })
            #expect(answering.exchanges.first?.outcome == .aborted)
            // The kernel's send buffer takes up to 4 MiB, ours 64 KiB.
            #expect(written.load(ordering: .relaxed) < 6 << 20)
            #expect(live.server.statistics.connections == 0)
            await live.stop()
        }

        @Test func `a reader of a stream that stops is cut off though little was sent, a slow one is not`()
            async throws
        {
            let answering = Answering { _ in
                .now(
                    .eventStream { events in
                        for number in 0..<256 { try await events.send(id: "\(number)", data: Self.kilobyte) }
                        try await events.send(event: "last", data: "all is told")
                        try await Task.sleep(for: .seconds(60))
                    })
            }
            let live = try LiveServer(
                answering,
                limits: {
                    $0.write = .milliseconds(400)
                    $0.unsentBytes = 16 << 10
                })
            let silent = RawClient(port: live.ports[0], receiveBuffer: 8 << 10)
            let slow = RawClient(port: live.ports[0], receiveBuffer: 8 << 10)
            for client in [silent, slow] { client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            let start = ContinuousClock.now
            var got = ""
            while !got.contains("all is told"), let piece = slow.readSome(8 << 10) {
                got += piece
                try await Task.sleep(for: .milliseconds(15))
            }
            #expect(got.contains("all is told"))
            #expect(ContinuousClock.now - start > .milliseconds(400))
            #expect(await eventually { answering.exchanges.count == 1 })
            #expect(answering.exchanges.map(\.outcome) == [.aborted])
            // The slow one, which has caught up, is still there.
            #expect(live.server.statistics.connections == 1)
            #expect(silent.readToEnd().contains("id: 0\n"))
            await live.stop()
        }

        private static let kilobyte = String(repeating: "x", count: 1000)

        @Test func `more requests than the server will work on are told to come back`() async throws {
            let gate = Gate()
            let live = try LiveServer(
                Answering { request in
                    .later {
                        await gate.wait()
                        return .text(request.path)
                    }
                }, loops: 2, limits: { $0.requestsInFlight = 2 })
            let busy = (0..<2).map { _ in live.client() }
            for client in busy { client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n") }
            #expect(await eventually { live.server.statistics.requestsInFlight == 2 })
            let client = live.client()
            client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
            let refused = try #require(client.readResponse())
            #expect(refused.status == 503)
            #expect(refused["retry-after"] == "2")
            #expect(refused["connection"] == nil)
            gate.open()
            for client in busy { #expect(client.readResponse()?.text == "/a") }
            client.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.text == "/b")
            #expect(live.server.statistics.shed == 1)
            await live.stop()
        }

        @Test func `more connections than allowed are turned away with 503`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) }, limits: { $0.connections = 2 })
            let kept = (0..<2).map { _ in live.client() }
            for client in kept { client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            for client in kept { #expect(client.readResponse()?.status == 200) }
            let client = live.client()
            let refused = try #require(client.readResponse())
            #expect(refused.status == 503)
            #expect(refused["retry-after"] == "2")
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `work is cancelled when the client has gone`() async throws {
            let cancelled = Atomic<Bool>(false)
            let answering = Answering { _ in
                .later {
                    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                    cancelled.store(true, ordering: .relaxed)
                    return .text("too late")
                }
            }
            let live = try LiveServer(answering, limits: { $0.halfClosed = .milliseconds(30) })
            do {
                let client = live.client()
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(await eventually { live.server.statistics.requestsInFlight == 1 })
            }
            #expect(await eventually { cancelled.load(ordering: .relaxed) })
            #expect(answering.exchanges.map(\.status) == [0])
            #expect(await eventually { live.server.statistics.requestsInFlight == 0 })
            await live.stop()
        }

        @Test func `a server that cannot open all its ports opens none`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let free = try LiveServer(Answering { .now(.text($0.path)) })
            let port = free.ports[0]
            await free.stop()
            func start() throws {
                let second = try HTTPServer(
                    live.loops,
                    HTTPConfiguration(listeners: [
                        .init(host: "127.0.0.1", port: port), .init(host: "127.0.0.1", port: live.ports[0]),
                    ]), Answering { .now(.text($0.path)) })
                _ = try second.start()
            }
            #expect(throws: ListenError.self) { try start() }
            let third = try HTTPServer(
                live.loops, HTTPConfiguration(listeners: [.init(host: "localhost", port: port)]),
                Answering { .now(.text("third \($0.path)")) })
            #expect(try third.start() == [port])
            let client = RawClient(port: port)
            client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.text == "third /a")
            third.beginDrain()
            await live.stop()
        }

        @Test func `a port in use is named`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let second = try HTTPServer(
                live.loops, HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: live.ports[0])]),
                Answering { .now(.text($0.path)) })
            let error = try #require(throws: ListenError.self) { try second.start() }
            #expect(error.reason == .portTaken)
            #expect("\(error)".contains("\(live.ports[0])"))
            await live.stop()
        }
    }
}

/// Holds up whoever waits until it is opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
