import TestSupport
import Testing
import Wire

@testable import Companies

@Suite struct LimitStory {
    @Test func `sixty-four who make a team at once get the places there are, to the last one`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        // The first asks far from the limit, so that the server knows of room it need not count.
        _ = try await grace.team("First")
        let company = try #require(grace.company)
        let free = 17
        _ = try world.test.psql(
            """
            INSERT INTO teams (company_id, id, name)
            SELECT '\(company)', gen_random_uuid(), 'Team ' || n
              FROM generate_series(2, \(CompanyLimits.teamsMax - 100)) n
            """)
        let makeMany = { (count: Int, name: String) in
            try await withThrowingTaskGroup(of: String.self) { group in
                for n in 0..<count {
                    group.addTask {
                        let answer = try await grace.post("/v1/teams", ["name": .string("\(name) \(n)")])
                        return answer.status == 201 ? "made" : answer.code ?? "\(answer.status)"
                    }
                }
                return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
        }
        #expect(try await makeMany(100 - free, "Early") == ["made": 100 - free])
        #expect(try await makeMany(64, "Late") == ["made": free, "too-many-teams": 64 - free])
        #expect(try await world.count("SELECT count(*) FROM teams", in: company) == CompanyLimits.teamsMax)
        let usage = try await grace.get("/v1/company/usage").json
        #expect(usage["teams"]?.intValue == CompanyLimits.teamsMax)
    }
}
