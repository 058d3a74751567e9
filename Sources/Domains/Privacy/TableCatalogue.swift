import Core
import Postgres
import Wire

/// The tables as the database has them now, joined with what the domains declare of them.
struct TableCatalogue: Sendable {
    struct Table: Sendable {
        let declaration: PersonalData
        /// What may leave the house, in the order of the table: no bytes, no secrets.
        let columns: [String]
        let hasCompany: Bool
        /// Its rows are seen by their company alone.
        let isTenants: Bool

        /// Its columns as they are read for a copy.
        var list: String { columns.map { "t.\"\($0)\"" }.joined(separator: ", ") }
    }

    let tables: [Table]

    static func load(_ declarations: [PersonalData], _ db: Database) async throws -> TableCatalogue {
        let rows = try await db.query(
            """
            SELECT c.relname AS name, c.relrowsecurity AS is_tenants,
                   bool_or(a.attname = 'company_id') AS has_company,
                   array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.atttypid <> 'bytea'::regtype) AS columns
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
             GROUP BY c.relname, c.relrowsecurity
            """)
        var found: [String: Row] = [:]
        for row in rows { found[try row.get("name", as: String.self)] = row }
        return TableCatalogue(
            tables: try declarations.compactMap { declaration in
                guard let row = found[declaration.table] else { return nil }
                let columns = try row.get("columns", as: [String]?.self) ?? []
                // The companies themselves are told by their id.
                let isCompanies = declaration.table == "companies"
                return Table(
                    declaration: declaration, columns: columns.filter { !declaration.secrets.contains($0) },
                    hasCompany: try row.get("has_company") || isCompanies,
                    isTenants: try row.get("is_tenants"))
            })
    }
}
