import API
import Core
import Crypto
import Postgres
import Wire

/// A sign-up that waits for its address to be proven.
struct PendingSignup: Sendable {
    let id: UUID
    let email: String
    let name: String
    let passwordHash: String
    let companyName: String?
    let locale: String
    let timeZone: String
    let token: String
    let code: String
    let expiresAt: Timestamp
    let createdAt: Timestamp

    init(_ asked: Signup.Request, _ hash: String, life: Duration, _ parts: AuthParts, at now: Timestamp) {
        id = UUID.v7()
        email = asked.email.text
        name = asked.name.text
        passwordHash = hash
        companyName = asked.companyName?.text
        locale = asked.locale?.text ?? "en"
        timeZone = asked.timeZone?.text ?? "UTC"
        token = OpaqueToken.make()
        code = RandomBytes.digits(6)
        expiresAt = now + life
        createdAt = now
    }

    /// Remembers it and sends the mail.
    func statements(_ parts: AuthParts) throws -> [SQL] {
        let norm = email.lowercased()
        return [
            """
            INSERT INTO signups (id, email, email_norm, name, password_hash, company_name, locale, time_zone,
                                 token_sha256, code_mac, expires_at, created_at)
            VALUES (\(id), \(email), \(norm), \(name), \(passwordHash), \(companyName), \(locale), \(timeZone),
                    \(OpaqueToken.digest(token).bytes), \(Self.mac(code, norm, parts)), \(expiresAt), \(createdAt))
            """,
            try Self.mail(to: email, name: name, locale: locale, token, code, expiresAt, parts),
        ]
    }

    static func mail(
        to email: String, name: String, locale: String, _ token: String, _ code: String,
        _ expiresAt: Timestamp,
        _ parts: AuthParts
    ) throws -> SQL {
        try Mail.sql(
            Mail.Message(
                .verifyEmail, to: email, name: name, locale: locale,
                context: [
                    "link": parts.link("verify-email", token: token), "code": code,
                    "expires_at": expiresAt.description,
                ]))
    }

    static func mac(_ code: String, _ email: String, _ parts: AuthParts) -> [UInt8] {
        parts.codes.authenticate("signup\0\(email)\0\(code)")
    }
}
