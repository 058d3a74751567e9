import Crypto
import TestSupport
import Testing
import Wire

@Suite(.serialized) struct FederationTests {
    /// A server that knows one provider, as `oidc` and as `github`.
    struct Ground {
        let provider: FakeProvider
        let server: TestServer

        static func shared() async throws -> Ground { try await made.value }
        private static let made = Task { try await Ground() }

        private init() async throws {
            provider = try FakeProvider()
            server = try await House.another([
                "INFINITY_OIDC_ISSUER": provider.issuer, "INFINITY_OIDC_CLIENT_ID": FakeProvider.clientId,
                "INFINITY_OIDC_CLIENT_SECRET": FakeProvider.clientSecret, "INFINITY_OIDC_NAME": "Loom",
                "INFINITY_GITHUB_CLIENT_ID": FakeProvider.clientId,
                "INFINITY_GITHUB_CLIENT_SECRET": FakeProvider.clientSecret,
                "INFINITY_GITHUB_URL": provider.issuer,
                "INFINITY_CORS_ORIGINS": "https://app.example",
            ])
        }

        func begin(_ provider: String = "oidc", _ body: JSON = [:]) async throws -> JSON {
            try await server.client.post("/v1/auth/oauth/\(provider)/authorize", body).expect(200).json
        }

        /// Begins, agrees and comes back.
        func login(_ person: FakeProvider.Person, by id: String = "oidc", _ more: JSON.Object = .init())
            async throws
            -> Answer
        {
            let begun = try await begin(id)
            return try await finish(
                begun, provider.agree(to: begun.text("authorization_url"), as: person), more)
        }

        func finish(_ begun: JSON, _ back: (state: String, code: String), _ more: JSON.Object = .init())
            async throws
            -> Answer
        {
            var body = more
            body["state"] = .string(back.state)
            body["code"] = .string(back.code)
            body["flow_token"] = .string(try begun.text("flow_token"))
            return try await server.client.post("/v1/auth/oauth/completion", .object(body))
        }

        func subject() -> String { "subject-\(UUID.v7())" }
    }

