import API
import Core
import HTTP
import Postgres
import Wire

/// What an export takes: a statement, the columns of it that are wanted, and how they are headed.
struct ExportTable: Sendable {
    let statement: SQL
    let columns: [ExportKind.Column]

    /// Throws 422 for columns there are not.
    @inline(never)
    static func of(
        _ kind: ExportKind, filter: JSON, sort: String?, keys: [String]?, member: Principal,
        _ environment: Environment
    ) async throws -> ExportTable {
        let all = try await kind.columns(member, environment)
        var faults = kind.faults(filter, sort)
        var chosen: [ExportKind.Column] = []
        for (index, key) in (keys ?? all.map(\.key)).enumerated() {
            if chosen.contains(where: { $0.key == key }) {
                faults.append(.at("/columns/\(index)", "repeated", "stands more than once"))
            } else if let column = all.first(where: { $0.key == key }) {
                chosen.append(column)
            } else {
                faults.append(
                    .at(
                        "/columns/\(index)", "not-one-of",
                        "must be one of: \(all.map(\.key).joined(separator: ", "))"))
            }
        }
        let problem: Problem? = faults.isEmpty ? nil : .unprocessable(faults)
        if let problem { throw problem }
        let rows = try await kind.rows(filter, sort, member, environment)
        let names = chosen.map { "taken.\"\($0.key.filter { $0 != "\"" })\"" }.joined(separator: ", ")
        return ExportTable(
            statement: "SELECT \(unescaped: names) FROM (\(fragment: rows)) AS taken", columns: chosen)
    }
}

/// Prints a table in one of the formats, a piece after the other.
// @unchecked Sendable: used by the one task that makes the export.
final class ExportPrinter: @unchecked Sendable {
    private let format: ExportFormat
    private let columns: [ExportKind.Column]
    private let sheet: SheetWriter?
    private let out = ByteWriter(capacity: 64 << 10)
    private let cell = ByteWriter()

    init(_ format: ExportFormat, _ columns: [ExportKind.Column], name: String) {
        self.format = format
        self.columns = columns
        sheet = format == .xlsx ? SheetWriter(name: name) : nil
    }

    func begin() -> [UInt8] {
        switch format {
        case .csv: CSV.write(columns.map(\.name), into: out)
        case .xlsx: sheet?.row(columns.map { .text($0.name) })
        case .ndjson: break
        }
        return taken()
    }

    func print(_ rows: Rows) throws -> [UInt8] {
        for row in 0..<rows.count {
            switch format {
            case .ndjson:
                rows.writeJSON(row: row, into: out)
                out.write("\n")
            case .csv: CSV.write(try columns.indices.map { Self.text(try value(rows, row, $0)) }, into: out)
            case .xlsx: sheet?.row(try columns.indices.map { Self.cell(try value(rows, row, $0)) })
            }
        }
        return taken()
    }

    func end() -> [UInt8] {
        sheet?.finish()
        return taken()
    }

    private func taken() -> [UInt8] {
        if let sheet { return sheet.take() }
        defer { out.removeAll() }
        return out.array
    }

    private func value(_ rows: Rows, _ row: Int, _ column: Int) throws -> JSON {
        cell.removeAll()
        rows.writeJSON(row: row, column: column, into: cell)
        return try JSON.parse(cell.array)
    }

    /// A value as somebody reads it in a cell.
    private static func text(_ value: JSON) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        case .bool(let value): value ? "true" : "false"
        case .number(let number): number.text
        case .array(let items): items.map(text).joined(separator: ", ")
        case .object: value.description
        }
    }

    private static func cell(_ value: JSON) -> SheetWriter.Cell {
        switch value {
        case .null: .empty
        case .bool(let value): .boolean(value)
        // Beyond 15 digits a spreadsheet rounds.
        case .number(let number) where number.text.utf8.count <= 15: .number(number.text)
        case .string, .number, .array, .object: .text(text(value))
        }
    }
}
