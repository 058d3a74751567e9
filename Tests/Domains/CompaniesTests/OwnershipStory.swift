import Postgres
import Auth
import Testing
import Wire

@testable import Companies

@Suite struct OwnershipStory {
    @Test func `sixty-four demotions at once leave one owner`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try world.test.psql("UPDATE companies SET seat_limit = 100")
        var owners: [Person] = [grace]
        for n in 0..<63 { owners.append(try await grace.colleague("O\(n)", as: "owner")) }
        let member = try await grace.role("member")
        var targets: [(Person, String)] = []
        for owner in owners { targets.append((owner, try await grace.member(owner))) }
        // Each owner demotes his neighbour, all at once: together they would leave none.
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for (index, owner) in owners.enumerated() {
                let target = targets[(index + 1) % targets.count].1
                group.addTask {
                    let answer = try await owner.put(
                        "/v1/members/\(target)/roles", ["role_ids": [.string(member)]])
                    return answer.status == 200 ? "demoted" : answer.code ?? "\(answer.status)"
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        let left = try await world.count(
            """
            SELECT count(*) FROM member_roles mr JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
             WHERE r.key = 'owner'
            """, in: grace.company!)
        #expect(left >= 1)
        #expect(answers["demoted", default: 0] == 64 - left)
        #expect(try await world.count("SELECT owner_count FROM companies", in: grace.company!) == left)
    }

    @Test func `sixty-four owners who leave at once leave one behind`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try world.test.psql("UPDATE companies SET seat_limit = 100")
        var owners: [Person] = [grace]
        for n in 0..<63 { owners.append(try await grace.colleague("O\(n)", as: "owner")) }
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for owner in owners {
                group.addTask {
                    let answer = try await owner.post("/v1/company/departure")
                    return answer.status == 204 ? "left" : answer.code ?? "\(answer.status)"
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(answers == ["left": 63, "last-owner": 1])
    }

    @Test func `the last owner can be neither demoted nor suspended nor removed, and cannot leave`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let path = "/v1/members/\(try await grace.member(grace))"
        #expect(try await grace.give(grace, "admin").code == "last-owner")
        #expect(try await grace.post("/v1/company/departure").code == "last-owner")
        #expect(try await grace.delete(path).code == "use-departure")
        #expect(try await ada.delete(path).code == "member-outranks-you")
        #expect(try await ada.put("\(path)/suspension", [:]).code == "member-outranks-you")
        #expect(try await ada.give(grace, "member").code == "member-outranks-you")
    }

    @Test func `a company changes hands only when its owner confirms by mail`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let heir = try await grace.member(ada)
        #expect(
            try await ada.post("/v1/company/ownership-transfer", ["member_id": .string(heir)]).code
                == "forbidden")
        #expect(
            try await grace.post("/v1/company/ownership-transfer", ["member_id": .string(heir)]).status == 202
        )
        #expect(
            try await grace.post("/v1/company/ownership-transfer", ["member_id": .string(heir)]).code
                == "transfer-pending")
        let token = try #require(try await world.mailedTokens(to: grace.email).first)
        let confirm = "/v1/company/ownership-transfer/confirmation"
        #expect(try await grace.post(confirm, ["token": "own_nonsense.x"]).code == "transfer-unknown")
        #expect(try await grace.post(confirm, ["token": .string(token)]).status == 204)
        // Ada is the owner now, Grace an administrator, from the next request on.
        #expect(try await ada.get("/v1/company/ownership-transfer").status == 404)
        #expect(try await grace.get("/v1/company/ownership-transfer").code == "forbidden")
        #expect(try await grace.patch("/v1/company/settings", ["locale": "de"]).status == 200)
        #expect(try await grace.post(confirm, ["token": .string(token)]).code == "forbidden")
    }

    @Test func `a deleted company is closed at once, and its owner can take it back`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let company = grace.company!
        let delete = "/v1/companies/\(company)/deletion"
        #expect(try await ada.post(delete, ["confirm_slug": "aurora-studio"]).code == "forbidden")
        #expect(try await grace.post(delete, ["confirm_slug": "other"]).code == "confirmation-mismatch")
        #expect(try await grace.post(delete, ["confirm_slug": "aurora-studio"]).json["status"] == "deleting")
        #expect(try await grace.get("/v1/members").status == 401)
        #expect(try await CompanyPurge.round(world.database, AuthDomain.serviceUsers) == false)
        let restore = "/v1/companies/\(company)/restoration"
        #expect(try await ada.in(company: nil).post(restore).status == 404)
        #expect(try await grace.in(company: nil).post(restore).json["status"] == "active")
        #expect(try await ada.get("/v1/members").status == 200)
    }

    @Test func `after the grace period nothing of the company is left but a stone and the record`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let other = try await world.owner("Mallory", of: "Elsewhere")
        _ = try await grace.colleague("Ada", as: "admin")
        _ = try await grace.post("/v1/teams", ["name": "Launch"])
        let company = grace.company!
        _ = try await grace.post("/v1/companies/\(company)/deletion", ["confirm_slug": "aurora-studio"])
        _ = try world.test.psql(
            """
            UPDATE companies SET delete_after = now() WHERE status = 'deleting';
            UPDATE company_deletions SET delete_after = now();
            """)
        #expect(try await CompanyPurge.round(world.database, AuthDomain.serviceUsers))
        #expect(try await CompanyPurge.round(world.database, AuthDomain.serviceUsers) == false)
        for table in ["memberships", "member_roles", "roles", "teams", "invitations"] {
            let sql: SQL = "SELECT count(*) FROM \(unescaped: table)"
            #expect(try await world.count(sql, in: company) == 0, "\(table) still has rows")
            #expect(try await world.count("SELECT count(*) FROM memberships", in: other.company!) == 1)
        }
        #expect(try await world.count("SELECT count(*) FROM audit_log", in: company) > 0)
        #expect(
            try await grace.in(company: nil).get("/v1/companies").json["data"]?.arrayValue?.isEmpty == true)
        #expect(try await world.owner("Grace", of: "Aurora Studio").get("/v1/roles").status == 200)
    }
}
