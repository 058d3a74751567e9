import API
import App
import Auth
import Core
import Crypto
import Glibc
import HTTP
import Loop
import Postgres
import Telemetry
import TestCluster
import TestSupport
import Testing
import Wire

@testable import Companies

/// A live server of this domain alone over a database of its own. Who one is, is simply said; what one may do is read
/// from the tables at every request.
final class World: Sendable {
    static let loops = LoopGroup(count: 2)
    let test: TestDatabase
    let database: Database
    let server: HTTPServer
    let port: UInt16

    init() async throws {
        test = try await TestCluster.shared.database(like: "companies_tests") { database in
            let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            _ = try await Migrator(url: database.url, folder: "/\(here)/Migrations").migrate()
        }
        var patient = DatabaseConfiguration(url: test.url)
        // A machine busy with all tests at once is slow, not broken.
        (patient.connectDeadline, patient.leaseDeadline, patient.statementDeadline) = (
            .seconds(30), .seconds(30), .seconds(30)
        )
        database = Database(patient, loops: Self.loops)
        // The catalogue is the process's, which tests of other domains share.
        PermissionCatalogue.declare(Instance.domains.flatMap { $0.permissions })
        var configuration = APIConfiguration(
            secret: Array("not much of a secret".utf8),
            keyRing: KeyRing([KeyRing.Key(id: "k1", secret: [UInt8](repeating: 7, count: 32))!])!)
        configuration.quotas = ["default": 0, "open": 0, "mail": 0]
        configuration.isDevelopment = true
        var environment = Environment()
        environment.set(PublicAddress("https://infinity.example/"))
        environment.set(AuthDomain.serviceUsers)
        environment.set(HandoverParts(CompaniesDomain.handovers))
        environment.set(GrantableObjects(CompaniesDomain.grantableObjects))
        // Who one is, is simply said here, so it is always proven.
        environment.set(RecentProof(require: { _ in }))
        try await CompaniesDomain.start(&environment)
        let application = try Application(
            [Mailroom.declaration, CompaniesDomain.declaration, Self.ofSigningIn],
            configuration: configuration,
            authenticator: Claims(database: database), database: database, environment: environment,
            metrics: Metrics(), accessLog: nil)
        server = try HTTPServer(
            Self.loops, HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), application)
        port = UInt16(try server.start()[0])
    }

    /// The refusals that signing in declares and this domain's routes name.
    private static let ofSigningIn = DomainRoutes(
        name: "SigningIn", summary: "Stands for signing in.", routes: [],
        problems: [.reauthenticationRequired, .sessionRequired])

    deinit {
        let (server, database) = (server, database)
        server.beginDrain()
        Task { await database.close() }
    }

    /// Somebody with an account whose address is confirmed.
    func person(_ name: String, isVerified: Bool = true) async throws -> Person {
        let id = UUID.v7()
        let email = "\(name.lowercased().filter(\.isLetter))-\(id.description.suffix(12))@example.com"
        let verified = isVerified ? Timestamp.now : nil
        _ = try await database.query(
            """
            INSERT INTO users (id, email, email_norm, name, email_verified_at)
            VALUES (\(id), \(email), \(email), \(name), \(verified))
            """)
        return Person(id: id, name: name, email: email, world: self)
    }

    /// A person who has just founded a company, and works in it.
    func owner(_ name: String = "Grace", of company: String = "Aurora Studio") async throws -> Person {
        let person = try await person(name)
        let answer = try await person.post("/v1/companies", ["name": .string(company)])
        try #require(answer.status == 201, "\(answer)")
        return person.in(company: try #require(answer.json["id"]?.stringValue))
    }

    /// The secrets that were mailed to an address, newest first.
    func mailedTokens(to email: String) async throws -> [String] {
        let answer = try await Client(port: port).get("/v1/dev/outbox?to=\(email)")
        return (answer.json["data"]?.arrayValue ?? []).compactMap { mail in
            mail["context"]?["link"]?.stringValue?.split(separator: "#").last.map(String.init)
        }
    }

    func mails(_ template: String, to email: String) async throws -> Int {
        let answer = try await Client(port: port).get("/v1/dev/outbox?to=\(email)")
        return (answer.json["data"]?.arrayValue ?? []).count { $0["template"]?.stringValue == template }
    }

    func count(_ sql: SQL, in company: String) async throws -> Int {
        try await database.query(sql, as: Tenant(company: UUID(company)))[0].get(0)
    }
}

