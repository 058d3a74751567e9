import Postgres
import Wire

/// The database as the owner of the tables has it, for what the serving role has no right to: the record of changes ends
/// with its retention, and nothing else deletes from it. The app puts it into the environment when it knows that way.
public struct OwnerDatabase: Sendable {
    public let database: Database

    public init(_ database: Database) { self.database = database }
}

/// Cuts off the beginning of a company's record of changes, and says so in the chain itself.
public enum AuditRetention {
    /// Deletes the changes older than `days`, as far as the chain is older as a whole, and never its newest seal. What is
    /// left still verifies: the last seal that went is noted, and the cut is itself a change that is recorded.
    @discardableResult
    public static func cut(_ company: UUID, days: Int, _ owner: Database) async throws -> Int {
        try await owner.transaction(as: Tenant(company: company), deadline: .seconds(300)) { tx in
            let found = try await tx.query(
                """
                SELECT s.seq, s.hash, now() - make_interval(days => \(days)::integer) AS before
                  FROM audit_seals s
                 WHERE s.company_id = \(company)
                   AND s.seq = least(
                       (SELECT min(y.seq) - 1 FROM audit_seals y
                          JOIN audit_log a ON a.company_id = y.company_id AND a.id = y.audit_id
                         WHERE y.company_id = \(company) AND a.at >= now() - make_interval(days => \(days)::integer)),
                       (SELECT max(seq) - 1 FROM audit_seals WHERE company_id = \(company)))
                """)
            guard let last = found.first else { return 0 }
            let seq = try last.get("seq", as: Int64.self)
            let hash = try last.get("hash", as: [UInt8].self)
            let before = try last.get("before", as: Timestamp.self)
            let gone = try await tx.query(
                """
                DELETE FROM audit_log a USING audit_seals s
                 WHERE s.company_id = \(company) AND s.seq <= \(seq)
                   AND a.company_id = s.company_id AND a.id = s.audit_id
                """)
            _ = try await tx.batch([
                "DELETE FROM audit_seals WHERE company_id = \(company) AND seq <= \(seq)",
                "DELETE FROM audit_cuts WHERE company_id = \(company)",
                """
                INSERT INTO audit_cuts (company_id, seq, hash, rows, before)
                VALUES (\(company), \(seq), \(hash), \(gone.affected), \(before))
                """,
                Audit.sql(
                    Audit.Entry(
                        "audit.cut", on: "company", company,
                        after: [
                            "last_seq": JSON(Int(seq)), "last_hash": .string(Hex.encode(hash)),
                            "rows": JSON(gone.affected), "before": .string(before.description),
                        ]), by: .system, company: company),
            ])
            return gone.affected
        }
    }
}
