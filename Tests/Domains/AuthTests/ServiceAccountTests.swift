import Auth
import Companies
import TestSupport
import Testing
import Wire

@Suite(.serialized) struct ServiceAccountTests {
    private func account(of owner: Person, _ role: String) async throws -> String {
        try await owner.client.post(
            "/v1/service-accounts",
            ["name": "Nightly export", "description": "Feeds the warehouse", "role_ids": [.string(role)]]
        ).expect(201).json.text("id")
    }

    private func key(of owner: Person, for account: String, scopes: [JSON]) async throws -> Answer {
        try await owner.client.post(
            "/v1/api-keys",
            ["name": "Export", "scopes": .array(scopes), "service_account_id": .string(account)])
    }

    @Test func `a service account works on when whoever made it has left`() async throws {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Service House")
        let admin = try await owner.colleague(.admin)
        let account = try await account(of: admin, owner.roleId(.manager))
        let made = try await key(of: admin, for: account, scopes: ["teams:read", "teams:write"]).expect(201)
        let program = server.client.with(token: try made.json.text("key"))
        try await program.post("/v1/teams", ["name": "Weavers"]).expect(201)

        let members = try await owner.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        #expect(members.count == 2)
        let left = try #require(members.first { $0["user_id"]?.stringValue == admin.userId })
        try await owner.client.delete("/v1/members/\(left.text("id"))").expect(204)
        try await program.post("/v1/teams", ["name": "Spinners"]).expect(201)

        // What it did stands under its own name.
        let acts = try await owner.client.get("/v1/activity?action=team.created").expect(200)
        let names = acts.json["data"]?.arrayValue?.compactMap { $0["actor_name"]?.stringValue } ?? []
        #expect(names == ["Nightly export", "Nightly export"])
        let me = try await program.get("/v1/auth/me").expect(200)
        #expect(me.json["email"]?.isNull == true && me.json["name"] == "Nightly export")
    }

    @Test func `its keys follow its roles, and stop while it is disabled`() async throws {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Service House")
        let account = try await account(of: owner, owner.roleId(.manager))
        let path = "/v1/service-accounts/\(account)"
        let made = try await key(of: owner, for: account, scopes: ["teams:read", "teams:write"]).expect(201)
        let program = server.client.with(token: try made.json.text("key"))
        try await program.get("/v1/teams").expect(200)
        try await owner.client.patch(path, ["role_ids": [.string(owner.roleId(.viewer))]]).expect(200)
        #expect(try await program.post("/v1/teams", ["name": "Weavers"]).code == "forbidden")
        try await program.get("/v1/teams").expect(200)
        let disabled = try await owner.client.patch(path, ["is_enabled": false]).expect(200)
        #expect(disabled.json["is_enabled"] == false && disabled.json["key_count"] == 1)
        #expect(try await program.get("/v1/teams").status == 401)
        try await owner.client.patch(path, ["is_enabled": true, "name": "Hourly export"]).expect(200)
        try await program.get("/v1/teams").expect(200)
        try await owner.client.delete(path).expect(204)
        #expect(try await program.get("/v1/teams").status == 401)
        #expect(try await owner.client.get(path).status == 404)
        #expect(try await owner.client.delete(path).status == 404)
    }

    @Test func `it holds no more than its maker, is never an owner, takes no seat and is no member`()
        async throws
    {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Service House")
        let before = try await owner.client.get("/v1/company/usage").expect(200).json["seats_used"]
        let body = { (role: String) -> JSON in ["name": "Robot", "role_ids": [.string(role)]] }
        let refused = try await owner.client.post("/v1/service-accounts", body(owner.roleId(.owner)))
        #expect(refused.status == 422)
        let role = try await owner.makeRole("Machinist", [.serviceAccountsWrite, .apiKeysWrite, .rolesRead])
        let machinist = try await owner.colleague(roleIds: [role])
        let tooMuch = try await machinist.client.post("/v1/service-accounts", body(owner.roleId(.admin)))
        #expect(tooMuch.code == "grant-exceeds-own-rights")
        let robot = try await account(of: owner, owner.roleId(.viewer))
        let beyond = try await key(of: owner, for: robot, scopes: ["teams:write"])
        #expect(beyond.code == "scope-not-held")
        let stranger = try await key(of: owner, for: UUID.v7().description, scopes: ["teams:read"])
        #expect(stranger.status == 422)
        #expect(try await owner.client.get("/v1/members/\(robot)").status == 404)
        #expect(try await owner.client.delete("/v1/members/\(robot)").status == 404)
        #expect(try await owner.client.get("/v1/company/usage").json["seats_used"] != before)
        let people = try await owner.client.get("/v1/company/usage").json["seats_used"]
        _ = try await account(of: owner, owner.roleId(.viewer))
        #expect(try await owner.client.get("/v1/company/usage").json["seats_used"] == people)
    }

    @Test func `another company's service account does not exist`() async throws {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Service House")
        let eve = try await Person(signedUpOn: server, company: "Other House")
        let robot = try await account(of: owner, owner.roleId(.viewer))
        #expect(try await eve.client.get("/v1/service-accounts/\(robot)").status == 404)
        #expect(try await eve.client.patch("/v1/service-accounts/\(robot)", ["name": "Mine"]).status == 404)
        #expect(try await key(of: eve, for: robot, scopes: ["teams:read"]).status == 422)
    }
}
