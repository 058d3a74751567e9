import Postgres
import Wire

/// Tells, once a period for each threshold, that much of a quota is used.
public enum QuotaAlert {
    public struct Reached: Codable, Sendable {
        public let quota: String
        public let unit: String
        public let percent: Int
        public let used: Int64
        public let limit: Int64
        public let resetsAt: Timestamp?
    }

    public static let event = EventType(
        "quota.threshold_reached",
        "The company has used 50, 80 or 100 percent of a quota, told once a period.",
        example: Reached(
            quota: "storage_bytes", unit: "bytes", percent: 80, used: 4_294_967_296, limit: 5_368_709_120,
            resetsAt: nil))

    public static let notification = NotificationType(
        "quota.threshold_reached", category: "quotas", summary: "Much of what the company may use is used.",
        severity: .high, channels: [.inApp, .email], values: ["quota", "percent", "used", "limit", "unit"],
        texts: [
            "en": .init("{{percent}} % of {{quota}} are used", "{{used}} of {{limit}} {{unit}} are used."),
            "de": .init(
                "{{quota}} ist zu {{percent}} % verbraucht",
                "{{used}} von {{limit}} {{unit}} sind verbraucht."),
        ])

    static func tell(_ standing: QuotaStanding, of quota: Quota, company: UUID, in tx: Transaction)
        async throws
    {
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
        for percent in reached {
            let data = Reached(
                quota: quota.name, unit: quota.unit, percent: percent, used: standing.used, limit: ceiling,
                resetsAt: standing.resetsAt)
            try await Events.record(
                event, data, on: "company", company, by: .system, company: company, in: tx)
        }
        // Who jumps over two thresholds at once is told of the higher alone.
        let news = News(
            notification, about: .init("company", company),
            values: [
                "quota": .string(quota.summary), "percent": JSON(highest), "used": JSON(standing.used),
                "limit": JSON(ceiling), "unit": .string(quota.unit),
            ], by: .system)
        try await Notify.record(news, to: .roles(["owner", "admin"]), company: company, in: tx)
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
