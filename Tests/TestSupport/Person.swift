import API
import Wire

/// Somebody with an account, signed in.
public struct Person: Sendable {
    public let email: String
    public let name: String
    public let token: String
    public let refreshToken: String
    public let userId: String
    /// Nil for somebody who is in no company.
    public let companyId: String?
    private let server: TestServer

    public static let password = "a-rather-long-secret-42"

    public var client: Client { server.client.with(token: token) }

    /// Signs up, proves the address with the code of the mail, signs in.
    public init(signedUpOn server: TestServer, company: String?, name: String = "Ada Lovelace") async throws {
        let email = Person.freshAddress()
        var body: JSON.Object = [
            "email": .string(email), "password": .string(Person.password), "name": .string(name),
        ]
        if let company { body["company_name"] = .string(company) }
        try await server.client.post("/v1/auth/signup", .object(body)).expect(202)
        let mail = try await server.mails(to: email)[0]
        let code = try mail["context"].need("code")
        try await server.client.post(
            "/v1/auth/email-verification/confirm", ["email": .string(email), "code": code]
        )
        .expect(200)
        try await self.init(signingInOn: server, email: email, name: name)
    }

    public init(
        signingInOn server: TestServer, email: String, name: String = "Ada Lovelace",
        password: String = Person.password
    ) async throws {
        let answer = try await eventually {
            let answer = try await server.client.post(
                "/v1/auth/login", ["email": .string(email), "password": .string(password)])
            // All tests come from one address, which may sign in only so often at once.
            return answer.code == "login-throttled" ? nil : answer
        }.expect(200)
        self.server = server
        self.email = email
        self.name = name
        token = try answer.json.text("access_token")
        refreshToken = try answer.json.text("refresh_token")
        userId = try answer.json.text("user_id")
        companyId = answer.json["company_id"]?.stringValue
    }

    public static func withoutCompany(on server: TestServer) async throws -> Person {
        try await Person(signedUpOn: server, company: nil)
    }

    /// Somebody who runs the installation, in a company of his own.
    public static func `operator`(on server: TestServer) async throws -> Person {
        let person = try await Person(signedUpOn: server, company: "Operations", name: "Otto Operator")
        _ = try server.database.psql("INSERT INTO operators (user_id) VALUES ('\(person.userId)')")
        return try await Person(signingInOn: server, email: person.email, name: person.name)
    }

    public static func freshAddress() -> String { "person-\(UUID.v7())@example.com" }

    /// Invites somebody new with these roles, who signs up by the invitation and is then signed in.
    public func colleague(roleIds: [String], name: String = "Grace Hopper") async throws -> Person {
        let email = Person.freshAddress()
        try await client.post(
            "/v1/invitations", ["email": .string(email), "role_ids": .array(roleIds.map(JSON.string))]
        ).expect(201)
        let mail = try await server.mails(to: email)[0]
        let link = try mail["context"].need("link").stringValue ?? ""
        let token = String(link.drop { $0 != "#" }.dropFirst())
        try await server.client.post(
            "/v1/auth/signup",
            [
                "email": .string(email), "password": .string(Person.password), "name": .string(name),
                "invitation_token": .string(token),
            ]
        ).expect(202)
        return try await Person(signingInOn: server, email: email, name: name)
    }

    /// The id of one of the built-in roles in this person's company.
    public func roleId(_ role: BuiltInRole) async throws -> String {
        let roles = try await client.get("/v1/roles?limit=100").expect(200).json["data"]?.arrayValue ?? []
        guard let found = roles.first(where: { $0["key"]?.stringValue == role.rawValue }) else {
            throw Client.Failure(description: "no role \(role) among \(roles)")
        }
        return try found.text("id")
    }

    public func colleague(_ role: BuiltInRole, name: String = "Grace Hopper") async throws -> Person {
        try await colleague(roleIds: [roleId(role)], name: name)
    }

    /// A custom role of these permissions.
    public func makeRole(_ name: String, _ permissions: [Permission]) async throws -> String {
        try await client.post(
            "/v1/roles",
            ["name": .string(name), "permissions": .array(permissions.map { .string($0.name) })]
        ).expect(201).json.text("id")
    }
}

extension Answer {
    /// Throws, with the whole answer, unless it has this status.
    @discardableResult
    public func expect(_ status: Int) throws -> Answer {
        guard self.status == status else {
            throw Client.Failure(description: "wanted \(status), got \(self)")
        }
        return self
    }
}

extension JSON {
    public func text(_ key: String) throws -> String {
        guard let text = self[key]?.stringValue else {
            throw Client.Failure(description: "no text \(key) in \(self)")
        }
        return text
    }
}

extension JSON? {
    public func need(_ key: String) throws -> JSON {
        guard let value = self?[key] else {
            throw Client.Failure(description: "no \(key) in \(self ?? .null)")
        }
        return value
    }
}

extension JSON.Object: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral members: (String, JSON)...) {
        self.init()
        for (key, value) in members { self[key] = value }
    }
}
