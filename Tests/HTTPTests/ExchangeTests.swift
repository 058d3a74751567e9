import HTTP
import Loop
import Synchronization
import Testing

extension SocketTests {
    @Suite struct ExchangeTests {
        /// Answers with the method, the path and the body.
        static func echo(_ request: Request) -> Reply {
            .later {
                do {
                    let body = try await request.body.collect(upTo: 1 << 20)
                    return .text(
                        "\(request.method.name) \(request.path) \(String(decoding: body, as: UTF8.self))")
                } catch BodyError.tooLarge {
                    return .text("too large", status: 413)
                } catch BodyError.timedOut {
                    return .text("too slow", status: 408)
                } catch {
                    return .text("\(error)", status: 400)
                }
            }
        }

        @Test func `a request is answered and the connection kept`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let client = live.client()
            for path in ["/one", "/two"] {
                client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try #require(client.readResponse())
                #expect(answer.status == 200)
                #expect(answer.text == path)
                #expect(answer["connection"] == nil)
                #expect(answer["date"]?.hasSuffix("GMT") == true)
            }
            await live.stop()
        }

        @Test func `a body is collected whether it comes at once, in pieces or in chunks`() async throws {
            let live = try LiveServer(Answering(Self.echo))
            let client = live.client()
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            #expect(client.readResponse()?.text == "POST /a hello")
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
            client.send("he")
            client.send("llo")
            #expect(client.readResponse()?.text == "POST /a hello")
            client.send(
                "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
            )
            #expect(client.readResponse()?.text == "POST /a hello")
            client.send("\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.text == "GET /a ")
            await live.stop()
        }

        @Test func `a request that comes byte by byte is answered`() async throws {
            let live = try LiveServer(Answering(Self.echo))
            let client = live.client()
            let request =
                "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n0\r\nT: v\r\n\r\n"
            for byte in request.utf8 { client.send([byte]) }
            #expect(client.readResponse()?.text == "POST /a hel")
            await live.stop()
        }

        @Test func `HEAD, 204 and 304 carry no body`() async throws {
            let live = try LiveServer(
                Answering { .now(.text("body", status: Int($0.path.dropFirst()) ?? 200)) })
            let client = live.client()
            client.send("HEAD /200 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try #require(client.readResponse(toHead: true))["content-length"] == "4")
            for status in [204, 304] {
                client.send("GET /\(status) HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try #require(client.readResponse())
                #expect(answer.status == status)
                #expect(answer["content-length"] == nil)
            }
            client.send("GET /200 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(client.readToEnd().hasSuffix("connection: close\r\n\r\nbody"))
            await live.stop()
        }

        @Test func `OPTIONS of the whole server names the methods`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let client = live.client()
            client.send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer.status == 204)
            #expect(answer["allow"]?.contains("PATCH") == true)
            await live.stop()
        }

        @Test
        func `pipelined requests are answered in order, however long one takes and however many there are`()
            async throws
        {
            let live = try LiveServer(
                Answering { request in
                    request.path.hasSuffix("7")
                        ? .later {
                            try? await Task.sleep(for: .milliseconds(1))
                            return .text(request.path)
                        } : .now(.text(request.path))
                })
            let client = live.client()
            let count = 300
            let sent = (0..<count).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
            client.send(sent)
            for index in 0..<count { #expect(client.readResponse()?.text == "/\(index)") }
            await live.stop()
        }

        @Test func `a client that closes its half is still answered`() async throws {
            let live = try LiveServer(
                Answering { request in
                    .later {
                        try? await Task.sleep(for: .milliseconds(20))
                        return .text(request.path)
                    }
                })
            let client = live.client()
            client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            client.finishWriting()
            #expect(client.readResponse()?.text == "/1")
            #expect(client.readResponse()?.text == "/2")
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `a request cut short is answered with nothing`() async throws {
            let answering = Answering(Self.echo)
            let live = try LiveServer(answering)
            for part in [
                "GET / HTTP/1.1\r\nHost: x\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell",
            ] {
                let client = live.client()
                client.send(part)
                client.finishWriting()
                #expect(client.readToEnd() == "")
            }
            #expect(answering.exchanges.map(\.outcome) == [.aborted])
            await live.stop()
        }

        @Test func `HTTP/1.0 is kept open when it asks`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let client = live.client()
            client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try #require(client.readResponse())["connection"] == "keep-alive")
            client.send("GET /b HTTP/1.0\r\n\r\n")
            #expect(try #require(client.readResponse())["connection"] == "close")
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `100 Continue is sent when the body is wanted, and only if asked for`() async throws {
            let live = try LiveServer(
                Answering { $0.path == "/refused" ? .now(.text("no", status: 403)) : Self.echo($0) })
            let client = live.client()
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.readResponse()?.status == 100)
            client.send("ok")
            #expect(client.readResponse()?.text == "POST /a ok")
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok")
            #expect(client.readResponse()?.text == "POST /a ok")
            client.send(
                "POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer.status == 403)
            #expect(answer["connection"] == "close")
            await live.stop()
        }

        @Test func `a small body nobody reads is skipped and the connection kept`() async throws {
            let live = try LiveServer(Answering { .now(.text($0.path)) })
            let client = live.client()
            client.send("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
            #expect(client.readResponse()?.text == "/1")
            client.send("56789GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.readResponse()?.text == "/2")
            await live.stop()
        }

        @Test(arguments: [true, false])
        func `a client that writes its whole body first still reads that it was too large`(_ isChunked: Bool)
            async throws
        {
            let live = try LiveServer(Answering(Self.echo))
            let client = live.client()
            let size = 20 << 20
            let body = [UInt8](repeating: 65, count: size)
            client.send(
                "POST /a HTTP/1.1\r\nHost: x\r\n"
                    + (isChunked
                        ? "Transfer-Encoding: chunked\r\n\r\n\(String(size, radix: 16))\r\n"
                        : "Content-Length: \(size)\r\n\r\n"))
            #expect(client.send(body))
            let answer = try #require(client.readResponse())
            #expect(answer.status == 413)
            #expect(answer["connection"] == "close")
            #expect(client.isOver)
            await live.stop()
        }

        @Test func `a body beyond the server's own limit never reaches the responder`() async throws {
            let answering = Answering { _ in .now(.text("reached")) }
            let live = try LiveServer(answering, limits: { $0.bodyBytes = 10 })
            let client = live.client()
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
            #expect(client.readResponse()?.status == 413)
            await live.stop()
        }

        @Test func `a body is handed over piece by piece, no faster than it is read`() async throws {
            let live = try LiveServer(
                Answering { request in
                    .later {
                        var total = 0
                        var largest = 0
                        do {
                            while let piece = try await request.body.next() {
                                total += piece.count
                                largest = max(largest, piece.count)
                                await Task.yield()
                            }
                        } catch { return .text("\(error)", status: 400) }
                        return .text("\(total) \(largest <= 192 << 10)")
                    }
                })
            let client = live.client()
            client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
            client.send([UInt8](repeating: 65, count: 3_000_000))
            #expect(client.readResponse()?.text == "3000000 true")
            await live.stop()
        }

        @Test func `what the server refuses is answered and the connection closed`() async throws {
            let answering = Answering { _ in .now(.text("reached")) }
            let live = try LiveServer(answering)
            for (request, status) in [
                ("GET / HTTP/1.1\r\n\r\n", 400), ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
                ("GET / HTTP/2.0\r\n\r\n", 505),
                ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n", 414),
                ("GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 40_000))", 431),
                ("POST / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n", 417),
                ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", 400),
            ] {
                let client = live.client()
                client.send(request)
                let answer = try #require(client.readResponse())
                #expect(answer.status == status)
                #expect(answer["connection"] == "close")
                #expect(client.isOver)
            }
            let seen = answering.exchanges
            #expect(seen.map(\.status) == [400, 501, 505, 414, 431, 417, 400])
            #expect(seen.dropLast().allSatisfy { $0.request == nil })
            await live.stop()
        }

        @Test func `a smuggled second request is never answered`() async throws {
            let answering = Answering { .now(.text($0.path)) }
            let live = try LiveServer(answering)
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
            for request in [
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(smuggled.utf8.count + 5)\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
            ] {
                let client = live.client()
                client.send(request + smuggled)
                let all = client.readToEnd()
                #expect(all.hasPrefix("HTTP/1.1 400 "))
                #expect(!all.contains("/smuggled"))
            }
            await live.stop()
        }

        @Test func `an exchange is told with its figures`() async throws {
            let answering = Answering(Self.echo)
            let live = try LiveServer(answering)
            let client = live.client()
            let request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            client.send(request)
            let answer = try #require(client.readResponse())
            #expect(await eventually { answering.exchanges.count == 1 })
            let exchange = try #require(answering.exchanges.first)
            #expect(exchange.status == 200)
            #expect(exchange.bytesIn == request.utf8.count)
            #expect(exchange.bytesOut > answer.body.count)
            #expect(exchange.started <= exchange.firstByte && exchange.firstByte <= exchange.ended)
            #expect(exchange.outcome == .sent)
            await live.stop()
        }

        @Test func `a field cannot be split by a line end in its value`() async throws {
            let live = try LiveServer(
                Answering { _ in
                    var response = Response(status: 200)
                    response.headers.add("location", "/a\r\nset-cookie: b=c")
                    return .now(response)
                })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer["set-cookie"] == nil)
            #expect(answer["location"] == "/a  set-cookie: b=c")
            await live.stop()
        }

        @Test func `a redirecting port sends callers to https with all they asked for`() async throws {
            let live = try LiveServer(
                Answering { _ in .now(.text("reached")) }, kinds: [.redirect(toPort: 8443)])
            let client = live.client()
            client.send("GET /a?b=c HTTP/1.1\r\nHost: example.test:80\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer.status == 301)
            #expect(answer["location"] == "https://example.test:8443/a?b=c")
            client.send("POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 2\r\n\r\nab")
            let second = try #require(client.readResponse())
            #expect(second.status == 307)
            #expect(second["location"] == "https://[::1]:8443/")
            await live.stop()
        }

        @Test func `only a trusted proxy is believed about the client`() async throws {
            let answering = Answering { .now(.text("\($0.clientAddress) \($0.scheme) \($0.host)")) }
            let said =
                "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.test\r\n"
            let trusting = try LiveServer(answering, trusted: [.init("127.0.0.0/8")!])
            let client = trusting.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\(said)\r\n")
            #expect(client.readResponse()?.text == "203.0.113.9 https a.test")
            client.send("GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=198.51.100.7;proto=https\r\n\(said)\r\n")
            #expect(client.readResponse()?.text == "198.51.100.7 https x")
            await trusting.stop()
            let wary = try LiveServer(answering)
            let stranger = wary.client()
            stranger.send("GET / HTTP/1.1\r\nHost: x\r\n\(said)\r\n")
            #expect(stranger.readResponse()?.text == "127.0.0.1 http x")
            await wary.stop()
        }

        @Test func `header values are found by name, joined and counted`() async throws {
            let live = try LiveServer(
                Answering { request in
                    .now(
                        .text(
                            "\(request.header("x-a") ?? "-") \(request.headerList("x-a") ?? "-") "
                                + "\(request.headerCount("x-a")) \(request.header("x-b") ?? "-")"))
                })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:2 \r\n\r\n")
            #expect(client.readResponse()?.text == "1 1, 2 2 -")
            await live.stop()
        }
    }
}
