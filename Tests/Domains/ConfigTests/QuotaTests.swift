import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// The port as other domains use it, over the real tables.
@Suite struct QuotaTests {
    private let server: TestServer
    private let company = UUID.v7()
    private var db: Database { server.instance.database }
    private var tenant: Tenant { Tenant(company: company) }

    init() async throws { server = try await House.shared() }

    private func used(_ quota: Quota) async throws -> QuotaStanding {
        try await db.transaction(as: tenant) { try await Quotas.standing(quota, company: company, in: $0) }
    }

    private func lookedOver(_ quota: Quota) async throws -> QuotaStanding {
        try await db.transaction(as: tenant) { try await Quotas.lookOver(quota, company: company, in: $0) }
    }

    private func take(_ quota: Quota, _ amount: Int64) async throws {
        try await db.transaction(as: tenant) { tx in
            _ = try await Quotas.take(quota, amount, company: company, in: tx)
        }
    }

    /// Moves the counter's period into the past, as if that time had gone by.
    private func age(_ quota: Quota, days: Int) async throws {
        _ = try await db.query(
            """
            UPDATE quota_counters
               SET period_start = period_start - make_interval(days => \(days)),
                   period_end = period_end - make_interval(days => \(days)), fresh_until = now()
             WHERE company_id = \(company) AND quota = \(quota.name)
            """, as: tenant)
    }

    private func grant(_ quota: Quota, _ amount: Int64, priority: Int = 100, expiresIn seconds: Int? = nil)
        async throws
    {
        _ = try await db.query(
            """
            INSERT INTO quota_grants (company_id, id, quota, amount, priority, expires_at)
            VALUES (\(company), \(UUID.v7()), \(quota.name), \(amount), \(priority),
                    now() + make_interval(secs => \(seconds)::int))
            """, as: tenant)
        _ = try await lookedOver(quota)
    }

    private func grants(_ quota: Quota) async throws -> [Int64] {
        try await db.query(
            """
            SELECT used FROM quota_grants WHERE company_id = \(company) AND quota = \(quota.name)
             ORDER BY priority, expires_at, id
            """, as: tenant
        ).map { try $0.get("used") }
    }

    @Test func `reading where one stands waits for nobody who takes`() async throws {
        let quota = Quota("test_reading", "Reading", unit: "pieces", limit: 100)
        try await take(quota, 3)
        try await db.transaction(as: tenant) { tx in
            _ = try await Quotas.take(quota, 4, company: company, in: tx)
            // The counter is locked here until the end: another transaction sees what was there before.
            let standing = try await used(quota)
            #expect(standing.used == 3)
        }
        #expect(try await used(quota).used == 7)
    }

