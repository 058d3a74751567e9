import Wire

/// Signed tokens (RFC 7515, 7519) with ES256 and nothing else.
///
/// The header chooses only which of our own keys to try, by `kid`; keys, certificates and addresses it may carry
/// are never looked at, and a `crit` list is refused, because we support no extension.
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

    public static func sign(_ claims: Claims, type: String, with key: SigningKey) -> String {
        let header = Claims(["alg": .text("ES256"), "typ": .text(type), "kid": .text(key.kid)])
        let message = Base64.encode(header.json.utf8, .url) + "." + Base64.encode(claims.json.utf8, .url)
        return message + "." + Base64.encode(key.sign(Array(message.utf8)), .url)
    }

    public static func verify(
        _ token: String, expecting wanted: Expectation, at now: Timestamp,
        key: (_ kid: String) -> VerifyingKey?
    ) throws(Refusal) -> Claims {
        guard token.utf8.count <= lengthMax else { throw .malformed }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64.decode(parts[0], .url),
            let header = Claims(json: headerBytes), let signature = Base64.decode(parts[2], .url)
        else { throw .malformed }
        guard header.text("alg") == "ES256" else { throw .wrongAlgorithm }
        guard header["crit"] == nil else { throw .criticalHeader }
        guard header.text("typ") == wanted.type else { throw .wrongType }
        guard let kid = header.text("kid"), let key = key(kid) else { throw .unknownKey }
        let message = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        guard message.withUnsafeBytes({ key.isSignature(signature, of: $0) }) else { throw .badSignature }
        guard let payload = Base64.decode(parts[1], .url), let claims = Claims(json: payload) else {
            throw .malformed
        }
        try check(claims, wanted, now)
        return claims
    }

    private static func check(_ claims: Claims, _ wanted: Expectation, _ now: Timestamp) throws(Refusal) {
        let leeway = wanted.leeway.components.seconds
        // Compared in whole seconds, saturating: a number at the edge of Int64 must not trap.
        guard let expires = claims.number("exp") else { throw .malformed }
        guard now.seconds < expires.addingClamped(leeway) else { throw .expired }
        if let value = claims["nbf"] {
            guard case .number(let start) = value else { throw .malformed }
            guard now.seconds.addingClamped(leeway) >= start else { throw .notYetValid }
        }
        if let value = claims["iat"] {
            guard case .number(let issued) = value else { throw .malformed }
            guard now.seconds.addingClamped(leeway) >= issued else { throw .notYetValid }
        }
        guard claims.text("iss") == wanted.issuer else { throw .wrongIssuer }
        switch claims["aud"] {
        case .text(let audience)? where audience == wanted.audience: return
        case .list(let audiences)? where audiences.contains(wanted.audience): return
        default: throw .wrongAudience
        }
    }

    /// The document of `/.well-known/jwks.json`.
    public static func keySet(_ keys: [VerifyingKey]) -> String {
        #"{"keys":["# + keys.map(\.jwk).joined(separator: ",") + "]}"
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
