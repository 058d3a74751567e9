import App
import Core
import Postgres
import TestSupport
import Testing
import Wire

/// What the domains declare about people, held against the catalogue of the database.
@Suite struct DeclarationTests {
    private let declared = Instance.domains.flatMap { $0.personalData }

    private func columns() async throws -> [String: [String: String]] {
        let server = try await TestServer.shared()
        let rows = try await server.instance.database.query(
            """
            SELECT c.relname AS name, a.attname AS column, format_type(a.atttypid, NULL) AS type
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            """)
        var tables: [String: [String: String]] = [:]
        for row in rows {
            tables[try row.get("name", as: String.self), default: [:]][
                try row.get("column", as: String.self)] =
                try row.get("type", as: String.self)
        }
        return tables
    }

    @Test func `every table says what it holds about people, once`() async throws {
        let tables = try await columns()
        let names = declared.map(\.table)
        let missing = Set(tables.keys).subtracting(names)
        #expect(
            missing.isEmpty,
            "declare in `personalData` of the domain that owns them: \(missing.sorted().joined(separator: ", "))"
        )
        #expect(Set(names).subtracting(tables.keys).isEmpty, "declared, but no such table")
        #expect(Set(names).count == names.count, "declared twice")
    }

    @Test func `whatever looks like a secret is left out of copies`() async throws {
        let telling = ["secret", "token", "password", "_hash", "sealed", "private", "salt", "_mac"]
        // Columns that only sound like it.
        let harmless: Set<String> = ["users.password_changed_at"]
        let tables = try await columns()
        for declaration in declared {
            let all = try #require(tables[declaration.table])
            for hidden in declaration.secrets {
                #expect(all[hidden] != nil, "\(declaration.table).\(hidden) does not exist")
            }
            for (column, type) in all where type != "bytea" && telling.contains(where: column.contains) {
                #expect(
                    declaration.secrets.contains(column)
                        || harmless.contains("\(declaration.table).\(column)")
                        || type.hasPrefix("timestamp") || type == "boolean" || type == "integer",
                    "\(declaration.table).\(column) must be hidden")
            }
        }
    }

    @Test func `every sealed column is sealed anew when the keys are exchanged`() async throws {
        let declared = Set(Instance.domains.flatMap { $0.sealed }.map { "\($0.table).\($0.column)" })
        let tables = try await columns()
        var found: Set<String> = ["mail_queue.context"]
        for (table, columns) in tables {
            for (column, type) in columns where type == "bytea" && column.hasSuffix("_sealed") {
                found.insert("\(table).\(column)")
            }
        }
        #expect(declared == found, "declare in `sealed` of the domain that owns them")
    }

    @Test func `the rows of somebody can be found and forgotten in every table`() async throws {
        let server = try await TestServer.shared()
        let tables = try await columns()
        let subject = PersonalData.Subject(user: .v7(), email: "nobody@example.com")
        for declaration in declared {
            guard let rows = declaration.rows(of: subject) else { continue }
            let table: SQL = "\(unescaped: declaration.table) t"
            let found = try await server.instance.database.query(
                "SELECT count(*) AS count FROM \(fragment: table) WHERE \(fragment: rows)")
            #expect(try found[0].get("count", as: Int.self) == 0)
            switch declaration.erasure {
            case .keep(let reason):
                #expect(reason.count > 20, "\(declaration.table) is kept without a reason")
            case .delete:
                _ = try await server.instance.database.query(
                    "DELETE FROM \(fragment: table) WHERE \(fragment: rows)")
            case .blank(let list):
                _ = try await server.instance.database.query(
                    "UPDATE \(fragment: table) SET \(fragment: list) WHERE \(fragment: rows)")
            }
            #expect(tables[declaration.table] != nil)
        }
    }

    @Test func `what is not kept for ever says how long`() async throws {
        let tables = try await columns()
        let classes = Instance.domains.flatMap { $0.retention }
        #expect(Set(classes.map(\.name)).count == classes.count, "two classes share a name")
        for one in classes {
            let columns = try #require(tables[one.table], "\(one.name) names a table that does not exist")
            #expect(
                columns[one.since]?.hasPrefix("timestamp") == true, "\(one.name): \(one.since) is no time")
            #expect(
                one.choice?.contains(one.days) ?? true, "\(one.name): its own days lie outside the choice")
            if one.choice != nil {
                #expect(columns["company_id"] != nil, "\(one.name) is nobody's to choose")
            }
        }
    }
}
