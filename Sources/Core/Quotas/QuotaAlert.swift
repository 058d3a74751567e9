import Postgres
import Wire

/// Tells, once a period for each threshold, that much of a quota is used.
enum QuotaAlert {
    static func tell(_ standing: QuotaStanding, of quota: Quota, company: UUID, in tx: Transaction) async throws {
        guard let ceiling = standing.ceiling, ceiling > 0 else { return }
        let reached = QuotaLimits.thresholds.filter {
            $0 > standing.alerted && Double(standing.used) * 100 >= Double($0) * Double(ceiling)
        }
        guard let highest = reached.last else { return }
        // The caller's own UPDATE holds the row's lock: nobody else can tell of the same threshold.
        _ = try await tx.query(
            """
            UPDATE quota_counters SET alerted = \(highest) WHERE company_id = \(company) AND quota = \(quota.name)
            """)
    }

    /// What falls well below a threshold again is told of again when it comes back to it.
    static func rearmed(after amount: Int64) -> SQL {
        let steps = QuotaLimits.thresholds.reversed().map { threshold -> SQL in
            """
            WHEN (used - \(amount))::float8 * 100 >= \(threshold - QuotaLimits.rearmPercent) * ceiling::float8
            THEN \(threshold)
            """
        }
        return "alerted = least(alerted, CASE \(fragment: steps.joined(separator: " ")) ELSE 0 END)"
    }
}
