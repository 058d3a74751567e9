import Crypto
import HTTP
import Loop
import Synchronization
import TestSupport
import Testing
import Wire

@Suite(.serialized) struct LeakedPasswordTests {
    /// A list on a free port, and what it was asked.
    final class FakeList: Responder {
        let leaked: [String]
        let asked = Mutex<[String]>([])
        let isBroken = Mutex(false)
        private let server = Mutex<HTTPServer?>(nil)
        private let port = Mutex(0)

        init(_ leaked: [String]) throws {
            self.leaked = leaked
            let server = try HTTPServer(
                LoopGroup(count: 1), HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), self)
            let ports = try server.start()
            port.withLock { $0 = Int(ports[0]) }
            self.server.withLock { $0 = server }
        }

        var url: String { "http://127.0.0.1:\(port.withLock { $0 })/range" }

        func stop() { server.withLock { $0?.beginDrain() } }

        func respond(to request: Request) -> Reply {
            let prefix = String(request.path.split(separator: "/").last ?? "")
            asked.withLock { $0.append(prefix) }
            if isBroken.withLock({ $0 }) { return .now(Response(status: 500)) }
            var lines = ["0018A45C4D1DEF81644B54AB7F969B88D65:0"]
            for password in leaked {
                let digest = Hex.encode(SHA1.digest(password)).uppercased()
                if digest.hasPrefix(prefix) { lines.append("\(digest.dropFirst(5)):42") }
            }
            return .now(Response(status: 200, body: .bytes(Array(lines.joined(separator: "\r\n").utf8))))
        }
    }

    @Test func `a leaked password is refused without being told to anybody`() async throws {
        let leaked = "quiet-harbour-of-\(UUID.v7())"
        let list = try FakeList([leaked])
        let server = try await House.another([
            "INFINITY_LEAKED_PASSWORDS_URL": list.url, "INFINITY_SSO_ALLOWED_RANGES": "127.0.0.0/8",
        ])
        func signUp(_ password: String) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/signup",
                ["email": .string(Person.freshAddress()), "password": .string(password), "name": "Ada"])
        }
        let refused = try await signUp(leaked)
        #expect(refused.status == 422 && refused.text.contains("password-leaked"))
        #expect(list.asked.withLock { $0 }.allSatisfy { $0.count == 5 })
        let verdict = try await server.client.post("/v1/auth/password/check", ["password": .string(leaked)])
        #expect(verdict.json["is_acceptable"] == false)
        #expect(try await signUp("another-quiet-harbour-\(UUID.v7())").status == 202)
        // What our own list refuses is not even asked about.
        let before = list.asked.withLock { $0.count }
        #expect(try await signUp("password1234").status == 422)
        #expect(list.asked.withLock { $0.count } == before)
        // A list that is away refuses nobody.
        list.isBroken.withLock { $0 = true }
        #expect(try await signUp(leaked).status == 202)
        list.stop()
        await server.stop()
    }
}
