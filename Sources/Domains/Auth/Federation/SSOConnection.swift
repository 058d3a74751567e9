import API
import Core
import Postgres
import Wire

/// A company's own provider as signing in works with it.
struct SSOConnection: Sendable {
    let id: UUID
    let company: UUID
    let provider: IdentityProvider
    /// Whether somebody the company does not know yet is let in.
    let provisions: Bool
    let defaultRole: UUID?

    /// The connection a flow was begun with; nil for a flow without one. One that was disabled since ends the flow.
    static func of(_ flow: LoginFlow, _ call: Call) async throws -> SSOConnection? {
        guard let company = flow.ofCompany, let id = flow.connectionId else { return nil }
        guard let found = try await find("c.id = \(id) AND c.is_enabled", company, call) else {
            throw Problem(.tokenInvalid)
        }
        return found
    }

    /// The one that people with an address at this domain sign in by.
    static func of(domain: String, _ call: Call) async throws -> SSOConnection? {
        let rows = try await call.auth.db.query(
            "SELECT of_company FROM verified_domains WHERE domain = \(domain)")
        guard let company = try rows.first?.get("of_company", as: UUID.self) else { return nil }
        return try await find("c.is_enabled", company, call)
    }

    static func of(id: UUID, in company: UUID, _ call: Call) async throws -> SSOConnection? {
        try await find("c.id = \(id)", company, call)
    }

    private static func find(_ condition: SQL, _ company: UUID, _ call: Call) async throws -> SSOConnection? {
        let rows = try await call.auth.db.query(
            """
            SELECT c.id, c.name, c.issuer, c.client_id, c.client_secret_sealed, c.default_role_id, c.provisions_members,
                   ARRAY(SELECT d.domain FROM company_domains d
                          WHERE d.company_id = c.company_id AND d.state = 'verified') AS domains
              FROM sso_connections c
              JOIN companies o ON o.id = c.company_id AND o.status = 'active'
             WHERE c.company_id = \(company) AND \(fragment: condition)
            """, as: Tenant(company: company))
        guard let row = rows.first else { return nil }
        let id: UUID = try row.get("id")
        let sealed = try row.get("client_secret_sealed", as: [UInt8]?.self)
        let secret = try sealed.map { try call.auth.choices.ring.open($0, context: context(id)) }
        let provider = IdentityProvider(
            id: "sso:\(id)", name: try row.get("name"), kind: .openID, issuer: try row.get("issuer"),
            clientId: try row.get("client_id"),
            clientSecret: secret.map { String(decoding: $0, as: UTF8.self) },
            method: "sso", believedDomains: Set(try row.get("domains", as: [String].self)))
        return SSOConnection(
            id: id, company: company, provider: provider, provisions: try row.get("provisions_members"),
            defaultRole: try row.get("default_role_id"))
    }

    /// What the sealed secret is bound to.
    static func context(_ id: UUID) -> String { "sso connection \(id)" }

    /// Whoever comes by the connection must be a member of the company, or becomes one.
    func admit(_ user: UUID, _ actor: Audit.Actor, _ call: Call, in tx: Transaction) async throws {
        if provisions {
            try await call.environment[CompanyAdmission.self].admit(
                user, company, defaultRole, .sso, actor, tx)
            return
        }
        let access = try await MemberAccess.load(user: user, company: company, in: tx)
        if access == nil { throw Problem(.ssoNotAllowedIn) }
    }
}

/// Finding the way in of one's company by one's address.
enum SSOLogin {
    struct Request: Codable, Sendable {
        let email: Email
    }

    struct Discovery: Codable, Sendable, FieldNotes {
        let isAvailable: Bool
        let isRequired: Bool

        static let fieldNotes = [
            "is_required": "The company lets nobody in by another way, so a page need not ask for a password."
        ]
    }

    struct Beginning: Codable, Sendable {
        let email: Email
        let redirectUri: Text<500>?
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/sso/discovery", "Ask whether an address signs in by its company", .open, discover)
            .operation("discoverSso")
            .describe("It depends on the domain alone and says nothing about accounts.")
            .rate(.open).idempotent(.none).example(body: ["email": "ada@example.com"])
        POST("/v1/auth/sso/authorize", "Begin to sign in by one's company", .open, begin)
            .operation("beginSsoLogin")
            .describe("Goes on as signing in by a provider: finish it at /v1/auth/oauth/completion.")
            .rate(.login).secret.problems(.ssoNotAvailable, .identityProviderUnavailable, .identityRefused)
            .example(body: ["email": "ada@example.com"])
    }

    static func discover(_ call: Call, _ body: Body<Request>) async throws -> Single<Discovery> {
        guard let connection = try await SSOConnection.of(domain: body.email.domain, call) else {
            return Single(Discovery(isAvailable: false, isRequired: false))
        }
        let rows = try await call.auth.db.query(
            CompanyPolicy.sql(connection.company), as: Tenant(company: connection.company))
        let methods = try CompanyPolicy(rows).loginMethods
        return Single(Discovery(isAvailable: true, isRequired: methods == ["sso"]))
    }

    static func begin(_ call: Call, _ body: Body<Beginning>) async throws -> Single<LoginFlow.Begun> {
        guard let connection = try await SSOConnection.of(domain: body.email.domain, call) else {
            throw Problem(.ssoNotAvailable)
        }
        let begun = try await LoginFlow.begin(
            .login, at: connection.provider, connection: (connection.company, connection.id),
            redirect: body.redirectUri?.text, hint: body.email.text, call)
        return Single(begun)
    }
}
