import API
import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// Limits that several instances keep together. On servers of their own: all tests come from one address.
@Suite struct RateStory {
    private static let variables = [
        "INFINITY_PUBLIC_URL": "http://infinity.example", "INFINITY_RATE_LIMITS": "on",
    ]

    private func pair() async throws -> (TestServer, TestServer) {
        // The first server of a process prepares the folder they all keep files in.
        _ = try await House.shared()
        let first = try await TestServer(Self.variables)
        let second = try await TestServer(beside: first, Self.variables)
        _ = try await eventually { () -> Bool? in
            let rates = [first, second].map(\.instance.application.rates)
            return rates.allSatisfy { $0.instances == 2 } ? true : nil
        }
        return (first, second)
    }

    /// How many of `count` requests pass, half of them at each instance, many at once.
    private func passed(_ count: Int, _ token: String, _ servers: [TestServer]) async throws -> Int {
        try await withThrowingTaskGroup { group in
            for worker in 0..<16 {
                group.addTask {
                    let client = servers[worker % servers.count].client.with(token: token)
                    var passed = 0
                    for _ in 0..<count / 16 where try await client.get("/v1/auth/me").status == 200 {
                        passed += 1
                    }
                    return passed
                }
            }
            return try await group.reduce(0, +)
        }
    }

    @Test func `two instances give out one quota between them, and the plan's holds for a whole company`()
        async throws
    {
        let (first, second) = try await pair()
        let operations = try await Person.operator(on: first)
        let person = try await Person(signedUpOn: first, company: "Hasty")
        let colleague = try await person.colleague(.member)
        for (key, value) in [
            ("rates.user_per_minute", 100), ("rates.company_per_minute_by_plan", ["gold": 30]),
        ] as [(String, JSON)] {
            try await operations.client.put("/v1/system/settings/\(key)", ["value": value]).expect(200)
        }
        // The other instance hears of the new quotas within a second.
        let there = second.client.with(token: person.token)
        _ = try await eventually { () -> Bool? in
            try await there.get("/v1/auth/me").header("ratelimit-policy") == "\"default\";q=100;w=60"
                ? true : nil
        }
        let began = ContinuousClock.now
        let passed = try await passed(480, person.token, [first, second])
        let refilled = Double((ContinuousClock.now - began).components.seconds + 1) * 100 / 60
        #expect(passed >= 70, "nobody is refused what is his")
        // A quarter over by what is on its way between the two, and what they do not tell each other of.
        #expect(Double(passed) <= (100 + refilled) * 1.3, "\(passed) passed")

        try await operations.client.put(
            "/v1/system/companies/\(person.companyId ?? "")/plan", ["plan": "gold"]
        ).expect(200)
        let answer = try await eventually { () -> Answer? in
            let answer = try await first.client.with(token: colleague.token).get("/v1/auth/me")
            return answer.header("ratelimit-policy")?.hasPrefix("\"company\";q=30") == true ? answer : nil
        }
        if answer.status == 429 { #expect(answer.header("retry-after").flatMap { Int($0) } ?? 0 >= 1) }
        await second.stop()
        await first.stop()
    }
}
