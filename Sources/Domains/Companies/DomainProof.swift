import API
import Core
import Outbound
import Postgres
import Wire

/// Looks whether a company has put its record into a domain's zone, and remembers what it found.
enum DomainProof {
    /// Below the domain itself, so that the record stands in nobody's way.
    static let label = "_infinity"

    /// Nil when the record is there; else what was found instead, for whoever is setting it up.
    static func fault(of domain: String, _ proof: String, _ records: TextRecords) async throws -> String? {
        let name = "\(label).\(domain)"
        let texts = try await records.of(name)
        if texts.contains(proof) { return nil }
        if texts.isEmpty { return "There is no TXT record at \(name)." }
        return "\(texts.count) TXT records stand at \(name), and none of them is the one that is wanted."
    }

    /// The first company to prove it has it. One that fails for a week loses it.
    static func record(
        _ fault: String?, _ domain: String, _ id: UUID, _ company: UUID, by actor: Audit.Actor,
        in db: TenantDatabase
    ) async throws {
        try await db.transaction { tx in try await record(fault, domain, id, company, by: actor, tx) }
    }

    static func record(
        _ fault: String?, _ domain: String, _ id: UUID, _ company: UUID, by actor: Audit.Actor,
        _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT state, failures FROM company_domains WHERE company_id = \(company) AND id = \(id) FOR UPDATE
            """)
        guard let row = rows.first else { return }
        let wasVerified = try row.get("state", as: String.self) == "verified"
        guard let fault else {
            try await verified(domain, id, company, isNews: !wasVerified, by: actor, tx)
            return
        }
        let failures = try row.get("failures", as: Int.self) + 1
        _ = try await tx.batch([
            """
            UPDATE company_domains SET last_checked_at = now(), last_fault = \(fault), failures = \(failures)
             WHERE company_id = \(company) AND id = \(id)
            """,
            "UPDATE verified_domains SET checked_at = now() WHERE domain = \(domain) AND domain_id = \(id)",
        ])
        if wasVerified, failures >= CompanyLimits.domainFailuresMax {
            try await lose(domain, id, company, tx)
        }
    }

    private static func verified(
        _ domain: String, _ id: UUID, _ company: UUID, isNews: Bool, by actor: Audit.Actor, _ tx: Transaction
    ) async throws {
        let taken = try await tx.query(
            """
            INSERT INTO verified_domains (domain, of_company, domain_id) VALUES (\(domain), \(company), \(id))
            ON CONFLICT (domain) DO UPDATE SET checked_at = now() WHERE verified_domains.domain_id = excluded.domain_id
            RETURNING domain
            """)
        if taken.isEmpty { throw Problem(.domainTaken) }
        var statements: [SQL] = [
            """
            UPDATE company_domains
               SET state = 'verified', verified_at = coalesce(verified_at, now()), last_checked_at = now(), last_fault = NULL,
                   failures = 0
             WHERE company_id = \(company) AND id = \(id)
            """
        ]
        if isNews {
            statements.append(
                Audit.sql(
                    Audit.Entry("domain.verified", on: "domain", id, after: ["domain": .string(domain)]),
                    by: actor,
                    company: company))
            statements.append(
                try Events.sql(
                    CompanyEvents.domainVerified, .init(domainId: id, domain: domain), on: "domain", id,
                    by: actor,
                    company: company))
        }
        _ = try await tx.batch(statements)
    }

    private static func lose(_ domain: String, _ id: UUID, _ company: UUID, _ tx: Transaction) async throws {
        _ = try await tx.batch([
            """
            UPDATE company_domains SET state = 'pending', verified_at = NULL, join_rule = 'off', failures = 0
             WHERE company_id = \(company) AND id = \(id)
            """,
            "DELETE FROM verified_domains WHERE domain = \(domain) AND domain_id = \(id)",
            Audit.sql(
                Audit.Entry("domain.lost", on: "domain", id, after: ["domain": .string(domain)]), by: .system,
                company: company),
        ])
    }

    /// Looks at each verified domain once a day.
    static let worker = Worker.single("recheck-domains", every: .seconds(900)) { work in
        let due = try await work.database.query(
            """
            SELECT domain, of_company, domain_id FROM verified_domains
             WHERE checked_at < now() - interval '1 day' ORDER BY checked_at LIMIT 50
            """)
        for row in due {
            try await recheck(
                try row.get("domain"), try row.get("domain_id"), of: try row.get("of_company"),
                work.environment[TextRecords.self], work.database)
        }
        return due.count == 50 ? .more : .idle
    }

    static func recheck(
        _ domain: String, _ id: UUID, of company: UUID, _ records: TextRecords, _ db: Database
    )
        async throws
    {
        let tenant = Tenant(company: company)
        let rows = try await db.query(
            "SELECT proof FROM company_domains WHERE company_id = \(company) AND id = \(id)", as: tenant)
        guard let proof = try rows.first?.get("proof", as: String.self) else {
            _ = try await db.query(
                "DELETE FROM verified_domains WHERE domain = \(domain) AND domain_id = \(id)")
            return
        }
        // Silent name servers prove nothing either way; the next round asks again.
        guard let fault = try? await Self.fault(of: domain, proof, records) as String?? else {
            _ = try await db.query("UPDATE verified_domains SET checked_at = now() WHERE domain = \(domain)")
            return
        }
        try await db.transaction(as: tenant) { tx in
            try await record(fault, domain, id, company, by: .system, tx)
        }
    }
}
