import API
import Core
import Postgres
import Wire

enum AccountStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case active, locked, deleted
}

/// An account as those see it who run the installation.
struct AdminUser: Codable, Sendable, FieldNotes {
    let id: UUID
    let email: String?
    let name: String
    let status: AccountStatus
    let isLockedByOperator: Bool
    let lockedAt: Timestamp?
    let lockReason: String?
    let locale: String
    let timeZone: String
    let emailVerifiedAt: Timestamp?
    let hasPassword: Bool
    let hasSecondFactor: Bool
    let isOperator: Bool
    let sessionCount: Int
    let lastLoginAt: Timestamp?
    let passwordChangedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "status":
            "locked: signs in again after setting a new password by mail, or, when an operator has locked it, "
            + "only after an operator has unlocked it.",
        "session_count": "Sessions that could be used at this moment.",
    ]
}

/// The accounts of the installation, for those who run it. What they do to one stands in that person's security events.
enum AdminUsers {
    struct Change: Codable, Sendable {
        let name: Text<120>?
        let locale: LocaleName?
        let timeZone: TimeZoneName?
    }

    @RouteList static var routes: [Route] {
        GET("/v1/admin/users", "List accounts", .operator, list)
        GET("/v1/admin/users/{id}", "Read an account", .operator, read)
        PATCH("/v1/admin/users/{id}", "Change an account's name and settings", .operator, change)
            .describe("The address changes by its owner alone: whoever holds it holds the account.")
        GET("/v1/admin/users/{id}/companies", "List the companies somebody is in", .operator, companies)
        GET(
            "/v1/admin/users/{id}/sessions", "List somebody's sessions, the last used first", .operator,
            sessions)
        GET(
            "/v1/admin/users/{id}/security-events", "List what happened around an account, newest first",
            .operator,
            events)
    }

    struct Filter: ListFilter {
        let email: Email?
        let companyId: UUID?
        let status: [AccountStatus]?
        let isLockedByOperator: Bool?
        let isOperator: Bool?
        let hasSecondFactor: Bool?
        let createdAt: Bounds<Timestamp>?
        let lastLoginAt: Bounds<Timestamp>?

        static let sorts = ["-created_at", "name"]
        static let search = ["name", "email"]
        static let ownFields: Set<String> = ["email", "company_id"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AdminUser> {
        var sql = select
        if let email = list.filter.email { sql += " AND u.email_norm = \(email.normalized)" }
        guard let company = list.filter.companyId else { return try await call.page(list, sql) }
        sql += """
             AND EXISTS (SELECT 1 FROM memberships m
                          WHERE m.company_id = \(company) AND m.user_id = u.id AND m.status <> 'removed')
            """
        return try await call.page(list, sql, as: Tenant(company: company))
    }

    // Swift 6.3 cannot split a caller into which this is inlined.
    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AdminUser> {
        try Single(await rows(id.value, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<Change>) async throws -> Single<
        AdminUser
    > {
        var changes = Changes()
        changes.set("name", body.name)
        changes.set("locale", body.locale)
        changes.set("time_zone", body.timeZone)
        let event = AuthEvent.accountChanged.sql(
            user: id.value, Visit(call),
            [
                "by_operator": .string(try call.session.user.description),
                "changed": try JSON(encoding: body.value),
            ])
        let update: SQL = "UPDATE users SET \(fragment: changes.sql) WHERE id = \(id)"
        try await call.auth.db.transaction { tx in try await write([update, event], to: id.value, call, tx) }
        return try await read(call, id)
    }

    @inline(never)
    private static func write(_ statements: [SQL], to user: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let person = try await Target.of(user, in: tx)
        try call.requireVersion(person.version)
        _ = try await tx.batch(statements)
    }

    /// A company somebody is in, or was suspended from.
    struct Place: Codable, Sendable {
        let id: UUID
        let name: String
        let slug: String
        let status: String
        let memberId: UUID
        let memberStatus: String
        let allowsImpersonation: Bool
        let joinedAt: Timestamp
    }

    static func companies(_ call: Call, _ id: Path<UUID>) async throws -> Page<Place> {
        try await mustExist(id.value, call)
        let rows = try await call.db.query(
            """
            SELECT c.id, c.name, c.slug, c.status, m.id AS member_id, m.status AS member_status,
                   c.allows_impersonation, m.joined_at
              FROM memberships m JOIN companies c ON c.id = m.company_id
             WHERE m.user_id = \(id) AND m.status <> 'removed'
             ORDER BY m.joined_at, c.id LIMIT 200
            """, as: Tenant(user: id.value))
        return Page(all: rows)
    }

    static func sessions(_ call: Call, _ id: Path<UUID>) async throws -> Page<Session> {
        try await mustExist(id.value, call)
        let rows = try await call.db.query(
            Sessions.alive(of: id.value, current: try call.session.id, at: call.now))
        return Page(all: rows)
    }

    static func events(_ call: Call, _ id: Path<UUID>, _ list: List<SecurityEvents.Filter>) async throws
        -> Page<
            SecurityEvent
        >
    {
        try await mustExist(id.value, call)
        return try await call.page(list, SecurityEvents.select(of: id.value))
    }

    /// An account about to be changed; its row is locked.
    struct Target {
        let email: String?
        let name: String
        let locale: String
        let status: AccountStatus
        let version: Int64

        /// Deleted accounts are left in peace.
        // Swift 6.3 frees the frame of this function in the wrong order where it is inlined and throws.
        @inline(never)
        static func of(_ id: UUID, in tx: Transaction) async throws -> Target {
            let rows = try await tx.query(
                """
                SELECT email, name, locale, status, version FROM users
                 WHERE id = \(id) AND kind = 'person' AND status <> 'deleted' FOR UPDATE
                """)
            guard let row = rows.first else { throw Problem.notFound }
            return Target(
                email: try row.get("email"), name: try row.get("name"), locale: try row.get("locale"),
                status: try row.get("status"), version: try row.get("version"))
        }
    }

    private static func mustExist(_ id: UUID, _ call: Call) async throws {
        let rows = try await call.db.query("SELECT 1 FROM users WHERE id = \(id) AND kind = 'person'")
        if rows.isEmpty { throw Problem.notFound }
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select) AND u.id = \(id)")
    }

    private static let select: SQL = """
        SELECT u.id, u.email, u.name, u.status, u.locked_by_operator_at IS NOT NULL AS is_locked_by_operator,
               u.locked_by_operator_at AS locked_at, u.lock_reason, u.locale, u.time_zone, u.email_verified_at,
               u.password_hash IS NOT NULL AS has_password,
               EXISTS (SELECT 1 FROM mfa_factors f WHERE f.user_id = u.id AND f.verified_at IS NOT NULL)
                   AS has_second_factor,
               EXISTS (SELECT 1 FROM operators o WHERE o.user_id = u.id) AS is_operator,
               (SELECT count(*) FROM sessions s
                 WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > now() AND s.idle_expires_at > now())
                   AS session_count,
               u.last_login_at, u.password_changed_at, u.version, u.created_at, u.updated_at
          FROM users u WHERE u.kind = 'person'
        """
}
