import Testing
import Wire

@testable import Companies

@Suite struct CompanyStory {
    @Test func `two companies of one name get two short names`() async throws {
        let world = try await World()
        let first = try await world.owner("Grace", of: "Café Müller & Söhne")
        let second = try await world.owner("Ada", of: "Café Müller & Söhne")
        let one = try await first.get("/v1/companies/\(first.company!)").json["slug"]?.stringValue
        let two = try await second.get("/v1/companies/\(second.company!)").json["slug"]?.stringValue
        #expect(one == "cafe-mueller-soehne")
        #expect(two?.hasPrefix("cafe-mueller-soehne-") == true)
        #expect(
            try await second.patch("/v1/companies/\(second.company!)", ["slug": .string(one!)]).code
                == "slug-taken")
    }

    @Test func `a profile changes field by field, by version`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let path = "/v1/companies/\(grace.company!)"
        let before = try await grace.get(path)
        let change: JSON = [
            "legal_name": "Aurora Studio GmbH", "brand_color": "#2455D6", "website": "https://aurora.example",
        ]
        let after = try await grace.patch(path, change)
        #expect(after.json["legal_name"] == "Aurora Studio GmbH" && after.json["brand_color"] == "#2455d6")
        #expect(try await grace.patch(path, ["legal_name": nil]).json["legal_name"]?.isNull == true)
        let stale = try await grace.client.with(header: "If-Match", before.header("etag")!).patch(
            path, ["name": "X"])
        #expect(stale.status == 412)
        #expect(try await grace.patch(path, ["brand_color": "blue"]).status == 422)
    }

    @Test func `settings, calendar and security policy keep what they are told`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let settings = try await grace.patch(
            "/v1/company/settings",
            [
                "time_zone": "Europe/Berlin", "locale": "de", "currency": "CHF", "week_starts_on": 7,
            ])
        #expect(settings.json["time_zone"] == "Europe/Berlin" && settings.json["week_starts_on"] == 7)
        #expect(try await grace.patch("/v1/company/settings", ["time_zone": "Europe/Atlantis"]).status == 422)
        let calendar: JSON = [
            "working_days": [1, 2, 3, 4], "holidays": [["on": "2026-12-25", "name": "Christmas"]],
        ]
        #expect(try await grace.put("/v1/company/working-calendar", calendar).json == calendar)
        #expect(try await grace.get("/v1/company/security-policy").json["mfa_required"] == false)
        let policy: JSON = [
            "mfa_required": true, "login_methods": ["password"], "session_idle_minutes": 60,
            "session_max_hours": nil,
            "ip_allow_list": ["203.0.113.0/24"], "api_key_max_days": 90,
        ]
        #expect(try await grace.put("/v1/company/security-policy", policy).code == "policy-locks-you-out")
        let open: JSON = [
            "mfa_required": true, "login_methods": ["password"], "session_idle_minutes": 60,
            "session_max_hours": nil,
            "ip_allow_list": ["127.0.0.0/8"], "api_key_max_days": 90, "one_session": true,
        ]
        #expect(try await grace.put("/v1/company/security-policy", open).json == open)
    }

    @Test func `teams gather members, and a name stands once`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let team = try #require(
            try await grace.post("/v1/teams", ["name": "Launch", "color": "#00ff00"]).json["id"]?.stringValue)
        #expect(try await grace.post("/v1/teams", ["name": "launch"]).code == "team-name-taken")
        let member = try await grace.member(linus)
        let added = try await grace.post(
            "/v1/teams/\(team)/members", ["member_id": .string(member), "is_lead": true])
        #expect(added.status == 201 && added.json["is_lead"] == true)
        #expect(try await grace.get("/v1/teams").json["data"]?[0]?["member_count"] == 1)
        #expect(try await grace.get("/v1/members?team_id=\(team)").json["data"]?.arrayValue?.count == 1)
        let path = "/v1/teams/\(team)/members/\(member)"
        #expect(try await grace.patch(path, ["is_lead": false]).json["is_lead"] == false)
        #expect(try await grace.delete(path).status == 204)
        #expect(try await grace.delete(path).status == 404)
        #expect(try await grace.delete("/v1/teams/\(team)").status == 204)
    }

    @Test func `a company full of teams gets no further one, and no record of it`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try world.test.psql(
            """
            INSERT INTO teams (company_id, id, name)
            SELECT '\(grace.company!)', gen_random_uuid(), 'Team ' || n FROM generate_series(2, \(CompanyLimits.teamsMax)) n
            """)
        #expect(try await grace.post("/v1/teams", ["name": "The last"]).status == 201)
        for key in ["", "a-key"] {
            let client = key.isEmpty ? grace.client : grace.client.with(header: "Idempotency-Key", key)
            let refused = try await client.post("/v1/teams", ["name": "One too many"])
            #expect(refused.status == 409 && refused.code == "too-many-teams")
        }
        let records = try await world.count(
            "SELECT count(*) FROM audit_log WHERE action = 'team.created'", in: grace.company!)
        #expect(records == 1)
    }

    @Test func `a team's headcount follows who comes and who goes`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "member")
        let (first, second) = (try await grace.team("First"), try await grace.team("Second"))
        let member: JSON = ["member_id": .string(try await grace.member(ada))]
        for team in [first, second, first] {
            #expect(try await grace.post("/v1/teams/\(team)/members", member).status == 201)
        }
        #expect(try await grace.headcounts() == [1, 1])
        #expect(
            try await grace.delete("/v1/teams/\(first)/members/\(member["member_id"]!.stringValue!)").status
                == 204)
        #expect(try await grace.headcounts() == [0, 1])
        #expect(try await grace.delete("/v1/members/\(member["member_id"]!.stringValue!)").status == 204)
        #expect(try await grace.headcounts() == [0, 0])
        let invitation: JSON = ["email": "linus@example.com", "team_ids": [.string(first), .string(second)]]
        #expect(try await grace.post("/v1/invitations", invitation).status == 201)
        let linus = try await world.person("Linus")
        _ = try world.test.psql(
            "UPDATE users SET email = 'linus@example.com', email_norm = 'linus@example.com' WHERE id = '\(linus.id)'"
        )
        let token = try #require(try await world.mailedTokens(to: "linus@example.com").first)
        #expect(try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).status == 200)
        #expect(try await grace.headcounts() == [1, 1])
    }

    @Test func `a join link lets in whom it is for, as often as it may`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let made = try await grace.post(
            "/v1/join-links", ["name": "Course", "uses_max": 1, "email_domain": "example.com"])
        #expect(made.status == 201)
        let token = try #require(made.json["token"]?.stringValue)
        let stranger = try await world.person("Stranger")
        _ = try world.test.psql(
            "UPDATE users SET email = 's@other.example', email_norm = 's@other.example' WHERE id = '\(stranger.id)'"
        )
        #expect(
            try await stranger.post("/v1/join-links/use", ["token": .string(token)]).code
                == "join-link-other-domain")
        let linus = try await world.person("Linus")
        #expect(
            try await linus.post("/v1/join-links/use", ["token": .string(token)]).json["outcome"] == "joined")
        #expect(try await linus.in(company: grace.company).get("/v1/members").status == 200)
        let ada = try await world.person("Ada")
        #expect(try await ada.post("/v1/join-links/use", ["token": .string(token)]).code == "join-link-spent")
        let id = try #require(made.json["id"]?.stringValue)
        #expect(try await grace.delete("/v1/join-links/\(id)").status == 204)
        #expect(try await grace.get("/v1/join-links").json["data"]?[0]?["revoked_at"]?.isNull == false)
    }

    @Test func `a link that asks first waits for somebody to decide`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let made = try await grace.post("/v1/join-links", ["name": "Open door", "needs_approval": true])
        let token = try #require(made.json["token"]?.stringValue)
        let linus = try await world.person("Linus")
        let asked = try await linus.post("/v1/join-links/use", ["token": .string(token)])
        #expect(asked.json["outcome"] == "asked")
        #expect(
            try await linus.post("/v1/join-links/use", ["token": .string(token)]).json["request_id"]
                == asked.json["request_id"])
        #expect(try await linus.in(company: grace.company).get("/v1/members").status == 401)
        let id = try #require(asked.json["request_id"]?.stringValue)
        #expect(try await grace.post("/v1/join-requests/\(id)/approval").status == 200)
        #expect(try await linus.in(company: grace.company).get("/v1/members").status == 200)
        #expect(try await grace.post("/v1/join-requests/\(id)/denial").code == "join-request-decided")
    }

    @Test func `lists are filtered, searched, sorted and paged`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        for name in ["Ada", "Linus", "Margaret"] {
            _ = try await grace.colleague(name, as: name == "Ada" ? "admin" : "member")
        }
        let names = { (path: String) in
            try await grace.get(path).json["data"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        }
        #expect(try await names("/v1/members?sort=name") == ["Ada", "Grace", "Linus", "Margaret"])
        #expect(try await names("/v1/members?sort=-name&limit=2") == ["Margaret", "Linus"])
        #expect(try await names("/v1/members?q=marg") == ["Margaret"])
        #expect(try await names("/v1/members?role=owner,admin&sort=name") == ["Ada", "Grace"])
        let first = try await grace.get("/v1/members?sort=name&limit=3")
        let cursor = try #require(first.json["page"]?["next_cursor"]?.stringValue)
        #expect(try await names("/v1/members?sort=name&limit=3&cursor=\(cursor)") == ["Margaret"])
        #expect(try await grace.get("/v1/members?rolle=owner").status == 400)
    }

    @Test func `members leave as a file that is safe to open`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try await grace.colleague("=cmd()", as: "member")
        let answer = try await grace.get("/v1/members.csv")
        #expect(answer.header("content-type") == "text/csv; charset=utf-8")
        let lines = answer.text.split(separator: "\r\n")
        #expect(lines.count == 3 && lines[0] == "id,name,email,title,status,roles,teams,joined_at")
        #expect(lines.contains { $0.contains(",'=cmd(),") })
    }

    @Test func `attributes of a member merge and clear`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let path = "/v1/members/\(try await grace.member(linus))"
        _ = try await grace.patch(path, ["title": "Designer", "attributes": ["desk": "4B", "size": 42]])
        let after = try await grace.patch(path, ["attributes": ["size": nil]])
        #expect(after.json["attributes"] == ["desk": "4B"] && after.json["title"] == "Designer")
    }

    @Test func `a preview of leaving says what hangs on a member`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let meg = try await grace.colleague("Meg", as: "manager")
        _ = try await meg.invite("friend@story.example", as: "member")
        let handover = try await grace.get("/v1/members/\(try await grace.member(meg))/handover").json
        #expect(handover["is_last_owner"] == false)
        #expect(handover["items"]?.arrayValue?.first { $0["kind"] == "invitations" }?["count"] == 1)
    }
}
