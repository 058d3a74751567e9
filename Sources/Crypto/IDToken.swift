import Wire

/// What another house says about somebody who has signed in there (OpenID Connect Core section 3.1.3.7).
public enum IDToken {
    public struct Expectation: Sendable {
        public var issuer: String
        /// Our name there.
        public var audience: String
        public var nonce: String
        /// How far two clocks may differ.
        public var leeway: Duration = .seconds(60)

        public init(issuer: String, audience: String, nonce: String) {
            self.issuer = issuer
            self.audience = audience
            self.nonce = nonce
        }
    }

    public enum Refusal: Error, Equatable, Sendable {
        case malformed, wrongAlgorithm, criticalHeader, unknownKey, badSignature
        case expired, notYetValid, wrongIssuer, wrongAudience, wrongNonce
    }

    /// Longer texts are refused unread.
    public static let lengthMax = 32 << 10

    /// The claims, when everything fits. `none` and every algorithm but RS256 and ES256 are refused; keys and addresses
    /// in the header are never used.
    public static func verify(
        _ token: String, expecting wanted: Expectation, keys: ForeignKeySet, at now: Timestamp
    ) throws(Refusal) -> JSON.Object {
        guard token.utf8.count <= lengthMax else { throw .malformed }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = object(parts[0]), let signature = Base64.decode(parts[2], .url)
        else {
            throw .malformed
        }
        guard let algorithm = header["alg"]?.stringValue, ["RS256", "ES256"].contains(algorithm) else {
            throw .wrongAlgorithm
        }
        guard header["crit"] == nil else { throw .criticalHeader }
        let message = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        let kid = header["kid"]?.stringValue
        switch keys.verifies(signature, of: message, kid: kid, algorithm: algorithm) {
        case nil: throw .unknownKey
        case false: throw .badSignature
        default: break
        }
        guard let claims = object(parts[1]) else { throw .malformed }
        try check(claims, wanted, now)
        return claims
    }

    private static func object(_ part: Substring) -> JSON.Object? {
        guard let bytes = Base64.decode(part, .url), let json = try? JSON.parse(bytes) else { return nil }
        return json.objectValue
    }

    private static func check(_ claims: JSON.Object, _ wanted: Expectation, _ now: Timestamp) throws(Refusal)
    {
        let leeway = Int(wanted.leeway.components.seconds)
        let seconds = Int(now.seconds)
        guard claims["iss"]?.stringValue == wanted.issuer else { throw .wrongIssuer }
        let audience = JSON.string(wanted.audience)
        let audiences = claims["aud"]?.arrayValue ?? claims["aud"].map { [$0] } ?? []
        guard audiences.contains(audience) else { throw .wrongAudience }
        // Meant for several: it must say that we are the one it was given to.
        if audiences.count > 1 || claims["azp"] != nil, claims["azp"] != audience { throw .wrongAudience }
        guard let expires = claims["exp"]?.intValue, claims["iat"]?.intValue != nil,
            claims["sub"]?.stringValue?.isEmpty == false
        else { throw .malformed }
        guard seconds - leeway < expires else { throw .expired }
        for name in ["nbf", "iat"] {
            guard let value = claims[name] else { continue }
            guard let start = value.intValue else { throw .malformed }
            guard seconds + leeway >= start else { throw .notYetValid }
        }
        guard let nonce = claims["nonce"]?.stringValue, constantTimeEquals(nonce, wanted.nonce) else {
            throw .wrongNonce
        }
    }
}
