import Testing

@testable import HTTP

@Suite struct HeadParserTests {
    /// What the finder and the parser make of one head.
    private func outcome(_ text: String, limits: Limits = Limits()) -> String {
        var bytes = Array(text.utf8)
        var end = HeadEnd()
        switch bytes.withUnsafeBytes({ end.find(in: $0, limits) }) {
        case .incomplete: return "incomplete"
        case .refused(let reason): return "\(reason)"
        case .complete(let length):
            var parser = HeadParser(fieldsMax: limits.fields)
            return bytes.withUnsafeMutableBytes { bytes in
                do throws(Refusal) {
                    try parser.parse(UnsafeMutableRawBufferPointer(rebasing: bytes[..<length]))
                } catch { return "\(error)" }
                let head = UnsafeRawBufferPointer(bytes)
                func text(_ span: Span) -> String { String(decoding: head[span.range], as: UTF8.self) }
                return "\(parser.method) \(text(parser.path)) \(parser.query.map(text) ?? "-") "
                    + "\(text(parser.host)) 1.\(parser.minorVersion) \(parser.framing) "
                    + (parser.isKeepAlive ? "keep" : "close")
            }
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "get / - a 1.1 none keep"),
        ("GET /a/b?c=d&e HTTP/1.1\r\nHost: a:8080\r\n\r\n", "get /a/b c=d&e a:8080 1.1 none keep"),
        ("GET /? HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "get /  [::1]:80 1.1 none keep"),
        ("GET /?a[b]={c}|d HTTP/1.1\r\nHost: a\r\n\r\n", "get / a[b]={c}|d a 1.1 none keep"),
        ("DELETE /%C3%A9 HTTP/1.1\r\nhOST:a\r\n\r\n", "delete /%C3%A9 - a 1.1 none keep"),
        ("GET /.well-known/x HTTP/1.1\r\nHost: a\r\n\r\n", "get /.well-known/x - a 1.1 none keep"),
        ("GET /a..b/...c HTTP/1.1\r\nHost: a\r\n\r\n", "get /a..b/...c - a 1.1 none keep"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "options * - a 1.1 none keep"),
        ("GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n", "get /c d b 1.1 none keep"),
        ("GET HTTP://b:1 HTTP/1.1\r\nHost: a\r\n\r\n", "get / - b:1 1.1 none keep"),
        ("GET https://b?d HTTP/1.1\r\nHost: a\r\n\r\n", "get / d b 1.1 none keep"),
        ("GET / HTTP/1.0\r\n\r\n", "get / -  1.0 none close"),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "get / -  1.0 none keep"),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "get / -  1.0 none close"),
        ("GET / HTTP/1.9\r\nHost: a\r\n\r\n", "get / - a 1.1 none keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE ,, Close\r\n\r\n", "get / - a 1.1 none close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n", "get / - a 1.1 none keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "post / - a 1.1 none keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \t007 \r\n\r\n", "post / - a 1.1 length(7) keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", "post / - a 1.1 chunked keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \r\nY:\u{e9} \"\t\r\n\r\n", "get / - a 1.1 none keep"),
        ("GET / HTTP/1.1\r\nHost: a_b.example\r\n\r\n", "get / - a_b.example 1.1 none keep"),
    ])
    func `a valid head is understood`(_ head: String, _ meaning: String) {
        #expect(outcome(head) == meaning)
    }

    @Test(arguments: [
        ("GET  / HTTP/1.1", Refusal.requestLine), ("GET /  HTTP/1.1", .requestLine),
        (" GET / HTTP/1.1", .requestLine),
        ("GET / HTTP/1.1 ", .requestLine), ("GET /\tHTTP/1.1", .requestLine), ("GET /", .requestLine),
        ("GET", .requestLine), ("GET / http/1.1", .requestLine), ("GET / HTTP/1.10", .requestLine),
        ("GET / HTTP/01.1", .requestLine), ("GET / HTTP1.1", .requestLine), ("GET / HTTP/1,1", .requestLine),
        ("G(T / HTTP/1.1", .requestLine), ("GET /\u{0} HTTP/1.1", .requestLine),
        ("GET / HTTP/2.0", .unknownVersion), ("PRI * HTTP/2.0", .unknownVersion),
        ("GET / HTTP/0.9", .unknownVersion),
        ("get / HTTP/1.1", .unknownMethod), ("BREW / HTTP/1.1", .unknownMethod),
        ("CONNECT a:1 HTTP/1.1", .unknownMethod),
        ("TRACE / HTTP/1.1", .unknownMethod), ("GETT / HTTP/1.1", .unknownMethod),
        ("PU / HTTP/1.1", .unknownMethod),
        ("GET * HTTP/1.1", .target), ("OPTIONS ** HTTP/1.1", .target), ("GET a HTTP/1.1", .target),
        ("GET ftp://a/ HTTP/1.1", .target), ("GET http:///a HTTP/1.1", .target),
        ("GET http://u@a/ HTTP/1.1", .target),
        ("GET /a#b HTTP/1.1", .target), ("GET /a?b#c HTTP/1.1", .target), ("GET /\\a HTTP/1.1", .target),
        ("GET /a\"b HTTP/1.1", .target), ("GET /\u{e9} HTTP/1.1", .target),
        ("GET /?\u{e9} HTTP/1.1", .target),
        ("GET /\u{7f} HTTP/1.1", .target), ("GET /% HTTP/1.1", .target), ("GET /%4 HTTP/1.1", .target),
        ("GET /%4g HTTP/1.1", .target), ("GET /a%", .requestLine),
        ("GET /. HTTP/1.1", .path), ("GET /.. HTTP/1.1", .path), ("GET /a/../b HTTP/1.1", .path),
        ("GET /a/. HTTP/1.1", .path), ("GET /a/%2e%2E/b HTTP/1.1", .path), ("GET /.%2e HTTP/1.1", .path),
        ("GET /a/..%2fb HTTP/1.1", .path), ("GET /%00 HTTP/1.1", .path), ("GET /a%0d%0ab HTTP/1.1", .path),
        ("GET /%ff HTTP/1.1", .path), ("GET /%c3 HTTP/1.1", .path), ("GET /%c0%af HTTP/1.1", .path),
        ("GET /%ed%a0%80 HTTP/1.1", .path), ("GET http://a/../b HTTP/1.1", .path),
    ])
    func `a bad request line is refused`(_ line: String, _ reason: Refusal) {
        #expect(outcome("\(line)\r\nHost: a\r\n\r\n") == "\(reason)")
    }

    @Test(arguments: [
        ("", Refusal.host), ("Host:", .host), ("Host: a\r\nHost: a", .host), ("Host: a, b", .host),
        ("Host: a b", .host),
        ("Host: a:b", .host), ("Host: a:123456", .host), ("Host: :80", .host), ("Host: u@a", .host),
        ("Host: a/b", .host),
        ("Host: [::1", .host), ("Host: [::1]x", .host), ("Host: [1]", .host), ("Host: a%g0", .host),
        ("Host: a\u{e9}", .host),
        ("Host : a", .field), ("Host\t: a", .field), (" Host: a", .field), ("Host: a\r\n b", .field),
        ("Host: a\r\n\tb: c", .field), ("Host: a\r\n: b", .field), ("Host: a\r\nb", .field),
        ("Host: a\r\nb c: d", .field),
        ("Host: a\r\nb: \u{0}", .field), ("Host: a\r\nb: \u{b}", .field), ("Host: a\r\nb: \u{7f}", .field),
        ("Host: a\r\nb: c\rd: e", .field), ("Host: a\r\nb\u{e9}: c", .field),
        ("Host: a\r\n\rb: c", .lineEnding),
        ("Host: a\nb: c", .lineEnding), ("Host: a\r\nb: c\n", .lineEnding), ("Host: a\r\n\n", .lineEnding),
        ("Host: a\r\nContent-Length: 5\r\nContent-Length: 5", .framing),
        ("Host: a\r\nContent-Length: 5\r\nContent-Length: 6", .framing),
        ("Host: a\r\nContent-Length: 5, 5", .framing), ("Host: a\r\nContent-Length: +5", .framing),
        ("Host: a\r\nContent-Length: -5", .framing), ("Host: a\r\nContent-Length: 0x5", .framing),
        ("Host: a\r\nContent-Length: 5 5", .framing), ("Host: a\r\nContent-Length:", .framing),
        ("Host: a\r\nContent-Length: 5;", .framing), ("Host: a\r\nContent-Length: 1e3", .framing),
        ("Host: a\r\nContent-Length: 99999999999999999999", .bodyTooLarge),
        ("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked, chunked", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity", .framing),
        ("Host: a\r\nTransfer-Encoding: identity", .framing),
        ("Host: a\r\nTransfer-Encoding: xchunked", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked, gzip", .framing),
        ("Host: a\r\nTransfer-Encoding:", .framing),
        ("Host: a\r\nTransfer-Encoding: \"chunked\"", .framing),
        ("Host: a\r\nTransfer-Encoding: chunked;a=b", .framing),
        ("Host: a\r\nTransfer-Encoding: ,chunked", .framing),
        ("Host: a\r\nTransfer-Encoding: \u{b}chunked", .field),
        ("Host: a\r\nTransfer-Encoding : chunked", .field),
        ("Host: a\r\nTransfer-Encoding\u{0}: chunked", .field),
        ("Host: a\r\nTransfer-Encoding: gzip, chunked", .unknownTransferCoding),
        ("Host: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", .unknownTransferCoding),
        ("Host: a\r\nExpect: 200-ok", .unknownExpectation),
    ])
    func `a bad field is refused`(_ fields: String, _ reason: Refusal) {
        #expect(outcome("POST / HTTP/1.1\r\n\(fields)\(fields.isEmpty ? "" : "\r\n")\r\n") == "\(reason)")
    }

    @Test func `Transfer-Encoding from HTTP/1.0 is refused`() {
        #expect(outcome("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == "framing")
    }

    @Test func `an expectation of HTTP/1.0 is passed over`() {
        #expect(outcome("GET / HTTP/1.0\r\nExpect: miracles\r\n\r\n") == "get / -  1.0 none close")
    }

    @Test func `limits of the head are told apart`() {
        let long = String(repeating: "a", count: 9000)
        #expect(outcome("GET /\(long) HTTP/1.1\r\n") == "lineTooLong")
        #expect(outcome("GET /\(long)") == "lineTooLong")
        let wide = String(repeating: "Aa: \(long)\r\n", count: 4)
        #expect(outcome("GET / HTTP/1.1\r\nHost: a\r\n\(wide)") == "headTooLarge")
        let many = String(repeating: "a: b\r\n", count: 100)
        #expect(outcome("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n") == "tooManyFields")
    }

    @Test func `noise is refused at its first byte`() {
        #expect(outcome("\u{16}\u{3}\u{1}") == "requestLine")
        #expect(outcome("\r\r") == "requestLine")
        #expect(outcome("GET / HTTP/1.1\n") == "lineEnding")
    }

    @Test func `a head is found whole however it is cut`() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array(head.utf8)
        var end = HeadEnd()
        for length in 1..<bytes.count {
            #expect(bytes[..<length].withUnsafeBytes { end.find(in: $0, Limits()) } == .incomplete)
        }
        #expect(bytes.withUnsafeBytes { end.find(in: $0, Limits()) } == .complete(bytes.count))
    }
}
