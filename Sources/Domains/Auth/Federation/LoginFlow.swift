import API
import Core
import Crypto
import Postgres
import Wire

/// One way to a provider and back, from its beginning to its end. It ends once, within ten minutes, and only where it
/// began: whoever finishes it must hold what its beginning gave out.
struct LoginFlow: Sendable {
    enum Purpose: String, SQLBindable { case login, link }

    let id: UUID
    let provider: String
    let userId: UUID?
    let ofCompany: UUID?
    let connectionId: UUID?
    let wantedCompany: UUID?
    let nonce: String
    let verifier: String
    let redirect: String

    /// What the client is given at the beginning.
    struct Begun: Codable, Sendable, FieldNotes {
        let authorizationUrl: String
        let flowToken: String
        let expiresIn: Int64

        static let fieldNotes = [
            "authorization_url": "Lead the person there.",
            "flow_token":
                "Keep it, and send it back with what the provider answers. It is set as a cookie, too.",
        ]
    }

    /// What comes back by way of the person's browser.
    struct Return: Codable, Sendable, FieldNotes {
        let state: Text<200>
        let code: Text<4000>
        let iss: Text<500>?
        let flowToken: Text<100>?
        let secondFactor: Text<40>?

        static let fieldNotes = [
            "flow_token": "Not needed where the cookie comes along.",
            "iss": "As the provider sent it, if it did (RFC 9207).",
            "second_factor": "A code of the second factor, when one is set up and at hand already.",
        ]

        static let example: JSON = [
            "state": "kU2m4CwVTb0oNpV0C6H1fZL7o8rXjq5cWnqYpT3sE9A", "code": "4/0AdLIrYd",
            "flow_token": "1H4dV0yKqS5mGQ3cRr0pX2sJbUoT9wZeLfNnAa7CiMk",
        ]
    }

    static func begin(
        _ purpose: Purpose, at provider: IdentityProvider, user: UUID? = nil,
        connection: (company: UUID, id: UUID)? = nil,
        company: UUID? = nil, redirect: String?, hint: String? = nil, _ call: Call
    ) async throws -> Begun {
        let parts = call.auth
        let redirect = try allowed(redirect, parts)
        let id = UUID.v7()
        let state = (purpose == .link ? "link-" : "") + OpaqueToken.make()
        let secrets = FederationClient.Secrets(state: state)
        let holder = OpaqueToken.make()
        let client = parts.federation(guarded: connection != nil)
        let url: String
        do {
            url = try await client.authorizationURL(
                at: provider, secrets, redirect: redirect, hint: hint, at: call.now)
        } catch let failure as ProviderFailure {
            throw parts.told(failure, of: provider)
        }
        _ = try await parts.db.query(
            """
            INSERT INTO login_flows (id, provider, purpose, user_id, of_company, connection_id, wanted_company, state_sha256,
                                     holder_sha256, nonce, verifier_sealed, redirect_uri, expires_at, created_at)
            VALUES (\(id), \(provider.id), \(purpose), \(user), \(connection?.company), \(connection?.id), \(company),
                    \(OpaqueToken.digest(state).bytes), \(OpaqueToken.digest(holder).bytes), \(secrets.nonce),
                    \(parts.choices.ring.seal(Array(secrets.verifier.utf8), context: "login flow \(id)")), \(redirect),
                    \(call.now + AuthLimits.loginFlow), \(call.now))
            """)
        call.setCookie(parts.browser.flowCookie(holder, life: AuthLimits.loginFlow))
        return Begun(
            authorizationUrl: url, flowToken: holder, expiresIn: AuthLimits.loginFlow.components.seconds)
    }

    /// Ends it. Of two who try, the second is refused; so is whoever did not begin it.
    static func end(_ purpose: Purpose, by back: Return, user: UUID? = nil, _ call: Call) async throws
        -> LoginFlow
    {
        let parts = call.auth
        guard let holder = back.flowToken?.text ?? parts.browser.flowToken(in: call.request) else {
            throw Problem(.tokenInvalid, "The flow token is missing.")
        }
        let rows = try await parts.db.query(
            """
            UPDATE login_flows SET used_at = \(call.now)
             WHERE state_sha256 = \(OpaqueToken.digest(back.state.text).bytes)
               AND holder_sha256 = \(OpaqueToken.digest(holder).bytes) AND purpose = \(purpose)
               AND user_id IS NOT DISTINCT FROM \(user)::uuid AND used_at IS NULL AND expires_at > \(call.now)
            RETURNING id, provider, user_id, of_company, connection_id, wanted_company, nonce, verifier_sealed,
                      redirect_uri
            """)
        guard let row = rows.first else { throw Problem(.tokenInvalid) }
        let id: UUID = try row.get("id")
        let verifier = try parts.choices.ring.open(
            try row.get("verifier_sealed"), context: "login flow \(id)")
        return LoginFlow(
            id: id, provider: try row.get("provider"), userId: try row.get("user_id"),
            ofCompany: try row.get("of_company"), connectionId: try row.get("connection_id"),
            wantedCompany: try row.get("wanted_company"), nonce: try row.get("nonce"),
            verifier: String(decoding: verifier, as: UTF8.self), redirect: try row.get("redirect_uri"))
    }

    /// Who it was that came back.
    func identity(_ back: Return, at provider: IdentityProvider, _ call: Call) async throws
        -> FederatedIdentity
    {
        // RFC 9207: an answer of another issuer is somebody mixing providers up.
        if let issuer = back.iss?.text, case .openID = provider.kind, issuer != provider.issuer {
            throw Problem(.identityRefused, "The answer is of another issuer.")
        }
        do {
            return try await call.auth.federation(guarded: connectionId != nil).identity(
                from: back.code.text, at: provider, nonce: nonce, verifier: verifier, redirect: redirect,
                at: call.now)
        } catch let failure as ProviderFailure {
            throw call.auth.told(failure, of: provider)
        }
    }

    /// Our own page, or one of an origin that the operator has named.
    private static func allowed(_ redirect: String?, _ parts: AuthParts) throws -> String {
        guard let redirect else { return parts.choices.publicURL + "/account/callback" }
        let origins = [parts.choices.publicURL] + parts.choices.webOrigins
        guard !redirect.contains("#"),
            origins.contains(where: { redirect == $0 || redirect.hasPrefix($0 + "/") })
        else {
            throw Problem.unprocessable(
                "/redirect_uri", "origin-not-allowed",
                "must be a page of this server or of INFINITY_CORS_ORIGINS")
        }
        return redirect
    }
}

extension AuthParts {
    func federation(guarded: Bool) -> FederationClient {
        FederationClient(directory: directory, http: guarded ? guardedHTTP : http)
    }

    /// The cause is for the log; the person is told no more than that it did not work.
    func told(_ failure: ProviderFailure, of provider: IdentityProvider) -> Problem {
        log.warning(
            "an identity provider was no help",
            metadata: ["provider": "\(provider.id)", "cause": "\(failure)"])
        return failure.problem
    }
}
