import API
import Core
import Postgres
import Wire

/// Coming into a company because one's confirmed address is at a domain of it.
enum DomainJoining {
    @RouteList static var routes: [Route] {
        GET("/v1/joinable-companies", "List the companies one may join by one's address", .signedIn, list)
        POST(
            "/v1/joinable-companies/{id}/membership", "Join a company by one's address, or ask to", .signedIn,
            join
        )
        .operation("joinCompanyByDomain")
        .describe(
            "Where the company decides itself the answer is a request that waits; asking twice is one request."
        )
        .problems(
            .emailNotVerified, .seatLimitReached, .alreadyAMember, .memberIsSuspended, .companyNotActive)
    }

    /// What a domain says of who may come in.
    private struct Door: Decodable {
        let id: UUID
        let domain: String
        let joinRule: JoinRule
        let roleId: UUID?
    }

    static func list(_ call: Call) async throws -> Page<JoinableCompany> {
        let person = try await Acceptance.Person.of(call)
        guard person.isVerified, let company = try await company(of: person.emailNorm, call.db.database)
        else {
            return try await nothing(call)
        }
        let rows = try await call.db.query(
            """
            SELECT c.id, c.name, c.logo_url, d.join_rule,
                   EXISTS (SELECT 1 FROM join_requests q
                            WHERE q.company_id = c.id AND q.user_id = \(person.id) AND q.state = 'pending') AS has_asked
              FROM companies c
              JOIN company_domains d ON d.company_id = c.id AND d.domain = \(domain(of: person.emailNorm))
                                    AND d.state = 'verified' AND d.join_rule <> 'off'
             WHERE c.id = \(company) AND c.status = 'active'
               AND NOT EXISTS (SELECT 1 FROM memberships m
                                WHERE m.company_id = c.id AND m.user_id = \(person.id) AND m.status <> 'removed')
            """, as: Tenant(company: company, user: person.id))
        return Page(all: rows)
    }

    private static func nothing(_ call: Call) async throws -> Page<JoinableCompany> {
        let rows = try await call.db.query(
            """
            SELECT c.id, c.name, c.logo_url, 'ask' AS join_rule, false AS has_asked FROM companies c WHERE false
            """)
        return Page(all: rows)
    }

    static func join(_ call: Call, _ id: Path<UUID>) async throws -> Single<JoinResult> {
        let person = try await Acceptance.Person.of(call)
        guard person.isVerified else { throw Problem(.emailNotVerified) }
        guard try await company(of: person.emailNorm, call.db.database) == id.value else {
            throw Problem.notFound
        }
        let company = id.value
        let (actor, links) = (call.actor, call.links)
        let result = try await call.db.transaction(as: Tenant(company: company, user: person.id)) { tx in
            try await enter(person, company, by: actor, links, in: tx)
        }
        return Single(result)
    }

    private static func enter(
        _ person: Acceptance.Person, _ company: UUID, by actor: Audit.Actor, _ links: Links,
        in tx: Transaction
    ) async throws -> JoinResult {
        guard let locked = try await Headcount.lock(company, in: tx),
            let door = try await door(of: person.emailNorm, company, in: tx)
        else { throw Problem.notFound }
        guard locked.status == "active" else { throw Problem(.companyNotActive) }
        switch door.joinRule {
        case .off: throw Problem.notFound
        case .auto:
            let member = try await admit(person.id, company, locked, door.roleId, .domain, by: actor, in: tx)
            return JoinResult(outcome: .joined, companyId: company, memberId: member, requestId: nil)
        case .ask:
            return try await JoinAsking.ask(
                by: .domain(door.id), person, locked, by: actor, company, links, in: tx)
        }
    }

    private static func door(of email: String, _ company: UUID, in tx: Transaction) async throws -> Door? {
        try await tx.query(
            """
            SELECT id, domain, join_rule, role_id FROM company_domains
             WHERE company_id = \(company) AND domain = \(domain(of: email)) AND state = 'verified'
            """
        ).first?.decode(Door.self)
    }

    private static func admit(
        _ user: UUID, _ company: UUID, _ locked: Headcount.Locked, _ role: UUID?,
        _ ground: CompanyAdmission.Ground,
        by actor: Audit.Actor, in tx: Transaction
    ) async throws -> UUID {
        let roles = try await CompanyDomains.admitted(role, company, in: tx)
        let member = try await Joining.admit(
            user, to: company, locked, roles: roles.map(\.id), grantedBy: nil, by: actor, in: tx)
        _ = try await tx.query(
            Audit.sql(
                Audit.Entry(
                    "member.joined_by_\(ground.rawValue)", on: "member", member,
                    after: ["roles": .array(roles.map { .string($0.key) })]),
                by: actor, company: company))
        return member
    }

    /// The company that has proven the address's domain to be its own.
    private static func company(of email: String, _ db: Database) async throws -> UUID? {
        let rows = try await db.query(
            "SELECT of_company FROM verified_domains WHERE domain = \(domain(of: email))")
        return try rows.first?.get("of_company", as: UUID.self)
    }

    private static func domain(of email: String) -> String { String(email.drop { $0 != "@" }.dropFirst()) }

    static let port = CompanyAdmission(
        admit: { user, company, role, ground, actor, tx in
            let known = try await MemberAccess.load(user: user, company: company, in: tx)
            if known != nil { return }
            guard let locked = try await Headcount.lock(company, in: tx) else {
                throw Problem(.companyNotActive)
            }
            guard locked.status == "active" else { throw Problem(.companyNotActive) }
            do {
                _ = try await admit(user, company, locked, role, ground, by: actor, in: tx)
            } catch let problem as Problem where problem.code == .alreadyAMember {
                // Two sign-ins at once: the other has let her in.
            }
        },
        welcome: { user, email, actor, db in
            guard let company = try await company(of: email, db) else { return }
            try await db.transaction(as: Tenant(company: company, user: user)) { tx in
                guard let locked = try await Headcount.lock(company, in: tx), locked.status == "active",
                    locked.hasSeat,
                    let door = try await door(of: email, company, in: tx), door.joinRule == .auto
                else { return }
                _ = try await admit(user, company, locked, door.roleId, .domain, by: actor, in: tx)
            }
        })
}
