import TestSupport
import Testing
import Wire

/// What those who run the installation do with accounts.
@Suite(.serialized) struct AdministrationTests {
    private func user(_ person: Person, _ rest: String = "") -> String {
        "/v1/admin/users/\(person.userId)\(rest)"
    }

    private func kinds(_ otto: Person, _ person: Person) async throws -> [String] {
        let events = try await otto.client.get(user(person, "/security-events?limit=50")).expect(200).json[
            "data"]
        return (events?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }
    }

    @Test func `accounts are found by name, address, company and standing, and only by operators`()
        async throws
    {
        let server = try await House.shared()
        let otto = try await Person.operator(on: server)
        let ada = try await Person(signedUpOn: server, company: "Lookup House", name: "Ada Quillfeather")
        let company = try #require(ada.companyId)
        let found = { (query: String) in
            let data = try await otto.client.get("/v1/admin/users?\(query)").expect(200).json["data"]
            return (data?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        }
        #expect(try await found("email=\(ada.email)") == [ada.userId])
        #expect(try await found("q=quillfeather") == [ada.userId])
        #expect(try await found("company_id=\(company)") == [ada.userId])
        #expect(try await found("company_id=\(company)&status=locked").isEmpty)
        #expect(try await found("is_operator=true&email=\(otto.email)") == [otto.userId])
        let one = try await otto.client.get(user(ada)).expect(200).json
        #expect(one["status"] == "active" && one["has_password"] == true && one["session_count"] == 1)
        let places = try await otto.client.get(user(ada, "/companies")).expect(200).json["data"]?.arrayValue
        #expect(places?.first?["name"] == "Lookup House")
        let sessions = try await otto.client.get(user(ada, "/sessions")).expect(200).json["data"]?.arrayValue
        #expect(sessions?.count == 1 && sessions?.first?["is_current"] == false)
        let renamed = try await otto.client.patch(user(ada), ["name": "Ada Byron"]).expect(200).json
        #expect(renamed["name"] == "Ada Byron")
        #expect(try await kinds(otto, ada).first == "account_changed")
        #expect(try await ada.client.get("/v1/admin/users").code == "forbidden")
        #expect(try await ada.client.get("/v1/admin/security-events").code == "forbidden")
        #expect(try await ada.client.get(user(ada)).code == "forbidden")
    }

    @Test func `a locked account is shut at once, a new password does not open it, an operator does`()
        async throws
    {
        let server = try await House.shared()
        let otto = try await Person.operator(on: server)
        let ada = try await Person(signedUpOn: server, company: "Lock House")
        let guest = Guest(server, ada.email)
        let key = try await ada.client.post("/v1/api-keys", ["name": "Export", "scopes": ["teams:read"]])
            .expect(201)
            .json.text("key")
        let byKey = server.client.with(token: key)
        try await byKey.get("/v1/teams").expect(200)

        let locked = try await otto.client.put(user(ada, "/lock"), ["reason": "Sends junk"]).expect(200).json
        #expect(locked["is_locked_by_operator"] == true && locked["lock_reason"] == "Sends junk")
        #expect(try await ada.client.get("/v1/auth/me").status == 401)
        #expect(try await byKey.get("/v1/teams").status == 401)
        #expect(try await guest.login().code == "invalid-credentials")
        #expect(try await guest.mail("account-locked").text("reason") == "Sends junk")

        try await guest.client.post("/v1/auth/password-reset", ["email": .string(ada.email)]).expect(202)
        let code = try await guest.mail("password-reset").text("code")
        try await guest.client.post(
            "/v1/auth/password-reset/confirm",
            ["email": .string(ada.email), "code": .string(code), "password": "another-long-secret-43"]
        ).expect(204)
        #expect(try await guest.login(password: "another-long-secret-43").code == "invalid-credentials")

        #expect(
            try await otto.client.get("/v1/admin/users?status=locked&email=\(ada.email)").json["data"]?
                .arrayValue?.count == 1)
        let opened = try await otto.client.delete(user(ada, "/lock")).expect(200).json
        #expect(opened["status"] == "active" && opened["lock_reason"]?.isNull == true)
        try await guest.login(password: "another-long-secret-43").expect(200)
        try await byKey.get("/v1/teams").expect(200)
        let kinds = try await kinds(otto, ada)
        #expect(kinds.contains("account_locked") && kinds.contains("account_unlocked"))
        let all =
            try await otto.client.get(
                "/v1/admin/security-events?kind=account_locked,account_unlocked&user_id=\(ada.userId)"
            ).expect(200).json["data"]?.arrayValue ?? []
        #expect(all.map { $0["kind"] } == ["account_unlocked", "account_locked"])
        #expect(
            all.allSatisfy {
                $0["user_email"]?.stringValue == ada.email
                    && $0["detail"]?["by_operator"]?.stringValue == otto.userId
            })
        #expect(try await otto.client.put(user(otto, "/lock"), ["reason": "Me"]).code == "operator-is-you")
    }

    @Test func `a demanded new password opens the account again, and sessions can be ended alone`()
        async throws
    {
        let server = try await House.shared()
        let otto = try await Person.operator(on: server)
        let ada = try await Person(signedUpOn: server, company: "Reset House")
        let guest = Guest(server, ada.email)
        try await otto.client.delete(user(ada, "/sessions")).expect(204)
        #expect(try await ada.client.get("/v1/auth/me").status == 401)
        let again = try await guest.login().expect(200).json.text("access_token")

        let answer = try await otto.client.post(user(ada, "/password-reset"), [:]).expect(200).json
        #expect(answer["status"] == "locked" && answer["is_locked_by_operator"] == false)
        #expect(try await server.client.with(token: again).get("/v1/auth/me").status == 401)
        #expect(try await guest.login().code == "invalid-credentials")
        let code = try await guest.mail("password-reset").text("code")
        try await guest.client.post(
            "/v1/auth/password-reset/confirm",
            ["email": .string(ada.email), "code": .string(code), "password": "another-long-secret-43"]
        ).expect(204)
        try await guest.login(password: "another-long-secret-43").expect(200)
        #expect(try await kinds(otto, ada).contains("password_reset_demanded"))
    }

    @Test func `support works in somebody's name, under both names, without the keys of the house`()
        async throws
    {
        let server = try await House.shared()
        let otto = try await Person.operator(on: server)
        let ada = try await Person(signedUpOn: server, company: "Supported House")
        let company = try #require(ada.companyId)
        let begin = { (who: Person) in
            try await otto.client.post(
                user(who, "/impersonation"),
                ["company_id": .string(company), "reason": "Ticket 4711: the board stays empty"])
        }
        let begun = try await begin(ada).expect(200).json
        let inHerName = server.client.with(token: try begun.text("access_token"))
        #expect(try await inHerName.get("/v1/auth/me").json["id"]?.stringValue == ada.userId)
        let team = try await inHerName.post("/v1/teams", ["name": "Weavers"]).expect(201).json.text("id")
        let key = try await inHerName.post("/v1/api-keys", ["name": "Mine", "scopes": ["teams:read"]])
        #expect(key.code == "forbidden")
        #expect(
            try await inHerName.put(
                "/v1/auth/password", ["current_password": "x", "new_password": "a-brand-new-secret-9"]
            ).code == "not-in-anothers-name")
        #expect(try await inHerName.get("/v1/admin/users").code == "forbidden")

        #expect(try await Guest(server, ada.email).mail("impersonated").text("actor") == otto.name)
        let acts = try await ada.client.get("/v1/activity?action=team.created").expect(200).json["data"]?
            .arrayValue
        let act = try #require(acts?.first { $0["target_id"]?.stringValue == team })
        #expect(act["actor_id"]?.stringValue == ada.userId && act["behind_id"]?.stringValue == otto.userId)
        let sessions =
            try await ada.client.get("/v1/auth/sessions").expect(200).json["data"]?.arrayValue ?? []
        #expect(sessions.contains { $0["impersonation_reason"]?.stringValue?.hasPrefix("Ticket") == true })

        let listed = try await otto.client.get("/v1/admin/impersonations?user_id=\(ada.userId)").expect(200)
            .json
        let entry = try #require(listed["data"]?.arrayValue?.first)
        #expect(entry["is_by_support"] == true && entry["is_under_way"] == true)
        try await otto.client.delete("/v1/admin/impersonations/\(entry.text("id"))").expect(204)
        #expect(try await inHerName.get("/v1/teams").status == 401)

        let again = server.client.with(token: try await begin(ada).expect(200).json.text("access_token"))
        try await again.get("/v1/teams").expect(200)
        try await ada.client.patch("/v1/company/settings", ["allows_impersonation": false]).expect(200)
        #expect(try await again.get("/v1/teams").status == 401)
        #expect(try await begin(ada).code == "impersonation-refused")
        let eve = try await Person(signedUpOn: server, company: "Other House")
        #expect(try await begin(eve).code == "no-such-company")
    }
}
