import API
import Core
import Crypto
import Postgres
import Wire

/// An authenticator app of the signed-in person.
struct Factor: Codable, Sendable {
    let id: UUID
    let name: String
    let kind: String
    let verifiedAt: Timestamp?
    let lastUsedAt: Timestamp?
    let createdAt: Timestamp
}

/// Setting up a second factor: make the secret, show it, and let a first code prove that the app has it.
enum Factors {
    struct NewFactor: Codable, Sendable {
        let name: Text<60>
    }

    /// What the app needs; shown this once.
    struct Enrolment: Codable, Sendable {
        let id: UUID
        let secret: String
        let otpauthUrl: String
    }

    struct Proof: Codable, Sendable {
        let code: Text<40>
    }

    /// The recovery codes come with the first factor and are shown this once.
    struct Verified: Codable, Sendable {
        let id: UUID
        let recoveryCodes: [String]
    }

    @RouteList static var routes: [Route] {
        GET("/v1/auth/mfa/factors", "List your second factors", .signedIn, list).operation("listFactors")
        GET("/v1/auth/mfa/factors/{id}", "Show a second factor", .signedIn, show).operation("getFactor")
            .problems(.sessionRequired)
        POST("/v1/auth/mfa/factors", "Begin to set up an authenticator app", .signedIn, enrol).operation(
            "enrolFactor"
        )
        .describe(
            "Show `otpauth_url` as a QR code; the factor counts once a code of it was sent to `verify`."
        )
        .secret.problems(.reauthenticationRequired, .sessionRequired, .factorLimitReached)
        .example(body: ["name": "Phone"])
        POST("/v1/auth/mfa/factors/{id}/verify", "Finish the setting up with a first code", .signedIn, verify)
            .operation("verifyFactor")
            .secret.problems(.invalidCode, .sessionRequired, .factorNameTaken)
            .example(body: ["code": "492039"])
        DELETE("/v1/auth/mfa/factors/{id}", "Remove a second factor", .signedIn, remove).operation(
            "removeFactor"
        )
        .problems(.reauthenticationRequired, .sessionRequired)
    }

    static func list(_ call: Call) async throws -> Page<Factor> {
        let user = try call.session.user
        let rows = try await call.auth.db.query(
            """
            SELECT id, name, kind, verified_at, last_used_at, created_at FROM mfa_factors
             WHERE user_id = \(user) AND verified_at IS NOT NULL ORDER BY created_at, id
            """)
        return Page(all: rows)
    }

    static func show(_ call: Call, _ id: Path<UUID>) async throws -> Single<Factor> {
        let user = try call.session.user
        let rows = try await call.auth.db.query(
            """
            SELECT id, name, kind, verified_at, last_used_at, created_at FROM mfa_factors
             WHERE id = \(id) AND user_id = \(user)
            """)
        return try Single(rows)
    }

    static func enrol(_ call: Call, _ body: Body<NewFactor>) async throws -> Created<Enrolment> {
        try await call.requireRecentProof()
        let user = try call.session.user
        let parts = call.auth
        let id = UUID.v7()
        let totp = TOTP.make()
        let name = body.name.text
        let account = try await parts.db.transaction { tx in
            // Locking the person: two requests at once must not pass the limit together.
            let account = try await tx.query("SELECT email FROM users WHERE id = \(user) FOR UPDATE")
            let count = try await tx.batch([
                // What was begun and never finished makes room.
                "DELETE FROM mfa_factors WHERE user_id = \(user) AND verified_at IS NULL",
                "SELECT count(*) AS count FROM mfa_factors WHERE user_id = \(user)",
            ])[1]
            if try count[0].get("count", as: Int.self) >= AuthLimits.factorsMax {
                throw Problem(.factorLimitReached)
            }
            _ = try await tx.query(
                """
                INSERT INTO mfa_factors (id, user_id, name, secret_sealed, created_at)
                VALUES (\(id), \(user), \(name), \(SecondFactor.seal(totp.secret, of: id, parts)), \(call.now))
                """)
            return try account[0].get("email", as: String.self)
        }
        let enrolment = Enrolment(
            id: id, secret: totp.base32, otpauthUrl: totp.url(issuer: "Infinity", account: account))
        return Created(enrolment, at: "/v1/auth/mfa/factors/\(id)")
    }

    static func verify(_ call: Call, _ id: Path<UUID>, _ body: Body<Proof>) async throws -> Single<Verified> {
        let session = try call.session
        let parts = call.auth
        let now = call.now
        let visit = Visit(call)
        let rows = try await parts.db.query(
            """
            SELECT secret_sealed, last_step FROM mfa_factors
             WHERE id = \(id) AND user_id = \(session.user) AND verified_at IS NULL
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let totp = TOTP(secret: try SecondFactor.open(try row.get("secret_sealed"), of: id.value, parts))
        guard
            let step = totp.step(of: body.code.text, at: now, after: try row.get("last_step", as: Int64.self))
        else {
            throw Problem(.invalidCode).challenged
        }
        let codes = try await parts.db.transaction { tx in
            let verified = try await tx.query(
                """
                UPDATE mfa_factors SET verified_at = \(now), last_step = \(step), last_used_at = \(now)
                 WHERE id = \(id) AND user_id = \(session.user) AND verified_at IS NULL RETURNING id
                """)
            if verified.isEmpty { throw Problem.notFound }
            let others = try await tx.query(
                """
                SELECT count(*) AS count FROM mfa_factors
                 WHERE user_id = \(session.user) AND verified_at IS NOT NULL AND id <> \(id)
                """)
            let isFirst = try others[0].get("count", as: Int.self) == 0
            let made = isFirst ? RecoveryCodes.make(for: session.user, parts, at: now) : (codes: [], sql: [])
            _ = try await tx.batch(
                made.sql + [
                    "UPDATE sessions SET assurance = 2, methods = methods || '{totp}' WHERE id = \(session.id)",
                    AuthEvent.factorAdded.sql(user: session.user, session: session.id, visit),
                ])
            try await AccessChange.record(user: session.user, company: nil, in: tx)
            try await SecurityMail.secondFactorChanged(
                .added, session.user, visit, parts, at: now, in: tx)
            return made.codes
        }
        return Single(Verified(id: id.value, recoveryCodes: codes))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.requireRecentProof()
        let session = try call.session
        let parts = call.auth
        let visit = Visit(call)
        try await parts.db.transaction { tx in
            let removed = try await tx.query(
                "DELETE FROM mfa_factors WHERE id = \(id) AND user_id = \(session.user) RETURNING verified_at"
            )
            guard let row = removed.first else { throw Problem.notFound }
            if row.isNull("verified_at") { return }
            _ = try await tx.batch([
                // Without a factor the recovery codes open nothing and would only lie around.
                """
                DELETE FROM recovery_codes
                 WHERE user_id = \(session.user)
                   AND NOT EXISTS (SELECT 1 FROM mfa_factors WHERE user_id = \(session.user) AND verified_at IS NOT NULL)
                """,
                AuthEvent.factorRemoved.sql(user: session.user, session: session.id, visit),
            ])
            try await SecurityMail.secondFactorChanged(
                .removed, session.user, visit, parts, at: call.now, in: tx)
        }
        return NoContent()
    }
}
