import Core
import Glibc
import TestCluster
import TestSupport
import Testing

@testable import App

@Suite struct `The process` {
    @Test func `serves, tells how to log in, and ends with SIGTERM`() async throws {
        let database = try await TestServer.migratedDatabase()
        let folder = try OpenFolder()
        let port = TestCluster.freePort()
        let program = try Program("serve", "--demo", variables: variables(database, folder, port))
        try await program.waitUntilPrinted("curl -s")
        let client = Client(port: UInt16(port))
        #expect(try await client.get("/readyz").status == 200)
        let password = try #require(program.printed().firstMatch(of: #/Password +(\S+)/#)).1
        let email = try #require(program.printed().firstMatch(of: #/Demo login +(\S+)/#)).1
        let login = try await client.post(
            "/v1/auth/login", ["email": .string(String(email)), "password": .string(String(password))])
        #expect(login.status == 200)
        let owner = client.with(token: try login.json.text("access_token"))
        #expect(try await owner.get("/v1/members").json["data"]?.arrayValue?.isEmpty == false)

        let probe = try Program("doctor", "--health", variables: variables(database, folder, port))
        #expect(try await probe.waitForExit() == .code(0))

        program.send(SIGTERM)
        #expect(try await program.waitForExit() == .code(0))
        #expect(program.printed().contains("\"message\":\"stopped\""))
        let log = program.printed().split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(log.contains { $0.contains("\"/v1/auth/login\"") })
        #expect(!log.contains { $0.contains(password) })
    }

    @Test func `finds the demo company of the last start`() async throws {
        let database = try await TestServer.migratedDatabase()
        let folder = try OpenFolder()
        var logins: Set<String> = []
        for _ in 0..<2 {
            let program = try Program("seed", variables: variables(database, folder, TestCluster.freePort()))
            #expect(try await program.waitForExit() == .code(0))
            logins.insert(try #require(program.printed().split(separator: "\n").last.map(String.init)))
        }
        #expect(logins.count == 1 && logins.first?.contains("@") == true)
    }

    @Test func `says which port is taken, and how to take another`() async throws {
        let database = try await TestServer.migratedDatabase()
        let folder = try OpenFolder()
        let port = TestCluster.freePort()
        let first = try Program("serve", variables: variables(database, folder, port))
        try await first.waitUntilPrinted("\"message\":\"ready\"")
        let second = try Program("serve", variables: variables(database, folder, port))
        #expect(try await second.waitForExit() == .code(69))
        #expect(
            second.printed().contains(
                "infinity: port \(port) on 127.0.0.1 is taken; see by whom with: ss -ltnp 'sport = :\(port)'; "
                    + "or choose another port with: INFINITY_HTTP_PORT=\(port + 1000) infinity serve\n"))
    }

    @Test func `refuses an old schema when told not to migrate`() async throws {
        let database = try await TestCluster.shared.database()
        let folder = try OpenFolder()
        let program = try Program(
            "serve", "--no-migrate", variables: variables(database, folder, TestCluster.freePort()))
        #expect(try await program.waitForExit() == .code(78))
        #expect(program.printed().contains("bring it up to date with: infinity migrate\n"))
    }

    @Test func `tells a database that is not there, without its password`() async throws {
        let folder = try OpenFolder()
        let program = try Program(
            "serve",
            variables: [
                "DATABASE_URL": "postgres://ada:hunter2@127.0.0.1:1/infinity", "INFINITY_MODE": "development",
                "INFINITY_DATA": folder.path,
            ])
        #expect(try await program.waitForExit() == .code(69))
        #expect(program.printed().contains("Connection refused") && !program.printed().contains("hunter2"))
    }

    @Test func `makes no demo company with a known password in production`() async throws {
        let database = try await TestServer.migratedDatabase()
        let folder = try OpenFolder()
        var variables = variables(database, folder, TestCluster.freePort())
        variables["INFINITY_MODE"] = "production"
        variables["INFINITY_PUBLIC_URL"] = "https://app.example"
        variables["INFINITY_SECRET_KEY"] = "k1:" + String(repeating: "A", count: 43) + "="
        variables["INFINITY_PASSWORD_PEPPER"] = String(repeating: "A", count: 43) + "="
        let program = try Program("seed", variables: variables)
        #expect(try await program.waitForExit() == .code(78))
        #expect(program.printed().contains("INFINITY_MODE=development"))
    }

    @Test func `the background work runs alone, and ends with Ctrl-C`() async throws {
        let database = try await TestServer.migratedDatabase()
        let folder = try OpenFolder()
        let program = try Program("work", variables: variables(database, folder, TestCluster.freePort()))
        try await program.waitUntilPrinted("\"message\":\"ready\"")
        program.send(SIGINT)
        #expect(try await program.waitForExit() == .code(0))
    }

    @Test func `starts its embedded database again when that ends by itself`() async throws {
        let folder = try OpenFolder()
        let port = TestCluster.freePort()
        let program = try Program(
            "serve",
            variables: [
                "INFINITY_DATA": folder.path, "INFINITY_HTTP_PORT": String(port), "INFINITY_HTTPS_PORT": "0",
                "INFINITY_BCRYPT_COST": "4",
            ])
        try await program.waitUntilPrinted("\"message\":\"ready\"")
        let pid = try #require(
            SmallFile.read(folder.path + "/pg/postmaster.pid").flatMap { pid_t($0.prefix { $0.isNumber }) })
        kill(pid, SIGQUIT)
        try await program.waitUntilPrinted("ended by itself")
        let client = Client(port: UInt16(port))
        let isBack = try await eventually { try await client.get("/readyz").status == 200 ? true : nil }
        #expect(isBack)
    }

    private func variables(_ database: TestDatabase, _ folder: OpenFolder, _ port: Int) -> [String: String] {
        [
            "DATABASE_URL": database.url, "INFINITY_MODE": "development", "INFINITY_DATA": folder.path,
            "INFINITY_HTTP_PORT": String(port), "INFINITY_HTTPS_PORT": "0", "INFINITY_BCRYPT_COST": "4",
        ]
    }
}