/// One person at one server, working in one company or in none.
struct Person: Sendable {
    let id: UUID
    let name: String
    let email: String
    let world: World
    var company: String?

    func `in`(company: String?) -> Person {
        var other = self
        other.company = company
        return other
    }

    var client: Client { Client(port: world.port, token: company.map { "\(id):\($0)" } ?? id.description) }

    func get(_ path: String) async throws -> Answer { try await client.get(path) }
    func post(_ path: String, _ body: JSON = [:]) async throws -> Answer { try await client.post(path, body) }
    func put(_ path: String, _ body: JSON) async throws -> Answer { try await client.put(path, body) }
    func patch(_ path: String, _ body: JSON) async throws -> Answer { try await client.patch(path, body) }
    func delete(_ path: String) async throws -> Answer { try await client.delete(path) }

    /// The id of a role of the company, by its key.
    func role(_ key: String) async throws -> String {
        let roles = try await get("/v1/roles?limit=100").json["data"]?.arrayValue ?? []
        let role = roles.first { $0["key"]?.stringValue == key }
        return try #require(role?["id"]?.stringValue, "no role \(key)")
    }

    /// The member id of somebody in the company.
    func member(_ person: Person) async throws -> String {
        let members = try await get("/v1/members?limit=100").json["data"]?.arrayValue ?? []
        let member = members.first { $0["user_id"]?.stringValue == person.id.description }
        return try #require(member?["id"]?.stringValue, "\(person.name) is no member")
    }

    /// Makes a team and gives its id.
    func team(_ name: String) async throws -> String {
        let answer = try await post("/v1/teams", ["name": .string(name)])
        return try #require(answer.json["id"]?.stringValue, "\(answer)")
    }

    /// How many are in each team, by the teams' names.
    func headcounts() async throws -> [Int] {
        (try await get("/v1/teams").json["data"]?.arrayValue ?? []).compactMap {
            $0["member_count"]?.intValue
        }
    }

    /// Invites by role key and gives back the mailed token.
    func invite(_ email: String, as role: String) async throws -> String {
        let answer = try await post(
            "/v1/invitations", ["email": .string(email), "role_ids": [.string(try await self.role(role))]])
        try #require(answer.status == 201, "\(answer)")
        return try #require(try await world.mailedTokens(to: email).first)
    }

    /// Somebody new who came in by this one's invitation.
    func colleague(_ name: String, as role: String) async throws -> Person {
        let person = try await world.person(name)
        let token = try await invite(person.email, as: role)
        let answer = try await person.post("/v1/invitations/acceptance", ["token": .string(token)])
        try #require(answer.status == 200, "\(answer)")
        return person.in(company: company)
    }

    /// Gives roles by their keys.
    func give(_ person: Person, _ keys: String...) async throws -> Answer {
        var ids: [JSON] = []
        for key in keys { ids.append(.string(try await role(key))) }
        return try await put("/v1/members/\(try await member(person))/roles", ["role_ids": .array(ids)])
    }
}

/// Tokens that say it: `user` or `user:company`.
struct Claims: Authenticator {
    let database: Database

    func cachedPrincipal(for request: Request) -> Principal?? {
        request.header("authorization") == nil ? .some(nil) : nil
    }

    func principal(for request: Request) async throws(Problem) -> Principal? {
        guard let field = request.header("authorization") else { return nil }
        let parts = field.dropFirst("Bearer ".count).split(separator: ":")
        guard let user = parts.first.flatMap({ UUID($0) }) else { throw .unauthorized }
        guard parts.count == 2, let company = UUID(parts[1]) else { return Principal(userId: user) }
        guard let access = try? await MemberAccess.load(user: user, company: company, database) else {
            throw .unauthorized("Not in this company.")
        }
        return Principal(
            userId: user, companyId: company, memberId: access.memberId, permissions: access.permissions)
    }
}
