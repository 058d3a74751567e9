import Synchronization

/// Something of which a company may use so much: declared once by the domain that counts it.
public struct Quota: Sendable, Hashable {
    /// When a counter begins anew. Days and months are those of the company's time zone.
    public enum Period: String, Codable, CaseIterable, Sendable {
        /// Never: what is held, like stored bytes. It comes back when it is given back.
        case never
        case day
        /// Begins on the anchor day of the company's plan.
        case month
    }

    /// What becomes of an amount that was set aside and never settled.
    public enum Forgotten: Sendable { case released, counted }

    /// As in `storage_bytes`: what is counted, the unit last.
    public let name: String
    public let summary: String
    public let unit: String
    /// Where neither the plan nor an exception says otherwise; nil is no limit.
    public let limit: Int64?
    /// A hard one refuses what does not fit; a soft one only tells of it.
    public let isHard: Bool
    public let period: Period
    /// So much of what was left at the end of a period is there in the next on top.
    public let carryOverMax: Int64
    public let forgotten: Forgotten

    public init(
        _ name: String, _ summary: String, unit: String, limit: Int64?, isHard: Bool = true,
        period: Period = .never,
        carryOverMax: Int64 = 0, forgotten: Forgotten = .released
    ) {
        precondition(limit ?? 0 >= 0 && carryOverMax >= 0, "\(name) has a limit below nothing")
        self.name = name
        self.summary = summary
        self.unit = unit
        self.limit = limit
        self.isHard = isHard
        self.period = period
        self.carryOverMax = carryOverMax
        self.forgotten = forgotten
    }

    public static func == (left: Quota, right: Quota) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Every quota there is. The app declares them once, before anything else starts.
public enum QuotaCatalogue {
    private static let quotas = Mutex<[Quota]>([])

    public static func declare(_ all: [Quota]) {
        precondition(Set(all.map(\.name)).count == all.count, "two quotas share a name")
        quotas.withLock { $0 = all }
    }

    public static var all: [Quota] { quotas.withLock { $0 } }
    public static func named(_ name: String) -> Quota? { all.first { $0.name == name } }
}
