import API
import Core
import HTTP
import Postgres
import Wire

/// The rows of an import that failed, for a spreadsheet.
enum ImportReport {
    static func errors(_ call: Call, _ id: Path<UUID>) async throws -> Raw {
        let company = try call.company
        let old = try await ImportRoutes.found(id.value, call)
        let tenant = Tenant(company: company, user: try call.user)
        let database = call.db.database
        var response = Response.stream(status: 200) { out in
            let head = ByteWriter()
            CSV.write(["row", "faults"] + old.headers, into: head)
            try await out.write(head.array)
            let sql: SQL = """
                SELECT n, coalesce(faults, '[]')::text AS faults, coalesce(cells, '[]')::text AS cells FROM import_rows
                 WHERE company_id = \(company) AND import_id = \(id) AND state = 'failed'
                   AND is_dry = (\(old.state == .checked || old.state == .checking || old.state == .uploaded))
                 ORDER BY n
                """
            try await database.stream(sql, as: tenant) { rows in
                let piece = ByteWriter(capacity: 64 << 10)
                for row in rows { CSV.write(try cells(row), into: piece) }
                try await out.write(piece.array)
            }
        }
        response.headers.add("content-type", "text/csv; charset=utf-8" as StaticString)
        response.headers.add(
            "content-disposition", "attachment; filename=\"import-errors.csv\"" as StaticString)
        return Raw(response)
    }

    private static func cells(_ row: Row) throws -> [String] {
        let faults = try JSON.parse(row.get("faults", as: String.self)).decode([ImportFault].self)
        let told = faults.map { fault in (fault.column.map { "\($0) " } ?? "") + fault.detail }
        let cells =
            try JSON.parse(row.get("cells", as: String.self)).arrayValue?.compactMap(\.stringValue) ?? []
        return [String(try row.get("n", as: Int.self)), told.joined(separator: "; ")] + cells
    }
}
