import Crypto
import HTTP
import Loop
import Synchronization
import Wire

/// An identity provider on a free port: OpenID Connect with ES256, and as much of GitHub's API as signing in needs.
///
/// Nobody visits its pages: a test says who agrees to what an authorization address asks for.
public final class FakeProvider: Sendable {
    public struct Person: Sendable {
        public var subject: String
        public var email: String?
        public var isVerified: Bool
        public var name: String?

        public init(
            _ subject: String, email: String?, isVerified: Bool = true, name: String? = "Ada Lovelace"
        ) {
            self.subject = subject
            self.email = email
            self.isVerified = isVerified
            self.name = name
        }
    }

    /// What it does wrong.
    public enum Mischief: String, Sendable, CaseIterable {
        case none, wrongNonce, wrongAudience, expired, wrongIssuer, foreignKey, unsigned,
            otherSubjectInUserInfo
    }

    private struct Agreement: Sendable {
        let person: Person
        let nonce: String
        let challenge: String
        let client: String
        let redirect: String
    }

    private struct State: Sendable {
        var agreements: [String: Agreement] = [:]
        var mischief = Mischief.none
        var key = SigningKey.make()
        var current: Person?
    }

    private let state = Mutex(State())
    private let port = Mutex(0)
    private let server = Mutex<HTTPServer?>(nil)
    public static let clientId = "infinity test"
    public static let clientSecret = "a secret: with%signs"

