import Core
import Postgres
import Testing
import Wire

@testable import Companies

@Suite struct AccessStory {
    @Test func `nobody gives what he does not hold`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let meg = try await grace.colleague("Meg", as: "manager")
        let linus = try await grace.colleague("Linus", as: "member")

        // Not by giving a role, not by inviting, not by a link, not by a role of one's own making.
        #expect(try await ada.give(linus, "owner").code == "grant-exceeds-own-rights")
        let owner = try await grace.role("owner")
        let admin = try await grace.role("admin")
        let invite: JSON = ["email": "friend@story.example", "role_ids": [.string(admin)]]
        #expect(try await meg.post("/v1/invitations", invite).code == "grant-exceeds-own-rights")
        #expect(
            try await meg.post("/v1/join-links", ["name": "Door", "role_id": .string(admin)]).code
                == "grant-exceeds-own-rights")
        let role: JSON = ["name": "Deputy", "permissions": ["company:read", "company:delete"]]
        #expect(try await ada.post("/v1/roles", role).code == "grant-exceeds-own-rights")
        #expect(
            try await ada.post("/v1/roles/\(owner)/copies", ["name": "Owner too"]).code
                == "grant-exceeds-own-rights")

        // Nor by widening later a role one made narrow, nor by touching one that stands above.
        let made = try await ada.post("/v1/roles", ["name": "Reader", "permissions": ["company:read"]])
        #expect(made.status == 201)
        let id = try #require(made.json["id"]?.stringValue)
        #expect(
            try await ada.patch("/v1/roles/\(id)", ["permissions": ["company:delete"]]).code
                == "grant-exceeds-own-rights")
        let high = try await grace.post("/v1/roles", ["name": "Closer", "permissions": ["company:delete"]])
        let above = try #require(high.json["id"]?.stringValue)
        #expect(
            try await ada.patch("/v1/roles/\(above)", ["permissions": []]).code == "grant-exceeds-own-rights")
        #expect(try await ada.delete("/v1/roles/\(above)").code == "grant-exceeds-own-rights")
        #expect(try await meg.give(linus, "member").code == "forbidden")
    }

    @Test func `what is another company's does not exist`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let team = try #require(try await grace.post("/v1/teams", ["name": "Launch"]).json["id"]?.stringValue)
        let member = try await grace.member(linus)
        let role = try await grace.role("member")
        _ = try await grace.invite("friend@story.example", as: "member")
        let invitation = try #require(
            try await grace.get("/v1/invitations?state=pending").json["data"]?[0]?["id"]?.stringValue)
        let mallory = try await world.owner("Mallory", of: "Elsewhere")
        let answers = [
            try await mallory.get("/v1/teams/\(team)"),
            try await mallory.patch("/v1/teams/\(team)", ["name": "Taken"]),
            try await mallory.delete("/v1/teams/\(team)"), try await mallory.get("/v1/teams/\(team)/members"),
            try await mallory.get("/v1/members/\(member)"), try await mallory.delete("/v1/members/\(member)"),
            try await mallory.put("/v1/members/\(member)/suspension", [:]),
            try await mallory.get("/v1/members/\(member)/activity"),
            try await mallory.get("/v1/members/\(member)/access"),
            try await mallory.get("/v1/roles/\(role)"), try await mallory.get("/v1/roles/\(role)/members"),
            try await mallory.get("/v1/invitations/\(invitation)"),
            try await mallory.delete("/v1/invitations/\(invitation)"),
            try await mallory.get("/v1/companies/\(grace.company!)"),
            try await mallory.patch("/v1/companies/\(grace.company!)", ["name": "Taken"]),
            try await mallory.get("/v1/client-companies/\(grace.company!)/staff"),
        ]
        for answer in answers { #expect(answer.status == 404, "\(answer)") }
        // Nor can it be pointed at.
        let own = try await mallory.member(mallory)
        let given = try await mallory.put("/v1/members/\(own)/roles", ["role_ids": [.string(role)]])
        #expect(given.status == 422 && given.json["errors"]?[0]?["code"] == "unknown-role")
        #expect(try await grace.get("/v1/teams/\(team)").json["name"] == "Launch")
    }

    @Test func `asking why gives the role that decided, or the roles that would`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let member = try await grace.member(linus)
        let no = try await linus.post("/v1/authz/check", ["permission": "teams:write"]).json
        #expect(no["is_allowed"] == false && no["rule"] == "no_role")
        let names = no["would_allow"]?.arrayValue?.compactMap { $0["key"]?.stringValue } ?? []
        #expect(Set(names) == ["owner", "admin", "manager"])
        #expect(
            try await linus.post(
                "/v1/authz/check",
                ["permission": "teams:write", "member_id": .string(try await grace.member(grace))]
            ).code == "forbidden")
        let custom = try await grace.post("/v1/roles", ["name": "Team lead", "permissions": ["teams:write"]])
        #expect(
            try await grace.put(
                "/v1/members/\(member)/roles",
                ["role_ids": [.string(try await grace.role("member")), custom.json["id"]!]]
            ).status == 200)
        let yes = try await grace.post(
            "/v1/authz/check", ["permission": "teams:write", "member_id": .string(member)]
        ).json
        #expect(yes["is_allowed"] == true && yes["decided_by"]?[0]?["name"] == "Team lead")
        let subjects =
            try await grace.get("/v1/authz/subjects?permission=teams:write").json["members"]?.arrayValue ?? []
        #expect(Set(subjects.compactMap { $0["name"]?.stringValue }) == ["Grace", "Linus"])
        #expect(
            try await linus.get("/v1/me/permissions").json["permissions"]?.arrayValue?.contains("teams:write")
                == true)
        #expect(try await grace.post("/v1/authz/check", ["permission": "teams:wirte"]).status == 422)
    }

    @Test func `a custom role can be changed and deleted, a built-in one cannot`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let viewer = try await grace.role("viewer")
        #expect(try await grace.patch("/v1/roles/\(viewer)", ["name": "Guest"]).code == "role-is-built-in")
        #expect(try await grace.delete("/v1/roles/\(viewer)").code == "role-is-built-in")
        let copy = try await grace.post("/v1/roles/\(viewer)/copies", ["name": "Guest"])
        #expect(copy.status == 201 && copy.json["is_builtin"] == false && copy.json["key"] == "custom-guest")
        let id = try #require(copy.json["id"]?.stringValue)
        #expect(copy.header("location") == "/v1/roles/\(id)")
        #expect(
            try await grace.post("/v1/roles", ["name": "guest", "permissions": []]).code == "role-name-taken")
        let unknown = try await grace.post(
            "/v1/roles", ["name": "X", "permissions": ["teams:read", "nonsense:read"]])
        #expect(unknown.status == 422 && unknown.json["errors"]?[0]?["pointer"] == "/permissions/1")
        let linus = try await grace.colleague("Linus", as: "custom-guest")
        #expect(try await grace.delete("/v1/roles/\(id)").code == "role-in-use")
        #expect(try await linus.get("/v1/teams").status == 200)
        #expect(
            try await grace.patch("/v1/roles/\(id)", ["permissions": ["company:read"]]).json["version"] == 2)
        #expect(try await linus.get("/v1/teams").code == "forbidden")
        #expect(try await grace.give(linus, "viewer").status == 200)
        #expect(try await grace.delete("/v1/roles/\(id)").status == 204)
    }

    @Test func `an agency's people enter a client by grant alone, and are out with the agency`() async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let founded = try await grace.post("/v1/client-companies", ["name": "Bakery Bruno"])
        #expect(founded.status == 201)
        let client = try #require(founded.json["id"]?.stringValue)
        // Even an administrator of the agency is a stranger there until somebody lets her in.
        #expect(try await ada.in(company: client).get("/v1/members").status == 401)
        let staff = "/v1/client-companies/\(client)/staff"
        let member = try await grace.member(ada)
        let grant: JSON = ["member_id": .string(member), "role_keys": ["manager"]]
        #expect(try await ada.put(staff, grant).code == "not-a-member")
        #expect(try await grace.put(staff, grant).status == 200)
        #expect(try await ada.in(company: client).post("/v1/teams", ["name": "Campaign"]).status == 201)
        let seen = try await grace.in(company: client).get("/v1/members").json["data"]?.arrayValue ?? []
        #expect(seen.count == 2 && seen.allSatisfy { $0["via_company_id"]?.stringValue == grace.company })
        // Whoever is a manager there cannot make others owners there.
        let linus = try await grace.colleague("Linus", as: "member")
        let owner: JSON = ["member_id": .string(try await grace.member(linus)), "role_keys": ["owner"]]
        #expect(try await ada.put(staff, owner).code == "grant-exceeds-own-rights")
        // Out of the agency is out of its clients, in the same moment.
        #expect(try await grace.delete("/v1/members/\(member)").status == 204)
        #expect(try await ada.in(company: client).get("/v1/members").status == 401)
        #expect(try await grace.get(staff).json["data"]?.arrayValue?.count == 1)
        // The only owner of a client cannot be taken away with the agency.
        #expect(try await grace.delete("/v1/client-companies/\(client)").code == "last-owner")
    }

    @Test func `a client company let go stands on its own`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let client = try #require(
            try await grace.post("/v1/client-companies", ["name": "Bakery Bruno"]).json["id"]?.stringValue)
        #expect(
            try await grace.in(company: client).post("/v1/client-companies", ["name": "Nested"]).code
                == "client-companies-cannot-nest")
        let slug = "aurora-studio"
        #expect(
            try await grace.post("/v1/companies/\(grace.company!)/deletion", ["confirm_slug": .string(slug)])
                .code == "has-client-companies")
        let bruno = try await grace.in(company: client).colleague("Bruno", as: "owner")
        #expect(try await grace.delete("/v1/client-companies/\(client)").status == 204)
        #expect(try await grace.in(company: client).get("/v1/members").status == 401)
        #expect(try await bruno.get("/v1/companies/\(client)").json["parent_company_id"]?.isNull == true)
        #expect(try await grace.get("/v1/client-companies").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test func `what was done is on record, by whom and from where`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        _ = try await grace.give(linus, "manager")
        let entry = try await grace.get("/v1/activity?action=member.roles_changed").json["data"]?[0]
        #expect(entry?["actor_name"] == "Grace" && entry?["address"] == "127.0.0.1")
        #expect(entry?["before"]?["roles"] == ["viewer"] && entry?["after"]?["roles"] == ["manager"])
        #expect(try await linus.get("/v1/activity").code == "forbidden")
        let mine = try await linus.get("/v1/me/activity").json["data"]?.arrayValue ?? []
        #expect(mine.compactMap { $0["action"]?.stringValue } == ["invitation.accepted"])
        let his =
            try await grace.get("/v1/members/\(try await grace.member(linus))/activity").json["data"]?
            .arrayValue ?? []
        #expect(his.count == 1)
    }

    @Test func `a user without an account left has left every company`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let depart = Leaving.port.depart
        try await world.database.transaction(as: Tenant(user: linus.id)) {
            try await depart(linus.id, .system, $0)
        }
        #expect(try await linus.get("/v1/members").status == 401)
        await #expect(throws: (any Error).self) {
            try await world.database.transaction(as: Tenant(user: grace.id)) {
                try await depart(grace.id, .system, $0)
            }
        }
        #expect(try await grace.get("/v1/members").status == 200)
    }

    @Test func `who deletes the company may delete the account as well`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let company = grace.company!
        _ = try await grace.post("/v1/companies/\(company)/deletion", ["confirm_slug": "aurora-studio"])
        let depart = Leaving.port.depart
        try await world.database.transaction(as: Tenant(user: grace.id)) {
            try await depart(grace.id, .system, $0)
        }
        #expect(try await world.count("SELECT owner_count FROM companies", in: company) == 0)
        #expect(try await grace.in(company: nil).post("/v1/companies/\(company)/restoration").status == 404)
    }

    @Test func `an agency's member who deletes the account is gone from its clients, once`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let founded = try await grace.post("/v1/client-companies", ["name": "Bakery Bruno"])
        let client = try #require(founded.json["id"]?.stringValue)
        let grant: JSON = ["member_id": .string(try await grace.member(ada)), "role_keys": ["manager"]]
        #expect(try await grace.put("/v1/client-companies/\(client)/staff", grant).status == 200)
        let depart = Leaving.port.depart
        try await world.database.transaction(as: Tenant(user: ada.id)) {
            try await depart(ada.id, .system, $0)
        }
        #expect(try await grace.in(company: client).get("/v1/members").json["data"]?.arrayValue?.count == 1)
        let left = "/v1/activity?action=member.left,member.agency_access_withdrawn"
        #expect(try await grace.in(company: client).get(left).json["data"]?.arrayValue?.count == 1)
    }
}
