import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// What an API key allows at this moment: its scopes, as far as its maker, or its service account, still holds them.
enum KeyAccess {
    static func load(
        _ key: String, _ request: Request, at now: Timestamp, _ db: Database, _ uses: PermissionUses
    ) async throws -> AccessCache.Entry {
        let refused = Problem.badToken("The API key is not valid.")
        guard APIKeyToken.isWellFormed(key) else { throw refused }
        let owners = try await db.query(
            """
            SELECT of_company, key_id FROM api_key_hashes
             WHERE key_sha256 = \(OpaqueToken.digest(key).bytes) AND (valid_until IS NULL OR valid_until > \(now))
            """)
        guard let owner = owners.first else { throw refused }
        let company: UUID = try owner.get("of_company")
        let id: UUID = try owner.get("key_id")
        let answers = try await db.batch(
            [
                """
                SELECT coalesce(k.acts_as, k.created_by) AS acts_as, k.scopes, k.ip_allow_list, k.expires_at
                  FROM api_keys k JOIN users u ON u.id = coalesce(k.acts_as, k.created_by) AND u.status = 'active'
                 WHERE k.company_id = \(company) AND k.id = \(id) AND k.revoked_at IS NULL
                   AND (k.expires_at IS NULL OR k.expires_at > \(now))
                """,
                """
                UPDATE api_keys SET last_used_at = \(now), last_used_from = \(request.clientAddress.description)
                 WHERE company_id = \(company) AND id = \(id) AND revoked_at IS NULL
                   AND (last_used_at IS NULL OR last_used_at < \(now - AuthLimits.lastUseEvery))
                """,
                CompanyPolicy.sql(company),
            ], as: Tenant(company: company))
        guard let row = answers[0].first else { throw refused }
        let holder: UUID = try row.get("acts_as")
        guard let access = try await MemberAccess.load(user: holder, company: company, db) else {
            throw refused
        }
        let own = try row.get("ip_allow_list", as: [String].self).compactMap { AddressRange($0) }
        let companys = try CompanyPolicy(answers[2]).addresses
        guard own.isEmpty || request.comes(from: own), companys.isEmpty || request.comes(from: companys)
        else {
            throw Problem(.addressNotAllowed)
        }
        let scopes = PermissionSet(names: try row.get("scopes", as: [String].self))
        var principal = Principal(
            userId: holder, apiKeyId: id, companyId: company, memberId: access.memberId,
            permissions: access.permissions.intersection(scopes))
        principal.standing = access.standing(notedIn: uses)
        let expires = try row.get("expires_at", as: Timestamp?.self)
        return AccessCache.Entry(
            principal: principal,
            // Both lists bind; the fast path checks one, so a key under both is read anew each time.
            addresses: own.isEmpty ? companys : own,
            goodUntil: own.isEmpty || companys.isEmpty
                ? min(expires ?? .distant, now + AuthLimits.lastUseEvery) : now)
    }
}

extension Timestamp {
    /// Later than anything that will be compared with it.
    static let distant = Timestamp(microseconds: .max)
}