    public init() throws {
        let server = try HTTPServer(
            LoopGroup(count: 1), HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), Desk(self)
        )
        let ports = try server.start()
        port.withLock { $0 = Int(ports[0]) }
        self.server.withLock { $0 = server }
    }

    deinit { server.withLock { $0?.beginDrain() } }

    public var issuer: String { "http://127.0.0.1:\(port.withLock { $0 })" }

    public func misbehave(_ mischief: Mischief) { state.withLock { $0.mischief = mischief } }

    /// New keys, as after a rotation.
    public func changeKeys() { state.withLock { $0.key = SigningKey.make() } }

    /// The person agrees; the answer is what her browser brings back.
    public func agree(to address: String, as person: Person) throws -> (state: String, code: String) {
        let query = try FormFields(String(address.drop { $0 != "?" }.dropFirst()))
        func field(_ name: String) throws -> String {
            guard let value = query.fields.first(where: { $0.name == name })?.value else {
                throw Client.Failure(description: "no \(name) in \(address)")
            }
            return value
        }
        guard try field("code_challenge_method") == "S256", try field("response_type") == "code" else {
            throw Client.Failure(description: "not the code flow with PKCE: \(address)")
        }
        let code = OpaqueToken.make()
        let nonce = query.fields.first { $0.name == "nonce" }?.value ?? ""
        let agreement = Agreement(
            person: person, nonce: nonce, challenge: try field("code_challenge"),
            client: try field("client_id"),
            redirect: try field("redirect_uri"))
        state.withLock { $0.agreements[code] = agreement }
        return (try field("state"), code)
    }

    fileprivate func answer(_ request: Request) async -> Response {
        switch request.path {
        case "/.well-known/openid-configuration": return json(document)
        case "/jwks":
            let keys = state.withLock { [$0.key.publicKey.jwk] }
            return json("{\"keys\":[\(keys.joined(separator: ","))]}")
        case "/token", "/login/oauth/access_token": return await tokens(request)
        case "/userinfo":
            let (person, mischief) = state.withLock { ($0.current, $0.mischief) }
            let subject = mischief == .otherSubjectInUserInfo ? "somebody-else" : person?.subject ?? ""
            return json([
                "sub": .string(subject), "email": .string(person?.email ?? ""), "email_verified": true,
            ])
        case "/api/v3/user":
            let person = state.withLock { $0.current }
            return json(["id": JSON(Int(person?.subject ?? "") ?? 0), "login": "ada", "name": .null])
        case "/api/v3/user/emails":
            let person = state.withLock { $0.current }
            return json([
                ["email": "other@example.org", "primary": false, "verified": true],
                [
                    "email": .string(person?.email ?? ""), "primary": true,
                    "verified": .bool(person?.isVerified ?? false),
                ],
            ])
        default: return Response(status: 404)
        }
    }

    private var document: JSON {
        [
            "issuer": .string(issuer), "authorization_endpoint": .string(issuer + "/authorize"),
            "token_endpoint": .string(issuer + "/token"), "jwks_uri": .string(issuer + "/jwks"),
            "userinfo_endpoint": .string(issuer + "/userinfo"),
        ]
    }

    private func tokens(_ request: Request) async -> Response {
        guard let bytes = try? await request.body.collect(upTo: 1 << 16),
            let form = try? FormFields(String(decoding: bytes, as: UTF8.self))
        else { return Response(status: 400) }
        func field(_ name: String) -> String { form.fields.first { $0.name == name }?.value ?? "" }
        guard let agreement = state.withLock({ $0.agreements.removeValue(forKey: field("code")) }),
            Base64.encode(SHA256.digest(field("code_verifier")).bytes, .url) == agreement.challenge,
            field("redirect_uri") == agreement.redirect,
            knows(request, field("client_id"), field("client_secret"))
        else { return json(["error": "invalid_grant"], status: 400) }
        state.withLock { $0.current = agreement.person }
        var answer: JSON.Object = ["access_token": "opaque", "token_type": "Bearer"]
        if request.path == "/token" { answer["id_token"] = .string(idToken(agreement)) }
        return json(.object(answer))
    }

    private func knows(_ request: Request, _ client: String, _ secret: String) -> Bool {
        if let header = request.header("authorization") {
            let pair = PercentEncoding.encode(Self.clientId) + ":" + PercentEncoding.encode(Self.clientSecret)
            return header == "Basic " + Base64.encode(pair.utf8)
        }
        return client == Self.clientId && secret == Self.clientSecret
    }

    private func idToken(_ agreement: Agreement) -> String {
        let (mischief, key) = state.withLock { ($0.mischief, $0.key) }
        let now = Timestamp.now.seconds
        let person = agreement.person
        var claims: JSON.Object = [
            "iss": .string(mischief == .wrongIssuer ? "https://evil.example" : issuer),
            "aud": .string(mischief == .wrongAudience ? "another client" : agreement.client),
            "sub": .string(person.subject), "iat": JSON(now - 10),
            "exp": JSON(mischief == .expired ? now - 600 : now + 300),
            "nonce": .string(mischief == .wrongNonce ? "another" : agreement.nonce),
        ]
        if mischief != .otherSubjectInUserInfo, let email = person.email {
            claims["email"] = .string(email)
            claims["email_verified"] = .bool(person.isVerified)
        }
        if let name = person.name { claims["name"] = .string(name) }
        if mischief == .unsigned {
            let header = Base64.encode(#"{"alg":"none","typ":"JWT"}"#.utf8, .url)
            return header + "." + Base64.encode(JSON.object(claims).description.utf8, .url) + "."
        }
        return JWT.sign(.object(claims), type: "JWT", with: mischief == .foreignKey ? .make() : key)
    }

    private func json(_ json: JSON, status: Int = 200) -> Response {
        self.json(json.description, status: status)
    }

    private func json(_ text: String, status: Int = 200) -> Response {
        var response = Response(status: status, body: .bytes(Array(text.utf8)))
        response.headers.add("content-type", "application/json")
        return response
    }

    private final class Desk: Responder {
        private weak let provider: FakeProvider?
        init(_ provider: FakeProvider) { self.provider = provider }

        func respond(to request: Request) -> Reply {
            .later { [weak provider] in await provider?.answer(request) ?? Response(status: 503) }
        }
    }
}
