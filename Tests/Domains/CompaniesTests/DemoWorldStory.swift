import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// The whole program, with real accounts.
@Suite struct DemoWorldStory {
    private func plant(_ server: TestServer) async throws -> DemoCompany.Login {
        let settings = server.instance.environment[Settings.self]
        return try await DemoCompany(of: server.instance, settings: settings).make()
    }

    @Test func `one can sign in to the demo world and walk from the agency into its client`() async throws {
        let server = try await TestServer.shared()
        let login = try await plant(server)
        let olivia = try await TestSupport.Person(
            signingInOn: server, email: login.email, password: login.password)
        let companies =
            try await olivia.client.get("/v1/companies?sort=name").expect(200).json["data"]?.arrayValue ?? []
        #expect(
            companies.compactMap { $0["name"]?.stringValue } == [
                "Aurora Studio", "Bakery Bruno", "Northwind Outdoor",
            ])
        let roles =
            try await olivia.client.get("/v1/members?limit=100").expect(200).json["data"]?.arrayValue ?? []
        let held = Set(roles.flatMap { $0["roles"]?.arrayValue ?? [] }.compactMap { $0["key"]?.stringValue })
        #expect(held == ["owner", "admin", "manager", "member", "viewer", "client"])
        let bakery = try #require(companies[1]["id"])
        let inside = try await olivia.client.post("/v1/auth/company", ["company_id": bakery]).expect(200)
        let client = server.client.with(token: try inside.json.text("access_token"))
        let mine = try await client.get("/v1/me/permissions").expect(200).json
        #expect(mine["roles"]?[0]?["key"] == "admin" && mine["via_company_id"]?.isNull == false)
    }

    @Test func `planting the demo world again changes nothing`() async throws {
        let server = try await TestServer()
        _ = try await plant(server)
        let before = try server.database.psql(Self.census)
        _ = try await plant(server)
        #expect(try server.database.psql(Self.census) == before)
        #expect(before.hasPrefix("8|3|12|3|"))
        await server.stop()
    }

    private static let census = """
        SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM companies), (SELECT count(*) FROM memberships),
               (SELECT count(*) FROM invitations), (SELECT count(*) FROM teams), (SELECT sum(seats_used) FROM companies)
        """

    @Test func `the colleague who was invited signs up, and the role holds from the next request`()
        async throws
    {
        let server = try await TestServer.shared()
        let ada = try await TestSupport.Person(signedUpOn: server, company: "Analytical Engines")
        let grace = try await ada.colleague(.viewer)
        try await grace.client.post("/v1/teams", ["name": "Compilers"]).expect(403)
        let members = try await ada.client.get("/v1/members").expect(200).json["data"]?.arrayValue ?? []
        let member = try #require(members.first { $0["email"]?.stringValue == grace.email }).text("id")
        let manager = JSON.array([.string(try await ada.roleId(.manager))])
        try await ada.client.put("/v1/members/\(member)/roles", ["role_ids": manager]).expect(200)
        try await grace.client.post("/v1/teams", ["name": "Compilers"]).expect(201)
        try await ada.client.delete("/v1/members/\(member)").expect(204)
        #expect(try await grace.client.get("/v1/teams").expect(403).code == "company-access-ended")
    }
}
