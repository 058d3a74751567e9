import API
import Core
import Crypto
import Postgres
import Wire

extension Permission {
    public static let apiKeysRead = Permission(
        "api_keys:read", "See the company's API keys", [.owner, .admin])
    public static let apiKeysWrite = Permission(
        "api_keys:write", "Make, change and revoke API keys", [.owner, .admin])
}

/// A key with which a program works in one company. It can do what its scopes say, as far as its maker still may.
struct APIKey: Codable, Sendable {
    let id: UUID
    let name: String
    /// How the key begins.
    let hint: String
    let scopes: [String]
    /// Addresses and ranges it may be used from; empty for anywhere.
    let ipAllowList: [String]
    let createdBy: UUID
    /// The service account the key acts for; null for a key that acts for its maker.
    let serviceAccountId: UUID?
    let expiresAt: Timestamp?
    let lastUsedAt: Timestamp?
    let lastUsedFrom: String?
    let rotatedAt: Timestamp?
    let version: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let columns: SQL = """
        id, name, hint, scopes, ip_allow_list, created_by, service_account_id, expires_at, last_used_at, last_used_from, rotated_at,
        version, created_at, updated_at
        """
}

/// The key's text, this once.
struct APIKeySecret: Codable, Sendable {
    let id: UUID
    let name: String
    let key: String
    let hint: String
    let scopes: [String]
    let expiresAt: Timestamp?
}

enum APIKeys {
    struct NewKey: Codable, Sendable {
        let name: Text<80>
        let scopes: UpTo<100, Text<80>>
        let ipAllowList: UpTo<50, AddressRangeText>?
        let expiresAt: Timestamp?
        /// Acts for this service account instead of for you.
        let serviceAccountId: UUID?
    }

    struct Change: Codable, Sendable {
        let name: Text<80>?
        let scopes: UpTo<100, Text<80>>?
        let ipAllowList: UpTo<50, AddressRangeText>?
        let expiresAt: Clearable<Timestamp>
    }

    struct Rotation: Codable, Sendable {
        /// For so long the old key works beside the new one.
        let graceSeconds: Whole<0, 604_800>?
    }

    struct Filter: ListFilter {
        let createdBy: UUID?
        let serviceAccountId: UUID?
        static let sorts = ["-created_at", "name"]
        static let search = ["name", "hint"]
    }

