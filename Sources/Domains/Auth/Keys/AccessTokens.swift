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
        /// Who works in the person's name.
        let actorId: UUID?
        let expiresAt: Timestamp
    }

    let keys: SigningKeys
    let issuer: String
    let life: Duration

    func make(user: UUID, session: UUID, company: UUID?, actor: UUID? = nil, at now: Timestamp) throws
        -> String
    {
        var claims = JSON.Object()
        claims["iss"] = .string(issuer)
        claims["aud"] = .string(Self.audience)
        claims["sub"] = .string(user.description)
        claims["cid"] = company.map { .string($0.description) } ?? .null
        claims["sid"] = .string(session.description)
        claims["jti"] = .string(UUID.v7().description)
        claims["typ"] = "access"
        claims["iat"] = JSON(now.seconds)
        claims["exp"] = JSON((now + life).seconds)
        // RFC 8693 section 4.1.
        if let actor { claims["act"] = ["sub": .string(actor.description)] }
        return JWT.sign(.object(claims), type: Self.type, with: try keys.current)
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
            userId: user, sessionId: session, companyId: claims.id("cid"), actorId: claims["act"]?.id("sub"),
            expiresAt: Timestamp(seconds: Int64(clamping: min(expires, 1 << 40))))
    }
}

extension JSON {
    fileprivate func id(_ name: String) -> UUID? { self[name]?.stringValue.flatMap { UUID($0) } }
}
