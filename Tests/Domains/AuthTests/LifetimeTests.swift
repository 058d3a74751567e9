import TestSupport
import Testing
import Wire

@Suite(.serialized) struct LifetimeTests {
    private func age(_ session: String, _ change: String, on server: TestServer) throws {
        _ = try server.database.psql("UPDATE sessions SET \(change) WHERE id = '\(session)'")
    }

    @Test func `a session unused for too long cannot be refreshed`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let session = try await guest.login().expect(200).json
        try age(session.text("session_id"), "idle_expires_at = now() - interval '1 second'", on: server)
        #expect(try await guest.refresh(session.text("refresh_token")).code == "refresh-token-invalid")
    }

    @Test func `the longest life ends a session however busy it is`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let session = try await guest.login().expect(200).json
        try age(session.text("session_id"), "expires_at = now() - interval '1 second'", on: server)
        let client = guest.client.with(token: try session.text("access_token"))
        #expect(try await client.get("/v1/auth/me").status == 401)
        #expect(try await guest.refresh(session.text("refresh_token")).code == "refresh-token-invalid")
    }

    @Test func `a refresh moves the idle limit on, never past the longest life`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let session = try await guest.login().expect(200).json
        let id = try session.text("session_id")
        try age(
            id, "expires_at = now() + interval '1 hour', idle_expires_at = now() + interval '1 minute'",
            on: server)
        try await guest.refresh(session.text("refresh_token")).expect(200)
        let moved = try server.database.psql(
            "SELECT idle_expires_at = expires_at FROM sessions WHERE id = '\(id)'")
        #expect(moved == "t\n")
    }

    @Test func `a company's own limits close it, and nothing else, to a session that is over them`()
        async throws
    {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "Short Hours")
        let policy: JSON = [
            "mfa_required": false, "login_methods": ["password"], "session_max_hours": 1, "ip_allow_list": [],
        ]
        try await owner.client.put("/v1/company/security-policy", policy).expect(200)
        try await owner.client.get("/v1/teams").expect(200)
        _ = try server.database.psql(
            "UPDATE sessions SET created_at = now() - interval '2 hours' WHERE user_id = '\(owner.userId)'; "
                + "INSERT INTO access_changes (user_id) VALUES ('\(owner.userId)')")
        _ = try await eventually { try await owner.client.get("/v1/teams").status == 401 ? true : nil }
        try await owner.client.get("/v1/auth/me").expect(200)
    }

    @Test func `where one session is allowed, signing in ends the others`() async throws {
        let server = try await House.shared()
        let owner = try await Person(signedUpOn: server, company: "One Chair")
        try await owner.client.put(
            "/v1/company/security-policy",
            ["mfa_required": false, "login_methods": ["password"], "ip_allow_list": [], "one_session": true]
        ).expect(200)
        let second = try await Person(signingInOn: server, email: owner.email)
        #expect(try await owner.client.get("/v1/auth/me").status == 401)
        try await second.client.get("/v1/auth/me").expect(200)
    }
}
