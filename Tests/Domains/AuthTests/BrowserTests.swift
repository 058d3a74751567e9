import TestSupport
import Testing
import Wire

@Suite(.serialized) struct BrowserTests {
    /// A browser with its jar of cookies.
    struct Browser {
        let server: TestServer
        var jar: [String: String] = [:]
        var csrf: String?
        var origin: String { "http://127.0.0.1:\(server.port)" }

        func client(csrf: String?, origin: String?) -> Client {
            var client = server.client.with(
                header: "Cookie", jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; "))
            if let csrf { client = client.with(header: "X-CSRF-Token", csrf) }
            if let origin { client = client.with(header: "Origin", origin) }
            return client
        }

        /// As our own page sends it.
        var own: Client { client(csrf: csrf, origin: origin) }

        mutating func keep(_ answer: Answer) {
            for line in answer.headers("set-cookie") {
                let pair = line.prefix { $0 != ";" }
                let name = String(pair.prefix { $0 != "=" })
                let value = String(pair.dropFirst(name.count + 1))
                jar[name] = value.isEmpty ? nil : value
            }
            if let token = answer.json["csrf_token"]?.stringValue { csrf = token }
        }

        static func signedIn(on server: TestServer) async throws -> (Browser, Guest) {
            let guest = try await Guest.withAccount(on: server, company: "Web House")
            var browser = Browser(server: server)
            let answer = try await server.client.with(header: "Origin", browser.origin).post(
                "/v1/auth/browser/login",
                ["email": .string(guest.email), "password": .string(guest.password)]
            ).expect(200)
            browser.keep(answer)
            return (browser, guest)
        }
    }

    @Test func `the tokens are in cookies no script reads, and not in the body`() async throws {
        let server = try await House.shared()
        let guest = try await Guest.withAccount(on: server)
        let answer = try await server.client.post(
            "/v1/auth/browser/login", ["email": .string(guest.email), "password": .string(guest.password)]
        ).expect(200)
        #expect(answer.json["access_token"] == nil && answer.json["refresh_token"] == nil)
        let cookies = answer.headers("set-cookie")
        #expect(cookies.count == 3)
        for cookie in cookies { #expect(cookie.contains("SameSite=Lax") && cookie.contains("Path=/")) }
        #expect(cookies.count { $0.contains("HttpOnly") } == 2)
    }

    @Test func `a page of our own reads and writes`() async throws {
        let server = try await House.shared()
        var (browser, _) = try await Browser.signedIn(on: server)
        try await browser.own.get("/v1/auth/me").expect(200)
        try await browser.own.patch("/v1/auth/me", ["name": "Ada King"]).expect(200)
        let token = try await browser.client(csrf: nil, origin: nil).get("/v1/auth/csrf").expect(200)
        #expect(token.json["csrf_token"]?.stringValue == browser.csrf)
        browser.keep(try await browser.own.post("/v1/auth/browser/refresh").expect(200))
        try await browser.own.patch("/v1/auth/me", ["name": "Ada"]).expect(200)
    }

    @Test func `what a foreign page makes the browser send changes nothing`() async throws {
        let server = try await House.shared()
        let (browser, guest) = try await Browser.signedIn(on: server)
        let attempts = [
            browser.client(csrf: nil, origin: browser.origin),
            browser.client(csrf: nil, origin: nil),
            browser.client(csrf: "guessed", origin: browser.origin),
            browser.client(csrf: browser.csrf, origin: "https://evil.example"),
            browser.client(csrf: browser.csrf, origin: "null"),
            browser.own.with(header: "Sec-Fetch-Site", "cross-site").with(header: "X-Nothing", "1"),
        ]
        for attempt in attempts.dropLast() {
            let answer = try await attempt.patch("/v1/auth/me", ["name": "Mallory"])
            #expect(answer.status == 403 && answer.code == "csrf-failed")
        }
        #expect(
            try await browser.client(csrf: browser.csrf, origin: nil).with(
                header: "Sec-Fetch-Site", "cross-site"
            )
            .patch("/v1/auth/me", ["name": "Mallory"]).code == "csrf-failed")
        #expect(try await browser.own.get("/v1/auth/me").json["name"] != "Mallory")
        let login = try await server.client.with(header: "Origin", "https://evil.example").post(
            "/v1/auth/browser/login", ["email": .string(guest.email), "password": .string(guest.password)])
        #expect(login.code == "csrf-failed")
        let refresh = try await browser.client(csrf: nil, origin: "https://evil.example").post(
            "/v1/auth/browser/refresh")
        #expect(refresh.code == "csrf-failed")
    }

    @Test func `the token of another session is no good`() async throws {
        let server = try await House.shared()
        let (browser, _) = try await Browser.signedIn(on: server)
        var (other, _) = try await Browser.signedIn(on: server)
        other.jar["infinity_csrf"] = browser.csrf
        #expect(
            try await other.client(csrf: browser.csrf, origin: other.origin).patch(
                "/v1/auth/me", ["name": "X"]
            ).status == 403)
    }

    @Test func `a bearer token needs none of this`() async throws {
        let server = try await House.shared()
        let ada = try await Person(signedUpOn: server, company: nil)
        try await ada.client.with(header: "Origin", "https://app.example").patch("/v1/auth/me", ["name": "A"])
            .expect(200)
    }

    @Test func `tokens do not change from cookies to bodies`() async throws {
        let server = try await House.shared()
        let (browser, guest) = try await Browser.signedIn(on: server)
        let refresh = try #require(browser.jar["infinity_refresh"])
        #expect(try await guest.refresh(refresh).code == "refresh-token-invalid")
    }

    @Test func `signing out takes the cookies away`() async throws {
        let server = try await House.shared()
        var (browser, _) = try await Browser.signedIn(on: server)
        let before = browser
        let answer = try await browser.own.post("/v1/auth/logout").expect(204)
        browser.keep(answer)
        #expect(browser.jar.isEmpty)
        #expect(try await before.own.get("/v1/auth/me").status == 401)
    }
}
