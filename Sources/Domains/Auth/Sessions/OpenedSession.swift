import API
import Core
import Crypto
import Postgres
import Wire

/// A session that has just begun, with the tokens that open it.
struct OpenedSession: Sendable {
    let id: UUID
    let userId: UUID
    let companyId: UUID?
    let accessToken: String
    let refreshToken: String
}

extension SignIn {
    /// Begins a session, unless the password has been changed since it was looked at.
    func open(_ account: Account, methods: [String], company wanted: UUID?) async throws -> OpenedSession {
        let company = try await company(of: account, wanted)
        let id = UUID.v7()
        let refresh = RefreshChain.First()
        let access = try parts.tokens.make(user: account.id, session: id, company: company, at: now)
        let begun = try await parts.db.query(begin(id, account, company, methods, refresh))
        if begun.isEmpty { throw Problem.wrongCredentials }
        var statements = [
            AuthEvent.loginSucceeded.sql(
                user: account.id, session: id, company: company, visit,
                ["methods": .array(methods.map { .string($0) })]),
            """
            INSERT INTO known_devices (user_id, device_sha256, first_seen_at, last_seen_at)
            VALUES (\(account.id), \(device), \(now), \(now))
            ON CONFLICT (user_id, device_sha256) DO UPDATE SET last_seen_at = excluded.last_seen_at
            """,
        ]
        let isNew = try await isNewDevice(account.id)
        if isNew { statements += try newDeviceNews(account, session: id) }
        if let company { statements.append(CompanyPolicy.sql(company)) }
        let answers = try await parts.db.batch(statements, as: Tenant(company: company))
        if company != nil, try CompanyPolicy(answers[answers.count - 1]).hasOneSession {
            try await OneSession.keep(id, of: account.id, at: now, parts.db)
        }
        parts.figures.loggedIn(by: methods[0])
        return OpenedSession(
            id: id, userId: account.id, companyId: company, accessToken: access, refreshToken: refresh.token)
    }

    /// The person's row is locked and looked at once more: a reset that has just thrown everybody out must not be
    /// overtaken by a sign-in with the old password.
    private func begin(
        _ id: UUID, _ account: Account, _ company: UUID?, _ methods: [String], _ refresh: RefreshChain.First
    ) -> SQL {
        let ends = now + parts.choices.sessionLife
        return """
            WITH person AS (
                UPDATE users SET last_login_at = \(now), last_company_id = coalesce(\(company), last_company_id)
                 WHERE id = \(account.id) AND status = 'active' AND password_hash IS NOT DISTINCT FROM \(account.passwordHash)::text
                RETURNING id),
            session AS (
                INSERT INTO sessions (id, user_id, company_id, assurance, methods, is_browser, device, user_agent,
                                      address, authenticated_at, last_used_at, idle_expires_at, expires_at, created_at)
                SELECT \(id)::uuid, id, \(company)::uuid, \(methods.count > 1 ? 2 : 1)::int, \(methods)::text[],
                       \(isBrowser)::bool, \(visit.device)::text, \(visit.userAgent)::text, \(visit.place)::text,
                       \(now)::timestamptz, \(now)::timestamptz,
                       \(min(ends, now + parts.choices.sessionIdle))::timestamptz, \(ends)::timestamptz,
                       \(now)::timestamptz
                  FROM person
                RETURNING id)
            INSERT INTO refresh_tokens (session_id, n, token_sha256, salt, created_at)
            SELECT id, 1, \(refresh.digest)::bytea, ''::bytea, \(now)::timestamptz FROM session
            RETURNING session_id
            """
    }

    /// The company asked for, else that of the last time, else the one joined first; none for who is in none.
    private func company(of account: Account, _ wanted: UUID?) async throws -> UUID? {
        let rows = try await parts.db.query(
            """
            SELECT m.company_id
              FROM memberships m JOIN companies c ON c.id = m.company_id AND c.status = 'active'
             WHERE m.user_id = \(account.id) AND m.status = 'active'
             ORDER BY (m.company_id = \(wanted)::uuid) DESC NULLS LAST,
                      (m.company_id = \(account.lastCompanyId)::uuid) DESC NULLS LAST, m.joined_at, m.company_id
             LIMIT 1
            """, as: Tenant(user: account.id))
        let found = try rows.first?.get("company_id", as: UUID.self)
        if let wanted, found != wanted { throw Problem(.noSuchCompany) }
        return found
    }

    /// The program and the neighbourhood of the network it comes from: an address alone changes too often.
    private var device: [UInt8] {
        let address = visit.address
        let network = address.isV4 ? address.low >> 16 & 0xFFFF : address.high >> 16
        return SHA256.digest("\(visit.device)\0\(network)").bytes
    }

    /// The very first sign-in is no news to anybody.
    private func isNewDevice(_ user: UUID) async throws -> Bool {
        let rows = try await parts.db.query(
            """
            SELECT count(*) AS known, count(*) FILTER (WHERE device_sha256 = \(device)) AS same
              FROM known_devices WHERE user_id = \(user)
            """)
        return try rows[0].get("known", as: Int.self) > 0 && rows[0].get("same", as: Int.self) == 0
    }

    private func newDeviceNews(_ account: Account, session: UUID) throws -> [SQL] {
        let notMe = NotMe.issue(user: account.id, email: account.email, parts, at: now)
        return notMe.sql + [
            AuthEvent.newDevice.sql(user: account.id, session: session, visit),
            try Mail.sql(
                Mail.Message(
                    .newDevice, to: account.email, name: account.name, locale: account.locale,
                    context: [
                        "device": visit.device, "address": visit.place, "at": now.description,
                        "link": notMe.link,
                    ])),
        ]
    }
}
