import HTTP
import Testing

@Suite struct MultipartTests {
    private let limits = MultipartLimits(partBytes: 1000, totalBytes: 100_000)

    /// `events` with the pieces of each part joined, so that tables do not depend on how the chunks were cut.
    private func read(
        _ body: String, boundary: String = "XX", chunk: Int = .max, limits: MultipartLimits? = nil
    ) throws -> [String] {
        var parser = try MultipartParser(boundary: boundary, limits: limits ?? self.limits)
        let bytes = [UInt8](body.utf8)
        var out: [[UInt8]] = []
        var at = 0
        while at < bytes.count {
            let end = chunk == .max ? bytes.count : min(at + chunk, bytes.count)
            for event in try parser.read([UInt8](bytes[at..<end])) {
                switch event {
                case .part(let head):
                    out.append([UInt8]("\(head.name)|\(head.filename ?? "-")|\(head.contentType)|".utf8))
                case .bytes(let piece): out[out.count - 1] += piece
                case .partEnd: out[out.count - 1].append(UInt8(ascii: "."))
                }
            }
            at = end
        }
        try parser.end()
        return out.map { String(decoding: $0, as: UTF8.self) }
    }

    private func part(_ name: String, _ content: String, extra: String = "") -> String {
        "--XX\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\(extra)\r\n\(content)\r\n"
    }

    // What curl 7.88 sends for -F 'title=naïve "x"' -F 'file=@h.txt;filename=a"b é.txt;type=text/csv'.
    private let curl = """
        --------------------------072c4acc612caf82\r
        Content-Disposition: form-data; name="title"\r
        \r
        naïve "x"\r
        --------------------------072c4acc612caf82\r
        Content-Disposition: form-data; name="file"; filename="a%22b é.txt"\r
        Content-Type: text/csv\r
        \r
        hello\r
        --------------------------072c4acc612caf82--\r

        """

    @Test(arguments: [1, 2, 3, 5, 17, 50, Int.max])
    func `a form from curl is read, however it is cut`(chunk: Int) throws {
        let parts = try read(curl, boundary: "------------------------072c4acc612caf82", chunk: chunk)
        #expect(parts == ["title|-|text/plain|naïve \"x\".", "file|a%22b é.txt|text/csv|hello."])
    }

