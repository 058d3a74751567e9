import TestSupport
import Testing
import Wire

@testable import Companies

@Suite struct RedirectionStory {
    @Test func `who was invited at another address asks for it, and comes in once the inviter agrees`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await world.person("Linus")
        let token = try await grace.invite("old@story.example", as: "manager")
        let id = try #require(try await grace.get("/v1/invitations").json["data"]?[0]?["id"]?.stringValue)
        #expect(try await grace.post("/v1/invitations/\(id)/redirection").code == "redirection-not-asked")
        for _ in 0..<2 {
            #expect(
                try await linus.post("/v1/invitations/redirection", ["token": .string(token)]).status == 204)
        }
        let asked = try await grace.get("/v1/invitations/\(id)").json
        #expect(
            asked["redirect_email"]?.stringValue == linus.email && asked["redirect_asked_at"]?.isNull == false
        )
        let news = try world.test.psql(
            "SELECT count(*) FROM notification_events WHERE type = 'invitation.redirect_asked'")
        #expect(news == "1\n")
        // Asking opens nothing yet.
        let early = try await linus.post("/v1/invitations/acceptance", ["token": .string(token)])
        #expect(early.code == "invitation-for-another-address")

        let redirected = try await grace.post("/v1/invitations/\(id)/redirection")
        #expect(redirected.status == 201 && redirected.json["email"]?.stringValue == linus.email)
        #expect(redirected.json["roles"]?[0]?["key"] == "manager")
        #expect(try await grace.get("/v1/invitations/\(id)").json["state"] == "superseded")
        let fresh = try #require(try await world.mailedTokens(to: linus.email).first)
        #expect(
            try await linus.post("/v1/invitations/acceptance", ["token": .string(fresh)]).status == 200)
        #expect(try await grace.post("/v1/invitations/\(id)/redirection").code == "invitation-not-pending")
        let acts = try await grace.get("/v1/activity?action=invitation.redirect_asked,invitation.redirected")
            .json
        #expect(acts["data"]?.arrayValue?.count == 2)
    }

    @Test
    func `only a confirmed account asks, only for what is open, and only within the rights of who agrees`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let meg = try await grace.colleague("Meg", as: "manager")
        let token = JSON.string(try await grace.invite("old@story.example", as: "admin"))
        let path = "/v1/invitations/redirection"
        let unsure = try await world.person("Unsure", isVerified: false)
        #expect(try await unsure.post(path, ["token": token]).code == "email-not-verified")
        let linus = try await world.person("Linus")
        #expect(try await linus.post(path, ["token": "inv_nonsense"]).code == "invitation-unknown")
        #expect(try await linus.post(path, ["token": token]).status == 204)
        let id = try #require(
            try await grace.get("/v1/invitations?state=pending").json["data"]?[0]?["id"]?.stringValue)
        #expect(try await meg.post("/v1/invitations/\(id)/redirection").code == "grant-exceeds-own-rights")
        #expect(try await grace.delete("/v1/invitations/\(id)").status == 204)
        let late = try await world.person("Late")
        #expect(try await late.post(path, ["token": token]).code == "invitation-not-pending")
        let own = JSON.string(try await grace.invite(late.email, as: "viewer"))
        #expect(try await late.post(path, ["token": own]).status == 422)
    }
}
