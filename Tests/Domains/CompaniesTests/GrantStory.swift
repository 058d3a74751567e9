import Testing
import Wire

@testable import Companies

@Suite struct GrantStory {
    /// A team made by the owner; its path.
    private func team(_ owner: Person, _ name: String = "Weavers") async throws -> String {
        let made = try await owner.post("/v1/teams", ["name": .string(name)])
        return try #require(made.json["id"]?.stringValue)
    }

    @Test func `a role on one team is good for that team alone, and ends with the grant`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        let (weavers, spinners) = (try await team(grace), try await team(grace, "Spinners"))
        let rename = { (who: Person, team: String) in
            try await who.patch("/v1/teams/\(team)", ["description": "At work"])
        }
        #expect(try await rename(linus, weavers).code == "forbidden")
        let grant = try await grace.post(
            "/v1/grants",
            [
                "object_type": "team", "object_id": .string(weavers),
                "member_id": .string(grace.member(linus)),
                "role_id": .string(grace.role("manager")),
            ])
        #expect(grant.status == 201 && grant.json["holder_name"] == "Linus")
        #expect(try await rename(linus, weavers).status == 200)
        #expect(try await rename(linus, spinners).code == "forbidden")
        let member: JSON = ["member_id": .string(try await grace.member(grace))]
        #expect(try await linus.post("/v1/teams/\(weavers)/members", member).status == 201)
        #expect(try await linus.post("/v1/teams/\(spinners)/members", member).code == "forbidden")
        #expect(try await linus.post("/v1/teams", ["name": "Mine"]).code == "forbidden")

        let why = try await linus.post(
            "/v1/authz/check",
            ["permission": "teams:write", "object_type": "team", "object_id": .string(weavers)])
        #expect(why.json["is_allowed"] == true && why.json["rule"] == "grant")
        let whyNot = try await linus.post(
            "/v1/authz/check",
            ["permission": "teams:write", "object_type": "team", "object_id": .string(spinners)])
        #expect(whyNot.json["is_allowed"] == false)