    @Test(arguments: 1...40)
    func `content that looks like a boundary is content`(chunk: Int) throws {
        let content = "\r\n--X\r\n--\r\r\n-\n--XX\r--XX--\r\n\r\n"
        #expect(
            try read(part("a", content) + part("b", "") + "--XX--", chunk: chunk)
                == ["a|-|text/plain|\(content).", "b|-|text/plain|."])
    }

    @Test func `preamble, epilogue and blanks after a boundary are passed over`() throws {
        let body =
            "This is a form.\r\n--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--\r\nBye.\r\n--XX\r\n"
        for chunk in [1, 4, Int.max] { #expect(try read(body, chunk: chunk) == ["a|-|text/plain|1."]) }
    }

    @Test func `a form without parts is a form`() throws {
        #expect(try read("--XX--").isEmpty)
        #expect(try read("--XX--\r\n", chunk: 1).isEmpty)
    }

    @Test func `an empty part may end where its headers end`() throws {
        let body = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--"
        for chunk in [1, Int.max] { #expect(try read(body, chunk: chunk) == ["a|-|text/plain|."]) }
    }

    @Test func `a form cut anywhere is never taken for whole`() throws {
        let body = [UInt8]((part("a", "1") + part("b", "22") + "--XX--").utf8)
        for length in 0..<body.count {
            #expect(throws: MultipartError.cutShort) {
                try read(String(decoding: body[..<length], as: UTF8.self))
            }
        }
        #expect(try read(String(decoding: body, as: UTF8.self)).count == 2)
    }

    @Test(arguments: [
        ("form-data; name=a; filename=\"x.txt\"", "x.txt"),
        ("form-data; name=a; filename=\"C:\\\\tmp\\\\x.txt\"", "x.txt"),
        ("form-data; name=a; filename=\"C:\\tmp\\x.txt\"", "x.txt"),
        ("form-data; name=a; filename=\"../../etc/passwd\"", "passwd"),
        ("form-data; name=a; filename=\"..\"", "-"), ("form-data; name=a; filename=\"\"", "-"),
        ("form-data; name=a; filename=\"a\\\"b.txt\"", "a\"b.txt"),
        ("form-data; name=a; filename=x.txt", "x.txt"),
        ("form-data; name=a; filename=plain.txt; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ("form-data; name=a; filename*=utf-8'en'..%2Fx%20y.txt", "x y.txt"),
        ("form-data; name=a; filename=plain.txt; filename*=latin1''na%EFve.txt", "plain.txt"),
        ("form-data; name=a; filename*=UTF-8''a%00b", "-"),
        ("FORM-DATA; NAME=a; FileName=\"ü.png\"", "ü.png"),
    ])
    func `a file's name is its last component`(disposition: String, filename: String) throws {
        let body = "--XX\r\nContent-Disposition: \(disposition)\r\nContent-Type: image/png\r\n\r\n1\r\n--XX--"
        #expect(try read(body) == ["a|\(filename)|image/png|1."])
    }

    @Test func `a file with an unusable name is still a file`() throws {
        var parser = try MultipartParser(boundary: "XX", limits: limits)
        let events = try parser.read(
            [UInt8]("--XX\r\nContent-Disposition: form-data; name=a; filename=\"\"\r\n\r\n1\r\n--XX--".utf8))
        let head = PartHead(name: "a", isFile: true)
        #expect(events == [.part(head), .bytes([UInt8(ascii: "1")]), .partEnd])
    }

    @Test(arguments: [
        ("Content-Disposition: attachment; name=a\r\n", MultipartError.notFormData), ("", .notFormData),
        ("Content-Disposition: form-data\r\n", .notFormData), ("Content-Type: text/plain\r\n", .notFormData),
        ("Content-Disposition: form-data; name=\"a\r\n", .badHeader),
        ("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n", .badHeader),
        ("Content-Disposition: form-data;\r\n name=a\r\n", .badHeader), ("no colon\r\n", .badHeader),
        ("Content-Disposition : form-data; name=a\r\n", .badHeader), (": x\r\n", .badHeader),
        ("Content-Disposition: form-data; name=a\r\nX: a\u{0}b\r\n", .badHeader),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n",
            .unsupportedTransferEncoding
        ),
        (String(repeating: "X: y\r\n", count: 17), .headerTooLong),
        ("X: " + String(repeating: "y", count: 9000) + "\r\n", .headerTooLong),
    ])
    func `a part with a bad head is refused`(lines: String, error: MultipartError) {
        for chunk in [1, Int.max] {
            #expect(throws: error) { try read("--XX\r\n\(lines)\r\n1\r\n--XX--", chunk: chunk) }
        }
    }

    @Test func `limits are refusals`() throws {
        let two = part("a", "1") + part("b", "2") + "--XX--"
        let tight = MultipartLimits(partBytes: 1, totalBytes: two.utf8.count, parts: 2)
        #expect(try read(two, limits: tight).count == 2)
        var limits = tight
        limits.parts = 1
        #expect(throws: MultipartError.tooManyParts) { try read(two, limits: limits) }
        limits = tight
        limits.totalBytes -= 1
        #expect(throws: MultipartError.tooLarge) { try read(two, limits: limits) }
        limits = tight
        limits.partBytes = 0
        #expect(throws: MultipartError.partTooLarge(name: "a")) { try read(two, limits: limits) }
        #expect(throws: MultipartError.preambleTooLong) {
            try read(String(repeating: "x", count: CodecLimits.multipartPreambleBytes + 10), chunk: 100)
        }
        #expect(throws: MultipartError.headerTooLong) {
            try read("--XX\r\nX: " + String(repeating: "y", count: 9000), chunk: 100)
        }
    }

    @Test(arguments: ["--XXY\r\n", "--XX-\r\n", "--XX\n\n", "--XX                    \r\n", "--XX\rx"])
    func `something else on a boundary's line is refused`(body: String) {
        #expect(throws: MultipartError.badDelimiter) { try read(body + "xxxx") }
    }

    @Test(arguments: ["", "a\r\nb", "a ", String(repeating: "b", count: 71), "ü"])
    func `a bad boundary is refused`(boundary: String) {
        #expect(throws: MultipartError.badBoundary) {
            try MultipartParser(boundary: boundary, limits: limits)
        }
    }

    @Test func `how a body is cut never changes what it holds`() throws {
        let pieces = [
            "--XX", "--XX--", "\r\n", "\r", "\n", "-", "X", "Content-Disposition: form-data; name=a\r\n\r\n",
            "\r\n--XX\r\n",
            "data", " ", "\r\n--XX\r\nContent-Disposition: form-data; name=b; filename=c\r\n\r\n", ":", "\"",
        ]
        var state: UInt64 = 3
        func pick(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        func outcome(_ body: String, _ chunk: Int) -> String {
            do { return try read(body, chunk: chunk).description } catch { return "\(error)" }
        }
        var wrong: [String] = []
        for _ in 0..<1000 {
            let body = (0..<pick(14)).reduce(into: "--XX\r\n") { body, _ in body += pieces[pick(pieces.count)]
            }
            let whole = outcome(body, .max)
            if [1, 2, 3, 7].contains(where: { outcome(body, $0) != whole }) { wrong.append(body) }
        }
        #expect(wrong == [])
    }

    private struct Collected: MultipartSink {
        var parts: [(head: PartHead, bytes: [UInt8], isWhole: Bool)] = []
        mutating func begin(_ part: PartHead) async { parts.append((part, [], false)) }
        mutating func write(_ bytes: [UInt8]) async { parts[parts.count - 1].bytes += bytes }
        mutating func end() async { parts[parts.count - 1].isWhole = true }
    }

    @Test func `a sink gets the parts as they come`() async throws {
        let type = try #require(MediaType("multipart/form-data; boundary=\"XX\""))
        var chunks = [part("a", "one"), part("b", "two"), "--XX--"].map { [UInt8]($0.utf8) }
        var sink = Collected()
        try await Multipart.read(contentType: type, limits: limits, into: &sink) {
            chunks.isEmpty ? nil : chunks.removeFirst()
        }
        #expect(sink.parts.map(\.head.name) == ["a", "b"])
        #expect(sink.parts.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "two"])
        #expect(sink.parts.map(\.isWhole) == [true, true])
    }
}
