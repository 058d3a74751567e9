import Postgres
import Wire

/// Settles reservations that their makers have forgotten, died over, or never meant to keep.
public enum QuotaSweep {
    public static let worker = Worker("quota-sweep", every: .seconds(5)) { work in
        try await round(work.database) ? .more : .idle
    }

    /// One company a round; false when nothing is due.
    static func round(_ db: Database) async throws -> Bool {
        try await db.transaction { tx in
            let due = try await tx.query(
                """
                SELECT company_id FROM quota_reservations WHERE expires_at <= now() ORDER BY expires_at LIMIT 1
                """)
            guard let company = try due.first?.get("company_id", as: UUID.self) else { return false }
            let rows = try await tx.query(
                """
                DELETE FROM quota_reservations WHERE id IN (
                    SELECT id FROM quota_reservations WHERE company_id = \(company) AND expires_at <= now()
                     ORDER BY expires_at LIMIT \(QuotaLimits.sweepMax) FOR UPDATE SKIP LOCKED)
                RETURNING quota, amount, counts_when_forgotten
                """)
            try await tx.become(company)
            for row in rows {
                let amount: Int64 = try row.get("amount")
                let used: Int64 = try row.get("counts_when_forgotten") ? amount : 0
                _ = try await tx.query(
                    """
                    UPDATE quota_counters SET reserved = greatest(reserved - \(amount), 0), used = used + \(used)
                     WHERE company_id = \(company) AND quota = \(row.get("quota", as: String.self))
                    """)
            }
            return !rows.isEmpty
        }
    }
}
