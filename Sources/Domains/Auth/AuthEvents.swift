import Core
import Postgres
import Wire

/// What others in a company may react to about keys and sessions.
enum AuthEvents {
    static let all = [
        keyCreated.erased, keyRotated.erased, keyRevoked.erased, sessionRevoked.erased,
    ]

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10")!
    private static let other = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a11")!

    struct KeyData: Codable, Sendable {
        let apiKeyId: UUID
        let name: String
        let scopes: [String]
        let serviceAccountId: UUID?
    }

    private static let key = KeyData(
        apiKeyId: id, name: "Shop export", scopes: ["companies:read"], serviceAccountId: nil)
    static let keyCreated = EventType("api_key.created", "An API key was made.", example: key)
    static let keyRotated = EventType(
        "api_key.rotated", "The text of an API key was exchanged.", example: key)
    static let keyRevoked = EventType("api_key.revoked", "An API key was revoked.", example: key)

    struct SessionData: Codable, Sendable {
        let sessionId: UUID
        let userId: UUID
        let reason: String
    }

    static let sessionRevoked = EventType(
        "session.revoked",
        "A session that worked in the company was ended before its time: not by signing out.",
        example: SessionData(sessionId: id, userId: other, reason: "revoked"))

    /// Tells the companies that the ended sessions worked in. `rows` are those of `Sessions.end`.
    static func recordEnded(
        _ rows: Rows, of user: UUID, reason: String, by actor: Audit.Actor, in tx: Transaction
    )
        async throws
    {
        var statements: [SQL] = []
        for row in rows {
            guard let company = try row.get("company_id", as: UUID?.self) else { continue }
            let session: UUID = try row.get("id")
            statements.append(Transaction.become(company))
            statements.append(
                try Events.sql(
                    sessionRevoked, SessionData(sessionId: session, userId: user, reason: reason),
                    on: "session", session,
                    by: actor, company: company))
        }
        if statements.isEmpty { return }
        statements.append(Transaction.become(nil))
        _ = try await tx.batch(statements)
    }
}
