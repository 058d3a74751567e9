import API
import Core
import Postgres
import Wire

/// One of the houses by whose word the person signs in.
struct Identity: Codable, Sendable {
    let id: UUID
    let provider: String
    let email: String?
    let createdAt: Timestamp
    let lastUsedAt: Timestamp?
}

/// Linking providers to one's account, and letting go of them.
enum Identities {
    struct Request: Codable, Sendable {
        let provider: Text<40>
        let redirectUri: Text<500>?
    }

    @RouteList static var routes: [Route] {
        GET("/v1/auth/identities", "List the identities linked to your account", .signedIn, list)
            .operation("listIdentities").problems(.sessionRequired)
        POST("/v1/auth/identities/authorize", "Begin to link an identity", .signedIn, begin)
            .operation("beginLinkingIdentity")
            .describe("As signing in by a provider; finish it at /v1/auth/identities/completion.")
            .rate(.login).secret.problems(
                .reauthenticationRequired, .sessionRequired, .identityProviderUnavailable, .identityRefused
            )
            .example(body: ["provider": "google"])
        POST("/v1/auth/identities/completion", "Finish linking an identity", .signedIn, finish)
            .operation("completeLinkingIdentity")
            .describe(
                "The address of the identity need not be that of the account: you are signed in to both."
            )
            .rate(.login).secret.problems(
                .tokenInvalid, .sessionRequired, .identityProviderUnavailable, .identityRefused,
                .identityTaken
            )
            .example(body: LoginFlow.Return.example)
        DELETE("/v1/auth/identities/{id}", "Unlink an identity", .signedIn, unlink)
            .operation("unlinkIdentity")
            .describe("You can still sign in by a mailed link, and by a password where you have set one.")
            .problems(.reauthenticationRequired, .sessionRequired)
    }

    private static let columns: SQL = "id, provider, email, created_at, last_used_at"

    static func list(_ call: Call) async throws -> Page<Identity> {
        let user = try call.session.user
        let rows = try await call.auth.db.query(
            "SELECT \(fragment: columns) FROM identities WHERE user_id = \(user) ORDER BY created_at, id")
        return Page(all: rows)
    }

    static func begin(_ call: Call, _ body: Body<Request>) async throws -> Single<LoginFlow.Begun> {
        try await call.requireRecentProof()
        let user = try call.session.user
        guard let provider = call.auth.provider(body.provider.text) else {
            throw Problem.unprocessable(
                "/provider", "unknown-provider", "is none of GET /v1/auth/oauth/providers")
        }
        let begun = try await LoginFlow.begin(
            .link, at: provider, user: user, redirect: body.redirectUri?.text, call)
        return Single(begun)
    }

    static func finish(_ call: Call, _ body: Body<LoginFlow.Return>) async throws -> Single<Identity> {
        let user = try call.session.user
        let flow = try await LoginFlow.end(.link, by: body.value, user: user, call)
        guard let provider = call.auth.provider(flow.provider) else { throw Problem(.tokenInvalid) }
        let identity = try await flow.identity(body.value, at: provider, call)
        let visit = Visit(call)
        let rows = try await call.auth.db.transaction { tx in
            let known = try await tx.query(
                """
                SELECT \(fragment: columns) FROM identities
                 WHERE provider = \(provider.id) AND issuer = \(identity.issuer) AND subject = \(identity.subject)
                   AND user_id = \(user)
                """)
            if !known.isEmpty { return known }
            // Another's identity is refused by the constraint.
            let linked = try await tx.query(link(identity, of: provider, to: user, at: call.now))
            try await tell(user, provider, visit, call, in: tx)
            return linked
        }
        return try Single(rows)
    }

    static func unlink(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.requireRecentProof()
        let session = try call.session
        let visit = Visit(call)
        try await call.auth.db.transaction { tx in
            let rows = try await tx.query(
                "DELETE FROM identities WHERE id = \(id) AND user_id = \(session.user) RETURNING provider")
            guard let row = rows.first else { throw Problem.notFound }
            let provider: String = try row.get("provider")
            _ = try await tx.query(
                AuthEvent.identityUnlinked.sql(
                    user: session.user, session: session.id, visit, ["provider": .string(provider)]))
        }
        return NoContent()
    }

    /// Returns the row of `Identity`. Two who bring one identity at once: the constraint lets one of them have it.
    static func link(
        _ identity: FederatedIdentity, of provider: IdentityProvider, to user: UUID, at now: Timestamp
    )
        -> SQL
    {
        """
        INSERT INTO identities (id, user_id, provider, issuer, subject, email, created_at, last_used_at)
        VALUES (\(UUID.v7()), \(user), \(provider.id), \(identity.issuer), \(identity.subject), \(identity.email), \(now),
                \(now))
        RETURNING \(fragment: columns)
        """
    }

    static func tell(
        _ user: UUID, _ provider: IdentityProvider, _ visit: Visit, _ call: Call, in tx: Transaction
    ) async throws {
        _ = try await tx.query(
            AuthEvent.identityLinked.sql(user: user, visit, ["provider": .string(provider.id)]))
        try await SecurityMail.identityLinked(provider.name, user, visit, call.auth, at: call.now, in: tx)
    }
}
