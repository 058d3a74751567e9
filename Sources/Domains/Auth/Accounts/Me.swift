import API
import Core
import Postgres
import Wire

/// The signed-in person.
struct Me: Codable, Sendable {
    let id: UUID
    /// Null for a service account, whose key asks.
    let email: String?
    let name: String
    let locale: String
    let timeZone: String
    let avatarUrl: String?
    let emailVerifiedAt: Timestamp?
    let hasSecondFactor: Bool
    let passwordChangedAt: Timestamp?
    let lastLoginAt: Timestamp?
    /// The company this token is for.
    let companyId: UUID?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Me {
    struct Change: Codable, Sendable {
        let name: Text<120>?
        let locale: LocaleName?
        let timeZone: TimeZoneName?
        let avatarUrl: Clearable<WebURL>
    }

    @RouteList static var routes: [Route] {
        GET("/v1/auth/me", "Who you are", .signedIn, show).operation("getMe")
        PATCH("/v1/auth/me", "Change your name and settings", .signedIn, change).operation("updateMe")
            .problems(.sessionRequired).example(body: ["name": "Ada King", "time_zone": "Europe/London"])
        DELETE("/v1/auth/me", "Delete your account", .signedIn, delete).operation("deleteMe")
            .describe(
                "You leave every company; where you are the last owner, hand over first. Your name and address are "
                    + "wiped, what you did stays in the logs under your id. Needs a recent proof of who you are."
            )
            .problems(.reauthenticationRequired, .sessionRequired)
    }

    static func show(_ call: Call) async throws -> Single<Me> {
        let user = try call.user
        return try Single(
            await call.auth.db.query(
                "SELECT \(fragment: columns(in: call.principal?.companyId)) FROM users u WHERE u.id = \(user)"
            ))
    }

    private static func columns(in company: UUID?) -> SQL {
        """
        u.id, u.email, u.name, u.locale, u.time_zone, u.avatar_url, u.email_verified_at,
        EXISTS (SELECT 1 FROM mfa_factors f WHERE f.user_id = u.id AND f.verified_at IS NOT NULL) AS has_second_factor,
        u.password_changed_at, u.last_login_at, \(company)::uuid AS company_id, u.version, u.created_at, u.updated_at
        """
    }

    static func change(_ call: Call, _ body: Patch<Change>) async throws -> Single<Me> {
        let user = try call.session.user
        var changes = Changes()
        changes.set("name", body.name)
        changes.set("locale", body.locale)
        changes.set("time_zone", body.timeZone)
        changes.set("avatar_url", body.avatarUrl)
        // A picture that is shown no more is free again.
        let before = body.avatarUrl == nil ? nil : try await MyAvatar.Shown(of: user, call)
        let rows = try await call.change(
            """
            UPDATE users u SET \(fragment: changes.sql) WHERE u.id = \(user) AND \(fragment: call.versionMatches())
            RETURNING \(fragment: columns(in: call.principal?.companyId))
            """,
            exists: "SELECT 1 FROM users WHERE id = \(user)")
        try await before?.release(call)
        return try Single(rows)
    }

    static func delete(_ call: Call) async throws -> NoContent {
        try await call.requireRecentProof()
        let session = try call.session
        let visit = Visit(call)
        let now = call.now
        let avatar = try await MyAvatar.Shown(of: session.user, call)
        try await call.auth.db.transaction(as: Tenant(user: session.user)) { tx in
            try await call.environment[AccountDeparture.self].depart(session.user, call.actor, tx)
            try await AccountErasing.erase(session.user, visit, at: now, in: tx)
        }
        try await avatar.release(call)
        if call.principal?.isByCookie == true {
            for cookie in call.auth.browser.farewell { call.setCookie(cookie) }
        }
        return NoContent()
    }
}
