import Glibc
import HTTP
import Loop
import Synchronization
import Wire

/// Receivers on all addresses 127.0.1.1 to 127.0.1.100 of one port; the last HANGING of them answer after 15 seconds.
///
/// A line on standard input is answered by what has come in since the last: how many, in how many seconds, and how long
/// after the time that stands in the body as `"due":<microseconds since 1970>`.
final class Receiving: Responder {
    private struct Figures {
        var delays: [Int64] = []
        var hung = 0
        var first: UInt64 = 0
        var last: UInt64 = 0
    }

    private let port: Int
    private let hanging: Int
    private let server: Mutex<HTTPServer?> = Mutex(nil)
    private let figures = Mutex(Figures())
    private let loops: LoopGroup
    private static let receivers = 100

    init(port: Int, hanging: Int, _ loops: LoopGroup) {
        self.port = port
        self.hanging = hanging
        self.loops = loops
    }

    func run() throws {
        let server = try HTTPServer(
            loops, HTTPConfiguration(listeners: [.init(host: "0.0.0.0", port: port)]), self)
        _ = try server.start()
        self.server.withLock { $0 = server }
        say("listening")
        while readLine() != nil {
            say(report())
        }
    }

    func respond(to request: Request) -> Reply {
        .later { [self] in
            let body = (try? await request.body.collect(upTo: 1 << 16)) ?? []
            let number = Int(request.host.split(separator: ":")[0].split(separator: ".").last ?? "") ?? 0
            if number > Self.receivers - hanging {
                figures.withLock { $0.hung += 1 }
                try? await Task.sleep(for: .seconds(15))
            } else {
                note(body)
            }
            return Response(status: 200, body: .bytes([111, 107]))
        }
    }

    private func note(_ body: [UInt8]) {
        let now = EventLoop.monotonicNanoseconds()
        let delay = Self.due(body).map { Timestamp.now.microseconds - $0 } ?? 0
        figures.withLock { figures in
            if figures.first == 0 { figures.first = now }
            figures.last = now
            figures.delays.append(delay)
        }
    }

    /// The number behind the last `"due":`.
    private static func due(_ body: [UInt8]) -> Int64? {
        let mark = Array("\"due\":".utf8)
        guard body.count > mark.count else { return nil }
        for start in stride(from: body.count - mark.count, through: 0, by: -1)
        where body[start..<start + mark.count].elementsEqual(mark) {
            return Int64(String(decoding: body[(start + mark.count)...].prefix { (48...57).contains($0) }, as: UTF8.self))
        }
        return nil
    }

    /// At once, however the output is buffered.
    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private func report() -> String {
        let figures = figures.withLock { figures in
            defer { figures = Figures() }
            return figures
        }
        let delays = figures.delays.sorted()
        func milliseconds(_ share: Double) -> Double {
            delays.isEmpty ? 0 : Double(delays[min(delays.count - 1, Int(Double(delays.count) * share))]) / 1000
        }
        let seconds = Double(figures.last - figures.first) / 1e9
        return "{\"healthy\":\(delays.count),\"hung\":\(figures.hung),\"seconds\":\(seconds),"
            + "\"p50_ms\":\(milliseconds(0.5)),\"p99_ms\":\(milliseconds(0.99)),\"max_ms\":\(milliseconds(1))}"
    }
}
