import Glibc
import HTTP
import Loop
import Synchronization
import Testing

extension SocketTests {
    @Suite struct StreamTests {
        @Test func `a stream is chunked, of known length, or ends with the connection`() async throws {
            let live = try LiveServer(
                Answering { request in
                    .now(
                        .stream(length: request.path == "/length" ? 300 : nil) { out in
                            for _ in 0..<100 {
                                try await out.write("abc")
                                await Task.yield()
                            }
                        })
                })
            let whole = String(repeating: "abc", count: 100)
            let client = live.client()
            client.send("GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n")
            let chunked = try #require(client.readResponse())
            #expect(chunked["transfer-encoding"] == "chunked")
            #expect(chunked.text == whole)
            client.send("GET /length HTTP/1.1\r\nHost: x\r\n\r\n")
            let sized = try #require(client.readResponse())
            #expect(sized["content-length"] == "300")
            #expect(sized.text == whole)
            client.send("HEAD /chunked HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse(toHead: true)?.status == 200)
            client.send("GET /close HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let old = client.readToEnd()
            #expect(old.contains("connection: close\r\n"))
            #expect(!old.contains("transfer-encoding"))
            #expect(old.hasSuffix("\r\n\r\n" + whole))
            await live.stop()
        }

        @Test func `a stream that fails is never taken for whole`() async throws {
            struct Broken: Error {}
            let answering = Answering { _ in
                .now(
                    .stream { out in
                        try await out.write("half")
                        throw Broken()
                    })
            }
            let live = try LiveServer(answering)
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(!client.readToEnd().hasSuffix("0\r\n\r\n"))
            #expect(answering.exchanges.map(\.outcome) == [.aborted])
            await live.stop()
        }

        @Test func `a writer waits for a slow reader and then goes on`() async throws {
            let written = Atomic<Int>(0)
            let live = try LiveServer(
                Answering { _ in
                    .now(
                        .stream { out in
                            let piece = [UInt8](repeating: 65, count: 64 << 10)
                            for _ in 0..<256 {
                                try await out.write(piece)
                                written.add(1, ordering: .relaxed)
                            }
                        })
                })
            let client = RawClient(port: live.ports[0], receiveBuffer: 128 << 10)
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            var before = -1
            // It has stopped when nothing has moved for a while.
            while before != written.load(ordering: .relaxed) {
                before = written.load(ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(before < 256)
            #expect(client.readResponse()?.body.count == 16 << 20)
            await live.stop()
        }

        @Test func `events arrive one by one and a silent stream is kept alive by comments`() async throws {
            let gate = Gate()
            let live = try LiveServer(
                Answering { _ in
                    .now(
                        .eventStream { events in
                            try await events.send(event: "greeting", id: "1", data: "a\nb\r\nc")
                            await gate.wait()
                            try await events.send(data: "end")
                        })
                }, limits: { $0.eventPing = .milliseconds(20) })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            let head = try #require(client.read(upTo: "\r\n\r\n"))
            #expect(head.contains("content-type: text/event-stream"))
            #expect(head.contains("x-accel-buffering: no"))
            #expect(!head.contains("content-encoding"))
            #expect(
                client.read(upTo: "\n\n")?.hasSuffix("id: 1\nevent: greeting\ndata: a\ndata: b\ndata: c\n\n")
                    == true)
            #expect(client.read(upTo: ": ping\n\n") != nil)
            gate.open()
            #expect(client.read(upTo: "data: end\n\n\r\n0\r\n\r\n") != nil)
            await live.stop()
        }

        @Test func `a drain lets answers finish, says goodbye to streams and closes idle connections`()
            async throws
        {
            let gate = Gate()
            let live = try LiveServer(
                Answering { request in
                    switch request.path {
                    case "/events":
                        .now(
                            .eventStream { events in
                                try await events.send(data: "hello")
                                while true { try await Task.sleep(for: .seconds(60)) }
                            })
                    default:
                        .later {
                            await gate.wait()
                            return .text("done")
                        }
                    }
                })
            let idle = live.client()
            let busy = live.client()
            let listening = live.client()
            busy.send("GET /work HTTP/1.1\r\nHost: x\r\n\r\nGET /never HTTP/1.1\r\nHost: x\r\n\r\n")
            listening.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(listening.read(upTo: "data: hello\n\n") != nil)
            #expect(await eventually { live.server.statistics.connections == 3 })
            live.server.beginDrain()
            #expect(idle.isOver)
            #expect(listening.read(upTo: "event: goodbye\n") != nil)
            #expect(listening.readToEnd().hasSuffix("0\r\n\r\n"))
            gate.open()
            let answer = try #require(busy.readResponse())
            #expect(answer.text == "done")
            #expect(answer["connection"] == "close")
            #expect(busy.isOver)
            await live.server.drained(deadline: .seconds(5))
            #expect(live.server.statistics.connections == 0)
            live.loops.stop()
        }

        @Test func `a drain ends at its deadline`() async throws {
            let answering = Answering { _ in
                .later {
                    while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
                    return .text("never")
                }
            }
            let live = try LiveServer(answering)
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { live.server.statistics.requestsInFlight == 1 })
            live.server.beginDrain()
            await live.server.drained(deadline: .milliseconds(50))
            #expect(client.readToEnd() == "")
            #expect(answering.exchanges.map(\.outcome) == [.aborted])
            live.loops.stop()
        }
    }
}
