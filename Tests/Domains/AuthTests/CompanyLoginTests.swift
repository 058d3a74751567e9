import API
import Companies
import TestSupport
import Testing
import Wire

/// Companies' own domains and providers.
@Suite(.serialized) struct CompanyLoginTests {
    struct Ground {
        let provider: FakeProvider
        let names: FakeNameServer
        let server: TestServer

        static func shared() async throws -> Ground { try await made.value }
        private static let made = Task { try await Ground() }

        private init() async throws {
            provider = try FakeProvider()
            names = try FakeNameServer()
            server = try await House.another([
                "INFINITY_NAME_SERVERS": names.setting, "INFINITY_SSO_ALLOWED_RANGES": "127.0.0.0/8",
            ])
        }

        func freshDomain() -> String { "d\(UUID.v7().description.suffix(12)).example" }

        func owner(_ company: String = "Loom Works") async throws -> Person {
            try await Person(signedUpOn: server, company: company)
        }

        /// Adds a domain and proves it.
        func verified(_ domain: String, by owner: Person) async throws -> String {
            let added = try await owner.client.post("/v1/domains", ["domain": .string(domain)]).expect(201)
                .json
            names.say([try added.text("record_value")], at: try added.text("record_name"))
            let id = try added.text("id")
            let answer = try await owner.client.post("/v1/domains/\(id)/verification").expect(200)
            guard answer.json["state"] == "verified" else { throw Client.Failure(description: "\(answer)") }
            return id
        }

        func signUp(_ email: String) async throws -> Person {
            try await server.client.post(
                "/v1/auth/signup",
                ["email": .string(email), "password": .string(Person.password), "name": "Grace Hopper"]
            ).expect(202)
            let code = try await server.mails(to: email)[0]["context"].need("code")
            try await server.client.post(
                "/v1/auth/email-verification/confirm", ["email": .string(email), "code": code]
            ).expect(200)
            return try await Person(signingInOn: server, email: email)
        }

        func connection(_ owner: Person, provisions: Bool = true) async throws -> String {
            let made = try await owner.client.post(
                "/v1/sso-connections",
                [
                    "name": "Directory", "issuer": .string(provider.issuer),
                    "client_id": .string(FakeProvider.clientId),
                    "client_secret": .string(FakeProvider.clientSecret),
                    "provisions_members": .bool(provisions),
                ]
            ).expect(201)
            return try made.json.text("id")
        }

        func login(_ email: String, as person: FakeProvider.Person) async throws -> Answer {
            let begun = try await server.client.post("/v1/auth/sso/authorize", ["email": .string(email)])
                .expect(200).json
            let back = try provider.agree(to: begun.text("authorization_url"), as: person)
            return try await server.client.post(
                "/v1/auth/oauth/completion",
                [
                    "state": .string(back.state), "code": .string(back.code),
                    "flow_token": .string(begun.text("flow_token")),
                ])
        }
    }