    @RouteList static var routes: [Route] {
        GET("/v1/api-keys", "List API keys", .can(.apiKeysRead), list)
        POST("/v1/api-keys", "Make an API key", .can(.apiKeysWrite), create)
            .describe(
                "The key is shown this once. Its scopes are permissions that you hold yourself, and that the service "
                    + "account holds when it is to act for one."
            )
            .secret.problems(.scopeNotHeld, .apiKeyLimitReached, .sessionRequired)
            .example(body: [
                "name": "Shop export", "scopes": ["companies:read"], "ip_allow_list": ["192.0.2.0/24"],
                "expires_at": "2030-01-01T00:00:00Z",
            ])
        GET("/v1/api-keys/{id}", "Show an API key", .can(.apiKeysRead), show)
        PATCH("/v1/api-keys/{id}", "Change an API key", .can(.apiKeysWrite), change)
            .problems(.scopeNotHeld, .sessionRequired).example(body: ["name": "Shop export, nightly"])
        DELETE("/v1/api-keys/{id}", "Revoke an API key", .can(.apiKeysWrite), revoke).ifMatch(.accepted)
            .operation("revokeApiKey")
        POST("/v1/api-keys/{id}/rotate", "Exchange the text of an API key", .can(.apiKeysWrite), rotate)
            .operation("rotateApiKey")
            .describe(
                "The old text works for `grace_seconds` more, so that programs can be changed over in peace."
            )
            .secret.problems(.sessionRequired).example(body: ["grace_seconds": 3600])
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<APIKey> {
        try await call.page(
            list,
            """
            SELECT \(fragment: APIKey.columns) FROM api_keys
             WHERE company_id = \(try call.company) AND revoked_at IS NULL
            """)
    }

    static func show(_ call: Call, _ id: Path<UUID>) async throws -> Single<APIKey> {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: APIKey.columns) FROM api_keys
             WHERE company_id = \(try call.company) AND id = \(id) AND revoked_at IS NULL
            """)
        return try Single(rows)
    }

    static func create(_ call: Call, _ body: Body<NewKey>) async throws -> Created<APIKeySecret> {
        let session = try call.session
        let company = try call.company
        let scopes = try held(body.scopes.items.map(\.text), call)
        let id = UUID.v7()
        let key = APIKeyToken.make()
        let visit = Visit(call)
        let now = call.now
        let expiresAt = try await call.db.transaction { tx in
            let answers = try await tx.batch([
                // One after the other: a hundred at once must not be a hundred more than there may be.
                "SELECT pg_advisory_xact_lock(hashtextextended(\("api-keys/" + company.description)::text, 0))",
                CompanyPolicy.sql(company),
                "SELECT count(*) AS count FROM api_keys WHERE company_id = \(company) AND revoked_at IS NULL",
            ])
            let expiresAt = try expiry(body.expiresAt, CompanyPolicy(answers[1]), now)
            if try answers[2][0].get("count", as: Int.self) >= AuthLimits.apiKeysMax {
                throw Problem(.apiKeyLimitReached)
            }
            let service = try await service(body.serviceAccountId, scopes, company, in: tx)
            _ = try await tx.batch([
                """
                INSERT INTO api_keys (company_id, id, created_by, name, hint, scopes, ip_allow_list, expires_at,
                                      service_account_id, acts_as, created_at, updated_at)
                VALUES (\(company), \(id), \(session.user), \(body.name.text), \(APIKeyToken.hint(key)), \(scopes),
                        \(body.ipAllowList?.items.map(\.text) ?? []), \(expiresAt), \(body.serviceAccountId), \(service),
                        \(now), \(now))
                """,
                hash(of: key, company, id, at: now),
                AuthEvent.apiKeyMade.sql(
                    user: session.user, session: session.id, company: company, visit,
                    ["api_key_id": .string(id.description), "name": .string(body.name.text)]),
                Audit.sql(
                    Audit.Entry(
                        "api_key.created", on: "api_key", id,
                        after: [
                            "name": .string(body.name.text), "scopes": .array(scopes.map { .string($0) }),
                        ]), by: call.actor, company: company),
                Events.sql(
                    AuthEvents.keyCreated,
                    .init(
                        apiKeyId: id, name: body.name.text, scopes: scopes,
                        serviceAccountId: body.serviceAccountId),
                    on: "api_key", id, by: call.actor, company: company),
            ])
            try await tellMaker(session.user, body.name.text, company, call, in: tx)
            return expiresAt
        }
        let secret = APIKeySecret(
            id: id, name: body.name.text, key: key, hint: APIKeyToken.hint(key), scopes: scopes,
            expiresAt: expiresAt)
        return Created(secret, at: "/v1/api-keys/\(id)")
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<Change>) async throws -> Single<APIKey> {
        _ = try call.session
        let company = try call.company
        var changes = Changes()
        changes.set("name", body.name)
        if let scopes = body.scopes { changes.set("scopes", try held(scopes.items.map(\.text), call)) }
        changes.set("ip_allow_list", body.ipAllowList?.items.map(\.text))
        if let expiresAt = body.expiresAt {
            let rows = try await call.db.query(CompanyPolicy.sql(company))
            let policy = try CompanyPolicy(rows)
            changes.set("expires_at", try expiry(expiresAt, policy, call.now) as Timestamp??)
        }
        let rows = try await changed(
            call, id.value, "api_key.changed", changes.sql, returning: APIKey.columns)
        return try Single(rows)
    }

    static func revoke(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let change: SQL = "revoked_at = \(call.now), version = version + 1, updated_at = \(call.now)"
        _ = try await changed(call, id.value, "api_key.revoked", change, returning: "id")
        return NoContent()
    }

    static func rotate(_ call: Call, _ id: Path<UUID>, _ body: Body<Rotation>) async throws -> Single<
        APIKeySecret
    > {
        _ = try call.session
        let company = try call.company
        let key = APIKeyToken.make()
        let now = call.now
        let grace = now + .seconds(body.graceSeconds?.value ?? 0)
        let rows = try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE api_keys SET hint = \(APIKeyToken.hint(key)), rotated_at = \(now), version = version + 1,
                                    updated_at = \(now)
                 WHERE company_id = \(company) AND id = \(id) AND revoked_at IS NULL
                RETURNING name, scopes, expires_at
                """)
            if rows.isEmpty { throw Problem.notFound }
            _ = try await tx.batch([
                """
                UPDATE api_key_hashes SET valid_until = least(valid_until, \(grace))
                 WHERE of_company = \(company) AND key_id = \(id)
                """,
                hash(of: key, company, id.value, at: now),
            ])
            try await tell(id.value, call, "api_key.rotated", in: tx)
            return rows
        }
        let row = rows[0]
        return Single(
            APIKeySecret(
                id: id.value, name: try row.get("name"), key: key, hint: APIKeyToken.hint(key),
                scopes: try row.get("scopes"), expiresAt: try row.get("expires_at")))
    }

    /// The scopes, if the caller holds every one of them.
    private static func held(_ names: [String], _ call: Call) throws -> [String] {
        if names.isEmpty {
            throw Problem.unprocessable("/scopes", "required", "must name at least one permission")
        }
        let missing = Set(names).subtracting(call.principal?.permissions.names ?? [])
        if !missing.isEmpty {
            throw Problem(.scopeNotHeld, "You do not hold \(missing.sorted().joined(separator: ", ")).")
        }
        return Set(names).sorted()
    }

    /// The principal of a service account, if it may itself do all that the key is to do.
    private static func service(_ account: UUID?, _ scopes: [String], _ company: UUID, in tx: Transaction)
        async throws -> UUID?
    {
        guard let account else { return nil }
        let rows = try await tx.query(
            """
            SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id AND u.kind = 'service'
             WHERE m.company_id = \(company) AND m.id = \(account) AND m.status = 'active'
            """)
        guard let user = try rows.first?.get("user_id", as: UUID.self),
            let access = try await MemberAccess.load(user: user, company: company, in: tx)
        else {
            throw Problem.unprocessable(
                "/service_account_id", "unknown-service-account",
                "is no enabled service account of the company")
        }
        let missing = PermissionSet(names: scopes).subtracting(access.permissions).names
        if !missing.isEmpty {
            throw Problem(
                .scopeNotHeld, "The service account does not hold \(missing.joined(separator: ", ")).")
        }
        return user
    }

    private static func expiry(_ wanted: Timestamp?, _ policy: CompanyPolicy, _ now: Timestamp) throws
        -> Timestamp?
    {
        if let wanted, wanted <= now {
            throw Problem.unprocessable("/expires_at", "in-the-past", "must lie in the future")
        }
        guard let days = policy.keyDaysMax else { return wanted }
        let latest = now + .seconds(days * 86_400)
        if let wanted, wanted > latest {
            throw Problem.unprocessable(
                "/expires_at", "out-of-range", "may lie at most \(days) days ahead, says the company's policy"
            )
        }
        return wanted ?? latest
    }

    private static func hash(of key: String, _ company: UUID, _ id: UUID, at now: Timestamp) -> SQL {
        """
        INSERT INTO api_key_hashes (key_sha256, of_company, key_id, created_at)
        VALUES (\(OpaqueToken.digest(key).bytes), \(company), \(id), \(now))
        """
    }

    /// Changes the key, writes it down, and takes what is cached about it out of every instance, all or nothing.
    private static func changed(
        _ call: Call, _ id: UUID, _ action: String, _ change: SQL, returning columns: SQL
    ) async throws -> Rows {
        let company = try call.company
        let matches = try call.versionMatches()
        return try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                UPDATE api_keys SET \(fragment: change)
                 WHERE company_id = \(company) AND id = \(id) AND revoked_at IS NULL AND \(fragment: matches)
                RETURNING \(fragment: columns)
                """)
            if rows.isEmpty {
                let there = try await tx.query(
                    "SELECT 1 FROM api_keys WHERE company_id = \(company) AND id = \(id) AND revoked_at IS NULL"
                )
                throw there.isEmpty ? Problem.notFound : Problem(.versionMismatch)
            }
            try await tell(id, call, action, in: tx)
            return rows
        }
    }

    /// A revoked key's digests go with it.
    private static func tell(_ id: UUID, _ call: Call, _ action: String, in tx: Transaction) async throws {
        let company = try call.company
        let rows = try await tx.query(
            """
            SELECT coalesce(acts_as, created_by) AS holder, revoked_at, name, scopes, service_account_id FROM api_keys
             WHERE company_id = \(company) AND id = \(id)
            """)
        if !rows[0].isNull("revoked_at") {
            _ = try await tx.query(
                "DELETE FROM api_key_hashes WHERE of_company = \(company) AND key_id = \(id)")
        }
        let holder: UUID = try rows[0].get("holder")
        try await Audit.record(
            Audit.Entry(action, on: "api_key", id), by: call.actor, company: company, in: tx)
        try await AccessChange.record(user: holder, company: company, in: tx)
        let event: EventType<AuthEvents.KeyData>? =
            switch action {
            case "api_key.revoked": AuthEvents.keyRevoked
            case "api_key.rotated": AuthEvents.keyRotated
            default: nil
            }
        guard let event else { return }
        let data = AuthEvents.KeyData(
            apiKeyId: id, name: try rows[0].get("name"), scopes: try rows[0].get("scopes"),
            serviceAccountId: try rows[0].get("service_account_id"))
        try await Events.record(event, data, on: "api_key", id, by: call.actor, company: company, in: tx)
    }

    private static func tellMaker(
        _ user: UUID, _ key: String, _ company: UUID, _ call: Call, in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT u.email, u.name, u.locale, c.name AS company
              FROM users u, companies c WHERE u.id = \(user) AND c.id = \(company)
            """)
        guard let row = rows.first else { return }
        try await Mail.queue(
            Mail.Message(
                .apiKeyCreated, to: try row.get("email"), name: try row.get("name"),
                locale: try row.get("locale"),
                context: [
                    "key_name": key, "company": try row.get("company"), "at": call.now.description,
                    "link": call.auth.choices.publicURL + "/account/api-keys",
                ], company: company), in: tx)
    }
}

/// An address or a range of addresses: `192.0.2.7`, `2001:db8::/32`.
struct AddressRangeText: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 2...49) {
            AddressRange($0) == nil ? "is no address and no range like 192.0.2.0/24" : nil
        }
    }
    static var exampleText: String { "192.0.2.0/24" }
}
