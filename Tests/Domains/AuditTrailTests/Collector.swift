import HTTP
import Loop
import Synchronization
import Wire

/// Somebody's collector of logs; its path says how it behaves.
final class Collector: Sendable {
    struct Taken: Sendable {
        let path: String
        let authorization: String?
        let type: String?
        let body: [UInt8]

        /// The bodies' lines, each as JSON.
        var lines: [JSON] {
            get throws { try body.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) } }
        }
    }

    private let server: HTTPServer
    private let port: Int
    private let taken = Log()

    private final class Log: Sendable { let all = Mutex<[Taken]>([]) }

    init() throws {
        server = try HTTPServer(
            LoopGroup(count: 1), HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]),
            Behaviour(log: taken))
        port = try server.start()[0]
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func taken(at path: String) -> [Taken] { taken.all.withLock { $0.filter { $0.path == path } } }

    private struct Behaviour: Responder {
        let log: Log

        func respond(to request: Request) -> Reply {
            .later {
                let body = (try? await request.body.collect(upTo: 4 << 20)) ?? []
                let (path, fields) = (
                    request.path, (request.header("authorization"), request.header("content-type"))
                )
                let count = log.all.withLock { all in
                    all.append(Taken(path: path, authorization: fields.0, type: fields.1, body: body))
                    return all.count { $0.path == path }
                }
                switch path.split(separator: "/").first {
                case "gone": return Response(status: 410)
                case "flaky" where count == 1: return Response(status: 503, body: .bytes(Array("full".utf8)))
                default: return Response(status: 200)
                }
            }
        }
    }
}