    @Test func `a domain is the company's when its zone says so, and one company's alone`() async throws {
        let ground = try await Ground.shared()
        let domain = ground.freshDomain()
        let owner = try await ground.owner()
        let added = try await owner.client.post("/v1/domains", ["domain": .string(domain.uppercased())])
            .expect(201)
        let id = try added.json.text("id")
        #expect(
            added.json["record_name"] == .string("_infinity.\(domain)") && added.json["state"] == "pending")
        let check = { try await owner.client.post("/v1/domains/\(id)/verification") }
        let missing = try await check().expect(200)
        #expect(missing.json["state"] == "pending")
        #expect(missing.json["last_fault"]?.stringValue?.contains("no TXT record") == true)
        ground.names.say(["something else"], at: "_infinity.\(domain)")
        #expect(try await check().json["last_fault"]?.stringValue?.contains("none of them") == true)
        #expect(
            try await owner.client.patch("/v1/domains/\(id)", ["join_rule": "auto"]).code
                == "domain-not-verified")
        // Among others, and so long that it must be fetched by TCP.
        let proof = try added.json.text("record_value")
        ground.names.say(
            (0..<12).map { "filler \($0) " + String(repeating: "x", count: 300) } + [proof],
            at: "_infinity.\(domain)")
        #expect(try await check().expect(200).json["state"] == "verified")
        #expect(
            try await owner.client.post("/v1/domains", ["domain": .string(domain)]).code == "domain-known")

        let other = try await ground.owner("Other House")
        let theirs = try await other.client.post("/v1/domains", ["domain": .string(domain)]).expect(201).json
        ground.names.say([try theirs.text("record_value"), proof], at: "_infinity.\(domain)")
        #expect(
            try await other.client.post("/v1/domains/\(theirs.text("id"))/verification").code
                == "domain-taken")
        #expect(try await other.client.get("/v1/domains/\(id)").status == 404)
        #expect(
            try await owner.client.post("/v1/domains", ["domain": "gmail.com"]).code == "domain-is-public")
        try await owner.client.delete("/v1/domains/\(id)").expect(204)
        #expect(
            try await other.client.post("/v1/domains/\(theirs.text("id"))/verification").expect(200).json[
                "state"]
                == "verified")
    }

    @Test func `silent name servers prove nothing and take nothing away`() async throws {
        let ground = try await Ground.shared()
        let owner = try await ground.owner()
        let id = try await ground.verified(ground.freshDomain(), by: owner)
        ground.names.beSilent(true)
        defer { ground.names.beSilent(false) }
        let answer = try await owner.client.post("/v1/domains/\(id)/verification")
        #expect(answer.status == 503 && answer.code == "name-servers-silent")
        #expect(try await owner.client.get("/v1/domains/\(id)").json["state"] == "verified")
    }

    @Test func `people of a domain are let in, or ask, as the company says`() async throws {
        let ground = try await Ground.shared()
        let domain = ground.freshDomain()
        let owner = try await ground.owner()
        let id = try await ground.verified(domain, by: owner)
        let early = try await ground.signUp("early@\(domain)")
        #expect(
            try await early.client.get("/v1/joinable-companies").json["data"]?.arrayValue?.isEmpty == true)
        #expect(early.companyId == nil)

        try await owner.client.patch("/v1/domains/\(id)", ["join_rule": "ask"]).expect(200)
        let offered = try await early.client.get("/v1/joinable-companies").expect(200).json["data"]?[0]
        #expect(offered?["name"] == "Loom Works" && offered?["join_rule"] == "ask")
        let path = "/v1/joinable-companies/\(try #require(owner.companyId))/membership"
        let asked = try await early.client.post(path).expect(200)
        #expect(asked.json["outcome"] == "asked")
        #expect(try await early.client.post(path).json["request_id"] == asked.json["request_id"])
        let request = try await owner.client.get("/v1/join-requests").expect(200).json["data"]?[0]
        #expect(request?["domain"] == .string(domain) && request?["link_id"]?.isNull == true)
        try await owner.client.post("/v1/join-requests/\(asked.json.text("request_id"))/approval").expect(200)
        #expect(try await Person(signingInOn: ground.server, email: early.email).companyId == owner.companyId)

        // From now on whoever confirms such an address is in.
        try await owner.client.patch("/v1/domains/\(id)", ["join_rule": "auto"]).expect(200)
        let late = try await ground.signUp("late@\(domain)")
        #expect(late.companyId == owner.companyId)
        #expect(try await late.client.post("/v1/teams", ["name": "Mine"]).code == "forbidden")
        let stranger = try await ground.signUp("late@sub.\(domain)")
        #expect(stranger.companyId == nil)
        #expect(try await stranger.client.post(path).status == 404)
    }

    @Test func `a role given by a domain is one that its giver holds, and never that of an owner`()
        async throws
    {
        let ground = try await Ground.shared()
        let owner = try await ground.owner()
        let id = try await ground.verified(ground.freshDomain(), by: owner)
        let change = { (who: Person, role: String) in
            try await who.client.patch("/v1/domains/\(id)", ["join_rule": "auto", "role_id": .string(role)])
        }
        #expect(try await change(owner, owner.roleId(.owner)).status == 422)
        let keeper = try await owner.colleague(
            roleIds: [owner.makeRole("Keeper of domains", [.domainsRead, .domainsWrite, .rolesRead])])
        #expect(try await change(keeper, owner.roleId(.admin)).code == "grant-exceeds-own-rights")
        try await change(owner, owner.roleId(.viewer)).expect(200)
    }

    @Test func `people sign in by their company, and are members from the first time`() async throws {
        let ground = try await Ground.shared()
        let domain = ground.freshDomain()
        let owner = try await ground.owner()
        let connection = try await ground.connection(owner)
        let path = "/v1/sso-connections/\(connection)"
        #expect(try await owner.client.patch(path, ["is_enabled": true]).code == "sso-needs-domain")
        let domainId = try await ground.verified(domain, by: owner)
        let trial = try await owner.client.post("\(path)/test").expect(200)
        #expect(trial.json["is_working"] == true, "\(trial)")
        let before = try await ground.server.client.post(
            "/v1/auth/sso/discovery", ["email": .string("a@\(domain)")])
        #expect(before.json["is_available"] == false)
        let enabled = try await owner.client.patch(path, ["is_enabled": true]).expect(200)
        #expect(!enabled.text.contains(FakeProvider.clientSecret))
        let after = try await ground.server.client.post(
            "/v1/auth/sso/discovery", ["email": .string("a@\(domain)")])
        #expect(after.json["is_available"] == true && after.json["is_required"] == false)
        #expect(try await owner.client.delete("/v1/domains/\(domainId)").code == "domain-in-use")

        let email = "grace@\(domain)"
        let grace = FakeProvider.Person("grace-\(domain)", email: email)
        let first = try await ground.login(email, as: grace).expect(200)
        #expect(first.json["company_id"] == .string(owner.companyId ?? ""))
        let client = ground.server.client.with(token: try first.json.text("access_token"))
        try await client.get("/v1/teams").expect(200)
        let again = try await ground.login(email, as: grace).expect(200)
        #expect(again.json["user_id"] == first.json["user_id"])

        // The company may ask for this way alone.
        try await owner.client.put(
            "/v1/company/security-policy",
            ["mfa_required": false, "login_methods": ["sso"], "ip_allow_list": []]
        ).expect(200)
        #expect(try await owner.client.get("/v1/teams").code == "login-method-not-allowed")
        try await client.get("/v1/teams").expect(200)
    }

    @Test func `a company's provider is believed about its own domains alone`() async throws {
        let ground = try await Ground.shared()
        let domain = ground.freshDomain()
        let mallory = try await ground.owner("Mallory's")
        _ = try await ground.verified(domain, by: mallory)
        let connection = try await ground.connection(mallory)
        try await mallory.client.patch("/v1/sso-connections/\(connection)", ["is_enabled": true]).expect(200)
        // Her provider says that somebody is the owner of another company.
        let victim = try await ground.owner("Victim's")
        let lie = FakeProvider.Person("lie-\(domain)", email: victim.email)
        #expect(try await ground.login("x@\(domain)", as: lie).code == "identity-without-address")
        let unverified = FakeProvider.Person("u-\(domain)", email: "boss@\(domain)", isVerified: false)
        #expect(try await ground.login("x@\(domain)", as: unverified).code == "identity-without-address")
        // Nor is an identity of one connection good for another company's.
        let other = try await ground.owner("Other House")
        let otherDomain = ground.freshDomain()
        _ = try await ground.verified(otherDomain, by: other)
        let second = try await ground.connection(other, provisions: false)
        try await other.client.patch("/v1/sso-connections/\(second)", ["is_enabled": true]).expect(200)
        let boss = FakeProvider.Person("boss-\(domain)", email: "boss@\(domain)")
        try await ground.login("boss@\(domain)", as: boss).expect(200)
        #expect(try await ground.login("x@\(otherDomain)", as: boss).code == "identity-without-address")
        // Without provisioning only members come in.
        let newcomer = FakeProvider.Person("new-\(domain)", email: "new@\(otherDomain)")
        #expect(try await ground.login("new@\(otherDomain)", as: newcomer).code == "sso-not-allowed-in")
    }

    @Test func `a provider on the inside is out of reach unless the operator has allowed it`() async throws {
        let ground = try await Ground.shared()
        let server = try await House.another(["INFINITY_NAME_SERVERS": ground.names.setting])
        let owner = try await Person(signedUpOn: server, company: "Inside Out")
        let made = try await owner.client.post(
            "/v1/sso-connections",
            ["name": "Inside", "issuer": .string(ground.provider.issuer), "client_id": "x"]
        ).expect(201)
        let trial = try await owner.client.post("/v1/sso-connections/\(made.json.text("id"))/test").expect(
            200)
        #expect(trial.json["is_working"] == false)
        #expect(trial.json["detail"]?.stringValue?.contains("addressNotAllowed") == true)
        await server.stop()
    }

    @Test func `another company's connection and join rule do not exist`() async throws {
        let ground = try await Ground.shared()
        let owner = try await ground.owner()
        let eve = try await ground.owner("Other House")
        let connection = try await ground.connection(owner)
        for path in ["/v1/sso-connections/\(connection)"] {
            #expect(try await eve.client.get(path).status == 404)
            #expect(try await eve.client.patch(path, ["name": "Mine"]).status == 404)
            #expect(try await eve.client.delete(path).status == 404)
            #expect(try await eve.client.post("\(path)/test").status == 404)
        }
    }
}
