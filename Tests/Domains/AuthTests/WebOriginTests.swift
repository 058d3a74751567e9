import TestSupport
import Testing
import Wire

/// Web pages of companies that call the API from a browser.
@Suite(.serialized) struct WebOriginTests {
    private func allowed(_ client: Client, _ origin: String) async throws -> String? {
        try await client.with(header: "Origin", origin).get("/v1/teams").header("access-control-allow-origin")
    }

    @Test func `pages of a company's origins may call with its tokens, and with no other's`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: "Origin House")
        let eve = try await Person(signedUpOn: server, company: "Other House")
        let page = "https://\(UUID.v7()).example"
        #expect(try await allowed(ada.client, page) == nil)
        let set = try await ada.client.put("/v1/company/web-origins", ["origins": [.string(page)]]).expect(
            200)
        #expect(set.json["origins"] == [.string(page)])
        let found = try await eventually { try await allowed(ada.client, page) }
        #expect(found == page)
        let answer = try await ada.client.with(header: "Origin", page).get("/v1/teams").expect(200)
        #expect(answer.header("access-control-allow-credentials") == nil && answer.header("vary") == "origin")
        #expect(try await allowed(eve.client, page) == nil)
        #expect(try await allowed(ada.client, "https://evil.example") == nil)

        let asks = server.client.with(header: "Origin", page).with(
            header: "Access-Control-Request-Method", "POST")
        let preflight = try await asks.send("OPTIONS", "/v1/teams")
        #expect(preflight.status == 204 && preflight.header("access-control-allow-origin") == page)
        #expect(preflight.header("access-control-allow-headers")?.contains("authorization") == true)

        try await ada.client.put("/v1/company/web-origins", ["origins": []]).expect(200)
        let gone = try await eventually { try await allowed(ada.client, page) == nil ? true : nil }
        #expect(gone)
        for wrong in [
            "http://app.example", "https://app.example/", "https://app.example:443", "app.example", "*",
        ] {
            #expect(
                try await ada.client.put("/v1/company/web-origins", ["origins": [.string(wrong)]]).status
                    == 422)
        }
        let viewer = try await ada.colleague(.viewer)
        #expect(try await viewer.client.put("/v1/company/web-origins", ["origins": []]).code == "forbidden")
    }
}
