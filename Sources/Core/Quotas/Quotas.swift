import API
import Postgres
import Wire

/// Counts what companies use, and refuses what would be too much.
///
/// Each change is one UPDATE whose WHERE decides, so that however many ask at once, never more is given than there is.
/// All of it happens in the caller's transaction, which runs as the company's: what is undone was never taken. The
/// company's counter is locked from then to the end of the transaction, so take late and commit soon.
public enum Quotas {
    /// What is used, counted at once.
    @discardableResult
    public static func take(
        _ quota: Quota, _ amount: Int64 = 1, company: UUID, in tx: Transaction
    ) async throws -> QuotaStanding {
        try check(amount)
        let sql: SQL = """
            UPDATE quota_counters SET used = used + \(amount)
             WHERE \(fragment: fits(quota, amount, company)) RETURNING \(fragment: QuotaStanding.columns)
            """
        let standing = try await decide(quota, amount, company, sql, in: tx)
        try await QuotaAlert.tell(standing, of: quota, company: company, in: tx)
        return standing
    }

    /// Takes back what was counted: something was deleted.
    public static func giveBack(_ quota: Quota, _ amount: Int64 = 1, company: UUID, in tx: Transaction)
        async throws
    {
        try check(amount)
        _ = try await tx.query(
            """
            UPDATE quota_counters
               SET used = greatest(used - \(amount), 0), \(fragment: QuotaAlert.rearmed(after: amount))
             WHERE company_id = \(company) AND quota = \(quota.name)
            """)
    }

    /// An amount set aside for work that may yet turn out smaller or fail.
    public struct Reservation: Codable, Sendable {
        public let id: UUID
        public let quota: String
        public let amount: Int64
        public let company: UUID
    }

    /// Sets an amount aside. Settle or release it within `life`; else the sweeper does as the quota declares.
    public static func reserve(
        _ quota: Quota, _ amount: Int64, company: UUID, life: Duration = .seconds(900), in tx: Transaction
    ) async throws -> Reservation {
        try check(amount)
        let reservation = Reservation(id: .v7(), quota: quota.name, amount: amount, company: company)
        let sql: SQL = """
            UPDATE quota_counters SET reserved = reserved + \(amount)
             WHERE \(fragment: fits(quota, amount, company)) RETURNING \(fragment: QuotaStanding.columns)
            """
        _ = try await decide(quota, amount, company, sql, in: tx)
        _ = try await tx.query(
            """
            INSERT INTO quota_reservations (id, company_id, quota, amount, counts_when_forgotten, expires_at)
            VALUES (\(reservation.id), \(company), \(quota.name), \(amount), \(quota.forgotten == .counted),
                    now() + make_interval(secs => \(Int(life.components.seconds))))
            """)
        return reservation
    }

    /// Counts what was really used of a reservation and frees the rest.
    ///
    /// More than was set aside is counted too, even beyond the limit: it has happened. Settling twice counts once.
    public static func settle(_ reservation: Reservation, used: Int64, in tx: Transaction) async throws {
        precondition(used >= 0, "less than nothing cannot have been used")
        let kept = try await tx.query(
            "DELETE FROM quota_reservations WHERE id = \(reservation.id) RETURNING id")
        if kept.isEmpty { return }
        let rows = try await tx.query(
            """
            UPDATE quota_counters SET reserved = greatest(reserved - \(reservation.amount), 0), used = used + \(used)
             WHERE company_id = \(reservation.company) AND quota = \(reservation.quota)
            RETURNING \(fragment: QuotaStanding.columns)
            """)
        guard let row = rows.first, let quota = QuotaCatalogue.named(reservation.quota) else { return }
        let standing = try QuotaStanding(row)
        try await QuotaAlert.tell(standing, of: quota, company: reservation.company, in: tx)
    }

    /// Frees a reservation whose work did not happen.
    public static func release(_ reservation: Reservation, in tx: Transaction) async throws {
        try await settle(reservation, used: 0, in: tx)
    }

    /// Where the company stands: read without a lock as long as the counter holds, looked over otherwise.
    public static func standing(_ quota: Quota, company: UUID, in tx: Transaction) async throws
        -> QuotaStanding
    {
        let rows = try await tx.query(
            """
            SELECT \(fragment: QuotaStanding.columns) FROM quota_counters
             WHERE company_id = \(company) AND quota = \(quota.name) AND fresh_until > now()
            """)
        if let row = rows.first { return try QuotaStanding(row) }
        return try await QuotaRefresh.run(quota, company: company, in: tx)
    }

    /// Looks the counter over at once: its plan, its exception or its grants have changed.
    @discardableResult
    public static func lookOver(_ quota: Quota, company: UUID, in tx: Transaction) async throws
        -> QuotaStanding
    {
        try await QuotaRefresh.run(quota, company: company, in: tx)
    }

    /// The row must still hold (`fresh_until`) and have room.
    private static func fits(_ quota: Quota, _ amount: Int64, _ company: UUID) -> SQL {
        """
        company_id = \(company) AND quota = \(quota.name) AND fresh_until > now()
           AND (NOT is_hard OR ceiling IS NULL OR used + reserved + \(amount) <= ceiling)
        """
    }

    /// Nearly always the one statement decides. When it finds no row, the counter is looked over under its lock, for it
    /// may be new, its period or a grant be over; the second no is the answer.
    private static func decide(
        _ quota: Quota, _ amount: Int64, _ company: UUID, _ sql: SQL, in tx: Transaction
    ) async throws -> QuotaStanding {
        if let row = try await tx.query(sql).first { return try QuotaStanding(row) }
        let standing = try await QuotaRefresh.run(quota, company: company, in: tx)
        if let row = try await tx.query(sql).first { return try QuotaStanding(row) }
        throw standing.refusal(of: amount, quota)
    }

    private static func check(_ amount: Int64) throws {
        guard amount >= 0, amount <= QuotaLimits.amountMax else {
            throw Problem.unprocessable("", "out-of-range", "So much cannot be counted.")
        }
    }
}

/// Every number of the quotas, with its reason.
public enum QuotaLimits {
    /// What JSON numbers hold exactly; sums of it stay far from the end of a bigint.
    public static let amountMax: Int64 = 9_007_199_254_740_991
    /// A changed plan limit is felt by counters in use after so long at most; looking over costs two statements.
    static let freshMinutes = 5
    /// Shares of the ceiling, in percent, that are told of once a period.
    static let thresholds = [50, 80, 100]
    /// What is held is told of again only after falling so far below a threshold, or every upload would tell.
    static let rearmPercent = 5
    /// Forgotten reservations settled in one round.
    static let sweepMax = 100
    public static let grantsMax = 100
}
