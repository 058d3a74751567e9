import Postgres
import Wire

/// Looks a counter over under its lock: begins the new period, books what grants have given, and finds the ceiling.
enum QuotaRefresh {
    static func run(_ quota: Quota, company: UUID, in tx: Transaction) async throws -> QuotaStanding {
        // The lock stands in a statement of its own, so that those after it see what its last holder has written.
        let answers = try await tx.batch([
            """
            INSERT INTO quota_counters (company_id, quota) VALUES (\(company), \(quota.name))
            ON CONFLICT (company_id, quota) DO NOTHING
            """,
            "SELECT 1 FROM quota_counters WHERE company_id = \(company) AND quota = \(quota.name) FOR UPDATE",
            facts(quota, company), grants(quota, company),
        ])
        let grants = try answers[3].map(Grant.init)
        var counter = try Counter(answers[2][0], quota)
        let drawn = counter.lookOver(quota, grants)
        let updates = zip(grants, drawn).filter { $1 > 0 }.map { grant, amount -> SQL in
            """
            UPDATE quota_grants SET used = used + \(amount), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(grant.id)
            """
        }
        let rows = try await tx.batch(updates + [counter.update(quota, company)])
        return try QuotaStanding(rows[updates.count][0])
    }

    private static func facts(_ quota: Quota, _ company: UUID) -> SQL {
        """
        SELECT c.used, c.base, c.carried, c.drawn, c.alerted, c.period_start, c.period_end, now() AS now,
               o.quota IS NOT NULL AS is_overridden, o.amount AS override_amount, o.is_hard,
               l.quota IS NOT NULL AS is_planned, l.amount AS plan_amount, starts.at AS new_start,
               CASE \(quota.period.rawValue)
                    WHEN 'day' THEN (starts.local + interval '1 day') AT TIME ZONE zone.name
                    WHEN 'month' THEN (starts.local + interval '1 month') AT TIME ZONE zone.name
               END AS new_end
          FROM quota_counters c
          LEFT JOIN companies k ON k.id = c.company_id
          LEFT JOIN company_plans p ON p.company_id = c.company_id
          LEFT JOIN quota_overrides o ON o.company_id = c.company_id AND o.quota = c.quota
          LEFT JOIN plan_limits l ON l.plan = coalesce(p.plan, \(Plans.standard)) AND l.quota = c.quota
         CROSS JOIN LATERAL (SELECT coalesce(k.time_zone, 'UTC') AS name,
                                    coalesce(p.anchor_day, 1) - 1 AS days_late) zone
         CROSS JOIN LATERAL (
               SELECT CASE \(quota.period.rawValue)
                           WHEN 'day' THEN date_trunc('day', now() AT TIME ZONE zone.name)
                           WHEN 'month' THEN date_trunc('month', now() AT TIME ZONE zone.name
                                                                - make_interval(days => zone.days_late))
                                             + make_interval(days => zone.days_late)
                           ELSE now() AT TIME ZONE zone.name
                      END AS local) naive
         CROSS JOIN LATERAL (SELECT naive.local, naive.local AT TIME ZONE zone.name AS at) starts
         WHERE c.company_id = \(company) AND c.quota = \(quota.name)
        """
    }

    /// Those that can give, and those that could when the counter was last looked over.
    private static func grants(_ quota: Quota, _ company: UUID) -> SQL {
        """
        SELECT g.id, g.amount, g.used, g.expires_at, g.expires_at IS NULL OR g.expires_at > now() AS is_good
          FROM quota_grants g
          JOIN quota_counters c ON c.company_id = g.company_id AND c.quota = g.quota
         WHERE g.company_id = \(company) AND g.quota = \(quota.name) AND g.used < g.amount
           AND (g.expires_at IS NULL OR g.expires_at > now() OR g.expires_at >= c.fresh_until)
         ORDER BY g.priority, g.expires_at, g.id
        """
    }

