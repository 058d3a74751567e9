import API
import Core
import Postgres
import Wire

/// Signing in by the word of a provider that the operator has set up: Google, Microsoft, GitHub, or any that speaks OpenID
/// Connect.
enum SocialLogin {
    struct Provider: Codable, Sendable {
        let id: String
        let name: String
    }

    struct Providers: Codable, Sendable {
        let providers: [Provider]
    }

    struct Request: Codable, Sendable, FieldNotes {
        let redirectUri: Text<500>?
        let companyId: UUID?

        static let fieldNotes = [
            "redirect_uri": "Where the provider sends the person back to; without it this server's own page.",
            "company_id": "The company to work in; without it the one of the last time.",
        ]
    }

    @RouteList static var routes: [Route] {
        GET("/v1/auth/oauth/providers", "List the providers one can sign in by", .open, providers)
            .operation("listLoginProviders")
        POST("/v1/auth/oauth/{provider}/authorize", "Begin to sign in by a provider", .open, begin)
            .operation("beginProviderLogin")
            .describe(
                "Lead the person to `authorization_url`. The provider sends her back to `redirect_uri` with `code` and "
                    + "`state`; send both with `flow_token` to /v1/auth/oauth/completion within ten minutes."
            )
            .rate(.login).secret.problems(.notFound, .identityProviderUnavailable, .identityRefused).example(
                body: [:])
        POST("/v1/auth/oauth/completion", "Finish signing in by a provider", .open, finish)
            .operation("completeProviderLogin")
            .describe(
                "For an identity that nobody has linked yet the account is found by the address, if the provider says it "
                    + "is verified, or made. An address that is not verified opens and makes no account."
            )
            .rate(.login).secret.problems(
                .tokenInvalid, .identityProviderUnavailable, .identityRefused, .identityWithoutAddress,
                .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany, .ssoNotAllowedIn
            )
            .example(body: LoginFlow.Return.example)
        POST(
            "/v1/auth/browser/oauth/completion", "Finish signing in by a provider, with cookies", .open,
            finishInBrowser
        )
        .operation("completeProviderLoginInBrowser")
        .rate(.login).secret.problems(
            .tokenInvalid, .identityProviderUnavailable, .identityRefused, .identityWithoutAddress,
            .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany, .ssoNotAllowedIn, .csrfFailed
        )
        .example(body: LoginFlow.Return.example)
    }

    static func providers(_ call: Call) -> Single<Providers> {
        Single(Providers(providers: call.auth.choices.providers.map { Provider(id: $0.id, name: $0.name) }))
    }

    static func begin(_ call: Call, _ provider: Path<String>, _ body: Body<Request>) async throws
        -> Single<LoginFlow.Begun>
    {
        guard let provider = call.auth.provider(provider.value) else { throw Problem.notFound }
        let begun = try await LoginFlow.begin(
            .login, at: provider, company: body.companyId, redirect: body.redirectUri?.text, call)
        return Single(begun)
    }

    static func finish(_ call: Call, _ body: Body<LoginFlow.Return>) async throws -> Single<LoginAnswer> {
        let session = try await session(call, body.value, isBrowser: false)
        return Single(LoginAnswer(session, call.auth))
    }

    static func finishInBrowser(_ call: Call, _ body: Body<LoginFlow.Return>) async throws
        -> Single<BrowserLogin.Answer>
    {
        if let fault = call.auth.browser.foreignPage(call.request) { throw fault }
        let session = try await session(call, body.value, isBrowser: true)
        return BrowserLogin.answer(call, session)
    }

    private static func session(_ call: Call, _ back: LoginFlow.Return, isBrowser: Bool) async throws
        -> OpenedSession
    {
        let flow = try await LoginFlow.end(.login, by: back, call)
        let connection = try await SSOConnection.of(flow, call)
        guard let provider = connection?.provider ?? call.auth.provider(flow.provider) else {
            throw Problem(.tokenInvalid)
        }
        let identity = try await flow.identity(back, at: provider, call)
        let user = try await Arrival(call, provider, identity, connection).account()
        let rows = try await call.auth.db.query(
            SignIn.Account.sql(where: "u.id = \(user) AND u.status = 'active'"))
        guard let account = try rows.first.map(SignIn.Account.init) else { throw Problem(.identityRefused) }
        return try await SignIn(call, isBrowser: isBrowser).enter(
            account, by: provider.method, code: back.secondFactor?.text,
            company: connection?.company ?? flow.wantedCompany)
    }
}

extension AuthParts {
    func provider(_ id: String) -> IdentityProvider? { choices.providers.first { $0.id == id } }
}
