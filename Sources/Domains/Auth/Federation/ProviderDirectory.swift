import API
import Crypto
import Loop
import Outbound
import Synchronization
import Wire

/// What providers publish about themselves, remembered for a while: their addresses and keys.
final class ProviderDirectory: Sendable {
    struct Document: Sendable {
        let issuer: String
        let authorization: String
        let token: String
        let userInfo: String?
        let keys: String
        let takesBasic: Bool
    }

    private struct Remembered: Sendable {
        var document: Document
        var documentUntil: Timestamp
        var keys: ForeignKeySet?
        var keysRead: Timestamp?
        /// When they were last asked for out of their turn.
        var keysForced: Timestamp?
    }

    private let known = Mutex<[String: Remembered]>([:])

    /// - Parameter http: guarded for addresses that companies give.
    func document(of provider: IdentityProvider, at now: Timestamp, _ http: HTTPClient) async throws
        -> Document
    {
        let issuer = provider.issuer
        if let found = known.withLock({ $0[issuer] }), found.documentUntil > now { return found.document }
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let json = try await http.json(HTTPClient.Request("GET", base + "/.well-known/openid-configuration"))
        let document = try Self.read(json, of: provider)
        known.withLock { known in
            if known.count >= AuthLimits.providersRemembered { known.removeAll() }
            let old = known[issuer]
            known[issuer] = Remembered(
                document: document, documentUntil: now + AuthLimits.providerRemembered, keys: old?.keys,
                keysRead: old?.keysRead, keysForced: old?.keysForced)
        }
        return document
    }

    /// The keys; asked for anew when they are old, or when a token names one that is not among them, though not more
    /// often than once a minute.
    func keys(of provider: IdentityProvider, fresh: Bool, at now: Timestamp, _ http: HTTPClient) async throws
        -> ForeignKeySet?
    {
        let document = try await document(of: provider, at: now, http)
        let found = known.withLock { $0[provider.issuer] }
        if fresh {
            if let forced = found?.keysForced, now - forced < AuthLimits.providerKeysAskedEvery { return nil }
            known.withLock { $0[provider.issuer]?.keysForced = now }
        } else if let keys = found?.keys, let read = found?.keysRead,
            now - read < AuthLimits.providerRemembered
        {
            return keys
        }
        let json = try await http.json(HTTPClient.Request("GET", document.keys))
        guard let keys = ForeignKeySet(json) else {
            throw ProviderFailure.badAnswer("its key set is no key set")
        }
        known.withLock {
            $0[provider.issuer]?.keys = keys
            $0[provider.issuer]?.keysRead = now
        }
        return keys
    }

    /// The document must be of the very issuer that was asked, and may not lead from https to http.
    private static func read(_ json: JSON, of provider: IdentityProvider) throws -> Document {
        func address(_ name: String) throws -> String? {
            guard let text = json[name]?.stringValue else { return nil }
            guard
                text.hasPrefix("https://")
                    || provider.issuer.hasPrefix("http://") && text.hasPrefix("http://")
            else {
                throw ProviderFailure.badAnswer("\(name) is no https address")
            }
            return text
        }
        guard let issuer = json["issuer"]?.stringValue, Self.isSame(issuer, provider) else {
            throw ProviderFailure.badAnswer("it calls itself another issuer than \(provider.issuer)")
        }
        guard let authorization = try address("authorization_endpoint"),
            let token = try address("token_endpoint"),
            let keys = try address("jwks_uri")
        else { throw ProviderFailure.badAnswer("its document names no endpoints") }
        let methods = json["token_endpoint_auth_methods_supported"]?.arrayValue
        return Document(
            issuer: issuer, authorization: authorization, token: token,
            userInfo: try address("userinfo_endpoint"),
            keys: keys, takesBasic: methods?.contains("client_secret_basic") ?? true)
    }

    private static func isSame(_ issuer: String, _ provider: IdentityProvider) -> Bool {
        if case .microsoft = provider.kind { return issuer.hasPrefix("https://login.microsoftonline.com/") }
        return issuer == provider.issuer
    }
}

/// Why a provider was no help. The text is for the log and for whoever sets a connection up, never for a stranger.
enum ProviderFailure: Error, CustomStringConvertible {
    case unreachable(TransferError)
    case badAnswer(String)
    /// It does not know the code, or what it says of the person does not hold.
    case refused(String)

    var description: String {
        switch self {
        case .unreachable(let error): "it cannot be reached: \(error)"
        case .badAnswer(let text): text
        case .refused(let text): text
        }
    }

    /// What the person at the door is told.
    var problem: Problem {
        switch self {
        case .unreachable, .badAnswer: Problem(.identityProviderUnavailable).header("retry-after", "30")
        case .refused: Problem(.identityRefused)
        }
    }
}

extension HTTPClient {
    /// A small JSON answer of 200; anything else is a failure of the provider.
    func json(_ request: Request) async throws -> JSON {
        var request = request
        request.deadlines = Deadlines(
            connect: .seconds(5), firstByte: .seconds(10), idle: .seconds(10), total: .seconds(15))
        request.responseBytesMax = 1 << 20
        request.headers.append(("accept", "application/json"))
        let status: Int
        let bytes: [UInt8]
        do {
            let response = try await send(request)
            status = response.status
            bytes = try await response.body.collect()
        } catch {
            throw ProviderFailure.unreachable(error)
        }
        if (400..<500).contains(status) {
            throw ProviderFailure.refused("\(request.method) answered \(status)")
        }
        guard status == 200, let json = try? JSON.parse(bytes) else {
            throw ProviderFailure.badAnswer("\(request.method) answered \(status), or no JSON")
        }
        return json
    }
}
