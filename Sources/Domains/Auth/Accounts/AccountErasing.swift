import API
import Core
import Postgres
import Wire

/// The end of an account, whoever brings it about: its owner at once, or her request to be forgotten when its time has
/// come. The companies have been left before.
enum AccountErasing {
    static let port = AccountErasure { user, actor, tx in
        try await erase(user, Visit(actor), at: .now, in: tx)
    }

    static func erase(_ user: UUID, _ visit: Visit, at now: Timestamp, in tx: Transaction) async throws {
        let person = try await tx.query("SELECT email, name, locale FROM users WHERE id = \(user) FOR UPDATE")
        guard let row = person.first else { throw Problem.notFound }
        // Without an address she has gone before.
        guard let email = try row.get("email", as: String?.self) else { return }
        try await Mail.queue(
            Mail.Message(
                .accountDeleted, to: email, name: try row.get("name"), locale: try row.get("locale"),
                context: ["at": now.description]), in: tx)
        _ = try await tx.batch(
            Sessions.end(of: user, reason: "deleted", at: now) + [
                "DELETE FROM mfa_factors WHERE user_id = \(user)",
                "DELETE FROM recovery_codes WHERE user_id = \(user)",
                "DELETE FROM identities WHERE user_id = \(user)",
                "DELETE FROM known_devices WHERE user_id = \(user)",
                """
                UPDATE users
                   SET status = 'deleted', email = NULL, email_norm = NULL, name = 'Deleted user',
                       password_hash = NULL, avatar_url = NULL, last_company_id = NULL, lock_reason = NULL,
                       version = version + 1, updated_at = \(now)
                 WHERE id = \(user)
                """,
                AuthEvent.accountDeleted.sql(user: user, visit),
            ])
        try await AccessChange.record(user: user, company: nil, in: tx)
    }
}

extension Visit {
    /// Of somebody who is not here any more: the worker acts on a request made before.
    init(_ actor: Audit.Actor) {
        address = actor.address.flatMap { IPAddress($0) } ?? IPAddress("127.0.0.1")!
        userAgent = "Infinity"
        requestId = actor.requestId
    }
}
