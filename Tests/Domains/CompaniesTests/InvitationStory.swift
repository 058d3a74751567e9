import Testing
import Wire

@testable import Companies

@Suite struct InvitationStory {
    @Test func `a colleague who was invited can do exactly what the role allows`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        #expect(try await linus.get("/v1/members").json["data"]?.arrayValue?.count == 2)
        #expect(try await linus.post("/v1/teams", ["name": "Mine"]).code == "forbidden")

        // A change of role holds from the very next request.
        #expect(try await grace.give(linus, "manager").status == 200)
        #expect(try await linus.post("/v1/teams", ["name": "Mine"]).status == 201)
        #expect(try await grace.give(linus, "viewer").status == 200)
        #expect(try await linus.post("/v1/teams", ["name": "Mine too"]).code == "forbidden")

        // Suspended he is out, restored he is back with what he had, removed he is gone.
        let path = "/v1/members/\(try await grace.member(linus))"
        #expect(try await grace.put("\(path)/suspension", [:]).json["status"] == "suspended")
        #expect(try await linus.get("/v1/members").status == 401)
        #expect(try await grace.delete("\(path)/suspension").json["status"] == "active")
        #expect(try await linus.get("/v1/members").status == 200)
        #expect(try await grace.delete(path).status == 204)
        #expect(try await linus.get("/v1/members").status == 401)
        #expect(try await world.mails("member-removed", to: linus.email) == 1)
    }

    @Test func `an invitation is for the address it was sent to, and the inviter hears of others`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let token = try await grace.invite("linus@story.example", as: "admin")
        let mallory = try await world.person("Mallory")
        for _ in 0..<2 {
            let answer = try await mallory.post("/v1/invitations/acceptance", ["token": .string(token)])
            #expect(answer.code == "invitation-for-another-address")
        }
        #expect(try await world.mails("invitation-mismatch", to: grace.email) == 1)
        let invitation = try await grace.get("/v1/invitations").json["data"]?[0]
        #expect(invitation?["mismatched_at"]?.isNull == false)
        #expect(invitation?["state"] == "pending")
    }

    @Test func `an address must be confirmed before it opens a door`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus", isVerified: false)
        let token = try await grace.invite(linus.email, as: "member")
        #expect(
            try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).code
                == "email-not-verified")
    }

    @Test func `accepting twice is one membership, and looking at a link decides nothing`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus")
        let token = try await grace.invite(linus.email, as: "member")
        let preview = try await linus.client.with(token: nil).post(
            "/v1/invitations/preview", ["token": .string(token)])
        #expect(preview.json["company_name"] == "Aurora Studio" && preview.json["has_account"] == true)
        let first = try await linus.post("/v1/invitations/acceptance", ["token": .string(token)])
        let second = try await linus.post("/v1/invitations/acceptance", ["token": .string(token)])
        #expect(first.status == 200 && second.status == 200 && first.json == second.json)
        #expect(try await grace.get("/v1/members").json["data"]?.arrayValue?.count == 2)
        #expect(try await world.mails("invitation-accepted", to: grace.email) == 1)
    }

    @Test func `inviting again, sending again and revoking each kill the old link`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus")
        let first = try await grace.invite(linus.email, as: "member")
        let second = try await grace.invite(linus.email, as: "viewer")
        let accept = { (token: String) in
            try await linus.post("/v1/invitations/acceptance", ["token": .string(token)])
        }
        #expect(try await accept(first).code == "invitation-not-pending")
        let pending = try await grace.get("/v1/invitations?state=pending").json["data"]?.arrayValue ?? []
        #expect(pending.count == 1)
        let id = try #require(pending[0]["id"]?.stringValue)
        #expect(try await grace.post("/v1/invitations/\(id)/resending").status == 200)
        let third = try #require(try await world.mailedTokens(to: linus.email).first)
        #expect(try await accept(second).code == "invitation-unknown")
        #expect(try await grace.delete("/v1/invitations/\(id)").status == 204)
        #expect(try await accept(third).code == "invitation-not-pending")
        #expect(try await grace.post("/v1/invitations/\(id)/resending").code == "invitation-not-pending")
    }

    @Test func `an expired invitation opens nothing`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus")
        let token = try await grace.invite(linus.email, as: "member")
        _ = try world.test.psql("UPDATE invitations SET expires_at = now()")
        #expect(
            try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).code
                == "invitation-expired")
        #expect(try await grace.get("/v1/invitations?state=expired").json["data"]?.arrayValue?.count == 1)
    }

    @Test func `who declines may be invited anew`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus")
        let token = try await grace.invite(linus.email, as: "member")
        let nobody = linus.client.with(token: nil)
        #expect(try await nobody.post("/v1/invitations/refusal", ["token": .string(token)]).status == 204)
        #expect(
            try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).code
                == "invitation-not-pending")
        _ = try await grace.invite(linus.email, as: "member")
    }

    @Test func `in a bulk invitation each row stands for itself`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let strange = UUID.v7().description
        let answer = try await grace.post(
            "/v1/invitations/bulk",
            [
                "invitations": [
                    ["email": "one@story.example"], ["email": .string(linus.email)],
                    ["email": "two@story.example", "role_ids": [.string(strange)]],
                    ["email": "three@story.example"],
                ]
            ])
        #expect(answer.status == 200 && answer.json["sent"] == 2 && answer.json["refused"] == 2)
        #expect(answer.json["results"]?[1]?["code"] == "already-a-member")
        #expect(answer.json["results"]?[2]?["detail"] == "is no role of this company")
        #expect(try await grace.get("/v1/invitations?state=pending").json["data"]?.arrayValue?.count == 2)
    }

    @Test func `rights the inviter has lost since are not handed on`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let linus = try await world.person("Linus")
        let token = try await ada.invite(linus.email, as: "admin")
        #expect(try await grace.give(ada, "manager").status == 200)
        #expect(
            try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).code
                == "inviter-lost-rights")
    }

    @Test func `sixty-four people at once get the seats there are`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try world.test.psql("UPDATE companies SET seat_limit = 10")
        var people: [(Person, String)] = []
        for n in 0..<64 {
            let person = try await world.person("P\(n)")
            people.append((person, try await grace.invite(person.email, as: "member")))
        }
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
            for (person, token) in people {
                group.addTask {
                    let answer = try await person.post(
                        "/v1/invitations/acceptance", ["token": .string(token)])
                    return answer.status == 200 ? "in" : answer.code ?? "\(answer.status)"
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(answers == ["in": 9, "seat-limit-reached": 55])
        let usage = try await grace.get("/v1/company/usage").json
        #expect(usage["seats_used"] == 10 && usage["seat_limit"] == 10)
    }

    @Test func `strangers are mailed in a company's name only so often a day`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try await grace.invite("first@story.example", as: "member")
        _ = try world.test.psql("UPDATE invitations SET times_sent = 450")
        let many = JSON.array((0..<51).map { ["email": .string("p\($0)@story.example")] })
        #expect(
            try await grace.post("/v1/invitations/bulk", ["invitations": many]).code == "too-many-invitations"
        )
        #expect(try await grace.post("/v1/invitations", ["email": "second@story.example"]).status == 201)
    }
}