    struct Grant {
        let id: UUID
        let amount: Int64
        var used: Int64
        let expiresAt: Timestamp?
        let isGood: Bool

        init(_ row: Row) throws {
            id = try row.get("id")
            amount = try row.get("amount")
            used = try row.get("used")
            expiresAt = try row.get("expires_at", as: Timestamp?.self)
            isGood = try row.get("is_good")
        }
    }

    struct Counter {
        private var used: Int64
        private var base: Int64?
        private var carried: Int64
        private var drawn: Int64
        private var alerted: Int
        private var start: Timestamp?
        private var end: Timestamp?
        private var ceiling: Int64?
        private var freshUntil: Timestamp
        private let now: Timestamp
        private let limit: Int64?
        private let isHard: Bool
        private let newStart: Timestamp
        private let newEnd: Timestamp?

        init(_ row: Row, _ quota: Quota) throws {
            used = try row.get("used")
            base = try row.get("base", as: Int64?.self)
            carried = try row.get("carried")
            drawn = try row.get("drawn")
            alerted = try row.get("alerted")
            start = try row.get("period_start", as: Timestamp?.self)
            end = try row.get("period_end", as: Timestamp?.self)
            now = try row.get("now")
            newStart = try row.get("new_start")
            newEnd = try row.get("new_end", as: Timestamp?.self)
            isHard = try row.get("is_hard", as: Bool?.self) ?? quota.isHard
            if try row.get("is_overridden") {
                limit = try row.get("override_amount", as: Int64?.self)
            } else if try row.get("is_planned") {
                limit = try row.get("plan_amount", as: Int64?.self)
            } else {
                limit = quota.limit
            }
            freshUntil = now
        }

        /// What each grant has given since the last time, in their order.
        mutating func lookOver(_ quota: Quota, _ grants: [Grant]) -> [Int64] {
            var given = grants.map { _ in Int64(0) }
            // What is held lifts the limit while the grant lasts; what is used up in a period uses the grant up.
            if quota.period != .never { given = book(grants) }
            if start == nil { start = newStart }
            if let end, end <= now { beginPeriod(quota) }
            base = limit
            end = newEnd
            let rest = zip(grants, given).filter { $0.0.isGood }.map { grant, amount in
                quota.period == .never ? grant.amount : grant.amount - grant.used - amount
            }
            ceiling = base.map { $0 + carried + drawn + rest.reduce(0, +) }
            let ends = grants.compactMap { $0.isGood ? $0.expiresAt : nil } + [end].compactMap { $0 }
            freshUntil = (ends + [now + .seconds(QuotaLimits.freshMinutes * 60)]).min() ?? now
            return given
        }

        /// The plain limit is used first; what went beyond it came from the grants, the first in order first.
        private mutating func book(_ grants: [Grant]) -> [Int64] {
            guard let base else { return grants.map { _ in 0 } }
            var beyond = max(0, used - base - carried - drawn)
            return grants.map { grant in
                let amount = min(beyond, grant.amount - grant.used)
                beyond -= amount
                drawn += amount
                return amount
            }
        }

        private mutating func beginPeriod(_ quota: Quota) {
            var left = base.map { max(0, $0 + carried - used) } ?? 0
            // Nobody came by in the periods between, so one of them at least was left whole.
            if let end, end < newStart { left += limit ?? 0 }
            carried = min(left, quota.carryOverMax)
            used = 0
            drawn = 0
            alerted = 0
            start = newStart
        }

        func update(_ quota: Quota, _ company: UUID) -> SQL {
            """
            UPDATE quota_counters
               SET used = \(used), base = \(base), carried = \(carried), drawn = \(drawn), ceiling = \(ceiling),
                   is_hard = \(isHard), alerted = \(alerted), period_start = \(start), period_end = \(end),
                   fresh_until = \(freshUntil)
             WHERE company_id = \(company) AND quota = \(quota.name)
            RETURNING \(fragment: QuotaStanding.columns)
            """
        }
    }
}
