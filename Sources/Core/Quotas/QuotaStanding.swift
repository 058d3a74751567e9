import API
import Postgres
import Wire

/// Where a company stands with one quota.
public struct QuotaStanding: Sendable {
    public let used: Int64
    /// Set aside for work under way.
    public let reserved: Int64
    /// All there is in this period: the limit, what was carried over and what was granted. Nil is no limit.
    public let ceiling: Int64?
    public let isHard: Bool
    public let periodStart: Timestamp
    /// When the counter begins anew.
    public let resetsAt: Timestamp?
    let alerted: Int

    static let columns: SQL = "used, reserved, ceiling, is_hard, period_start, period_end, alerted"

    init(_ row: Row) throws {
        used = try row.get("used")
        reserved = try row.get("reserved")
        ceiling = try row.get("ceiling", as: Int64?.self)
        isHard = try row.get("is_hard")
        periodStart = try row.get("period_start")
        resetsAt = try row.get("period_end", as: Timestamp?.self)
        alerted = try row.get("alerted")
    }

    public var remaining: Int64? { ceiling.map { max(0, $0 - used - reserved) } }

    func refusal(of amount: Int64, _ quota: Quota) -> Problem {
        let room = remaining ?? 0
        var problem = Problem(
            .quotaUsedUp, "\(amount) \(quota.unit) more do not fit: \(room) of \(ceiling ?? 0) are left."
        )
        .with("quota", .string(quota.name)).with("unit", .string(quota.unit))
        .with("limit", ceiling.map { JSON($0) } ?? .null).with("used", JSON(used))
        .with("reserved", JSON(reserved)).with("requested", JSON(amount))
        .with("resets_at", resetsAt.map { .string($0.description) } ?? .null)
        guard let resetsAt else { return problem }
        // As for rates: the policy, what is left of it, and the seconds until all of it is there again.
        let (now, window) = (Timestamp.now, (resetsAt - periodStart).components.seconds)
        let seconds = max(1, (resetsAt - now).components.seconds)
        problem = problem.header("ratelimit-policy", "\"\(quota.name)\";q=\(ceiling ?? 0);w=\(window)")
        return problem.header("ratelimit", "\"\(quota.name)\";r=\(room);t=\(seconds)")
            .header("retry-after", String(seconds))
    }
}

extension ProblemCode {
    public static let quotaUsedUp = ProblemCode(
        "quota-used-up", 403, "The company has used what it may",
        advice:
            "The members `quota`, `limit`, `used` and `resets_at` say of what, how much and until when. Wait for the "
            + "reset, delete what is no longer needed, or ask for more.")
}
