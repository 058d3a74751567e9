import TestSupport
import Testing
import Wire

@testable import Companies

@Suite struct BulkInvitationStory {
    private func send(_ who: Person, _ file: String, dryRun: Bool = false) async throws -> Answer {
        try await who.client.send(
            "POST", "/v1/invitations/csv\(dryRun ? "?dry_run=true" : "")", body: Array(file.utf8),
            type: "text/csv")
    }

    @Test func `a spreadsheet invites row by row, and a rehearsal says the same beforehand`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        _ = try await grace.team("Weavers")
        let file = """
            \u{FEFF}Email;Name;Roles;Teams\r
            one@story.example;"Byron; Ada";Admin;weavers\r
            nobody;Nobody;;\r
            two@story.example;;vewer;\r
            ONE@story.example;Again;;\r
            \(grace.email);;;\r

            three@story.example;;;\r
            """
        let codes: [JSON?] = [.null, "invalid", "unknown-role", "repeated", "already-a-member", .null]
        let rehearsed = try await send(grace, file, dryRun: true)
        #expect(
            rehearsed.json["is_dry_run"] == true && rehearsed.json["sent"] == 2
                && rehearsed.json["refused"] == 4)
        #expect(rehearsed.json["results"]?.arrayValue?.map { $0["code"] } == codes)
        #expect(
            rehearsed.json["results"]?[2]?["detail"]?.stringValue?.hasSuffix("perhaps viewer was meant")
                == true)
        #expect(try await grace.get("/v1/invitations").json["data"]?.arrayValue?.isEmpty == true)
        #expect(try await world.mails("invitation", to: "one@story.example") == 0)

        let sent = try await send(grace, file)
        #expect(sent.json["results"]?.arrayValue?.map { $0["code"] } == codes)
        let invitations = try await grace.get("/v1/invitations?sort=email").json["data"]?.arrayValue ?? []
        #expect(invitations.compactMap { $0["email"] } == ["one@story.example", "three@story.example"])
        #expect(invitations.first?["name"] == "Byron; Ada")
        #expect(
            invitations.first?["roles"]?[0]?["key"] == "admin"
                && invitations.first?["teams"]?[0]?["name"] == "Weavers")
        #expect(try await world.mails("invitation", to: "one@story.example") == 1)
    }

    @Test func `a file that cannot be read says where`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let quote = try await send(grace, "email,name\na@b.example,\"Ada\nstill open")
        #expect(
            quote.status == 422
                && quote.json["errors"]?[0]?["detail"]?.stringValue?.contains("row 2 ") == true)
        #expect(
            try await send(grace, "email,nmae\na@b.example,Ada").json["errors"]?[0]?["code"]
                == "unknown-column")
        #expect(try await send(grace, "name\nAda").json["errors"]?[0]?["code"] == "required")
        #expect(try await send(grace, "email").json["errors"]?[0]?["code"] == "required")
        let many = "email\n" + (0...200).map { "p\($0)@story.example" }.joined(separator: "\n")
        #expect(try await send(grace, many).json["errors"]?[0]?["code"] == "too-many")
        #expect(try await grace.post("/v1/invitations/csv").status == 415)
        let viewer = try await grace.colleague("Linus", as: "viewer")
        #expect(try await send(viewer, "email\na@b.example").code == "forbidden")
    }

    @Test func `a pending invitation changes within what its changer may give, and its link stays`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let meg = try await grace.colleague("Meg", as: "manager")
        let linus = try await world.person("Linus")
        let token = try await grace.invite(linus.email, as: "admin")
        let id = try #require(
            try await grace.get("/v1/invitations?state=pending").json["data"]?[0]?["id"]?.stringValue)
        let path = "/v1/invitations/\(id)"
        // Whoever changes it answers for all of it, so one who could not give the role cannot change the days either.
        #expect(try await meg.patch(path, ["expires_in_days": 20]).code == "grant-exceeds-own-rights")
        let viewer = JSON.string(try await meg.role("viewer"))
        #expect(
            try await meg.patch(path, ["role_ids": [.string(try await meg.role("owner"))]]).code
                == "grant-exceeds-own-rights")
        let team = JSON.string(try await grace.team("Weavers"))
        let changed = try await meg.patch(
            path, ["role_ids": [viewer], "team_ids": [team], "expires_in_days": 20])
        #expect(changed.status == 200 && changed.json["roles"]?[0]?["key"] == "viewer")
        #expect(
            changed.json["teams"]?[0]?["name"] == "Weavers"
                && changed.json["invited_by"]?.stringValue == meg.id.description)
        #expect(try await world.mails("invitation", to: linus.email) == 1)
        #expect(try await grace.patch(path, ["role_ids": []]).status == 422)

        #expect(try await linus.post("/v1/invitations/acceptance", ["token": .string(token)]).status == 200)
        let member = try await grace.get("/v1/members/\(try await grace.member(linus))").json
        #expect(member["roles"]?[0]?["key"] == "viewer" && member["teams"]?[0]?["name"] == "Weavers")
        #expect(try await grace.patch(path, ["expires_in_days": 3]).code == "invitation-not-pending")
    }
}
