import API
import Crypto
import Postgres
import Wire

/// Makes and reads access tokens: signed, short-lived, saying who and for which company, never what is allowed.
struct AccessTokens: Sendable {
    static let type = "at+jwt"
    static let audience = "infinity-api"

    struct Claims: Sendable {
        let userId: UUID
        let sessionId: UUID
        let companyId: UUID?
        let expiresAt: Timestamp
    }

    let keys: SigningKeys
    let issuer: String
    let life: Duration

    func make(user: UUID, session: UUID, company: UUID?, at now: Timestamp) throws -> String {
        let claims: JSON = [
            "iss": .string(issuer),
            "aud": .string(Self.audience),
            "sub": .string(user.description),
            "cid": company.map { .string($0.description) } ?? .null,
            "sid": .string(session.description),
            "jti": .string(UUID.v7().description),
            "typ": "access",
            "iat": JSON(now.seconds),
            "exp": JSON((now + life).seconds),
        ]
        return JWT.sign(claims, type: Self.type, with: try keys.current)
    }

    /// Throws a 401 that says what is wrong with the token, as RFC 6750 has it.
    func read(_ token: String, at now: Timestamp) async throws -> Claims {
        do throws(JWT.Refusal) {
            return try verified(token, now)
        } catch .unknownKey {
            // Another instance may have exchanged the keys.
            try await keys.search()
        } catch {
            throw Problem.badToken(
                error == .expired ? "The access token has expired." : "The access token is not valid.")
        }
        do throws(JWT.Refusal) {
            return try verified(token, now)
        } catch {
            throw Problem.badToken("The access token is not valid.")
        }
    }

    private func verified(_ token: String, _ now: Timestamp) throws(JWT.Refusal) -> Claims {
        let wanted = JWT.Expectation(type: Self.type, issuer: issuer, audience: Self.audience)
        let claims = try JWT.verify(token, expecting: wanted, at: now, key: keys.key)
        guard claims["typ"] == "access", let user = claims.id("sub"), let session = claims.id("sid"),
            let expires = claims["exp"]?.intValue, claims["cid"]?.isNull == true || claims.id("cid") != nil
        else { throw .malformed }
        return Claims(
            userId: user, sessionId: session, companyId: claims.id("cid"),
            expiresAt: Timestamp(seconds: Int64(clamping: min(expires, 1 << 40))))
    }
}

extension JSON {
    fileprivate func id(_ name: String) -> UUID? { self[name]?.stringValue.flatMap { UUID($0) } }
}
