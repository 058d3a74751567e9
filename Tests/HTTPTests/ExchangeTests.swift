import HTTP
import Loop
import Testing

@Suite struct ExchangeTests {
    let echo = Answering { request in
        .later {
            do {
                let body = try await request.body.collect(upTo: 1 << 20)
                return .text("\(request.method.name) \(request.path) \(String(decoding: body, as: UTF8.self))")
            } catch BodyError.tooLarge {
                return .text("too large", status: 413)
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
        let live = try LiveServer(echo)
        let client = live.client()
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        #expect(client.readResponse()?.text == "POST /a hello")
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        client.send("he")
        client.send("llo")
        #expect(client.readResponse()?.text == "POST /a hello")
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        #expect(client.readResponse()?.text == "POST /a hello")
        await live.stop()
    }
}