    @Test func `64 at once never get more than there is`() async throws {
        let quota = Quota("test_parallel", "Parallel", unit: "pieces", limit: 100)
        let given = try await withThrowingTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    var given: Int64 = 0
                    for _ in 0..<4 {
                        do {
                            try await take(quota, 3)
                            given += 3
                        } catch let problem as Problem where problem.code == .quotaUsedUp {}
                    }
                    return given
                }
            }
            return try await group.reduce(Int64(0), +)
        }
        #expect(given == 99)
        let standing = try await used(quota)
        #expect(standing.used == 99)
        #expect(standing.remaining == 1)
    }

    @Test func `64 reservations at once never set aside more than there is, and settle to what was used`()
        async throws
    {
        let quota = Quota("test_reserved", "Reserved", unit: "tokens", limit: 1000, period: .month)
        let reservations = try await withThrowingTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    try? await db.transaction(as: tenant) { tx in
                        try await Quotas.reserve(quota, 100, company: company, in: tx)
                    }
                }
            }
            return try await group.compactMap { $0 }.reduce(into: []) { $0.append($1) }
        }
        #expect(reservations.count == 10)
        #expect(try await used(quota).reserved == 1000)
        try await withThrowingTaskGroup { group in
            for reservation in reservations + reservations {
                group.addTask {
                    try await db.transaction(as: tenant) {
                        try await Quotas.settle(reservation, used: 40, in: $0)
                    }
                }
            }
            try await group.waitForAll()
        }
        let standing = try await used(quota)
        #expect(standing.used == 400, "settling twice counts once")
        #expect(standing.reserved == 0)
    }

    @Test func `what is rolled back was never taken, what is given back can be taken again`() async throws {
        let quota = Quota("test_back", "Back", unit: "bytes", limit: 10)
        struct Regret: Error {}
        await #expect(throws: Regret.self) {
            try await db.transaction(as: tenant) { tx in
                _ = try await Quotas.take(quota, 10, company: company, in: tx)
                throw Regret()
            }
        }
        try await take(quota, 10)
        let refusal = await #expect(throws: Problem.self) { try await take(quota, 1) }
        #expect(refusal?.code == .quotaUsedUp)
        #expect(refusal?.extras.first { $0.name == "limit" }?.value == 10)
        try await db.transaction(as: tenant) { try await Quotas.giveBack(quota, 4, company: company, in: $0) }
        try await take(quota, 4)
        await #expect(throws: Problem.self) { try await take(quota, 1) }
    }

    @Test func `a soft quota counts on beyond its limit`() async throws {
        let quota = Quota("test_soft", "Soft", unit: "calls", limit: 5, isHard: false, period: .day)
        try await take(quota, 7)
        let standing = try await used(quota)
        #expect(standing.used == 7)
        #expect(standing.remaining == 0)
    }

    @Test func `a new period counts anew and carries over what was left, up to the bound`() async throws {
        let quota = Quota("test_carry", "Carry", unit: "calls", limit: 100, period: .day, carryOverMax: 30)
        try await take(quota, 90)
        try await age(quota, days: 1)
        var standing = try await used(quota)
        #expect(standing.used == 0)
        #expect(standing.ceiling == 110)
        try await take(quota, 20)
        try await age(quota, days: 1)
        standing = try await used(quota)
        #expect(standing.ceiling == 130, "90 were left, 30 may be carried")
        await #expect(throws: Problem.self) { try await take(quota, 131) }
    }

    @Test func `the refusal says when there is more, as rates do`() async throws {
        let quota = Quota("test_reset", "Reset", unit: "calls", limit: 1, period: .day)
        try await take(quota, 1)
        let refusal = try #require(await #expect(throws: Problem.self) { try await take(quota, 1) })
        let retry = try #require(
            refusal.headers.first { "\($0.name)" == "retry-after" }.flatMap { Int($0.value) })
        #expect((1...90_000).contains(retry))
        #expect(
            refusal.headers.contains {
                "\($0.name)" == "ratelimit" && $0.value.hasPrefix("\"test_reset\";r=0;t=")
            })
    }

    @Test func `grants are used up by priority, then by expiry, after the plain limit`() async throws {
        let quota = Quota("test_grants", "Grants", unit: "credits", limit: 10, period: .month)
        try await take(quota, 4)
        try await grant(quota, 5, priority: 200)
        try await grant(quota, 5, priority: 1, expiresIn: 7200)
        try await grant(quota, 5, priority: 1, expiresIn: 3600)
        #expect(try await used(quota).ceiling == 25)
        try await take(quota, 13)
        _ = try await lookedOver(quota)
        #expect(try await grants(quota) == [5, 2, 0])
        try await age(quota, days: 31)
        let standing = try await used(quota)
        #expect(standing.ceiling == 18, "what grants had left outlives the period")
        await #expect(throws: Problem.self) { try await take(quota, 19) }
        try await take(quota, 18)
    }

    @Test func `a grant that ends takes what is left of it along`() async throws {
        let quota = Quota("test_expiry", "Expiry", unit: "credits", limit: 10, period: .month)
        try await grant(quota, 10, expiresIn: 3600)
        try await take(quota, 14)
        _ = try await db.query(
            "UPDATE quota_grants SET expires_at = now() WHERE company_id = \(company) AND quota = 'test_expiry'",
            as: tenant)
        _ = try await db.query(
            "UPDATE quota_counters SET fresh_until = now() - interval '1 second' WHERE company_id = \(company)",
            as: tenant)
        let standing = try await used(quota)
        #expect(standing.ceiling == 14, "the four that were used stay counted, the six are gone")
        await #expect(throws: Problem.self) { try await take(quota, 1) }
    }

    @Test func `a plan's limit holds, and the company's own exception before it`() async throws {
        let quota = Quota("test_plan", "Plan", unit: "pieces", limit: 3)
        _ = try await db.query(
            "INSERT INTO plan_limits (plan, quota, amount) VALUES ('gold-test', 'test_plan', 50)")
        _ = try await db.query(
            "INSERT INTO company_plans (company_id, plan) VALUES (\(company), 'gold-test')", as: tenant)
        #expect(try await used(quota).ceiling == 50)
        _ = try await db.query(
            "INSERT INTO quota_overrides (company_id, quota, amount) VALUES (\(company), 'test_plan', 70)",
            as: tenant)
        #expect(try await lookedOver(quota).ceiling == 70)
    }

    @Test func `a forgotten reservation is freed or counted, as its quota says`() async throws {
        let freed = Quota("test_freed", "Freed", unit: "bytes", limit: 10)
        let counted = Quota("test_counted", "Counted", unit: "tokens", limit: 10, forgotten: .counted)
        for quota in [freed, counted] {
            _ = try await db.transaction(as: tenant) { tx in
                try await Quotas.reserve(quota, 6, company: company, life: .seconds(0), in: tx)
            }
        }
        _ = try await eventually(within: .seconds(30)) {
            let left = try await [used(freed).reserved, used(counted).reserved]
            return left == [0, 0] ? true : nil
        }
        #expect(try await used(freed).used == 0)
        #expect(try await used(counted).used == 6)
    }

    @Test func `a threshold is passed once a period`() async throws {
        let quota = Quota("test_alerts", "Alerts", unit: "calls", limit: 100, period: .day)
        func alerted() async throws -> Int {
            try await db.query(
                "SELECT alerted FROM quota_counters WHERE company_id = \(company) AND quota = 'test_alerts'",
                as: tenant)[0]
                .get("alerted")
        }
        for (amount, expected) in [(49, 0), (1, 50), (29, 50), (1, 80), (20, 100)] {
            try await take(quota, Int64(amount))
            #expect(try await alerted() == expected)
        }
    }

    @Test func `the company reads what it may use`() async throws {
        let owner = try await Person(signedUpOn: server, company: "Quota Readers")
        let list = try await owner.client.get("/v1/quotas").expect(200)
        #expect(list.json["data"]?.arrayValue?.contains { $0["quota"] == "feature_flags" } == true)
        let one = try await owner.client.get("/v1/quotas/feature_flags").expect(200)
        #expect(one.json["limit"] == 200)
        #expect(one.json["used"] == 0)
        #expect(one.json["period"] == "never")
        try await owner.client.get("/v1/quotas/no_such_quota").expect(404)
        try await owner.colleague(.viewer).client.get("/v1/quotas").expect(403)
    }
}
