import App
import Glibc
import HTTP
import Loop
import Synchronization
import Wire

/// Somebody's server that takes webhooks; its path says how it behaves.
final class Receiver: Sendable {
    /// One message as it came in.
    struct Taken: Sendable {
        let path: String
        let fields: [String: String]
        let body: [UInt8]
        let at: ContinuousClock.Instant

        var id: String { fields["webhook-id"] ?? "" }
        var json: JSON { (try? JSON.parse(body)) ?? .null }
        var signatures: [String] {
            (fields["webhook-signature"] ?? "").split(separator: " ").map(String.init)
        }
    }

    private let loops = LoopGroup(count: 1)
    private let server: HTTPServer
    private let port: Int
    private let taken: Log

    init() throws {
        taken = Log()
        server = try HTTPServer(
            loops, HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), Behaviour(log: taken))
        port = try server.start()[0]
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func taken(at path: String) -> [Taken] { taken.all.withLock { $0.filter { $0.path == path } } }

    private final class Log: Sendable { let all = Mutex<[Taken]>([]) }

    private struct Behaviour: Responder {
        let log: Log
        static let names: [StaticString] = [
            "webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "x-receiver-token",
            "user-agent",
        ]

        func respond(to request: Request) -> Reply {
            .later {
                let body = (try? await request.body.collect(upTo: 1 << 20)) ?? []
                var fields: [String: String] = [:]
                for name in Self.names { fields["\(name)"] = request.header(name) }
                log.all.withLock {
                    $0.append(Taken(path: request.path, fields: fields, body: body, at: .now))
                }
                let count = log.all.withLock { $0.count { $0.path == request.path } }
                return await answer(request.path, count)
            }
        }

        private func answer(_ path: String, _ count: Int) async -> Response {
            switch path.split(separator: "/").first {
            case "gone": return Response(status: 410)
            case "moved": return Self.with(302, "location", "/ok/after-redirect")
            case "busy" where count == 1: return Self.with(429, "retry-after", "2")
            case "failing": return Response(status: 500, body: .bytes(Array("out of \u{0}order".utf8)))
            case "flaky" where count == 1: return Response(status: 503)
            case "hanging":
                try? await Task.sleep(for: .seconds(60))
                return Response(status: 200)
            case "dying" where count == 1:
                return Response.stream(length: 100) { out in
                    try await out.write("half of it")
                    throw CancellationError()
                }
            default: return Response(status: 200, body: .bytes(Array("taken".utf8)))
            }
        }

        private static func with(_ status: Int, _ name: StaticString, _ value: String) -> Response {
            var response = Response(status: status)
            response.headers.add(name, value)
            return response
        }
    }
}
