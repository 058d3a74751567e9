import API
import Core
import HTTP
import Postgres
import Wire

/// What an access token allows at this moment: the session must live, the membership be active, and the company's
/// security policy be kept.
enum SessionAccess {
    static func load(
        _ claims: AccessTokens.Claims, _ request: Request, at now: Timestamp, _ db: Database,
        _ uses: PermissionUses
    ) async throws -> AccessCache.Entry {
        let tenant = Tenant(company: claims.companyId, user: claims.userId)
        var statements = [session(claims, now), touch(claims, now)]
        if let company = claims.companyId {
            statements += [
                MemberAccess.sql(user: claims.userId, company: company), CompanyPolicy.sql(company),
            ]
            if let actor = claims.actorId {
                statements += [
                    MemberAccess.sql(user: actor, company: company),
                    "SELECT 1 FROM companies WHERE id = \(company) AND allows_impersonation",
                ]
            }
        }
        let answers = try await db.batch(statements, as: tenant)
        guard let row = answers[0].first else { throw Problem.badToken("The session has ended.") }
        var principal = Principal(
            userId: claims.userId, sessionId: claims.sessionId, impersonatorId: claims.actorId)
        principal.isOperator = try row.get("is_operator")
        var addresses: [AddressRange] = []
        if let company = claims.companyId {
            let policy = try CompanyPolicy(answers[3])
            let access = try MemberAccess(rows: answers[2])
            let refusal = policy.refusal(of: try PolicySession(row), from: request.clientAddress, at: now)
            if let access, refusal == nil {
                principal.companyId = company
                principal.memberId = access.memberId
                principal.standing = access.standing(notedIn: uses)
                principal.permissions =
                    claims.actorId == nil
                    ? access.permissions
                    : try inAnothersName(
                        access, actor: answers[4], isAllowed: !answers[5].isEmpty,
                        isSupport: row.get("is_support"))
                addresses = policy.addresses
            } else {
                principal.companyRefusal = access == nil ? Problem(.companyAccessEnded) : refusal
            }
        }
        let expires = min(
            claims.expiresAt, try row.get("expires_at", as: Timestamp.self), now + AuthLimits.lastUseEvery)
        return AccessCache.Entry(principal: principal, addresses: addresses, goodUntil: expires)
    }

    /// Who works in another's name may do what both may, and only while trusted with it; support, which is in no company,
    /// what the person may, but for what gives power away.
    private static func inAnothersName(
        _ access: MemberAccess, actor rows: Rows, isAllowed: Bool, isSupport: Bool
    ) throws
        -> PermissionSet
    {
        let actor = try MemberAccess(rows: rows)?.permissions ?? PermissionSet()
        if isAllowed, actor.contains(.membersImpersonate) { return access.permissions.intersection(actor) }
        if isAllowed, isSupport { return access.permissions.subtracting(Support.closed) }
        throw Problem.badToken("Nobody is trusted any more to work in this member's name.")
    }

    private static func session(_ claims: AccessTokens.Claims, _ now: Timestamp) -> SQL {
        """
        SELECT s.assurance, s.methods, s.created_at, s.last_used_at, s.expires_at,
               s.impersonator_id IS NULL AND EXISTS (SELECT FROM operators o WHERE o.user_id = s.user_id) AS is_operator,
               EXISTS (SELECT FROM operators o WHERE o.user_id = s.impersonator_id) AS is_support
          FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = \(claims.sessionId) AND s.user_id = \(claims.userId) AND s.revoked_at IS NULL
           AND s.impersonator_id IS NOT DISTINCT FROM \(claims.actorId)::uuid
           AND s.expires_at > \(now) AND u.status = 'active'
        """
    }

    private static func touch(_ claims: AccessTokens.Claims, _ now: Timestamp) -> SQL {
        """
        UPDATE sessions SET last_used_at = \(now)
         WHERE id = \(claims.sessionId) AND last_used_at < \(now - AuthLimits.lastUseEvery) AND revoked_at IS NULL
        """
    }
}

/// What a company's policy looks at in a session.
struct PolicySession: Sendable {
    let assurance: Int
    let methods: [String]
    let createdAt: Timestamp
    let lastUsedAt: Timestamp

    init(_ row: Row) throws {
        assurance = try row.get("assurance")
        methods = try row.get("methods")
        createdAt = try row.get("created_at")
        lastUsedAt = try row.get("last_used_at")
    }

    /// A session that begins now.
    init(assurance: Int, methods: [String], at now: Timestamp) {
        self.assurance = assurance
        self.methods = methods
        createdAt = now
        lastUsedAt = now
    }
}

/// What a company asks of the sessions that work in it.
struct CompanyPolicy: Sendable {
    var isSecondFactorRequired = false
    var loginMethods: [String] = []
    var idle: Duration?
    var longest: Duration?
    var addresses: [AddressRange] = []
    var keyDaysMax: Int?
    var hasOneSession = false

    static func sql(_ company: UUID) -> SQL {
        """
        SELECT mfa_required, login_methods, session_idle_minutes, session_max_hours, ip_allow_list, api_key_max_days,
               one_session
          FROM company_security_policies WHERE company_id = \(company)
        """
    }

    /// No row, no rules.
    init(_ rows: Rows) throws {
        guard let row = rows.first else { return }
        isSecondFactorRequired = try row.get("mfa_required")
        loginMethods = try row.get("login_methods")
        idle = try row.get("session_idle_minutes", as: Int?.self).map { .seconds($0 * 60) }
        longest = try row.get("session_max_hours", as: Int?.self).map { .seconds($0 * 3600) }
        addresses = try row.get("ip_allow_list", as: [String].self).compactMap { AddressRange($0) }
        keyDaysMax = try row.get("api_key_max_days", as: Int?.self)
        hasOneSession = try row.get("one_session")
    }

    func refusal(of session: PolicySession, from address: IPAddress, at now: Timestamp) -> Problem? {
        if isSecondFactorRequired, session.assurance < 2 { return Problem(.secondFactorDemanded) }
        if !addresses.isEmpty, !addresses.contains(where: { $0.contains(address) }) {
            return Problem(.addressNotAllowed)
        }
        if let method = session.methods.first, !loginMethods.isEmpty, !loginMethods.contains(method) {
            return Problem(.methodNotAllowedByCompany)
        }
        // The last use is written down once a minute, so a session may look that much longer idle than it is.
        if let idle, now - session.lastUsedAt > idle + AuthLimits.lastUseEvery {
            return .unauthorized(
                "The company ends sessions that are idle so long; log in again.", error: "invalid_token")
        }
        if let longest, now - session.createdAt > longest {
            return .unauthorized(
                "The company ends sessions after that time; log in again.", error: "invalid_token")
        }
        return nil
    }
}
