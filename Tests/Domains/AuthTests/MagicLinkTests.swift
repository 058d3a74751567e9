import TestSupport
import Testing
import Wire

@Suite(.serialized) struct MagicLinkTests {
    private func ask(_ guest: Guest) async throws -> JSON {
        let before = try await guest.mailCount("magic-link")
        let answer = try await guest.client.post("/v1/auth/magic-link", ["email": .string(guest.email)])
        try answer.expect(202)
        return try await guest.mail("magic-link", atLeast: before + 1)
    }

    private func confirm(_ guest: Guest, _ body: JSON) async throws -> Answer {
        try await guest.client.post("/v1/auth/magic-link/confirm", body)
    }

    @Test func `the mailed link signs in once, and so does its code`() async throws {
        let guest = try await Guest.withAccount(on: House.shared(), company: "Loom Works")
        let token = try Guest.token(in: try await ask(guest))
        let answer = try await confirm(guest, ["token": .string(token)]).expect(200)
        #expect(answer.json["company_id"]?.stringValue != nil)
        let me = try await guest.client.with(token: answer.json.text("access_token")).get("/v1/auth/sessions")
        #expect(me.json["data"]?.arrayValue?.first { $0["is_current"] == true }?["methods"] == ["magic_link"])
        #expect(try await confirm(guest, ["token": .string(token)]).code == "token-invalid")

        let code = try await ask(guest).text("code")
        let byCode: JSON = ["email": .string(guest.email), "code": .string(code)]
        #expect(try await confirm(guest, byCode).status == 200)
        #expect(try await confirm(guest, byCode).code == "token-invalid")
    }

    @Test func `a newer link makes the older one void, and a code bears five tries`() async throws {
        let guest = try await Guest.withAccount(on: House.shared())
        let old = try Guest.token(in: try await ask(guest))
        let code = try await ask(guest).text("code")
        #expect(try await confirm(guest, ["token": .string(old)]).code == "token-invalid")
        let wrong = code == "000000" ? "000001" : "000000"
        for _ in 0..<5 {
            #expect(
                try await confirm(guest, ["email": .string(guest.email), "code": .string(wrong)]).status
                    == 422)
        }
        #expect(
            try await confirm(guest, ["email": .string(guest.email), "code": .string(code)]).status == 422)
    }

    @Test func `asking says nothing about accounts, and floods no mailbox`() async throws {
        let server = try await House.shared()
        let known = try await Guest.withAccount(on: server)
        let unknown = Guest(server)
        var answers: [Answer] = []
        for guest in [known, unknown] {
            answers.append(
                try await guest.client.post("/v1/auth/magic-link", ["email": .string(guest.email)]))
        }
        #expect(answers.allSatisfy { $0.status == 202 })
        #expect(answers[0].json["email"]?.stringValue == known.email)
        #expect(try await unknown.mailCount("magic-link") == 0)
        for _ in 0..<8 {
            try await known.client.post("/v1/auth/magic-link", ["email": .string(known.email)]).expect(202)
        }
        #expect(try await known.mailCount("magic-link") == 5)
    }

    @Test func `the second factor is asked for here too`() async throws {
        let server = try await House.shared()
        let phone = try await SecondFactorTests.Phone(on: server)
        let guest = Guest(server, phone.person.email)
        let token = try Guest.token(in: try await ask(guest))
        let halfway = try await confirm(guest, ["token": .string(token)])
        #expect(halfway.status == 401 && halfway.code == "second-step-required")
        let done = try await guest.client.post(
            "/v1/auth/login/mfa",
            ["mfa_token": .string(halfway.json.text("mfa_token")), "code": .string(phone.code)]
        ).expect(200)
        let sessions = try await guest.client.with(token: done.json.text("access_token")).get(
            "/v1/auth/sessions")
        let current = sessions.json["data"]?.arrayValue?.first { $0["is_current"] == true }
        #expect(current?["methods"] == ["magic_link", "totp"])
    }

    @Test func `a link in a browser sets cookies, and a foreign page cannot use it`() async throws {
        let guest = try await Guest.withAccount(on: House.shared())
        let token = try Guest.token(in: try await ask(guest))
        let body: JSON = ["token": .string(token)]
        let path = "/v1/auth/browser/magic-link/confirm"
        let foreign = guest.client.with(header: "Origin", "https://evil.example")
        #expect(try await foreign.post(path, body).code == "csrf-failed")
        let answer = try await guest.client.post(path, body).expect(200)
        #expect(answer.json["access_token"] == nil && answer.header("set-cookie") != nil)
    }
}
