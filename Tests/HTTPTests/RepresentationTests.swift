import Glibc
import HTTP
import Loop
import Testing

extension SocketTests {
    @Suite struct RepresentationTests {
        static let long = String(repeating: "{\"name\":\"Ada\"},", count: 200)

        private static func answer(_ request: Request) -> Response {
            var response = Response(status: 200, body: .bytes(Array(long.utf8)))
            response.headers.add("content-type", request.path == "/png" ? "image/png" : "application/json")
            response.headers.add("etag", "\"v1\"")
            if request.path == "/short" { response.body = .bytes(Array("{}".utf8)) }
            if request.path == "/encoded" { response.headers.add("content-encoding", "br") }
            return response
        }

        @Test func `a body is compressed for those who ask, if it is worth it`() async throws {
            let live = try LiveServer(Answering { .now(Self.answer($0)) })
            let client = live.client()
            func get(_ path: String, _ fields: String = "") throws -> Answer {
                client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
                return try #require(client.readResponse())
            }
            let plain = try get("/json")
            #expect(plain["content-encoding"] == nil)
            #expect(plain["vary"] == "accept-encoding")
            #expect(plain.text == Self.long)
            let zipped = try get("/json", "Accept-Encoding: br, gzip\r\n")
            #expect(zipped["content-encoding"] == "gzip")
            #expect(zipped["etag"] == "\"v1-gzip\"")
            #expect(zipped.body.count < 200)
            #expect(try Gzip.decompress(zipped.body, outputMax: 1 << 20) == Array(Self.long.utf8))
            for (path, fields) in [
                ("/json", "gzip;q=0"), ("/short", "gzip"), ("/png", "gzip"), ("/encoded", "gzip"),
                ("/json", "identity"),
            ] {
                let answer = try get(path, "Accept-Encoding: \(fields)\r\n")
                #expect(answer["content-encoding"] == (path == "/encoded" ? "br" : nil))
                #expect(answer["etag"] == "\"v1\"")
            }
            await live.stop()
        }

        @Test func `a large body is compressed off the loop`() async throws {
            let large = (0..<2 << 20).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 9) }
            let live = try LiveServer(
                Answering { _ in
                    .later {
                        var response = Response(status: 200, body: .bytes(large))
                        response.headers.add("content-type", "text/csv")
                        return response
                    }
                })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            let answer = try #require(client.readResponse())
            #expect(answer["content-encoding"] == "gzip")
            #expect(try Gzip.decompress(answer.body, outputMax: 4 << 20) == large)
            await live.stop()
        }

        @Test func `a stream is compressed, and each turn of it can be read at once`() async throws {
            let gate = Gate()
            let live = try LiveServer(
                Answering { _ in
                    var headers = ResponseHeaders()
                    headers.add("content-type", "text/csv")
                    return .now(
                        .stream(headers: headers) { out in
                            try await out.write("first\n")
                            await gate.wait()
                            for index in 0..<1000 { try await out.write("row \(index)\n") }
                        })
                })
            let client = live.client()
            client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            let head = try #require(client.read(upTo: "\r\n\r\n"))
            #expect(head.contains("content-encoding: gzip\r\n"))
            // The first row has left although the stream is held up behind it.
            #expect(client.readChunk()?.isEmpty == false)
            gate.open()
            while let chunk = client.readChunk(), !chunk.isEmpty {}
            client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            let whole = try #require(client.readResponse())
            let text = String(decoding: try Gzip.decompress(whole.body, outputMax: 1 << 20), as: UTF8.self)
            #expect(text.hasPrefix("first\nrow 0\n") && text.hasSuffix("row 999\n"))
            await live.stop()
        }

        @Test func `a gzip body is unpacked within limits`() async throws {
            let live = try LiveServer(Answering(ExchangeTests.echo))
            let client = live.client()
            func post(_ body: [UInt8], _ coding: String) -> Answer? {
                client.send(
                    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n"
                )
                client.send(body)
                return client.readResponse()
            }
            #expect(post(Gzip.compress(Array("hello".utf8)), "gzip")?.text == "POST /a hello")
            #expect(post(Array("hello".utf8), "identity")?.text == "POST /a hello")
            #expect(post(Gzip.compress([UInt8](repeating: 65, count: 2 << 20)), "gzip")?.status == 413)
            #expect(post(Array("hello".utf8), "gzip")?.text == "badGzip")
            #expect(post(Array(Gzip.compress(Array("hello".utf8)).dropLast(4)), "x-gzip")?.text == "badGzip")
            #expect(post(Array("hello".utf8), "br")?.text == "unknownEncoding")
            #expect(post(Array("hello".utf8), "gzip, gzip")?.text == "unknownEncoding")
            await live.stop()
        }

        @Test func `a file is sent whole, in part, or not at all`() async throws {
            let file = try TemporaryFile((0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
            let live = try LiveServer(
                Answering { _ in
                    guard let body = try? FileBody(path: file.path) else {
                        return .now(.text("gone", status: 404))
                    }
                    var response = Response(status: 200, body: .file(body))
                    response.headers.add("content-type", "application/octet-stream")
                    response.headers.add("etag", "\"v1\"")
                    return .now(response)
                })
            let client = live.client()
            func get(_ fields: String) throws -> Answer {
                client.send("GET /f HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
                return try #require(client.readResponse())
            }
            let whole = try get("")
            #expect(whole.body == file.bytes)
            #expect(whole["accept-ranges"] == "bytes")
            let part = try get("Range: bytes=1000-199999\r\n")
            #expect(part.status == 206)
            #expect(part["content-range"] == "bytes 1000-199999/300000")
            #expect(part.body == Array(file.bytes[1000..<200_000]))
            #expect(try get("Range: bytes=-5\r\n").body == Array(file.bytes.suffix(5)))
            #expect(try get("Range: bytes=0-1\r\nIf-Range: \"v1\"\r\n").status == 206)
            #expect(try get("Range: bytes=0-1\r\nIf-Range: \"v0\"\r\n").status == 200)
            let beyond = try get("Range: bytes=300000-\r\n")
            #expect(beyond.status == 416)
            #expect(beyond["content-range"] == "bytes */300000")
            client.send("HEAD /f HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try #require(client.readResponse(toHead: true))["content-length"] == "300000")
            await live.stop()
        }

        @Test func `only regular files are bodies`() {
            #expect(throws: FileError(code: EISDIR)) { try FileBody(path: "/tmp") }
            #expect(throws: FileError(code: ENOENT)) { try FileBody(path: "/nonexistent") }
        }
    }
}

/// A file that goes when it is let go of.
final class TemporaryFile: Sendable {
    let path: String
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) throws {
        var template = Array("/tmp/infinity-http-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.bytes = bytes
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    deinit { unlink(path) }
}
