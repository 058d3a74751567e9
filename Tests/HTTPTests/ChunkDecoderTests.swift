import Testing

@testable import HTTP

@Suite struct ChunkDecoderTests {
    /// The content and how much was read, with the input handed over in pieces of `size`.
    private func decode(
        _ text: String, pieces size: Int = .max, limits: Limits = Limits()
    ) -> Result<(content: String, used: Int, isDone: Bool), Refusal> {
        let bytes = Array(text.utf8)
        var decoder = ChunkDecoder()
        var content: [UInt8] = []
        var used = 0
        while used < bytes.count, !decoder.isDone {
            let piece = Array(bytes[used..<min(bytes.count, used + min(size, bytes.count))])
            let result = piece.withUnsafeBytes { piece in
                Result { () throws(Refusal) in
                    try decoder.decode(piece, limits) { (run) throws(Refusal) in content += run }
                }
            }
            switch result {
            case .success(let count): used += count
            case .failure(let reason): return .failure(reason)
            }
        }
        return .success((String(decoding: content, as: UTF8.self), used, decoder.isDone))
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("000005\r\nhello\r\n00\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        ("5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"), ("5 ; a = \"b;\\\"\r \"\r\nhello\r\n0\r\n\r\n", ""),
        ("5;a=\"b\\\"c\"\r\nhello\r\n0\r\n\r\n", "hello"), ("5 \t;a\r\nhello\r\n0\r\n\r\n", "hello"),
        ("1\r\na\r\n0\r\nX-Sum: 1\r\nY: \u{e9}\r\n\r\n", "a"), ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    ])
    func `a chunked body is the same in one piece and byte by byte`(_ text: String, _ content: String) throws
    {
        guard !text.contains("\r \"") else {
            // A bare CR inside a quoted extension is no text.
            #expect(throws: Refusal.chunk) { try decode(text).get() }
            return
        }
        for size in [Int.max, 1, 2, 3, 7] {
            let result = try decode(text + "GET /", pieces: size).get()
            #expect(result.content == content)
            #expect(result.isDone)
            #expect(result.used == text.utf8.count)
        }
    }

    @Test(arguments: [
        ("\r\n", Refusal.chunk), ("g\r\n", .chunk), ("-1\r\n", .chunk), ("+1\r\n", .chunk),
        ("0x1\r\n", .chunk),
        (" 1\r\na", .chunk), ("1\na\r\n", .chunk), ("1\r\na\n", .chunk), ("1\r\nab", .chunk),
        ("1\ra", .chunk),
        ("1 1\r\n", .chunk), ("1,\r\n", .chunk), ("1;\u{0}\r\n", .chunk), ("1;a\nb\r\n", .chunk),
        ("1;a=\"\n\"\r\n", .chunk), ("ffffffffffffffff\r\n", .chunk), ("10000000000000000\r\n", .chunk),
        ("0000000000000001\r\n", .chunk), ("1\r\na\r\n\r\n", .chunk), ("0\r\n\n", .field),
        ("0\r\n a: b\r\n\r\n", .field),
        ("0\r\na : b\r\n\r\n", .field), ("0\r\na\r\n\r\n", .field), ("0\r\n:\r\n\r\n", .field),
        ("0\r\na: b\nc: d\r\n\r\n", .field), ("0\r\na: b\r\u{0}", .chunk), ("0\r\n\ra", .chunk),
    ])
    func `broken framing is refused`(_ text: String, _ reason: Refusal) {
        for size in [Int.max, 1] {
            #expect(throws: reason) { try decode(text, pieces: size).get() }
        }
    }

    @Test func `a chunk larger than any body is refused when its content comes`() {
        #expect(throws: Refusal.bodyTooLarge) {
            var limits = Limits()
            limits.bodyBytes = 4
            return try decode("fffffffffffffff\r\nhello", limits: limits).get()
        }
    }

    @Test func `extensions, tiny chunks and trailers have an end`() {
        let padding = String(repeating: "a", count: 300)
        #expect(throws: Refusal.chunk) { try decode("1;\(padding)\r\na").get() }
        #expect(throws: Refusal.chunk) { try decode(String(repeating: "1\r\na\r\n", count: 10_000)).get() }
        #expect(throws: Refusal.headTooLarge) {
            try decode("0\r\n" + String(repeating: "a: \(padding)\r\n", count: 20)).get()
        }
        #expect(throws: Refusal.tooManyFields) {
            try decode("0\r\n" + String(repeating: "a:b\r\n", count: 101)).get()
        }
    }
}
