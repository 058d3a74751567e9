import Wire

/// Signed tokens (RFC 7515, 7519) with ES256 and nothing else.
///
/// The header chooses only which of our own keys to try, by `kid`; keys, certificates and addresses it may carry
/// make it no token of ours, and a `crit` list is refused, because we support no extension.
public enum JWT {
    public enum Refusal: Error, Equatable, Sendable {
        case malformed, wrongAlgorithm, wrongType, criticalHeader, unknownKey, badSignature
        case expired, notYetValid, wrongIssuer, wrongAudience
    }

    /// What a token must say to be taken.
    public struct Expectation: Sendable {
        public var type: String
        public var issuer: String
        public var audience: String
        /// How far two clocks may differ.
        public var leeway: Duration

        public init(type: String, issuer: String, audience: String, leeway: Duration = .seconds(5)) {
            self.type = type
            self.issuer = issuer
            self.audience = audience
            self.leeway = leeway
        }
    }

    /// Longer texts are refused unread.
    public static let lengthMax = 4096

    public static func sign(_ claims: JSON, type: String, with key: SigningKey) -> String {
        let header: JSON = ["alg": "ES256", "typ": .string(type), "kid": .string(key.kid)]
        let message =
            Base64.encode(header.description.utf8, .url) + "." + Base64.encode(claims.description.utf8, .url)
        return message + "." + Base64.encode(key.sign(Array(message.utf8)), .url)
    }

    public static func verify(
        _ token: String, expecting wanted: Expectation, at now: Timestamp,
        key: (_ kid: String) -> VerifyingKey?
    ) throws(Refusal) -> JSON {
        guard token.utf8.count <= lengthMax else { throw .malformed }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = object(parts[0]), let signature = Base64.decode(parts[2], .url)
        else {
            throw .malformed
        }
        guard header["alg"] == "ES256" else { throw .wrongAlgorithm }
        guard header["crit"] == nil else { throw .criticalHeader }
        guard header["typ"]?.stringValue == wanted.type else { throw .wrongType }
        guard let kid = header["kid"]?.stringValue, let key = key(kid) else { throw .unknownKey }
        guard header.count == 3 else { throw .malformed }
        let message = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        guard message.withUnsafeBytes({ key.isSignature(signature, of: $0) }) else { throw .badSignature }
        guard let claims = object(parts[1]) else { throw .malformed }
        try check(claims, wanted, now)
        return .object(claims)
    }

    private static func object(_ part: Substring) -> JSON.Object? {
        guard let bytes = Base64.decode(part, .url), let json = try? JSON.parse(bytes) else { return nil }
        return json.objectValue
    }

    private static func check(_ claims: JSON.Object, _ wanted: Expectation, _ now: Timestamp) throws(Refusal)
    {
        let leeway = Int(wanted.leeway.components.seconds)
        let now = Int(now.seconds)
        // Saturating: a number at the edge of Int64 must not trap.
        guard let expires = claims["exp"]?.intValue else { throw .malformed }
        guard now < expires.addingClamped(leeway) else { throw .expired }
        for name in ["nbf", "iat"] {
            guard let value = claims[name] else { continue }
            guard let start = value.intValue else { throw .malformed }
            guard now.addingClamped(leeway) >= start else { throw .notYetValid }
        }
        guard claims["iss"]?.stringValue == wanted.issuer else { throw .wrongIssuer }
        let audience = JSON.string(wanted.audience)
        guard claims["aud"] == audience || claims["aud"]?.arrayValue?.contains(audience) == true else {
            throw .wrongAudience
        }
    }

    /// The document of `/.well-known/jwks.json`.
    public static func keySet(_ keys: [VerifyingKey]) -> String {
        #"{"keys":["# + keys.map(\.jwk).joined(separator: ",") + "]}"
    }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
