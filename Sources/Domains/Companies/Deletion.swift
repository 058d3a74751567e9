import API
import Core
import Postgres
import Wire

/// The end of a company: closed at once, gone for good after a grace period in which an owner can take it back.
enum Deletion {
    static func begin(
        _ company: UUID, _ locked: Headcount.Locked, slug: String, until: Timestamp, _ call: Call,
        in tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT slug, (SELECT count(*) FROM companies child
                           WHERE child.parent_company_id = \(company) AND child.status <> 'deleted') AS children
              FROM companies WHERE id = \(company)
            """)
        guard try rows[0].get("slug", as: String.self) == slug else {
            throw Problem(
                .confirmationMismatch,
                faults: [.at("/confirm_slug", "mismatch", "is not the slug of this company")])
        }
        guard try rows[0].get("children", as: Int.self) == 0 else { throw Problem(.hasClientCompanies) }
        let user = try call.user
        var statements: [SQL] = [
            """
            UPDATE companies SET status = 'deleting', delete_after = \(until), deletion_asked_by = \(user),
                   version = version + 1, updated_at = now()
             WHERE id = \(company)
            """,
            """
            INSERT INTO company_deletions (company_id, delete_after) VALUES (\(company), \(until))
            ON CONFLICT (company_id) DO UPDATE SET delete_after = excluded.delete_after
            """,
            Audit.sql(
                Audit.Entry(
                    "company.deletion_asked", on: "company", company,
                    after: ["delete_after": .string(until.description)]),
                by: call.actor, company: company),
            try CompanyEvents.company(
                CompanyEvents.companyDeleted, company, locked.name, deleteAfter: until, by: call.actor),
        ]
        for owner in try await Recipient.holding([.owner], of: company, in: tx) {
            let context = [
                "company": locked.name, "delete_after": until.description, "link": call.links.company,
            ]
            statements.append(try Mail.sql(owner.mail(.companyDeletion, context, company: company)))
        }
        _ = try await tx.batch(statements)
        try await AccessChange.record(user: nil, company: company, in: tx)
    }

    static func callOff(_ company: UUID, by user: UUID, _ call: Call, in tx: Transaction) async throws {
        // Owners alone, and to all others the company does not exist.
        let isOwner = try await tx.query(
            """
            SELECT 1 FROM memberships m
              JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
              JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id AND r.key = 'owner'
             WHERE m.company_id = \(company) AND m.user_id = \(user) AND m.status = 'active'
            """)
        guard !isOwner.isEmpty, let locked = try await Headcount.lock(company, in: tx),
            locked.status != "deleted"
        else {
            throw Problem.notFound
        }
        guard locked.status == "deleting" else { throw Problem(.companyNotDeleting) }
        var statements: [SQL] = [
            """
            UPDATE companies SET status = 'active', delete_after = NULL, deletion_asked_by = NULL, version = version + 1,
                   updated_at = now()
             WHERE id = \(company)
            """,
            "DELETE FROM company_deletions WHERE company_id = \(company)",
            Audit.sql(
                Audit.Entry("company.restored", on: "company", company), by: call.actor, company: company),
            try CompanyEvents.company(CompanyEvents.companyRestored, company, locked.name, by: call.actor),
        ]
        for owner in try await Recipient.holding([.owner], of: company, in: tx) {
            let context = ["company": locked.name, "link": call.links.company]
            statements.append(try Mail.sql(owner.mail(.companyRestored, context, company: company)))
        }
        _ = try await tx.batch(statements)
        try await AccessChange.record(user: nil, company: company, in: tx)
    }
}
