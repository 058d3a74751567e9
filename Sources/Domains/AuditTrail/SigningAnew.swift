import Core
import Crypto
import Postgres
import Wire

extension AuditTrailDomain {
    /// After an exchange of keys: a chain whose newest seal an older key has signed gets one more act, which the newest
    /// key signs; it then vouches for all before it. Gives how many chains that were.
    public static func signAnew(_ ring: KeyRing, _ db: Database) async throws -> Int {
        let keys = AuditKeys(ring)
        var count = 0
        for row in try await db.query("SELECT company_id FROM company_upkeep ORDER BY company_id") {
            let company = try row.get("company_id", as: UUID.self)
            let head = try await db.query(
                "SELECT seq, hash, mac FROM audit_seals WHERE company_id = \(company) ORDER BY seq DESC LIMIT 1",
                as: Tenant(company: company))
            guard let seal = head.first else { continue }
            let isNew = keys.isSignedByNewest(
                company: company, seq: try seal.get("seq"), hash: try seal.get("hash"),
                by: try seal.get("mac"))
            if isNew { continue }
            _ = try await db.query(
                Audit.sql(
                    Audit.Entry("audit.signed_anew", on: "company", company), by: .system, company: company),
                as: Tenant(company: company))
            count += 1
        }
        return count
    }
}
