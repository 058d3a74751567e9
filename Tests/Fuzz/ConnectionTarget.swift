import CLinux
import Glibc
import HTTP
import Loop
import Wire

/// A whole server: the input is what a client sends, in two pieces; what comes back must be answers and nothing else.
enum ConnectionTarget {
    private struct Echo: Responder {
        func respond(to request: Request) -> Reply {
            switch request.method {
            case .get: .now(Response(status: 200, body: .bytes(Array(request.path.utf8))))
            case .put: .now(.stream { out in for _ in 0..<3 { try await out.write("piece") } })
            case .delete: .now(Response(status: 204))
            case .head, .patch, .post, .options:
                .later {
                    guard let body = try? await request.body.collect(upTo: 1 << 12) else {
                        return Response(status: 400)
                    }
                    return Response(status: 200, body: .bytes(body))
                }
            }
        }
    }

    private static let port: Int = {
        var limits = Limits()
        limits.head = .milliseconds(500)
        limits.body = .milliseconds(500)
        let server = try! HTTPServer(
            LoopGroup(count: 1),
            HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)], limits: limits),
            Echo())
        running = server
        return try! server.start()[0]
    }()

    // nonisolated(unsafe): written once, by the initialiser of `port`.
    nonisolated(unsafe) private static var running: HTTPServer?

    static func run(_ input: UnsafeRawBufferPointer) {
        let client = connected()
        defer { close(client) }
        let half = input.count / 2
        _ = send(client, input.baseAddress, half, Int32(MSG_NOSIGNAL))
        _ = send(client, input.baseAddress! + half, input.count - half, Int32(MSG_NOSIGNAL))
        shutdown(client, Int32(SHUT_WR))
        var got: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(client, &room, room.count, 0)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                precondition(
                    count == 0 || errno == ECONNRESET, "the server neither answers nor ends the connection")
                break
            }
            got.append(contentsOf: room[..<count])
        }
        precondition(got.isEmpty || got.starts(with: Array("HTTP/1.1 ".utf8)))
    }

    private static func connected() -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        // Closing with a reset leaves no port waiting; at thousands a second they would run out.
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        return client
    }
}
