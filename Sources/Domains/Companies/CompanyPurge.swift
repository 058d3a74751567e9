import Core
import Postgres
import Wire

/// Takes away for good what belonged to companies whose grace period is over.
enum CompanyPurge {
    static let worker = Worker("company-purge", every: .seconds(600)) { work in
        try await round(work.database, work.environment[ServiceUsers.self]) ? .more : .idle
    }

    /// One company a round; false when none is due.
    static func round(_ db: Database, _ users: ServiceUsers) async throws -> Bool {
        let tables = try await db.query(tenantTables).map { try $0.get("name", as: String.self) }
        return try await db.transaction(deadline: .seconds(120)) { tx in
            let due = try await tx.query(
                """
                SELECT company_id FROM company_deletions WHERE delete_after <= now()
                 ORDER BY delete_after LIMIT 1 FOR UPDATE SKIP LOCKED
                """)
            guard let company = try due.first?.get("company_id", as: UUID.self) else { return false }
            try await tx.become(company)
            let locked = try await tx.query(
                """
                SELECT parent_company_id FROM companies
                 WHERE id = \(company) AND status = 'deleting' AND delete_after <= now() FOR UPDATE
                """)
            if let row = locked.first {
                if let agency = try row.get("parent_company_id", as: UUID?.self) {
                    try await ClientAccess.forget(of: company, at: agency, in: tx)
                }
                try await purge(company, tables, users, in: tx)
            }
            _ = try await tx.query("DELETE FROM verified_domains WHERE of_company = \(company)")
            _ = try await tx.query("DELETE FROM web_origins WHERE of_company = \(company)")
            _ = try await tx.query("DELETE FROM company_deletions WHERE company_id = \(company)")
            return true
        }
    }

    private static func purge(_ company: UUID, _ tables: [String], _ users: ServiceUsers, in tx: Transaction)
        async throws
    {
        let services = try await tx.query(
            "SELECT id FROM users WHERE of_company = \(company) AND kind = 'service'")
        let ids = try services.map { try $0.get("id", as: UUID.self) }
        var statements: [SQL] = tables.map { table in
            "DELETE FROM \(unescaped: table) WHERE company_id = \(company)"
        }
        statements.append(users.retire(ids))
        // The row stays as a stone without a name: the record of acts and other companies' history point at it.
        statements += [
            """
            UPDATE companies
               SET status = 'deleted', name = 'Deleted company', slug = 'deleted-' || id, legal_name = NULL,
                   description = NULL, website = NULL, logo_url = NULL, parent_company_id = NULL, owner_count = 0,
                   seats_used = 0, version = version + 1, updated_at = now()
             WHERE id = \(company)
            """,
            Audit.sql(Audit.Entry("company.purged", on: "company", company), by: .system, company: company),
        ]
        _ = try await tx.batch(statements)
        try await AccessChange.record(user: nil, company: company, in: tx)
    }

    /// Every table with rows of companies that the program may delete from, those that are pointed at after those
    /// that point: read from the catalogue, so that no domain's table can be forgotten.
    private static let tenantTables: SQL = """
        WITH RECURSIVE tenant AS (
            SELECT c.oid, quote_ident(c.relname) AS name
              FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
               -- The record of acts outlives the company until its retention ends, and so does what seals and sweeps it.
               AND c.relname NOT IN ('company_deletions', 'access_changes', 'company_upkeep', 'audit_unsealed')
               AND has_table_privilege(c.oid, 'DELETE')),
        depth AS (
            SELECT oid, 0 AS level FROM tenant
            UNION
            SELECT f.confrelid, d.level + 1
              FROM depth d
              JOIN pg_constraint f ON f.conrelid = d.oid AND f.contype = 'f' AND f.confrelid <> f.conrelid
              JOIN tenant t ON t.oid = f.confrelid
             WHERE d.level < 32)
        SELECT t.name FROM tenant t JOIN depth d ON d.oid = t.oid GROUP BY t.name ORDER BY max(d.level), t.name
        """
}