        let id = try #require(grant.json["id"]?.stringValue)
        #expect(try await grace.delete("/v1/grants/\(id)").status == 204)
        #expect(try await rename(linus, weavers).code == "forbidden")
    }

    @Test func `a team holds a grant for everybody in it, and time ends it`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        let (weavers, leads) = (try await team(grace), try await team(grace, "Leads"))
        _ = try await grace.post(
            "/v1/teams/\(leads)/members", ["member_id": .string(try await grace.member(linus))])
        let body: JSON = [
            "object_type": "team", "object_id": .string(weavers), "team_id": .string(leads),
            "role_id": .string(try await grace.role("manager")), "expires_at": "2040-01-01T00:00:00Z",
        ]
        #expect(try await grace.post("/v1/grants", body).status == 201)
        #expect(try await grace.post("/v1/grants", body).code == "grant-exists")
        #expect(try await linus.patch("/v1/teams/\(weavers)", ["description": "Led"]).status == 200)
        _ = try world.test.psql("UPDATE object_grants SET expires_at = now() - interval '1 second'")
        #expect(try await linus.patch("/v1/teams/\(weavers)", ["description": "Late"]).code == "forbidden")
        #expect(try await grace.get("/v1/grants?team_id=\(leads)").json["data"]?.arrayValue?.count == 1)
        // With the thing go the grants on it.
        #expect(try await grace.delete("/v1/teams/\(weavers)").status == 204)
        #expect(try await grace.get("/v1/grants").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test func `an entry to a client company that ends takes what was given on single things there with it`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let founded = try await grace.post("/v1/client-companies", ["name": "Bakery Bruno"])
        let client = try #require(founded.json["id"]?.stringValue)
        let entry: JSON = ["member_id": .string(try await grace.member(linus)), "role_keys": ["viewer"]]
        let staff = "/v1/client-companies/\(client)/staff"
        #expect(try await grace.put(staff, entry).status == 200)
        let there = grace.in(company: client)
        let bakers = try await team(there, "Bakers")
        let member = try await there.member(linus)
        let grant: JSON = [
            "object_type": "team", "object_id": .string(bakers), "member_id": .string(member),
            "role_id": .string(try await there.role("manager")),
        ]
        #expect(try await there.post("/v1/grants", grant).status == 201)
        #expect(try await grace.delete("\(staff)/\(try await grace.member(linus))").status == 204)
        #expect(try await there.get("/v1/grants").json["data"]?.arrayValue?.isEmpty == true)
        // Let in again he is a viewer and nothing more.
        #expect(try await grace.put(staff, entry).status == 200)
        let rename = try await linus.in(company: client).patch("/v1/teams/\(bakers)", ["description": "Mine"])
        #expect(rename.code == "forbidden")
    }

    @Test func `nobody grants what he does not hold, nor on what is not there`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let admin = try await grace.colleague("Ada", as: "admin")
        let eve = try await world.owner("Eve", of: "Elsewhere")
        let weavers = try await team(grace)
        let give = { (who: Person, object: String, role: String) in
            try await who.post(
                "/v1/grants",
                [
                    "object_type": "team", "object_id": .string(object),
                    "member_id": .string(who.member(who)),
                    "role_id": .string(who.role(role)),
                ])
        }
        #expect(try await give(admin, weavers, "owner").code == "grant-exceeds-own-rights")
        #expect(try await give(eve, weavers, "viewer").status == 422)
        let both = try await grace.post(
            "/v1/grants",
            ["object_type": "team", "object_id": .string(weavers), "role_id": .string(grace.role("viewer"))])
        #expect(both.status == 422)
        let odd = try await grace.post(
            "/v1/grants",
            [
                "object_type": "moon", "object_id": .string(weavers),
                "member_id": .string(grace.member(grace)),
                "role_id": .string(grace.role("viewer")),
            ])
        #expect(odd.status == 422)
    }

    @Test func `what hangs on a leaver goes to another, and what cannot is named`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let meg = try await grace.colleague("Meg", as: "manager")
        let linus = try await grace.colleague("Linus", as: "manager")
        let weavers = try await team(grace)
        let (from, to) = (try await grace.member(meg), try await grace.member(linus))
        _ = try await grace.post(
            "/v1/teams/\(weavers)/members", ["member_id": .string(from), "is_lead": true])
        let token = try await meg.invite("newcomer@story.example", as: "member")
        let answer = try await grace.post("/v1/members/\(from)/handover", ["to_member_id": .string(to)])
        #expect(answer.status == 200)
        let items = answer.json["items"]?.arrayValue ?? []
        let counts = Dictionary(
            uniqueKeysWithValues: items.map { ($0["kind"]?.stringValue ?? "", $0["count"]) })
        #expect(counts["invitations"] == 1 && counts["led_teams"] == 1 && counts["clients"] == 0)
        let places = try await grace.get("/v1/teams/\(weavers)/members").json["data"]?.arrayValue ?? []
        let leads = places.filter { $0["is_lead"] == true }.compactMap { $0["member_id"]?.stringValue }
        #expect(places.count == 2 && leads == [to])
        #expect(try await grace.get("/v1/teams/\(weavers)").json["member_count"] == 2)
        // The invitation now stands on the other's rights, so it works when the first is gone.
        #expect(try await grace.delete("/v1/members/\(from)").status == 204)
        let newcomer = try await world.person("Newcomer")
        _ = try world.test.psql(
            "UPDATE users SET email = 'newcomer@story.example', email_norm = 'newcomer@story.example' "
                + "WHERE id = '\(newcomer.id)'")
        #expect(
            try await newcomer.post("/v1/invitations/acceptance", ["token": .string(token)]).status == 200)
        #expect(
            try await grace.post("/v1/members/\(to)/handover", ["to_member_id": .string(to)]).status == 422)
    }

    @Test func `each act tells those who react what happened`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        _ = try await grace.give(linus, "manager")
        let weavers = try await team(grace)
        _ = try await grace.patch("/v1/teams/\(weavers)", ["name": "Spinners"])
        let member = try await grace.member(linus)
        _ = try await grace.post("/v1/teams/\(weavers)/members", ["member_id": .string(member)])
        _ = try await grace.delete("/v1/teams/\(weavers)/members/\(member)")
        _ = try await grace.delete("/v1/teams/\(weavers)")
        _ = try await grace.patch("/v1/companies/\(try #require(grace.company))", ["name": "Borealis Studio"])
        _ = try await grace.put("/v1/members/\(member)/suspension", [:])
        _ = try await grace.delete("/v1/members/\(member)/suspension")
        _ = try await grace.delete("/v1/members/\(member)")
        let rows = try world.test.psql("SELECT type FROM outbox ORDER BY seq")
        #expect(
            rows.split(separator: "\n").map(String.init) == [
                "company.created", "member.invited", "member.joined", "member.role_changed", "team.created",
                "team.updated", "team.member_added", "team.member_removed", "team.deleted", "company.updated",
                "member.suspended", "member.restored", "member.removed",
            ])
        let data = try world.test.psql("SELECT data->>'name' FROM outbox WHERE type = 'team.updated'")
        #expect(data == "Spinners\n")
    }
}
