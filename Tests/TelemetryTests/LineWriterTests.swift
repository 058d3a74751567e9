import Glibc
import Logging
import Telemetry
import Testing

@Suite struct `The log` {
    @Test func `each record is one line of JSON with its fields sorted`() throws {
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing)
        var logger = Logger(label: "mail") { _ in JSONLogHandler(label: "mail", level: .info, to: lines) }
        logger[metadataKey: "request_id"] = "r-1"
        logger.info("sent \"one\"\n", metadata: ["attempt": .stringConvertible(2), "list": ["a", "b"]])
        logger.debug("not shown")
        #expect(lines.flush())
        let line = pipe.read()
        #expect(line.hasPrefix("{\"time\":\"20"))
        #expect(
            line.hasSuffix(
                "\"level\":\"info\",\"message\":\"sent \\\"one\\\"\\n\",\"logger\":\"mail\",\"attempt\":2,"
                    + "\"list\":[\"a\",\"b\"],\"request_id\":\"r-1\"}\n"))
        #expect(line.split(separator: "\n").count == 1)
    }

    @Test func `the values of secret keys and the passwords in URLs never reach it`() {
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing)
        let logger = Logger(label: "test") { _ in JSONLogHandler(label: "test", level: .info, to: lines) }
        logger.info(
            "lost postgres://app:hunter2@db/x and smtp://u:hunter2@mail:25",
            metadata: [
                "Password": "hunter2", "refresh_token": "hunter2", "header": ["Set-Cookie": "hunter2"],
                "url": "postgres://app:hunter2@db:5432/infinity?sslmode=require",
                "plain": "http://host:80/a@b",
            ])
        #expect(lines.flush())
        let line = pipe.read()
        #expect(!line.contains("hunter2"))
        #expect(line.contains("postgres://app:***@db:5432/infinity?sslmode=require"))
        #expect(line.contains("http://host:80/a@b"))
        #expect(line.contains("\"Password\":\"***\""))
    }

    @Test func `a field cannot stand in for the line's own level or time`() {
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing)
        let logger = Logger(label: "test") { _ in JSONLogHandler(label: "test", level: .info, to: lines) }
        logger.info("x", metadata: ["level": "critical"])
        #expect(lines.flush())
        #expect(pipe.read().contains("\"level_\":\"critical\""))
    }

    @Test func `a reader that has stopped reading costs lines, not time or memory, and the loss is told`()
        throws
    {
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing, limit: 100_000)
        let text = String(repeating: "x", count: 999) + "\n"
        for _ in 0..<1000 { lines.append { $0.write(text) } }
        // The pipe takes 64 KiB, the writer holds its limit and the buffer in flight; the rest is gone.
        #expect(lines.droppedLines > 700)
        var read = ""
        let deadline = ContinuousClock.now + .seconds(10)
        while lossTold(in: read) < lines.droppedLines, ContinuousClock.now < deadline {
            read += pipe.read()
            lines.append { $0.write("more\n") }
        }
        #expect(lossTold(in: read) == lines.droppedLines)
    }

    private func lossTold(in text: String) -> UInt64 {
        text.matches(of: #/reader is too slow","count":(\d+)}/#).reduce(0) { $0 + (UInt64($1.1) ?? 0) }
    }

    @Test func `a reader that has gone away is no reason to stop`() {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing)
        pipe.closeReading()
        lines.append { $0.write("into the void\n") }
        #expect(lines.flush())
    }
}

/// A pipe whose reading end gives what is there.
final class Pipe {
    let writing: Int32
    private var reading: Int32

    init() {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        closeReading()
        close(writing)
    }

    func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    /// Whatever is there now, at most 64 KiB.
    func read() -> String {
        var ready = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 1000) == 1 else { return "" }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(reading, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
