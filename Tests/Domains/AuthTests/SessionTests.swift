import TestSupport
import Testing
import Wire

@Suite(.serialized) struct SessionTests {
    @Test func `fifty refreshes at once end with one session alive`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Loom Mill")
        let guest = Guest(server, ada.email)
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<50 { group.addTask { try await guest.refresh(ada.refreshToken) } }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        let successors = Set(answers.compactMap { $0.json["refresh_token"]?.stringValue })
        #expect(successors.count == 1)
        let next = try await guest.refresh(try #require(successors.first)).expect(200)
        #expect(
            try await server.client.with(token: try next.json.text("access_token")).get("/v1/auth/me").status
                == 200)
        let active = try server.database.psql(
            "SELECT count(*) FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id "
                + "WHERE s.user_id = '\(ada.userId)' AND r.state = 'active'")
        #expect(active == "1\n")
    }

    @Test func `an older generation ends the session and its owner is told once`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Loom Mill")
        let guest = Guest(server, ada.email)
        let second = try await guest.refresh(ada.refreshToken).expect(200).json.text("refresh_token")
        let third = try await guest.refresh(second).expect(200).json
        // The thief comes with the first.
        #expect(try await guest.refresh(ada.refreshToken).code == "refresh-token-reused")
        #expect(try await guest.refresh(try third.text("refresh_token")).code == "refresh-token-invalid")
        #expect(
            try await server.client.with(token: try third.text("access_token")).get("/v1/auth/me").status
                == 401)
        _ = try await guest.refresh(ada.refreshToken)
        _ = try await guest.mail("reuse-detected")
        #expect(try await guest.mailCount("reuse-detected") == 1)
    }

    @Test func `a lost answer can be asked for again only for a short while`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        let guest = Guest(server, ada.email)
        let first = try await guest.refresh(ada.refreshToken).expect(200).json["refresh_token"]
        #expect(try await guest.refresh(ada.refreshToken).expect(200).json["refresh_token"] == first)
        try server.database.psql(
            "UPDATE refresh_tokens r SET rotated_at = rotated_at - interval '31 seconds' FROM sessions s "
                + "WHERE s.id = r.session_id AND s.user_id = '\(ada.userId)' AND r.state = 'rotated'")
        #expect(try await guest.refresh(ada.refreshToken).code == "refresh-token-reused")
    }

    @Test func `the database itself refuses a second working refresh token`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        #expect(throws: (any Error).self) {
            try server.database.psql(
                "INSERT INTO refresh_tokens (session_id, n, token_sha256, salt) "
                    + "SELECT id, 99, 'x', '' FROM sessions WHERE user_id = '\(ada.userId)'")
        }
    }

    @Test func `sessions are listed, and ended one by one or all but this`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        let others = [
            try await Person(signingInOn: server, email: ada.email),
            try await Person(signingInOn: server, email: ada.email),
        ]
        let listed = try await ada.client.get("/v1/auth/sessions").expect(200).json["data"]?.arrayValue ?? []
        #expect(listed.count == 3)
        let current = try #require(listed.first { $0["is_current"] == true })
        let foreign = try #require(listed.first { $0["is_current"] == false })
        try await ada.client.delete("/v1/auth/sessions/\(try foreign.text("id"))").expect(204)
        #expect(try await ada.client.delete("/v1/auth/sessions/\(try foreign.text("id"))").status == 404)
        let statuses = [
            try await others[0].client.get("/v1/auth/me").status,
            try await others[1].client.get("/v1/auth/me").status,
        ]
        #expect(Set(statuses) == [200, 401])
        try await ada.client.delete("/v1/auth/sessions").expect(204)
        for other in others { #expect(try await other.client.get("/v1/auth/me").status == 401) }
        #expect(try await ada.client.get("/v1/auth/me").status == 200)
        let left = try await ada.client.get("/v1/auth/sessions").json["data"]?.arrayValue
        #expect(left?.count == 1 && left?[0]["id"] == current["id"])
    }

    @Test func `another person's session cannot be ended`() async throws {
        let server = try await House.shared()
        let (ada, eve) = (
            try await Person(signedUpOn: server, company: nil),
            try await Person(signedUpOn: server, company: nil)
        )
        let id =
            try (try await ada.client.get("/v1/auth/sessions").json["data"]?[0]).need("id").stringValue ?? ""
        #expect(try await eve.client.delete("/v1/auth/sessions/\(id)").status == 404)
        #expect(try await ada.client.get("/v1/auth/me").status == 200)
    }

    @Test func `signing out holds from the next request, and within a second on another instance`()
        async throws
    {
        let server = try await House.shared()
        let other = try await House.another(beside: server)
        defer { Task { await other.stop() } }
        let ada = try await Person(signedUpOn: server, company: "Loom Mill")
        let there = other.client.with(token: ada.token)
        try await there.get("/v1/auth/me").expect(200)
        try await ada.client.get("/v1/auth/me").expect(200)
        try await ada.client.post("/v1/auth/logout").expect(204)
        #expect(try await ada.client.get("/v1/auth/me").status == 401)
        _ = try await eventually(within: .seconds(1)) {
            try await there.get("/v1/auth/me").status == 401 ? true : nil
        }
        #expect(try await Guest(server, ada.email).refresh(ada.refreshToken).status == 401)
    }

    @Test func `what another process changes without telling anybody but the table holds within a second`()
        async throws
    {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Loom Mill")
        try await ada.client.get("/v1/auth/me").expect(200)
        // No NOTIFY: the table of changes alone must do.
        try server.database.psql(
            "UPDATE sessions SET revoked_at = now(), revoke_reason = 'test' WHERE user_id = '\(ada.userId)'; "
                + "INSERT INTO access_changes (user_id) VALUES ('\(ada.userId)')")
        _ = try await eventually(within: .seconds(1)) {
            try await ada.client.get("/v1/auth/me").status == 401 ? true : nil
        }
    }

    @Test func `no token and a bad one are told apart`() async throws {
        let server = try await House.shared()
        let none = try await server.client.get("/v1/auth/me")
        #expect(none.status == 401)
        #expect(none.header("www-authenticate") == #"Bearer realm="infinity""#)
        for token in ["nonsense", "a.b.c", "inf_live_short"] {
            let bad = try await server.client.with(token: token).get("/v1/auth/me")
            #expect(bad.status == 401)
            #expect(bad.header("www-authenticate")?.contains(#"error="invalid_token""#) == true)
        }
        let basic = try await server.client.with(header: "Authorization", "Basic YTpi").get("/v1/auth/me")
        #expect(basic.status == 401)
    }

    @Test func `the key set verifies our tokens`() async throws {
        let server = try await House.shared()
        let set = try await server.client.get("/.well-known/jwks.json").expect(200)
        #expect(set.json["keys"]?.arrayValue?.count ?? 0 >= 2)
        #expect(set.json["keys"]?[0]?["alg"] == "ES256")
        #expect(set.json["keys"]?[0]?["d"] == nil)
    }

    @Test func `somebody works in two companies by turns`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "First House")
        let second = try await ada.client.post("/v1/companies", ["name": "Second House"]).expect(201).json
            .text("id")
        let switched = try await ada.client.post("/v1/auth/company", ["company_id": .string(second)]).expect(
            200
        ).json
        let there = ada.client.with(token: try switched.text("access_token"))
        #expect(try await there.get("/v1/auth/me").json["company_id"]?.stringValue == second)
        #expect(try await ada.client.get("/v1/auth/me").json["company_id"]?.stringValue == ada.companyId)
        // The session follows: the next refresh and the next login are for the second company.
        let refreshed = try await Guest(server, ada.email).refresh(ada.refreshToken).expect(200).json
        #expect(refreshed["company_id"]?.stringValue == second)
        #expect(try await Person(signingInOn: server, email: ada.email).companyId == second)
        let eve = try await Person(signedUpOn: server, company: nil)
        #expect(
            try await eve.client.post("/v1/auth/company", ["company_id": .string(second)]).code
                == "no-such-company")
    }
}

