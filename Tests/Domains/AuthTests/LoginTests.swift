import TestSupport
import Testing
import Wire

@Suite(.serialized) struct LoginTests {
    @Test func `a login answers with the tokens`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server, company: "Lathe Works")
        let answer = try await guest.login().expect(200)
        #expect(answer.json["token_type"] == "Bearer")
        #expect(answer.json["expires_in"] == 900)
        #expect(answer.json["access_token"]?.stringValue?.split(separator: ".").count == 3)
        #expect(answer.json["refresh_token"]?.stringValue?.isEmpty == false)
        #expect(answer.header("cache-control")?.contains("no-store") == true)
    }

    @Test func `a wrong password, an unknown address and a missing account look alike`() async throws {
        let server = try await House.shared()
        let known = try await Guest.withAccount(on: server)
        let wrong = try await known.login(password: "not-the-password")
        let unknown = try await Guest(server).login()
        #expect(wrong.status == 401 && unknown.status == 401)
        for member in ["code", "title", "detail", "type"] {
            #expect(wrong.json[member] == unknown.json[member])
        }
        #expect(wrong.header("www-authenticate") == unknown.header("www-authenticate"))
        #expect(wrong.header("www-authenticate")?.hasPrefix("Bearer") == true)
    }

    @Test func `failures slow an account down whether or not it exists, and success forgives`() async throws {
        let server = try await House.shared()
        let known = try await Guest.withAccount(on: server)
        for guest in [known, Guest(server)] {
            for _ in 0..<6 { #expect(try await guest.login(password: "wrong-password").status == 401) }
            // While it waits not even the right password is looked at.
            let refused = try await guest.login()
            #expect(refused.status == 429)
            #expect(refused.code == "login-throttled")
            #expect(Int(refused.header("retry-after") ?? "") ?? 0 >= 1)
        }
        let opened = try await eventually {
            let answer = try await known.login()
            return answer.status == 200 ? answer : nil
        }
        #expect(opened.status == 200)
        #expect(try await known.login(password: "wrong-password").status == 401)
    }

    @Test func `many attempts at once are looked at once, then one by one`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        func burst() async throws -> [Int] {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 { group.addTask { try await guest.login(password: "wrong-password").status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
        }
        _ = try await burst()
        // Whatever slipped through together has been counted: now nobody passes.
        #expect(try await burst().allSatisfy { $0 == 429 })
        #expect(try await guest.login().status == 429)
    }

    @Test func `many sign in at once with the right password`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 { group.addTask { try await guest.login().status } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.allSatisfy { $0 == 200 })
    }

    @Test func `the throttle holds on another instance`() async throws {
        let server = try await House.shared()
        let other = try await House.another(beside: server)
        defer { Task { await other.stop() } }
        let guest = try await Guest.withAccount(on: server)
        for _ in 0..<6 { _ = try await guest.login(password: "wrong-password") }
        #expect(try await Guest(other, guest.email, from: guest.address).login().status == 429)
        // The owner at another address is not locked out.
        try await Guest(other, guest.email).login().expect(200)
    }

    @Test func `a password of an older cost is hashed anew`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let dearer = try await House.another(beside: server, ["INFINITY_BCRYPT_COST": "5"])
        defer { Task { await dearer.stop() } }
        try await Guest(dearer, guest.email).login().expect(200)
        let cost = try server.database.psql(
            "SELECT substr(password_hash, 1, 7) FROM users WHERE email = '\(guest.email)'")
        #expect(cost.hasPrefix("$2b$05$"))
        try await guest.login().expect(200)
    }

    @Test func `a new device is told by mail, and its button throws everybody out`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let own = try await guest.login().expect(200).json.text("access_token")
        let thief = try await server.client.with(header: "User-Agent", "curl/8.5.0")
            .post("/v1/auth/login", ["email": .string(guest.email), "password": .string(guest.password)])
            .expect(200).json.text("access_token")
        let mail = try await guest.mail("new-device")
        #expect(mail["device"] == "curl")
        let token = try Guest.token(in: mail)
        try await server.client.post("/v1/auth/not-me", ["token": .string(token)]).expect(204)
        for stolen in [own, thief] {
            #expect(try await server.client.with(token: stolen).get("/v1/auth/me").status == 401)
        }
        #expect(try await guest.login().code == "invalid-credentials")
        let code = try await guest.mail("password-reset").text("code")
        let renewed = Guest(server, guest.email, password: "a-brand-new-secret-9")
        try await server.client.post(
            "/v1/auth/password-reset/confirm",
            ["email": .string(guest.email), "code": .string(code), "password": .string(renewed.password)]
        ).expect(204)
        try await renewed.login().expect(200)
        #expect(try await server.client.post("/v1/auth/not-me", ["token": .string(token)]).status == 422)
    }
}
