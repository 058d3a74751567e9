import TestSupport
import Testing
import Wire

@Suite(.serialized) struct SignupTests {
    @Test func `somebody signs up, proves the address, signs in and owns the company`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Analytical Engines")
        let me = try await ada.client.get("/v1/auth/me").expect(200).json
        #expect(me["email"]?.stringValue == ada.email)
        #expect(me["company_id"]?.stringValue == ada.companyId)
        #expect(me["has_second_factor"] == false)
        try await ada.client.get("/v1/api-keys").expect(200)
    }

    @Test func `there is no account before the address is proven`() async throws {
        let server = try await House.shared()
        let guest = Guest(server)
        try await server.client.post(
            "/v1/auth/signup",
            ["email": .string(guest.email), "password": .string(guest.password), "name": "Ada"]
        ).expect(202)
        #expect(try await guest.login().code == "invalid-credentials")
        let token = try Guest.token(in: try await guest.mail("verify-email"))
        try await server.client.post("/v1/auth/email-verification/confirm", ["token": .string(token)]).expect(
            200)
        try await guest.login().expect(200)
    }

    @Test func `an address with an account gets the same answer and its owner a mail`() async throws {
        let server = try await House.shared()
        let known = try await Guest.withAccount(on: server)
        let stranger = Guest(server)
        func signUp(_ guest: Guest) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/signup",
                ["email": .string(guest.email), "password": "another-long-secret-7", "name": "Eve"])
        }
        let (first, second) = (try await signUp(known), try await signUp(stranger))
        #expect(first.status == 202 && second.status == 202)
        #expect(first.json["status"] == second.json["status"])
        #expect(first.json.objectValue?.count == second.json.objectValue?.count)
        _ = try await known.mail("account-exists")
        #expect(try await known.mailCount("verify-email") == 1)
        // The password of the second attempt opens nothing.
        #expect(try await known.login(password: "another-long-secret-7").status == 401)
        try await known.login().expect(200)
    }

    @Test func `nobody slips a password into another's sign-up`() async throws {
        let server = try await House.shared()
        let guest = Guest(server)
        for password in [Person.password, "the-password-of-mallory"] {
            try await server.client.post(
                "/v1/auth/signup",
                ["email": .string(guest.email), "password": .string(password), "name": "Ada"]
            ).expect(202)
        }
        let mails = try await server.mails(to: guest.email, atLeast: 2)
        let token = try Guest.token(in: try (mails[0] as JSON?).need("context"))
        try await server.client.post("/v1/auth/email-verification/confirm", ["token": .string(token)]).expect(
            200)
        try await guest.login().expect(200)
        #expect(try await guest.login(password: "the-password-of-mallory").status == 401)
        // The other link would make a second account of the same address.
        let other = try Guest.token(in: try (mails[1] as JSON?).need("context"))
        #expect(
            try await server.client.post("/v1/auth/email-verification/confirm", ["token": .string(other)])
                .code
                == "token-invalid")
    }

    @Test func `a link works once and a code bears five tries`() async throws {
        let server = try await House.shared()
        let guest = Guest(server)
        try await server.client.post(
            "/v1/auth/signup",
            ["email": .string(guest.email), "password": .string(guest.password), "name": "Ada"]
        ).expect(202)
        let mail = try await guest.mail("verify-email")
        let code = try mail.text("code")
        let wrong = code == "000000" ? "000001" : "000000"
        func confirm(_ code: String) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/email-verification/confirm", ["email": .string(guest.email), "code": .string(code)])
        }
        for _ in 0..<5 { #expect(try await confirm(wrong).code == "token-invalid") }
        #expect(try await confirm(code).code == "token-invalid")
        // A new mail brings a new code; the old link is void.
        try await server.client.post("/v1/auth/email-verification", ["email": .string(guest.email)]).expect(
            202)
        let fresh = try await guest.mail("verify-email", atLeast: 2)
        let old = try Guest.token(in: mail)
        #expect(
            try await server.client.post("/v1/auth/email-verification/confirm", ["token": .string(old)])
                .status == 422)
        try await confirm(try fresh.text("code")).expect(200)
        #expect(try await confirm(try fresh.text("code")).status == 422)
    }

    @Test(arguments: [
        ("password1234", "password-too-common"), ("P@ssw0rd2026!!", "password-too-common"),
        ("qwertyuiop123", "password-too-simple"), ("aaaaaaaaaaaa", "password-too-simple"),
        ("1234567890ab", "password-too-simple"), ("19841984-07-12", "password-too-common"),
        ("Summer2026!!!", "password-too-common"),
        ("ada-lovelace1", "password-too-personal"), ("Analytical99", "password-too-personal"),
        ("iloveyou2024", "password-too-common"), ("abcabcabcabc", "password-too-simple"),
    ])
    func `a password that is tried first is refused with the reason`(password: String, code: String)
        async throws
    {
        let server = try await House.shared()
        let answer = try await server.client.post(
            "/v1/auth/signup",
            [
                "email": .string(Person.freshAddress()), "password": .string(password),
                "name": "Ada Lovelace",
                "company_name": "Analytical Engines",
            ])
        #expect(answer.status == 422)
        #expect(answer.json["errors"]?[0]?["code"]?.stringValue == code)
        #expect(answer.json["errors"]?[0]?["pointer"] == "/password")
    }

    @Test(arguments: [
        "correct-horse-battery", "four-quiet-green-harbours", "Zx9#kQ2!vLp4", "mon chien dort sur le toit",
    ])
    func `a password of some length and thought is taken`(password: String) async throws {
        let server = try await House.shared()
        let answer = try await server.client.post("/v1/auth/password/check", ["password": .string(password)])
            .expect(200)
        #expect(answer.json["is_acceptable"] == true)
    }

    @Test func `a flood of sign-ups sends an address five mails an hour`() async throws {
        let server = try await House.shared()
        let guest = Guest(server)
        for _ in 0..<8 {
            try await server.client.post(
                "/v1/auth/signup",
                ["email": .string(guest.email), "password": .string(guest.password), "name": "Ada"]
            ).expect(202)
        }
        #expect(try await guest.mailCount("verify-email") == 5)
    }
}