/// Working in another member's name.
@Suite(.serialized) struct ImpersonationTests {
    private func begin(_ person: Person, _ member: String) async throws -> Answer {
        try await person.client.post(
            "/v1/auth/impersonation", ["member_id": .string(member), "reason": "To see what you see"])
    }

    private func memberId(of person: Person, seenBy owner: Person) async throws -> String {
        let members = try await owner.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        return try #require(members.first { $0["user_id"]?.stringValue == person.userId }).text("id")
    }

    @Test func `an owner sees what a member sees, who is told, and nothing of his account is touched`()
        async throws
    {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Helping House")
        let grace = try await ada.colleague(.viewer)
        let answer = try await begin(ada, try await memberId(of: grace, seenBy: ada)).expect(200).json
        let inHerName = server.client.with(token: try answer.text("access_token"))
        #expect(try await inHerName.get("/v1/auth/me").json["id"]?.stringValue == grace.userId)
        try await inHerName.get("/v1/teams").expect(200)
        #expect(try await inHerName.post("/v1/teams", ["name": "Weavers"]).status == 403)
        for answer in [
            try await inHerName.patch("/v1/auth/me", ["name": "Mallory"]),
            try await inHerName.get("/v1/auth/sessions"),
            try await inHerName.post("/v1/auth/mfa/factors", ["name": "Mine"]),
            try await inHerName.put(
                "/v1/auth/password", ["current_password": "x", "new_password": "a-brand-new-secret-9"]),
        ] { #expect(answer.code == "not-in-anothers-name") }
        let mail = try await Guest(server, grace.email).mail("impersonated")
        #expect(mail["reason"] == "To see what you see" && mail["actor"]?.stringValue == ada.name)
        try await inHerName.post("/v1/auth/logout").expect(204)
        #expect(try await inHerName.get("/v1/auth/me").status == 401)
        try await grace.client.get("/v1/auth/me").expect(200)
    }

    @Test func `it ends with the trust in who does it, and the company may forbid it`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Helping House")
        let helper = try await ada.colleague(.owner)
        let grace = try await ada.colleague(.viewer)
        let member = try await memberId(of: grace, seenBy: ada)
        let token = try await begin(helper, member).expect(200).json.text("access_token")
        let inHerName = server.client.with(token: token)
        try await inHerName.get("/v1/teams").expect(200)
        let helperMember = try await memberId(of: helper, seenBy: ada)
        try await ada.client.put(
            "/v1/members/\(helperMember)/roles", ["role_ids": [.string(try await ada.roleId(.viewer))]]
        ).expect(200)
        #expect(try await inHerName.get("/v1/teams").status == 401)
        #expect(try await begin(helper, member).code == "forbidden")
        try await ada.client.patch("/v1/company/settings", ["allows_impersonation": false]).expect(200)
        #expect(try await begin(ada, member).code == "impersonation-refused")
    }

    @Test func `nobody works in the name of somebody who may do more, or of a stranger`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Helping House")
        let eve = try await Person(signedUpOn: server, company: "Other House")
        #expect(
            try await begin(ada, try await memberId(of: ada, seenBy: ada)).code == "impersonation-refused")
        #expect(try await begin(eve, try await memberId(of: ada, seenBy: ada)).status == 404)
    }
}
