import TestSupport
import Testing
import Wire

@Suite(.serialized) struct APIKeyTests {
    private func make(_ person: Person, _ extra: JSON.Object = .init(), scopes: [String] = ["teams:read"])
        async throws -> JSON
    {
        var body = extra
        body["name"] = "Export"
        body["scopes"] = .array(scopes.map { .string($0) })
        return try await person.client.post("/v1/api-keys", .object(body)).expect(201).json
    }

    @Test func `a key does what its scopes say, in its company, and no more`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let made = try await make(ada)
        let key = try made.text("key")
        #expect(key.hasPrefix("inf_live_"))
        let program = server.client.with(token: key)
        try await program.get("/v1/teams").expect(200)
        let refused = try await program.post("/v1/teams", ["name": "Weavers"])
        #expect(refused.status == 403 && refused.code == "forbidden")
        #expect(
            try await program.post("/v1/api-keys", ["name": "More", "scopes": ["teams:read"]]).status == 403)
        #expect(try await program.get("/v1/auth/sessions").code == "session-required")
        // The text is shown once and kept nowhere.
        let shown = try await ada.client.get("/v1/api-keys/\(try made.text("id"))").expect(200)
        #expect(!shown.text.contains(key))
        let kept = try server.database.psql("SELECT count(*) FROM api_keys k WHERE k::text LIKE '%\(key)%'")
        #expect(kept == "0\n")
    }

    @Test func `nobody gives a key what he does not hold`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let answer = try await ada.client.post(
            "/v1/api-keys", ["name": "All", "scopes": ["teams:read", "moon:land"]])
        #expect(answer.code == "scope-not-held")
        #expect(answer.json["detail"]?.stringValue?.contains("moon:land") == true)
    }

    @Test func `a key falls with its maker's rights, from the next request`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let admin = try await ada.colleague(.admin)
        let key = try await make(admin, scopes: ["teams:read", "teams:write"]).text("key")
        let program = server.client.with(token: key)
        try await program.post("/v1/teams", ["name": "Weavers"]).expect(201)
        let members = try await ada.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        let member = try #require(members.first { $0["user_id"]?.stringValue == admin.userId })
        try await ada.client.put(
            "/v1/members/\(try member.text("id"))/roles",
            ["role_ids": [.string(try await ada.roleId(.viewer))]]
        ).expect(200)
        #expect(try await program.post("/v1/teams", ["name": "Spinners"]).status == 403)
        try await ada.client.delete("/v1/members/\(try member.text("id"))").expect(204)
        #expect(try await program.get("/v1/teams").status == 401)
        #expect(try await admin.client.get("/v1/teams").status != 200)
    }

    @Test func `a key works only from the addresses on its list`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let away = try await make(ada, ["ip_allow_list": ["192.0.2.0/24"]]).text("key")
        #expect(try await server.client.with(token: away).get("/v1/teams").code == "address-not-allowed")
        let home = try await make(ada, ["ip_allow_list": ["192.0.2.0/24", "127.0.0.1"]]).text("key")
        for _ in 0..<2 { try await server.client.with(token: home).get("/v1/teams").expect(200) }
        let bad = try await ada.client.post(
            "/v1/api-keys", ["name": "x", "scopes": ["teams:read"], "ip_allow_list": ["not an address"]])
        #expect(bad.status == 422)
    }

    @Test func `a revoked and an expired key open nothing`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let made = try await make(ada)
        let program = server.client.with(token: try made.text("key"))
        try await program.get("/v1/teams").expect(200)
        try await ada.client.delete("/v1/api-keys/\(try made.text("id"))").expect(204)
        #expect(try await program.get("/v1/teams").status == 401)
        let expiring = try await make(ada, ["expires_at": .string((Timestamp.now + .seconds(1)).description)])
        let other = server.client.with(token: try expiring.text("key"))
        _ = try await eventually(within: .seconds(3)) {
            try await other.get("/v1/teams").status == 401 ? true : nil
        }
        #expect(
            try await ada.client.post(
                "/v1/api-keys", ["name": "x", "scopes": ["teams:read"], "expires_at": "2001-01-01T00:00:00Z"]
            ).status == 422)
    }

    @Test func `a rotated key works beside the old one for its grace`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let made = try await make(ada)
        let id = try made.text("id")
        let old = server.client.with(token: try made.text("key"))
        let second = try await ada.client.post("/v1/api-keys/\(id)/rotate", ["grace_seconds": 3600]).expect(
            200
        ).json
        try await old.get("/v1/teams").expect(200)
        try await server.client.with(token: try second.text("key")).get("/v1/teams").expect(200)
        try await ada.client.post("/v1/api-keys/\(id)/rotate", ["grace_seconds": 0]).expect(200)
        #expect(try await server.client.with(token: try second.text("key")).get("/v1/teams").status == 401)
    }

    @Test func `another company's keys do not exist`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let eve = try await Person(signedUpOn: server, company: "Other House")
        let id = try await make(ada).text("id")
        #expect(try await eve.client.get("/v1/api-keys/\(id)").status == 404)
        #expect(try await eve.client.patch("/v1/api-keys/\(id)", ["name": "Mine"]).status == 404)
        #expect(try await eve.client.delete("/v1/api-keys/\(id)").status == 404)
        #expect(try await eve.client.get("/v1/api-keys").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test func `a key is changed, listed and remembers its last use`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let made = try await make(ada)
        let id = try made.text("id")
        try await server.client.with(token: try made.text("key")).get("/v1/teams").expect(200)
        let changed = try await ada.client.patch(
            "/v1/api-keys/\(id)", ["name": "Nightly", "expires_at": "2040-01-01T00:00:00Z"]
        ).expect(200).json
        #expect(changed["name"] == "Nightly" && changed["version"] == 2)
        #expect(changed["last_used_at"]?.stringValue != nil)
        #expect(
            try await ada.client.patch("/v1/api-keys/\(id)", ["expires_at": nil]).expect(200).json[
                "expires_at"] == .null)
        let listed = try await ada.client.get("/v1/api-keys?q=night").expect(200).json["data"]?.arrayValue
        #expect(listed?.count == 1)
    }

    @Test func `a mistyped key is refused without asking the database`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Key House")
        let key = try await make(ada).text("key")
        let mistyped = String(key.dropLast()) + (key.last == "a" ? "b" : "a")
        #expect(try await server.client.with(token: mistyped).get("/v1/teams").status == 401)
    }
}
