import Crypto
import Testing
import Wire

@Suite struct JWTTests {
    private let key = SigningKey.make()
    private let now = Timestamp(seconds: 1_800_000_000)
    private let wanted = JWT.Expectation(
        type: "at+jwt", issuer: "https://me", audience: "api", leeway: .seconds(5))

    private func claims(_ extra: JSON = [:]) -> JSON {
        var claims = extra.objectValue ?? .init()
        claims["iss"] = "https://me"
        claims["aud"] = "api"
        claims["exp"] = 1_800_000_900
        return .object(claims)
    }

    private func verify(_ token: String) throws(JWT.Refusal) -> JSON {
        try JWT.verify(token, expecting: wanted, at: now) { $0 == key.kid ? key.publicKey : nil }
    }

    /// A token whose header and payload are given as they are, signed by `key`.
    private func token(header: String, payload: String) -> String {
        let message = Base64.encode(header.utf8, .url) + "." + Base64.encode(payload.utf8, .url)
        return message + "." + Base64.encode(key.sign(Array(message.utf8)), .url)
    }

    @Test func `what was signed is read back`() throws {
        let token = JWT.sign(claims(["sub": "ann \u{1F600} \"x\""]), type: "at+jwt", with: key)
        #expect(try verify(token)["sub"] == "ann \u{1F600} \"x\"")
    }