    @Test func `somebody new comes by a provider, and again as the same person`() async throws {
        let ground = try await Ground.shared()
        let listed = try await ground.server.client.get("/v1/auth/oauth/providers").expect(200)
        #expect(listed.json["providers"]?.arrayValue?.map { $0["name"]?.stringValue } == ["GitHub", "Loom"])
        let email = Person.freshAddress()
        let ada = FakeProvider.Person(ground.subject(), email: email)
        let first = try await ground.login(ada).expect(200)
        let client = ground.server.client.with(token: try first.json.text("access_token"))
        let me = try await client.get("/v1/auth/me").expect(200)
        #expect(me.json["email"] == .string(email) && me.json["name"] == "Ada Lovelace")
        #expect(
            me.json["password_changed_at"]?.isNull == true && me.json["email_verified_at"]?.isNull == false)
        let sessions = try await client.get("/v1/auth/sessions").expect(200)
        #expect(sessions.json["data"]?[0]?["methods"] == ["social"])
        // The provider's own name for her decides from now on, whatever address it tells.
        let moved = FakeProvider.Person(ada.subject, email: Person.freshAddress(), isVerified: false)
        let second = try await ground.login(moved).expect(200)
        #expect(second.json["user_id"] == first.json["user_id"])
    }

    @Test func `a verified address finds the account and its owner is told; an unverified one finds none`()
        async throws
    {
        let ground = try await Ground.shared()
        let guest = try await Guest.withAccount(on: ground.server, company: "Loom Works")
        let thief = FakeProvider.Person(ground.subject(), email: guest.email, isVerified: false)
        #expect(try await ground.login(thief).code == "identity-without-address")
        let nobody = FakeProvider.Person(ground.subject(), email: nil)
        #expect(try await ground.login(nobody).code == "identity-without-address")
        let fresh = FakeProvider.Person(ground.subject(), email: Person.freshAddress(), isVerified: false)
        #expect(try await ground.login(fresh).code == "identity-without-address")
        let owner = FakeProvider.Person(ground.subject(), email: guest.email.uppercased())
        let linked = try await ground.login(owner).expect(200)
        let own = try await guest.login().expect(200)
        #expect(linked.json["user_id"] == own.json["user_id"])
        #expect(linked.json["company_id"]?.isNull == false)
        let told = try await guest.mail("identity-linked")
        #expect(told["provider"] == "Loom")
        // The button of that mail throws the identity out with everything else.
        try await ground.server.client.post("/v1/auth/not-me", ["token": .string(Guest.token(in: told))])
            .expect(204)
        #expect(try await ground.login(owner).code == "identity-refused")
    }

    @Test(arguments: FakeProvider.Mischief.allCases.filter { $0 != .none })
    func `a provider's word that does not hold opens nothing`(_ mischief: FakeProvider.Mischief) async throws
    {
        let ground = try await Ground.shared()
        let ada = FakeProvider.Person(ground.subject(), email: Person.freshAddress())
        ground.provider.misbehave(mischief)
        defer { ground.provider.misbehave(.none) }
        let answer = try await ground.login(ada)
        #expect(answer.status == 422 && answer.code == "identity-refused")
        ground.provider.misbehave(.none)
        try await ground.login(ada).expect(200)
    }

    @Test func `a way in ends once, where it began, and with its own code`() async throws {
        let ground = try await Ground.shared()
        let ada = FakeProvider.Person(ground.subject(), email: Person.freshAddress())
        let begun = try await ground.begin()
        let back = try ground.provider.agree(to: begun.text("authorization_url"), as: ada)
        // Somebody else's browser.
        let other = try await ground.begin()
        #expect(try await ground.finish(other, back).code == "token-invalid")
        let without = try await ground.server.client.post(
            "/v1/auth/oauth/completion", ["state": .string(back.state), "code": .string(back.code)])
        #expect(without.code == "token-invalid")
        // A code that the provider never gave; the flow is then over.
        #expect(try await ground.finish(begun, (back.state, "guessed")).code == "identity-refused")
        #expect(try await ground.finish(begun, back).code == "token-invalid")
        // Another issuer's answer.
        let third = try await ground.begin()
        let good = try ground.provider.agree(to: third.text("authorization_url"), as: ada)
        #expect(
            try await ground.finish(third, good, ["iss": "https://evil.example"]).code == "identity-refused")
        let open = try await ground.server.client.post(
            "/v1/auth/oauth/oidc/authorize", ["redirect_uri": "https://evil.example/steal"])
        #expect(open.status == 422)
        let own = try await ground.begin("oidc", ["redirect_uri": "https://app.example/back"])
        #expect(try own.text("authorization_url").contains("app.example%2Fback"))
        #expect(try await ground.server.client.post("/v1/auth/oauth/nobody/authorize", [:]).status == 404)
    }

    @Test func `new keys of the provider are found when a token names them`() async throws {
        let provider = try FakeProvider()
        let server = try await House.another([
            "INFINITY_OIDC_ISSUER": provider.issuer, "INFINITY_OIDC_CLIENT_ID": FakeProvider.clientId,
            "INFINITY_OIDC_CLIENT_SECRET": FakeProvider.clientSecret,
        ])
        func login() async throws -> Int {
            let begun = try await server.client.post("/v1/auth/oauth/oidc/authorize", [:]).expect(200).json
            let back = try provider.agree(
                to: begun.text("authorization_url"), as: .init("one", email: "one-\(UUID.v7())@example.com"))
            return try await server.client.post(
                "/v1/auth/oauth/completion",
                [
                    "state": .string(back.state), "code": .string(back.code),
                    "flow_token": .string(begun.text("flow_token")),
                ]
            ).status
        }
        #expect(try await login() == 200)
        provider.changeKeys()
        #expect(try await login() == 200)
        provider.changeKeys()
        // Out of turn keys are asked for once a minute at most, so that nobody makes us ask by sending nonsense.
        #expect(try await login() == 422)
        await server.stop()
    }

    @Test func `GitHub's own way works as well`() async throws {
        let ground = try await Ground.shared()
        let ada = FakeProvider.Person(String(Int.random(in: 1...1_000_000_000)), email: Person.freshAddress())
        let first = try await ground.login(ada, by: "github").expect(200)
        let second = try await ground.login(ada, by: "github").expect(200)
        #expect(first.json["user_id"] == second.json["user_id"])
        let unverified = FakeProvider.Person("77", email: Person.freshAddress(), isVerified: false)
        #expect(try await ground.login(unverified, by: "github").code == "identity-without-address")
    }

    @Test func `identities are linked and unlinked by their owner alone`() async throws {
        let ground = try await Ground.shared()
        let server = ground.server
        let ada = try await Person(signedUpOn: server, company: nil)
        let eve = try await Person(signedUpOn: server, company: nil)
        // Another address than that of the account, and not even verified: she is signed in to both.
        let identity = FakeProvider.Person(ground.subject(), email: Person.freshAddress(), isVerified: false)
        func link(_ person: Person, finishing other: Person? = nil) async throws -> Answer {
            let begun = try await person.client.post("/v1/auth/identities/authorize", ["provider": "oidc"])
                .expect(200).json
            let back = try ground.provider.agree(to: begun.text("authorization_url"), as: identity)
            return try await (other ?? person).client.post(
                "/v1/auth/identities/completion",
                [
                    "state": .string(back.state), "code": .string(back.code),
                    "flow_token": .string(begun.text("flow_token")),
                ])
        }
        #expect(try await link(ada, finishing: eve).code == "token-invalid")
        let linked = try await link(ada).expect(200)
        try await link(ada).expect(200)
        #expect(try await link(eve).code == "identity-taken")
        #expect(try await ground.login(identity).expect(200).json["user_id"] == .string(ada.userId))
        let id = try linked.json.text("id")
        #expect(try await ada.client.get("/v1/auth/identities").json["data"]?.arrayValue?.count == 1)
        #expect(try await eve.client.delete("/v1/auth/identities/\(id)").status == 404)
        try await ada.client.delete("/v1/auth/identities/\(id)").expect(204)
        #expect(try await ground.login(identity).code == "identity-without-address")
    }

    @Test func `the second factor is asked for behind a provider too`() async throws {
        let ground = try await Ground.shared()
        let phone = try await SecondFactorTests.Phone(on: ground.server)
        let ada = FakeProvider.Person(ground.subject(), email: phone.person.email)
        let halfway = try await ground.login(ada)
        #expect(halfway.code == "second-step-required")
        try await ground.server.client.post(
            "/v1/auth/login/mfa",
            ["mfa_token": .string(halfway.json.text("mfa_token")), "code": .string(phone.code)]
        ).expect(200)
    }

    @Test func `a browser comes back with a cookie and gets its session in cookies`() async throws {
        let ground = try await Ground.shared()
        let begun = try await ground.server.client.post("/v1/auth/oauth/oidc/authorize", [:]).expect(200)
        let cookie = try #require(begun.header("set-cookie")?.split(separator: ";").first.map(String.init))
        let back = try ground.provider.agree(
            to: begun.json.text("authorization_url"),
            as: .init(ground.subject(), email: Person.freshAddress()))
        let page = try await ground.server.client.get(
            "/account/callback?state=a&code=b&scope=openid&authuser=0")
        #expect(page.status == 200)
        let answer = try await ground.server.client.with(header: "Cookie", cookie).post(
            "/v1/auth/browser/oauth/completion", ["state": .string(back.state), "code": .string(back.code)]
        ).expect(200)
        #expect(answer.json["access_token"] == nil && answer.json["csrf_token"] != nil)
    }

    @Test func `a provider that is away is said to be, and nothing breaks`() async throws {
        let server = try await House.another([
            "INFINITY_OIDC_ISSUER": "http://127.0.0.1:9", "INFINITY_OIDC_CLIENT_ID": "nobody",
        ])
        let answer = try await server.client.post("/v1/auth/oauth/oidc/authorize", [:])
        #expect(answer.status == 503 && answer.code == "identity-provider-unavailable")
        #expect(answer.header("retry-after") != nil)
        await server.stop()
    }
}
