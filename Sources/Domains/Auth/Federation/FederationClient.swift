import Crypto
import HTTP
import Outbound
import Wire

/// Speaks with providers: where to send somebody, and who it was that came back.
///
/// The authorization code flow with PKCE (RFC 7636, S256), a state and a nonce; the token is taken from the provider
/// itself and its signature verified all the same.
struct FederationClient: Sendable {
    let directory: ProviderDirectory
    let http: HTTPClient

    /// What belongs to one way in from its beginning to its end.
    struct Secrets: Sendable {
        let state: String
        let nonce: String
        let verifier: String

        init(
            state: String = OpaqueToken.make(), nonce: String = OpaqueToken.make(),
            verifier: String = OpaqueToken.make()
        ) {
            self.state = state
            self.nonce = nonce
            self.verifier = verifier
        }

        var challenge: String { Base64.encode(SHA256.digest(verifier).bytes, .url) }
    }

    func authorizationURL(
        at provider: IdentityProvider, _ secrets: Secrets, redirect: String, hint: String?, at now: Timestamp
    ) async throws -> String {
        var fields = [
            ("response_type", "code"), ("client_id", provider.clientId), ("redirect_uri", redirect),
            ("state", secrets.state), ("code_challenge", secrets.challenge),
            ("code_challenge_method", "S256"),
        ]
        let endpoint: String
        switch provider.kind {
        case .openID, .microsoft:
            endpoint = try await directory.document(of: provider, at: now, http).authorization
            fields += [("scope", "openid email profile"), ("nonce", secrets.nonce)]
        case .github:
            endpoint = provider.issuer + "/login/oauth/authorize"
            fields += [("scope", "read:user user:email")]
        }
        if let hint { fields.append(("login_hint", hint)) }
        return endpoint + (endpoint.contains("?") ? "&" : "?") + Self.form(fields)
    }

    func identity(
        from code: String, at provider: IdentityProvider, nonce: String, verifier: String, redirect: String,
        at now: Timestamp
    ) async throws -> FederatedIdentity {
        switch provider.kind {
        case .openID, .microsoft:
            let document = try await directory.document(of: provider, at: now, http)
            let tokens = try await exchange(
                code, at: document.token, provider, verifier, redirect, basic: document.takesBasic)
            return try await openID(tokens, document, provider, nonce, at: now)
        case .github(let api):
            let tokens = try await exchange(
                code, at: provider.issuer + "/login/oauth/access_token", provider, verifier, redirect,
                basic: false)
            return try await gitHub(tokens, api, provider)
        }
    }

    private func exchange(
        _ code: String, at endpoint: String, _ provider: IdentityProvider, _ verifier: String,
        _ redirect: String,
        basic: Bool
    ) async throws -> JSON {
        var fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ]
        var headers = [(name: "content-type", value: "application/x-www-form-urlencoded")]
        if let secret = provider.clientSecret, basic {
            // RFC 6749 section 2.3.1: both are form-encoded first.
            let pair = PercentEncoding.encode(provider.clientId) + ":" + PercentEncoding.encode(secret)
            headers.append(("authorization", "Basic " + Base64.encode(pair.utf8)))
        } else {
            fields.append(("client_id", provider.clientId))
            if let secret = provider.clientSecret { fields.append(("client_secret", secret)) }
        }
        return try await http.json(
            HTTPClient.Request("POST", endpoint, headers: headers, body: Array(Self.form(fields).utf8)))
    }

    private func openID(
        _ tokens: JSON, _ document: ProviderDirectory.Document, _ provider: IdentityProvider, _ nonce: String,
        at now: Timestamp
    ) async throws -> FederatedIdentity {
        guard let token = tokens["id_token"]?.stringValue else {
            throw ProviderFailure.badAnswer("it gave no id_token")
        }
        let issuer = try Self.issuer(of: token, document, provider)
        let claims = try await verified(token, issuer, provider, nonce, at: now)
        var person: JSON = .object(claims)
        let subject = claims["sub"]?.stringValue ?? ""
        if claims["email"] == nil, let endpoint = document.userInfo,
            let access = tokens["access_token"]?.stringValue
        {
            let more = try await http.json(
                HTTPClient.Request("GET", endpoint, headers: [("authorization", "Bearer " + access)]))
            // Section 5.3.2: without the same subject it may be about somebody else.
            guard more["sub"]?.stringValue == subject else {
                throw ProviderFailure.refused("its userinfo is about somebody else")
            }
            person = more
        }
        let isVerified = person["email_verified"]
        return FederatedIdentity(
            issuer: issuer, subject: subject, email: person["email"]?.stringValue,
            // Some say it in a string.
            isEmailVerified: isVerified == true || isVerified == "true", name: person["name"]?.stringValue)
    }

    /// A key that is not among those we remember may be a new one: they are asked for once more.
    private func verified(
        _ token: String, _ issuer: String, _ provider: IdentityProvider, _ nonce: String, at now: Timestamp
    ) async throws -> JSON.Object {
        let wanted = IDToken.Expectation(issuer: issuer, audience: provider.clientId, nonce: nonce)
        do {
            if let keys = try await directory.keys(of: provider, fresh: false, at: now, http) {
                do {
                    return try IDToken.verify(token, expecting: wanted, keys: keys, at: now)
                } catch IDToken.Refusal.unknownKey {
                    guard let fresh = try await directory.keys(of: provider, fresh: true, at: now, http)
                    else {
                        throw IDToken.Refusal.unknownKey
                    }
                    return try IDToken.verify(token, expecting: wanted, keys: fresh, at: now)
                }
            }
            throw IDToken.Refusal.unknownKey
        } catch let refusal as IDToken.Refusal {
            throw ProviderFailure.refused("its token does not hold: \(refusal)")
        }
    }

    /// Microsoft's document says `{tenantid}` where each token names its tenant.
    private static func issuer(
        of token: String, _ document: ProviderDirectory.Document, _ provider: IdentityProvider
    ) throws -> String {
        guard case .microsoft = provider.kind, document.issuer.contains("{tenantid}") else {
            return document.issuer
        }
        let parts = token.split(separator: ".")
        guard parts.count == 3, let bytes = Base64.decode(parts[1], .url),
            let claims = try? JSON.parse(bytes),
            let tenant = claims["tid"]?.stringValue, UUID(tenant) != nil
        else { throw ProviderFailure.refused("its token names no tenant") }
        return document.issuer.replacing("{tenantid}", with: tenant)
    }

    private func gitHub(_ tokens: JSON, _ api: String, _ provider: IdentityProvider) async throws
        -> FederatedIdentity
    {
        guard let access = tokens["access_token"]?.stringValue else {
            throw ProviderFailure.refused("it gave no access token")
        }
        let headers = [(name: "authorization", value: "Bearer " + access)]
        let person = try await http.json(HTTPClient.Request("GET", api + "/user", headers: headers))
        let addresses = try await http.json(HTTPClient.Request("GET", api + "/user/emails", headers: headers))
        guard let id = person["id"]?.intValue else { throw ProviderFailure.badAnswer("its user has no id") }
        let primary = addresses.arrayValue?.first { $0["primary"] == true }
        return FederatedIdentity(
            issuer: provider.issuer, subject: String(id), email: primary?["email"]?.stringValue,
            isEmailVerified: primary?["verified"] == true,
            name: person["name"]?.stringValue ?? person["login"]?.stringValue)
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    }
}
