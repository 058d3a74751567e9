import Core
import Postgres
import Wire

/// The tables as the database has them now, joined with what the domains declare of them.
struct TableCatalogue: Sendable {
    struct Table: Sendable {
        let declaration: PersonalData
        /// What may leave the house, as it is selected: no bytes, no secrets.
        let list: String
        let hasCompany: Bool
        /// Its rows are seen by their company alone.
        let isTenants: Bool
    }

    let tables: [Table]

    /// Types whose columns are printed as they are; of others PostgreSQL makes JSON.
    private static let printed = [
        "boolean", "smallint", "integer", "bigint", "double precision", "text", "uuid", "timestamptz", "date",
        "jsonb",
        "text[]", "uuid[]", "bigint[]",
    ]

    static func load(_ declarations: [PersonalData], _ db: Database) async throws -> TableCatalogue {
        let rows = try await db.query(
            """
            SELECT c.relname AS name, c.relrowsecurity AS is_tenants,
                   bool_or(a.attname = 'company_id') AS has_company,
                   array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.atttypid <> 'bytea'::regtype) AS columns,
                   array_agg(a.attname::text) FILTER (WHERE a.atttypid <> ALL(\(printed)::regtype[])) AS rare
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
                let rare = try row.get("rare", as: [String]?.self) ?? []
                let list = columns.filter { !declaration.secrets.contains($0) }.map { name in
                    rare.contains(name) ? "to_jsonb(t.\"\(name)\") AS \"\(name)\"" : "t.\"\(name)\""
                }
                // The companies themselves are told by their id.
                let isCompanies = declaration.table == "companies"
                return Table(
                    declaration: declaration, list: list.joined(separator: ", "),
                    hasCompany: try row.get("has_company") || isCompanies,
                    isTenants: try row.get("is_tenants"))
            })
    }
}
