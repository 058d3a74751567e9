import API
import Core
import Postgres
import Wire

/// What an operator may do when an account is in trouble or makes some: lock it, ask for a new password, throw out
/// whoever is signed in. Its owner is told by mail.
enum AdminLocks {
    struct Lock: Codable, Sendable, FieldNotes {
        let reason: Text<200>

        static let fieldNotes = ["reason": "Told to the owner, and kept."]
    }

    @RouteList static var routes: [Route] {
        PUT("/v1/admin/users/{id}/lock", "Lock an account", .operator, lock).ifMatch(.ignored).operation(
            "lockUser"
        )
        .describe(
            "Ends all sessions, and its API keys are refused from the next request on. Unlike the lock after \"this was "
                + "not me\", a new password does not open it."
        )
        .problems(.operatorIsYou).example(body: ["reason": "Sends junk to strangers"])
        DELETE("/v1/admin/users/{id}/lock", "Unlock an account", .operator, unlock).operation("unlockUser")
        POST("/v1/admin/users/{id}/password-reset", "Make somebody set a new password", .operator, forceReset)
            .operation("forcePasswordReset")
            .describe(
                "Ends all sessions; the account opens again with the password that is set by the mail sent with this."
            )
            .problems(.operatorIsYou)
        DELETE("/v1/admin/users/{id}/sessions", "End all of somebody's sessions", .operator, endSessions)
            .operation("endUserSessions").problems(.operatorIsYou)
    }

    static func lock(_ call: Call, _ id: Path<UUID>, _ body: Body<Lock>) async throws -> Single<AdminUser> {
        let by = try another(than: id.value, call)
        let reason = body.reason.text
        try await call.auth.db.transaction { tx in try await shut(id.value, reason, by, call, tx) }
        return try await AdminUsers.read(call, id)
    }

    @inline(never)
    private static func shut(_ user: UUID, _ reason: String, _ by: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let (visit, now) = (Visit(call), call.now)
        let person = try await AdminUsers.Target.of(user, in: tx)
        try await set(
            "status = 'locked', locked_by_operator_at = \(now), lock_reason = \(reason)", of: user,
            .accountLocked,
            ["by_operator": .string(by.description), "reason": .string(reason)], visit, at: now, in: tx)
        try await end(of: user, reason: "locked", by: call.actor, at: now, in: tx)
        guard let email = person.email else { return }
        try await Mail.queue(
            Mail.Message(
                .accountLocked, to: email, name: person.name, locale: person.locale,
                context: ["at": now.description, "reason": reason]), in: tx)
    }

    /// Opens the account, whoever has locked it.
    static func unlock(_ call: Call, _ id: Path<UUID>) async throws -> Single<AdminUser> {
        let by = try call.session.user
        let (visit, now) = (Visit(call), call.now)
        try await call.auth.db.transaction { tx in
            let person = try await AdminUsers.Target.of(id.value, in: tx)
            if person.status == .active { return }
            try await set(
                "status = 'active', locked_by_operator_at = NULL, lock_reason = NULL", of: id.value,
                .accountUnlocked,
                ["by_operator": .string(by.description)], visit, at: now, in: tx)
        }
        return try await AdminUsers.read(call, id)
    }

    static func forceReset(_ call: Call, _ id: Path<UUID>) async throws -> Single<AdminUser> {
        let by = try another(than: id.value, call)
        try await call.auth.db.transaction { tx in try await demandReset(of: id.value, by, call, tx) }
        return try await AdminUsers.read(call, id)
    }

    @inline(never)
    private static func demandReset(of user: UUID, _ by: UUID, _ call: Call, _ tx: Transaction) async throws {
        let (visit, now) = (Visit(call), call.now)
        let person = try await AdminUsers.Target.of(user, in: tx)
        try await set(
            "status = 'locked'", of: user, .passwordResetDemanded, ["by_operator": .string(by.description)],
            visit,
            at: now, in: tx)
        try await end(of: user, reason: "password", by: call.actor, at: now, in: tx)
        guard let email = person.email else { return }
        try await PasswordReset.send(
            to: user, email: email, name: person.name, locale: person.locale, visit, call.auth, at: now,
            in: tx)
    }

    static func endSessions(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let by = try another(than: id.value, call)
        let (visit, now) = (Visit(call), call.now)
        try await call.auth.db.transaction { tx in
            _ = try await AdminUsers.Target.of(id.value, in: tx)
            try await end(of: id.value, reason: "revoked", by: call.actor, at: now, in: tx)
            _ = try await tx.query(
                AuthEvent.sessionRevoked.sql(
                    user: id.value, visit, ["by_operator": .string(by.description)]))
        }
        return NoContent()
    }

    private static func set(
        _ what: SQL, of user: UUID, _ event: AuthEvent, _ detail: JSON, _ visit: Visit, at now: Timestamp,
        in tx: Transaction
    ) async throws {
        _ = try await tx.batch([
            "UPDATE users SET \(fragment: what), version = version + 1, updated_at = \(now) WHERE id = \(user)",
            event.sql(user: user, visit, detail),
        ])
        try await AccessChange.record(user: user, company: nil, in: tx)
    }

    private static func end(
        of user: UUID, reason: String, by actor: Audit.Actor, at now: Timestamp, in tx: Transaction
    ) async throws {
        let ended = try await tx.batch(Sessions.end(of: user, reason: reason, at: now))[0]
        try await AccessChange.record(user: user, company: nil, in: tx)
        try await AuthEvents.recordEnded(ended, of: user, reason: reason, by: actor, in: tx)
    }

    /// An operator who locks himself out is no help to anybody.
    private static func another(than user: UUID, _ call: Call) throws -> UUID {
        let own = try call.session.user
        if own == user { throw Problem(.operatorIsYou) }
        return own
    }
}
