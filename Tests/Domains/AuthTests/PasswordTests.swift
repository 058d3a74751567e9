import TestSupport
import Testing
import Wire

@Suite(.serialized) struct PasswordTests {
    @Test func `a reset throws out whoever has stolen a session`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Loom Mill")
        let thief = try await Person(signingInOn: server, email: ada.email)
        let guest = Guest(server, ada.email)
        try await server.client.post("/v1/auth/password-reset", ["email": .string(ada.email)]).expect(202)
        let token = try Guest.token(in: try await guest.mail("password-reset"))
        func confirm(_ password: String) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/password-reset/confirm", ["token": .string(token), "password": .string(password)])
        }
        // A refused password does not cost the link.
        #expect(try await confirm("password1234").status == 422)
        try await confirm("a-brand-new-secret-9").expect(204)
        #expect(try await confirm("another-new-secret-9").code == "token-invalid")
        for person in [ada, thief] {
            #expect(try await person.client.get("/v1/auth/me").status == 401)
            #expect(try await guest.refresh(person.refreshToken).status == 401)
        }
        #expect(try await guest.login().status == 401)
        try await guest.login(password: "a-brand-new-secret-9").expect(200)
        _ = try await guest.mail("password-changed")
    }

    @Test func `asking for a reset says nothing about accounts`() async throws {
        let server = try await House.shared()
        let known = try await Guest.withAccount(on: server)
        let stranger = Guest(server)
        func ask(_ guest: Guest) async throws -> Answer {
            try await server.client.post("/v1/auth/password-reset", ["email": .string(guest.email)])
        }
        let clock = ContinuousClock()
        var answers: [Answer] = []
        var times: [Duration] = []
        for guest in [known, stranger] {
            times.append(try await clock.measure { answers.append(try await ask(guest)) })
        }
        #expect(answers.allSatisfy { $0.status == 202 })
        #expect(answers[0].json.objectValue?.count == answers[1].json.objectValue?.count)
        // Both leave at the same time after they came, however little there was to do.
        #expect(times.allSatisfy { $0 >= .milliseconds(145) })
        #expect(try await stranger.mailCount("password-reset") == 0)
        for _ in 0..<7 { _ = try await ask(known) }
        #expect(try await known.mailCount("password-reset") == 5)
    }

    @Test func `a mailed code bears five tries and belongs to its address`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let other = try await Guest.withAccount(on: server)
        for each in [guest, other] {
            try await server.client.post("/v1/auth/password-reset", ["email": .string(each.email)]).expect(
                202)
        }
        let code = try await guest.mail("password-reset").text("code")
        func confirm(_ email: String, _ code: String) async throws -> Answer {
            try await server.client.post(
                "/v1/auth/password-reset/confirm",
                ["email": .string(email), "code": .string(code), "password": "a-brand-new-secret-9"])
        }
        #expect(try await confirm(other.email, code).status == 422)
        let wrong = code == "000000" ? "000001" : "000000"
        for _ in 0..<5 { #expect(try await confirm(guest.email, wrong).status == 422) }
        #expect(try await confirm(guest.email, code).status == 422)
        #expect(try await confirm(Person.freshAddress(), "123456").code == "token-invalid")
    }

    @Test func `changing the password ends the other sessions and keeps this one`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        let other = try await Person(signingInOn: server, email: ada.email)
        func change(_ old: String, _ new: String) async throws -> Answer {
            try await ada.client.put(
                "/v1/auth/password", ["current_password": .string(old), "new_password": .string(new)])
        }
        #expect(try await change("wrong-password", "a-brand-new-secret-9").code == "invalid-credentials")
        #expect(try await change(Person.password, Person.password).status == 422)
        #expect(try await change(Person.password, "qwertyuiop12").status == 422)
        try await change(Person.password, "a-brand-new-secret-9").expect(204)
        #expect(try await ada.client.get("/v1/auth/me").status == 200)
        #expect(try await other.client.get("/v1/auth/me").status == 401)
        try await Guest(server, ada.email).login(password: "a-brand-new-secret-9").expect(200)
    }

    @Test func `sensitive acts ask again who it is`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        try server.database.psql(
            "UPDATE sessions SET authenticated_at = now() - interval '16 minutes' WHERE user_id = '\(ada.userId)'"
        )
        func enrol() async throws -> Answer {
            try await ada.client.post("/v1/auth/mfa/factors", ["name": "Phone"])
        }
        #expect(try await enrol().code == "reauthentication-required")
        #expect(try await ada.client.delete("/v1/auth/me").code == "reauthentication-required")
        #expect(try await ada.client.post("/v1/auth/reauthentication", ["password": "wrong"]).status == 401)
        #expect(try await ada.client.post("/v1/auth/reauthentication", [:]).status == 422)
        try await ada.client.post("/v1/auth/reauthentication", ["password": .string(Person.password)]).expect(
            200)
        try await enrol().expect(201)
    }

    @Test func `another address is proven by its mail and told to the old one`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        let new = Guest(server)
        try await ada.client.post("/v1/auth/email-change", ["email": .string(new.email)]).expect(202)
        let code = try await new.mail("email-change-confirm").text("code")
        #expect(try await new.login().status == 401)
        try await server.client.post(
            "/v1/auth/email-change/confirm", ["email": .string(ada.email), "code": .string(code)]
        ).expect(204)
        #expect(try await ada.client.get("/v1/auth/me").json["email"]?.stringValue == new.email)
        try await new.login().expect(200)
        #expect(try await Guest(server, ada.email).login().status == 401)
        #expect(
            try await Guest(server, ada.email).mail("email-changed")["new_email"]?.stringValue == new.email)
    }

    @Test func `an address that is taken is never said to be`() async throws {
        let server = try await House.shared()
        let (ada, eve) = (
            try await Person(signedUpOn: server, company: nil),
            try await Person(signedUpOn: server, company: nil)
        )
        let taken = try await eve.client.post("/v1/auth/email-change", ["email": .string(ada.email)])
        let free = try await eve.client.post(
            "/v1/auth/email-change", ["email": .string(Person.freshAddress())])
        #expect(taken.status == free.status && taken.status == 202)
        #expect(try await Guest(server, ada.email).mailCount("email-change-confirm") == 0)
    }

    @Test func `one's own name and settings change, with the version held`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        let read = try await ada.client.get("/v1/auth/me").expect(200)
        let tag = try #require(read.header("etag"))
        let changed = try await ada.client.with(header: "If-Match", tag)
            .patch("/v1/auth/me", ["name": "Ada King", "time_zone": "Europe/London"]).expect(200)
        #expect(changed.json["name"] == "Ada King")
        #expect(
            try await ada.client.with(header: "If-Match", tag).patch("/v1/auth/me", ["name": "Old"]).status
                == 412)
        #expect(
            try await ada.client.with(header: "If-None-Match", changed.header("etag") ?? "").get(
                "/v1/auth/me"
            ).status == 304)
        #expect(try await ada.client.patch("/v1/auth/me", ["time_zone": "Mars/Olympus"]).status == 422)
    }

    @Test func `a deleted account leaves no name, no address and no way in`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        try await ada.client.delete("/v1/auth/me").expect(204)
        #expect(try await ada.client.get("/v1/auth/me").status == 401)
        #expect(try await Guest(server, ada.email).login().status == 401)
        _ = try await Guest(server, ada.email).mail("account-deleted")
        let row = try server.database.psql(
            "SELECT name, email IS NULL, status FROM users WHERE id = '\(ada.userId)'")
        #expect(row == "Deleted user|t|deleted\n")
    }

    @Test func `the last owner cannot leave a company behind by deleting the account`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Orphan House")
        #expect(try await ada.client.delete("/v1/auth/me").code == "last-owner")
        #expect(try await ada.client.get("/v1/auth/me").status == 200)
    }

    @Test func `a person reads what happened around her account`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        _ = try await Guest(server, ada.email).login(password: "wrong-password")
        let kinds = try await eventually {
            let events =
                try await ada.client.get("/v1/auth/security-events").expect(200).json["data"]?.arrayValue
                ?? []
            let kinds = Set(events.compactMap { $0["kind"]?.stringValue })
            return kinds.contains("login_failed") ? kinds : nil
        }
        #expect(kinds.isSuperset(of: ["email_verified", "login_succeeded", "login_failed"]))
        let filtered = try await ada.client.get("/v1/auth/security-events?kind=login_failed").expect(200)
            .json["data"]
        #expect(filtered?.arrayValue?.count == 1)
    }

    @Test func `events can only be added`() async throws {
        let server = try await House.shared()
        #expect(throws: (any Error).self) {
            try server.database.psql("SET ROLE infinity_app; DELETE FROM auth_events")
        }
    }

    @Test func `handing a company over asks again who it is`() async throws {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Handed Over")
        let heir = try await owner.colleague(.admin)
        let members = try await owner.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        let member = try #require(members.first { $0["user_id"]?.stringValue == heir.userId })
        let begin = {
            try await owner.client.post(
                "/v1/company/ownership-transfer", ["member_id": .string(try member.text("id"))])
        }
        _ = try server.database.psql(
            "UPDATE sessions SET authenticated_at = now() - interval '1 hour' WHERE user_id = '\(owner.userId)'"
        )
        #expect(try await begin().code == "reauthentication-required")
        try await owner.client.post("/v1/auth/reauthentication", ["password": .string(Person.password)])
            .expect(200)
        try await begin().expect(202)
    }
}