    @Test func `the signature of RFC 7515 A.3 verifies`() throws {
        let x = try #require(Base64.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", .url))
        let y = try #require(Base64.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", .url))
        let key = try #require(VerifyingKey(x: x, y: y))
        let message =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let signature = try #require(
            Base64.decode(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", .url
            ))
        #expect(Array(message.utf8).withUnsafeBytes { key.isSignature(signature, of: $0) })
        #expect(Array("other".utf8).withUnsafeBytes { !key.isSignature(signature, of: $0) })
    }

    @Test func `no character of a token can be changed`() {
        let token = JWT.sign(claims(), type: "at+jwt", with: key)
        for index in token.indices {
            var altered = token
            altered.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            #expect(throws: JWT.Refusal.self) { try verify(altered) }
        }
    }

    @Test func `a token has one spelling`() throws {
        let token = JWT.sign(claims(), type: "at+jwt", with: key)
        // The last letter of 64 bytes in base64url carries 4 stray bits, which must be zero.
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let last = try #require(letters.firstIndex(of: token.last!))
        for other in letters.indices where other != last && other / 16 == last / 16 {
            #expect(throws: JWT.Refusal.self) { try verify(token.dropLast() + String(letters[other])) }
        }
        for spelling in [
            token + "=", token + "\n", " " + token, token + ".", token.replacing(".", with: ".."),
        ] {
            #expect(throws: JWT.Refusal.malformed) { try verify(spelling) }
        }
    }

    @Test(arguments: [
        (#"{"alg":"none","typ":"at+jwt","kid":"K"}"#, JWT.Refusal.wrongAlgorithm),
        (#"{"alg":"HS256","typ":"at+jwt","kid":"K"}"#, .wrongAlgorithm),
        (#"{"alg":"es256","typ":"at+jwt","kid":"K"}"#, .wrongAlgorithm),
        (#"{"typ":"at+jwt","kid":"K"}"#, .wrongAlgorithm),
        (#"{"alg":"ES256","typ":"at+jwt"}"#, .unknownKey),
        (#"{"alg":"ES256","typ":"at+jwt","kid":"other"}"#, .unknownKey),
        (#"{"alg":"ES256","typ":"JWT","kid":"K"}"#, .wrongType),
        (#"{"alg":"ES256","kid":"K"}"#, .wrongType),
        (#"{"alg":"ES256","typ":"at+jwt","kid":"K","crit":["exp"]}"#, .criticalHeader),
        (#"{"alg":"ES256","typ":"at+jwt","kid":"K","crit":[]}"#, .criticalHeader),
        (#"{"alg":"ES256","alg":"none","typ":"at+jwt","kid":"K"}"#, .malformed),
        (#"{"alg":"ES256","typ":"at+jwt","kid":"K","jwk":{"kty":"EC"}}"#, .malformed),
        (#"{"alg":"ES256","typ":"at+jwt","kid":"K"} "x""#, .malformed),
        ("", .malformed), ("null", .malformed), ("[]", .malformed),
    ])
    func `a header that is not ours is refused`(header: String, refusal: JWT.Refusal) {
        let header = header.replacing(#""K""#, with: "\"\(key.kid)\"")
        #expect(throws: refusal) { try verify(token(header: header, payload: claims().description)) }
    }

    @Test(arguments: [
        (#"{"iss":"https://me","aud":"api","exp":1800000900}"#, nil),
        (#"{"iss":"https://me","aud":["x","api"],"exp":1800000900}"#, nil),
        (#"{"iss":"https://me","aud":"api","exp":1799999996}"#, nil),
        (#"{"iss":"https://me","aud":"api","exp":1799999995}"#, JWT.Refusal.expired),
        (#"{"iss":"https://me","aud":"api","exp":-9223372036854775808}"#, .expired),
        (#"{"iss":"https://me","aud":"api","exp":9223372036854775807}"#, nil),
        (#"{"iss":"https://me","aud":"api"}"#, .malformed),
        (#"{"iss":"https://me","aud":"api","exp":"1800000900"}"#, .malformed),
        (#"{"iss":"https://me","aud":"api","exp":1800000900,"exp":1}"#, .malformed),
        (#"{"iss":"https://me","aud":"api","exp":1800000900,"nbf":1800000006}"#, .notYetValid),
        (#"{"iss":"https://me","aud":"api","exp":1800000900,"nbf":1800000005}"#, nil),
        (#"{"iss":"https://me","aud":"api","exp":1800000900,"nbf":"soon"}"#, .malformed),
        (#"{"iss":"https://me","aud":"api","exp":1800000900,"iat":1800000006}"#, .notYetValid),
        (#"{"iss":"https://you","aud":"api","exp":1800000900}"#, .wrongIssuer),
        (#"{"aud":"api","exp":1800000900}"#, .wrongIssuer),
        (#"{"iss":"https://me","aud":"web","exp":1800000900}"#, .wrongAudience),
        (#"{"iss":"https://me","aud":[],"exp":1800000900}"#, .wrongAudience),
        (#"{"iss":"https://me","exp":1800000900}"#, .wrongAudience),
    ])
    func `claims are held against the clock and the expectation`(payload: String, refusal: JWT.Refusal?) {
        let token = token(header: #"{"alg":"ES256","typ":"at+jwt","kid":"\#(key.kid)"}"#, payload: payload)
        if let refusal {
            #expect(throws: refusal) { try verify(token) }
        } else {
            #expect(throws: Never.self) { try verify(token) }
        }
    }

    @Test func `another key's signature and empty ones are refused`() {
        let other = JWT.sign(claims(), type: "at+jwt", with: SigningKey.make())
        #expect(throws: JWT.Refusal.unknownKey) { try verify(other) }
        let own = JWT.sign(claims(), type: "at+jwt", with: key).split(separator: ".")
        for signature in [
            [], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 255, count: 64),
            [UInt8](repeating: 1, count: 63),
        ] {
            #expect(throws: JWT.Refusal.badSignature) {
                try verify(own[0] + "." + own[1] + "." + Base64.encode(signature, .url))
            }
        }
    }

    @Test func `a token longer than the limit is refused unread`() {
        let long = JWT.sign(
            claims(["pad": .string(String(repeating: "x", count: 4000))]), type: "at+jwt", with: key)
        #expect(throws: JWT.Refusal.malformed) { try verify(long) }
    }

    @Test func `a key survives PEM and DER`() throws {
        let copies = [try #require(SigningKey(pem: key.pem)), try #require(SigningKey(der: key.der))]
        for copy in copies {
            #expect(copy.kid == key.kid)
            let message = Array("m".utf8)
            #expect(message.withUnsafeBytes { key.publicKey.isSignature(copy.sign(message), of: $0) })
        }
        #expect(VerifyingKey(der: key.publicKey.der)?.kid == key.kid)
        #expect(SigningKey(pem: "no key") == nil)
        #expect(SigningKey(der: [1, 2, 3]) == nil)
        #expect(VerifyingKey(x: [UInt8](repeating: 1, count: 32), y: [UInt8](repeating: 1, count: 32)) == nil)
    }

    @Test func `a key of another kind is no signing key`() {
        // An Ed25519 key (RFC 8410, section 10.3).
        let ed25519 =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
        #expect(SigningKey(pem: ed25519) == nil)
    }

    @Test func `the key set names every key`() {
        let set = JWT.keySet([key.publicKey, SigningKey.make().publicKey])
        #expect(set.contains(key.kid))
        #expect(set.hasPrefix(#"{"keys":[{"kty":"EC","crv":"P-256""#))
    }
}
