import API
import Core
import Postgres
import Wire

/// Finds or makes the account of somebody who comes by a provider's word.
///
/// A linked identity opens the account it is linked to. Else the address decides, but only one that the provider says it
/// has verified, and of a company's provider only one at a domain that the company has proven to be its own.
struct Arrival: Sendable {
    let call: Call
    let provider: IdentityProvider
    let identity: FederatedIdentity
    let connection: SSOConnection?
    let visit: Visit

    init(
        _ call: Call, _ provider: IdentityProvider, _ identity: FederatedIdentity,
        _ connection: SSOConnection?
    ) {
        self.call = call
        self.provider = provider
        self.identity = identity
        self.connection = connection
        visit = Visit(call)
    }

    func account() async throws -> UUID {
        let parts = call.auth
        let tenant = Tenant(company: connection?.company, user: nil)
        let found = try await parts.db.transaction(as: tenant) { tx in
            let known = try await known(in: tx)
            let found = if let known { (user: known, isNew: false) } else { try await newcomer(in: tx) }
            if let connection { try await connection.admit(found.user, actor(found.user), call, in: tx) }
            return found
        }
        if found.isNew, connection == nil, let email = identity.email {
            try await call.welcome(found.user, email)
        }
        return found.user
    }

    private func known(in tx: Transaction) async throws -> UUID? {
        let rows = try await tx.query(
            """
            UPDATE identities SET last_used_at = \(call.now), email = coalesce(\(identity.email), email)
             WHERE provider = \(provider.id) AND issuer = \(identity.issuer) AND subject = \(identity.subject)
            RETURNING user_id
            """)
        return try rows.first?.get("user_id", as: UUID.self)
    }

    private func newcomer(in tx: Transaction) async throws -> (user: UUID, isNew: Bool) {
        guard let email = identity.email, Email(email) != nil, provider.vouches(for: identity) else {
            throw Problem(.identityWithoutAddress)
        }
        let rows = try await tx.query(
            "SELECT id, status FROM users WHERE email_norm = \(email.lowercased()) FOR UPDATE")
        if let row = rows.first {
            guard try row.get("status", as: String.self) == "active" else { throw Problem(.identityRefused) }
            let user: UUID = try row.get("id")
            _ = try await tx.query(Identities.link(identity, of: provider, to: user, at: call.now))
            try await Identities.tell(user, provider, visit, call, in: tx)
            return (user, false)
        }
        if let connection, !connection.provisions { throw Problem(.ssoNotAllowedIn) }
        let user = UUID.v7()
        let name = identity.name.flatMap { Text<120>($0)?.text } ?? String(email.prefix { $0 != "@" })
        let account = NewAccount(
            id: user, email: email, name: name, passwordHash: nil, locale: "en", timeZone: "UTC")
        _ = try await tx.batch([
            account.sql(at: call.now), Identities.link(identity, of: provider, to: user, at: call.now),
            AuthEvent.signedUp.sql(user: user, visit, ["provider": .string(provider.id)]),
        ])
        return (user, true)
    }

    private func actor(_ user: UUID) -> Audit.Actor {
        Audit.Actor(.user, id: user, address: visit.place, requestId: visit.requestId)
    }
}
