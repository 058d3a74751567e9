import API
import Core
import Postgres
import Wire

extension Permission {
    public static let ssoWrite = Permission(
        "sso:write", "Set up by which provider the company's people sign in", [.owner, .admin])
}

/// How a company sets up its own provider.
enum SSOConnections {
    /// A connection; its secret is never shown again.
    struct Connection: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let issuer: String
        let clientId: String
        let hasClientSecret: Bool
        let provisionsMembers: Bool
        let defaultRoleId: UUID?
        let isEnabled: Bool
        let testedAt: Timestamp?
        let redirectUri: String
        let version: Int64
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "redirect_uri": "Register it with the provider.",
            "provisions_members": "Somebody the company does not know becomes a member by signing in.",
            "default_role_id": "The role such a member gets; null for the role member.",
        ]
    }

    struct NewConnection: Codable, Sendable, FieldNotes {
        let name: Text<80>
        let issuer: WebURL
        let clientId: Text<200>
        let clientSecret: Text<500>?
        let provisionsMembers: Bool?
        let defaultRoleId: UUID?

        static let fieldNotes = ["issuer": "As the provider writes it, to the letter."]
    }

    struct Change: Codable, Sendable {
        let name: Text<80>?
        let issuer: WebURL?
        let clientId: Text<200>?
        let clientSecret: Clearable<Text<500>>
        let provisionsMembers: Bool?
        let defaultRoleId: Clearable<UUID>
        let isEnabled: Bool?
    }

    struct Trial: Codable, Sendable {
        let isWorking: Bool
        let detail: String
    }

    struct Filter: ListFilter {
        let isEnabled: Bool?
        static let sorts = ["-created_at", "name"]
        static let search = ["name", "issuer"]
    }

    @RouteList static var routes: [Route] {
        GET(
            "/v1/sso-connections", "List the company's connections to its own provider", .can(.ssoWrite), list
        )
        POST(
            "/v1/sso-connections", "Set up a connection to the company's own provider", .can(.ssoWrite),
            create
        )
        .describe(
            "Any provider that speaks OpenID Connect. It is disabled at first; enable it once a domain of the company "
                + "is verified and the test works."
        )
        .problems(.scopeNotHeld, .sessionRequired)
        .example(body: [
            "name": "Our directory", "issuer": "https://login.example.com", "client_id": "infinity",
            "client_secret": "s3cr3t-of-the-provider",
        ])
        GET("/v1/sso-connections/{id}", "Read a connection", .can(.ssoWrite), show)
        PATCH("/v1/sso-connections/{id}", "Change, enable or disable a connection", .can(.ssoWrite), change)
            .problems(.scopeNotHeld, .sessionRequired, .ssoNeedsDomain, .ssoAlreadyEnabled)
            .example(body: ["is_enabled": true])
        DELETE("/v1/sso-connections/{id}", "Remove a connection", .can(.ssoWrite), remove)
            .describe("The identities by which people signed in through it go with it.").problems(
                .sessionRequired)
        POST("/v1/sso-connections/{id}/test", "Test a connection", .can(.ssoWrite), test)
            .operation("testSsoConnection").describe("Reads what the provider publishes about itself.")
            .idempotent(.none)
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Connection> {
        try await call.page(list, "\(fragment: select(call)) WHERE company_id = \(try call.company)")
    }

    static func show(_ call: Call, _ id: Path<UUID>) async throws -> Single<Connection> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewConnection>) async throws -> Created<Connection> {
        let user = try call.session.user
        let company = try call.company
        let id = UUID.v7()
        try mustBeSecure(body.issuer, call)
        let sealed = body.clientSecret.map { seal($0.text, of: id, call) }
        try await call.db.transaction { tx in
            try await mustMayGive(body.defaultRoleId, company, call, in: tx)
            _ = try await tx.batch([
                """
                INSERT INTO sso_connections (company_id, id, name, issuer, client_id, client_secret_sealed,
                                             provisions_members, default_role_id, created_by)
                VALUES (\(company), \(id), \(body.name), \(body.issuer), \(body.clientId), \(sealed),
                        \(body.provisionsMembers ?? true), \(body.defaultRoleId), \(user))
                """,
                audit("sso_connection.created", id, ["name": .string(body.name.text)], company, call),
            ])
        }
        return try Created(await rows(id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<Change>) async throws -> Single<
        Connection
    > {
        _ = try call.session
        let company = try call.company
        if let issuer = body.issuer { try mustBeSecure(issuer, call) }
        var changes = Changes()
        changes.set("name", body.name)
        changes.set("issuer", body.issuer)
        changes.set("client_id", body.clientId)
        if let secret = body.value.clientSecret {
            changes.set("client_secret_sealed", to: "\(secret.map { seal($0.text, of: id.value, call) })")
        }
        changes.set("provisions_members", body.provisionsMembers)
        changes.set("default_role_id", body.value.defaultRoleId)
        changes.set("is_enabled", body.isEnabled)
        let sql = changes.sql
        try await call.db.transaction { tx in
            if let role = body.value.defaultRoleId { try await mustMayGive(role, company, call, in: tx) }
            let known = try await tx.query(
                "SELECT version FROM sso_connections WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
            guard let row = known.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            if body.isEnabled == true {
                let domains = try await tx.query(
                    "SELECT 1 FROM company_domains WHERE company_id = \(company) AND state = 'verified' LIMIT 1"
                )
                if domains.isEmpty { throw Problem(.ssoNeedsDomain) }
            }
            _ = try await tx.batch([
                "UPDATE sso_connections SET \(fragment: sql) WHERE company_id = \(company) AND id = \(id)",
                audit(
                    "sso_connection.changed", id.value,
                    ["is_enabled": body.isEnabled.map { .bool($0) } ?? .null],
                    company, call),
            ])
        }
        return try Single(await rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        _ = try call.session
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM sso_connections WHERE company_id = \(company) AND id = \(id) RETURNING name")
            guard let row = gone.first else { throw Problem.notFound }
            _ = try await tx.batch([
                "DELETE FROM identities WHERE provider = \("sso:\(id.value)")",
                audit(
                    "sso_connection.removed", id.value, ["name": .string(try row.get("name"))], company, call),
            ])
        }
        return NoContent()
    }

    static func test(_ call: Call, _ id: Path<UUID>) async throws -> Single<Trial> {
        let company = try call.company
        guard let connection = try await SSOConnection.of(id: id.value, in: company, call) else {
            throw Problem.notFound
        }
        let client = call.auth.federation(guarded: true)
        do {
            _ = try await client.directory.document(of: connection.provider, at: call.now, client.http)
            _ = try await client.directory.keys(
                of: connection.provider, fresh: false, at: call.now, client.http)
        } catch let failure as ProviderFailure {
            return Single(Trial(isWorking: false, detail: "\(failure)"))
        }
        _ = try await call.db.query(
            "UPDATE sso_connections SET tested_at = \(call.now) WHERE company_id = \(company) AND id = \(id)")
        return Single(Trial(isWorking: true, detail: "The provider's document and keys were read."))
    }

    private static func seal(_ secret: String, of id: UUID, _ call: Call) -> [UInt8] {
        call.auth.choices.ring.seal(Array(secret.utf8), context: SSOConnection.context(id))
    }

    private static func mustBeSecure(_ issuer: WebURL, _ call: Call) throws {
        if issuer.text.hasPrefix("https://") || call.isDevelopment { return }
        throw Problem.unprocessable("/issuer", "not-secure", "must begin with https://")
    }

    /// Nobody lets others in with more than he holds himself, and a company is never given away by a provider.
    private static func mustMayGive(_ role: UUID?, _ company: UUID, _ call: Call, in tx: Transaction)
        async throws
    {
        guard let role else { return }
        let rows = try await tx.query(
            "SELECT key, is_builtin, permissions FROM roles WHERE company_id = \(company) AND id = \(role)")
        guard let row = rows.first else {
            throw Problem.unprocessable("/default_role_id", "unknown-role", "is no role of this company")
        }
        let key: String = try row.get("key")
        let permissions = PermissionSet.ofRole(
            key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions"))
        if key == "owner" {
            throw Problem.unprocessable(
                "/default_role_id", "owner-by-provider", "must not be that of an owner")
        }
        let missing = permissions.subtracting(call.principal?.permissions ?? PermissionSet()).names
        if !missing.isEmpty {
            throw Problem(.scopeNotHeld, "You do not hold \(missing.joined(separator: ", ")).")
        }
    }

    private static func audit(_ action: String, _ id: UUID, _ after: JSON, _ company: UUID, _ call: Call)
        -> SQL
    {
        Audit.sql(
            Audit.Entry(action, on: "sso_connection", id, after: after), by: call.actor, company: company)
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: select(call)) WHERE company_id = \(try call.company) AND id = \(id)")
    }

    private static func select(_ call: Call) -> SQL {
        """
        SELECT id, name, issuer, client_id, client_secret_sealed IS NOT NULL AS has_client_secret, provisions_members,
               default_role_id, is_enabled, tested_at,
               \(call.auth.choices.publicURL + "/account/callback")::text AS redirect_uri, version, created_at, updated_at
          FROM sso_connections
        """
    }
}
