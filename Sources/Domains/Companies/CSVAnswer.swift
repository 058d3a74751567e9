import API
import Core
import HTTP
import Postgres
import Wire

/// Rows of texts as a file for a spreadsheet.
enum CSVAnswer {
    static func of(_ rows: Rows, named name: String, columns: [String]? = nil) throws -> Raw {
        let out = ByteWriter(capacity: 64 << 10)
        CSV.write(columns ?? rows.columns, into: out)
        for row in rows {
            CSV.write(try rows.columns.indices.map { try row.get($0, as: String.self) }, into: out)
        }
        var response = Response(status: 200, body: .buffer(out))
        response.headers.add("content-type", "text/csv; charset=utf-8" as StaticString)
        response.headers.add("content-disposition", "attachment; filename=\"\(name)\"")
        return Raw(response)
    }
}
