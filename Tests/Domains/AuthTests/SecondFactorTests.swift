import Crypto
import TestSupport
import Testing
import Wire

@Suite(.serialized) struct SecondFactorTests {
    /// Somebody with an authenticator app, and the steps it may use: each code is taken once, so tests go forward.
    struct Phone {
        let person: Person
        let totp: TOTP
        let factorId: String
        let recoveryCodes: [String]

        init(on server: TestServer, company: String? = nil) async throws {
            person = try await Person(signedUpOn: server, company: company)
            let begun = try await person.client.post("/v1/auth/mfa/factors", ["name": "Phone"]).expect(201)
                .json
            totp = TOTP(secret: try #require(Base32.decode(try begun.text("secret"))))
            factorId = try begun.text("id")
            #expect(try begun.text("otpauth_url").hasPrefix("otpauth://totp/Infinity:"))
            let code = totp.code(step: TOTP.step(at: .now) - 1)
            let verified = try await person.client.post(
                "/v1/auth/mfa/factors/\(factorId)/verify", ["code": .string(code)]
            ).expect(200).json
            recoveryCodes = verified["recovery_codes"]?.arrayValue?.compactMap(\.stringValue) ?? []
        }

        var code: String { totp.code(step: TOTP.step(at: .now)) }
        var nextCode: String { totp.code(step: TOTP.step(at: .now) + 1) }
    }

    @Test func `a login needs the second step, and each code opens once`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        #expect(phone.recoveryCodes.count == 10)
        let guest = Guest(server, phone.person.email)
        let halfway = try await guest.login()
        #expect(halfway.status == 401 && halfway.code == "second-step-required")
        #expect(halfway.json["access_token"] == nil)
        let token = try halfway.json.text("mfa_token")
        func step(_ code: String) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/login/mfa", ["mfa_token": .string(token), "code": .string(code)])
        }
        #expect(try await step("000000").code == "invalid-code")
        let code = phone.code
        try await step(code).expect(200)
        #expect(try await step(code).status == 422)
        // The code of the same step opens nothing a second time, whatever the way.
        #expect(try await guest.login(["code": .string(code)]).code == "invalid-code")
        try await guest.login(["code": .string(phone.nextCode)]).expect(200)
    }

    @Test func `two who bring the same code at once are one too many`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        let guest = Guest(server, phone.person.email)
        let code = phone.code
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await guest.login(["code": .string(code)]).status } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 200 } == 1)
    }

    @Test func `a recovery code opens once, however it is typed`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        let guest = Guest(server, phone.person.email)
        let code = phone.recoveryCodes[0].uppercased().replacing("-", with: " ")
        try await guest.login(["code": .string(code)]).expect(200)
        #expect(try await guest.login(["code": .string(code)]).code == "invalid-code")
        let left = try await phone.person.client.get("/v1/auth/mfa/recovery-codes").expect(200).json
        #expect(left["unused"] == 9)
        let renewed = try await phone.person.client.post("/v1/auth/mfa/recovery-codes").expect(201).json
        #expect(try await guest.login(["code": .string(phone.recoveryCodes[1])]).code == "invalid-code")
        let fresh = try #require(renewed["recovery_codes"]?[0]?.stringValue)
        try await guest.login(["code": .string(fresh)]).expect(200)
    }

    @Test func `codes cannot be tried through`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        let guest = Guest(server, phone.person.email)
        var statuses: [Int] = []
        for number in 0..<8 {
            statuses.append(try await guest.login(["code": .string("00000\(number)")]).status)
        }
        #expect(statuses.contains(429))
    }

    @Test func `without the factor the password alone opens again`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        let listed = try await phone.person.client.get("/v1/auth/mfa/factors").expect(200).json["data"]
        #expect(listed?[0]?["name"] == "Phone" && listed?[0]?["secret"] == nil)
        try await phone.person.client.delete("/v1/auth/mfa/factors/\(phone.factorId)").expect(204)
        try await Guest(server, phone.person.email).login().expect(200)
        #expect(try await Guest(server, phone.person.email).mailCount("mfa-changed") == 2)
        let told = try await server.mails(to: phone.person.email).filter { $0["template"] == "mfa-changed" }
        #expect(told.map { $0["context"]?["factor_added"] != nil } == [true, false])
        #expect(told.last?["context"]?["factor_removed"] != nil)
    }

    @Test func `another person's factor does not exist`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server)
        let eve = try await Person(signedUpOn: server, company: nil)
        #expect(try await eve.client.delete("/v1/auth/mfa/factors/\(phone.factorId)").status == 404)
    }

    @Test func `a company that demands it is closed to who has none, and opens with it`() async throws {
        let server = try await House.shared()
        let phone = try await Phone(on: server, company: "Careful House")
        let member = try await phone.person.colleague(.manager)
        try await member.client.get("/v1/teams").expect(200)
        try await phone.person.client.put(
            "/v1/company/security-policy",
            ["mfa_required": true, "login_methods": ["password"], "ip_allow_list": []]
        ).expect(200)
        // From the very next request; what needs no company still works, so that a factor can be set up.
        #expect(try await member.client.get("/v1/teams").code == "second-factor-demanded")
        let begun = try await member.client.post("/v1/auth/mfa/factors", ["name": "Phone"]).expect(201).json
        let totp = TOTP(secret: try #require(Base32.decode(try begun.text("secret"))))
        try await member.client.post(
            "/v1/auth/mfa/factors/\(try begun.text("id"))/verify",
            ["code": .string(totp.code(step: TOTP.step(at: .now)))]
        ).expect(200)
        try await member.client.get("/v1/teams").expect(200)
    }
}
