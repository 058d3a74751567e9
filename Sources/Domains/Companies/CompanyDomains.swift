import API
import Core
import Crypto
import Outbound
import Postgres
import Wire

extension Permission {
    public static let domainsRead = Permission(
        "domains:read", "See the company's e-mail domains", [.owner, .admin])
    public static let domainsWrite = Permission(
        "domains:write", "Add and verify e-mail domains, and decide who may join by them", [.owner, .admin])
}

/// E-mail domains that a company proves to be its own by a TXT record. A verified one belongs to one company alone; by it
/// people find the company, and the company's own provider is believed about addresses there.
enum CompanyDomains {
    @RouteList static var routes: [Route] {
        GET("/v1/domains", "List the company's e-mail domains", .can(.domainsRead), list)
        POST("/v1/domains", "Add an e-mail domain", .can(.domainsWrite), create)
            .describe("Put the TXT record of the answer into the domain's zone, then verify.")
            .problems(.domainIsPublic, .domainKnown, .tooManyDomains)
        GET("/v1/domains/{id}", "Read an e-mail domain", .can(.domainsRead), read)
        PATCH("/v1/domains/{id}", "Decide who may join by a domain", .can(.domainsWrite), change)
            .problems(.grantExceedsOwnRights, .domainNotVerified)
        POST(
            "/v1/domains/{id}/verification", "Look for the TXT record of a domain", .can(.domainsWrite),
            verify
        )
        .operation("verifyDomain")
        .describe(
            "The answer says in `last_fault` what was wrong when the record was not found. A verified domain is looked "
                + "at again every day; when the record has been gone for a week the domain is no longer verified."
        )
        .idempotent(.none).problems(.domainTaken, .nameServersSilent).rate(
            RatePolicy("domain-check", quota: 20, windowSeconds: 60, per: .company))
        DELETE("/v1/domains/{id}", "Remove an e-mail domain", .can(.domainsWrite), remove)
            .describe("Who has come in by it stays.").problems(.domainInUse)
    }

    struct Filter: ListFilter {
        let state: [DomainState]?
        static let sorts = ["domain", "-created_at"]
        static let search = ["domain"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<CompanyDomain> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<CompanyDomain> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewCompanyDomain>) async throws -> Created<CompanyDomain> {
        let company = try call.company
        let domain = body.domain.text
        if PublicMailDomains.contains(domain) { throw Problem(.domainIsPublic) }
        let (id, user, proof) = (UUID.v7(), try call.user, "infinity-domain=" + OpaqueToken.make())
        let limit = RowLimit(
            CompanyLimits.domainsMax, "SELECT count(*) FROM company_domains WHERE company_id = \(company)",
            else: .tooManyDomains)
        let record = audit("domain.added", id, ["domain": .string(domain)], call, company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO company_domains AS d (company_id, id, domain, proof, created_by)
            SELECT \(company), \(id), \(domain), \(proof), \(user) WHERE \(fragment: isBelow)
            RETURNING \(fragment: columns)
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<CompanyDomainChange>) async throws
        -> Single<CompanyDomain>
    {
        let company = try call.company
        var changes = Changes()
        changes.set("join_rule", body.joinRule)
        changes.set("role_id", body.value.roleId)
        let sql = changes.sql
        try await call.db.transaction { tx in
            let known = try await tx.query(
                """
                SELECT domain, state, role_id, version FROM company_domains
                 WHERE company_id = \(company) AND id = \(id) FOR UPDATE
                """)
            guard let row = known.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            if let rule = body.joinRule, rule != .off, try row.get("state", as: String.self) != "verified" {
                throw Problem(.domainNotVerified)
            }
            // Whoever opens the door must hold what it gives, whether the role was his choice or the former one's.
            let role = try body.value.roleId ?? row.get("role_id", as: UUID?.self)
            let roles = try await admitted(role, company, in: tx)
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            try Granting.check(roles, within: ceiling)
            _ = try await tx.batch([
                "UPDATE company_domains SET \(fragment: sql) WHERE company_id = \(company) AND id = \(id)",
                audit(
                    "domain.changed", id.value,
                    [
                        "domain": .string(try row.get("domain")),
                        "join_rule": body.joinRule.map { .string($0.rawValue) } ?? .null,
                    ], call, company),
            ])
        }
        return try Single(await rows(id.value, call))
    }

    /// The role of those who come in: the one chosen, else that of a member. Owners are never made so.
    static func admitted(_ role: UUID?, _ company: UUID, in tx: Transaction) async throws -> [Granting.Role] {
        var id = role
        if id == nil {
            let rows = try await tx.query(
                "SELECT id FROM roles WHERE company_id = \(company) AND key = 'member'")
            id = try rows.first?.get("id", as: UUID.self)
        }
        let roles = try await Granting.roles(id.map { [$0] } ?? [], of: company, pointer: "/role_id", in: tx)
        if roles.contains(where: { $0.key == "owner" }) {
            throw Problem.unprocessable("/role_id", "owner-by-domain", "must not be that of an owner")
        }
        return roles
    }

    static func verify(_ call: Call, _ id: Path<UUID>) async throws -> Single<CompanyDomain> {
        let company = try call.company
        let known = try await call.db.query(
            "SELECT domain, proof FROM company_domains WHERE company_id = \(company) AND id = \(id)")
        guard let row = known.first else { throw Problem.notFound }
        let domain: String = try row.get("domain")
        let fault: String?
        do {
            fault = try await DomainProof.fault(
                of: domain, try row.get("proof"), call.environment[TextRecords.self])
        } catch is TextRecords.Failure {
            throw Problem(.nameServersSilent).header("retry-after", "30")
        }
        try await DomainProof.record(
            fault, domain, id.value, company, by: call.actor, in: call.db)
        return try Single(await rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let last = try await tx.query(
                """
                SELECT 1 FROM sso_connections c
                 WHERE c.company_id = \(company) AND c.is_enabled
                   AND NOT EXISTS (SELECT 1 FROM company_domains d
                                    WHERE d.company_id = c.company_id AND d.state = 'verified' AND d.id <> \(id))
                """)
            guard last.isEmpty else { throw Problem(.domainInUse) }
            _ = try await tx.query(
                "DELETE FROM join_requests WHERE company_id = \(company) AND domain_id = \(id)")
            let gone = try await tx.query(
                "DELETE FROM company_domains WHERE company_id = \(company) AND id = \(id) RETURNING domain")
            guard let row = gone.first else { throw Problem.notFound }
            _ = try await tx.batch([
                "DELETE FROM verified_domains WHERE of_company = \(company) AND domain_id = \(id)",
                audit("domain.removed", id.value, ["domain": .string(try row.get("domain"))], call, company),
            ])
        }
        return NoContent()
    }

    private static func audit(_ action: String, _ id: UUID, _ after: JSON, _ call: Call, _ company: UUID)
        -> SQL
    {
        Audit.sql(Audit.Entry(action, on: "domain", id, after: after), by: call.actor, company: company)
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call.company)) AND d.id = \(id)")
    }

    private static let columns: SQL = """
        d.id, d.domain, d.state, \(DomainProof.label)::text || '.' || d.domain AS record_name, d.proof AS record_value,
        d.join_rule, d.role_id, d.verified_at, d.last_checked_at, d.last_fault, d.version, d.created_at
        """

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM company_domains d WHERE d.company_id = \(company)"
    }
}
