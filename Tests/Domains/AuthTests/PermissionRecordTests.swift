import TestSupport
import Testing
import Wire

/// What is noted of the permissions people use.
@Suite(.serialized) struct PermissionRecordTests {
    private func uses(_ person: Person, _ server: TestServer) throws -> [String] {
        let rows = try server.database.psql(
            """
            SELECT u.permission || ' ' || u.days || ' ' || (u.last_on = (now() AT TIME ZONE 'UTC')::date)
              FROM permission_uses u JOIN memberships m ON m.company_id = u.company_id AND m.id = u.member_id
             WHERE m.user_id = '\(person.userId)' ORDER BY u.permission
            """)
        return rows.split(separator: "\n").map(String.init)
    }

    @Test func `what somebody has used stands in the record, once a day, and nothing done in his name`()
        async throws
    {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Record House")
        let grace = try await ada.colleague(.admin)
        try await grace.client.get("/v1/teams").expect(200)
        // Asked for within the handler, for it may be given on the very team.
        let team = try await ada.client.post("/v1/teams", ["name": "Weavers"]).expect(201).json.text("id")
        try await grace.client.patch("/v1/teams/\(team)", ["name": "Spinners"]).expect(200)
        try await grace.client.get("/v1/teams").expect(200)
        let written = ["teams:read 1 true", "teams:write 1 true"]
        let found = try await eventually { try uses(grace, server) == written ? true : nil }
        #expect(found)

        // Refused is not used, and what another does in her name says nothing of what she needs.
        #expect(
            try await grace.client.post(
                "/v1/auth/impersonation", ["member_id": .string(UUID.v7().description), "reason": "x"]
            ).code == "forbidden")
        let members = try await ada.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        let member = try #require(members.first { $0["user_id"]?.stringValue == grace.userId }).text("id")
        let token = try await ada.client.post(
            "/v1/auth/impersonation", ["member_id": .string(member), "reason": "To see what you see"]
        ).expect(200).json.text("access_token")
        try await server.client.with(token: token).get("/v1/roles").expect(200)
        // A day later the same use counts as another day.
        _ = try server.database.psql(
            "UPDATE permission_uses SET first_on = first_on - 1, last_on = last_on - 1 WHERE permission = 'teams:read'"
        )
        try await grace.client.get("/v1/members").expect(200)
        let later = try await eventually {
            try uses(grace, server).contains("members:read 1 true") ? true : nil
        }
        #expect(later)
        #expect(
            try uses(grace, server) == ["members:read 1 true", "teams:read 1 false", "teams:write 1 true"])
    }
}
