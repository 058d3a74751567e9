import TestSupport
import Wire

/// The servers of these tests believe what a proxy says, so that each guest can come from an address of her own and
/// nobody's failures slow another down.
enum House {
    static let variables = [
        "INFINITY_TRUSTED_PROXIES": "127.0.0.1", "INFINITY_PUBLIC_URL": "http://infinity.example",
    ]

    static func shared() async throws -> TestServer { try await server.value }
    private static let server = Task { try await TestServer(variables) }

    static func another(beside server: TestServer? = nil, _ more: [String: String] = [:]) async throws
        -> TestServer
    {
        try await TestServer(beside: server, variables.merging(more) { $1 })
    }
}

/// Somebody at the door, with what she knows.
struct Guest {
    let server: TestServer
    let email: String
    let password: String
    let address: String

    init(
        _ server: TestServer, _ email: String = Person.freshAddress(), password: String = Person.password,
        from address: String? = nil
    ) {
        self.server = server
        self.email = email
        self.password = password
        self.address =
            address ?? "10.\(Int.random(in: 0...255)).\(Int.random(in: 0...255)).\(Int.random(in: 1...254))"
    }

    var client: Client { server.client.with(header: "X-Forwarded-For", address) }

    /// An account, its address proven, not signed in.
    static func withAccount(on server: TestServer, company: String? = nil) async throws -> Guest {
        let person = try await Person(signedUpOn: server, company: company)
        return Guest(server, person.email)
    }

    func login(_ extra: JSON.Object = .init(), password: String? = nil) async throws -> Answer {
        var body = extra
        body["email"] = .string(email)
        body["password"] = .string(password ?? self.password)
        return try await client.post("/v1/auth/login", .object(body))
    }

    func refresh(_ token: String) async throws -> Answer {
        try await client.post("/v1/auth/refresh", ["refresh_token": .string(token)])
    }

    /// The values in the newest mail of a kind to this guest.
    func mail(_ template: String, atLeast count: Int = 1) async throws -> JSON {
        let all = try await eventually {
            let mails = try await server.mails(to: email, atLeast: 0).filter {
                $0["template"]?.stringValue == template
            }
            return mails.count >= count ? mails : nil
        }
        return try all.last.need("context")
    }

    func mailCount(_ template: String) async throws -> Int {
        try await server.mails(to: email, atLeast: 0).count { $0["template"]?.stringValue == template }
    }

    /// The secret behind `#token=` of a mailed link.
    static func token(in context: JSON) throws -> String {
        let link = try context.text("link")
        return String(link.drop { $0 != "#" }.dropFirst("#token=".count))
    }
}
