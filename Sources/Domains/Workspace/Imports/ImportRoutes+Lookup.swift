import API
import Core
import Postgres
import Wire

/// What the routes of imports look up and check alike.
extension ImportRoutes {
    static func usable(_ call: Call) -> [ImportKind] {
        call.environment[WorkspaceParts.self].imports.filter { call.can($0.permission) }
    }

    static func kind(_ name: String, _ call: Call) throws(Problem) -> ImportKind {
        let all = usable(call)
        if let kind = all.first(where: { $0.kind == name }) { return kind }
        let names = all.map(\.kind).joined(separator: ", ")
        throw .unprocessable(
            "/kind", "not-one-of", names.isEmpty ? "nothing can be imported" : "must be one of: \(names)")
    }

    static func mustWait(_ old: Import) throws(Problem) {
        if old.state.isBusy { throw Problem(.importBusy) }
        if old.state != .uploaded, old.state != .checked { throw Problem(.importOver) }
    }

    static func faults(
        of mapping: [MappedColumn], _ width: Int, _ columns: [ImportColumn], isComplete: Bool
    ) -> [Fault] {
        var faults: [Fault] = []
        for (index, mapped) in mapping.enumerated() {
            let key = mapped.key.text
            if mapped.column.value >= width {
                faults.append(
                    .at("/mapping/\(index)/column", "out-of-range", "the file has \(width) columns"))
            }
            if !columns.contains(where: { $0.key == key }) {
                let near = NearMiss.hint(key, among: columns.map(\.key))
                faults.append(
                    .at("/mapping/\(index)/key", "unknown-column", "is no column of this kind\(near)"))
            }
            if mapping[..<index].contains(where: { $0.key == mapped.key || $0.column == mapped.column }) {
                faults.append(.at("/mapping/\(index)", "repeated", "names a column a second time"))
            }
        }
        if isComplete {
            for column in columns
            where column.isRequired && !mapping.contains(where: { $0.key.text == column.key }) {
                faults.append(
                    .at(
                        "/mapping", "required-column",
                        "\(column.key) is required, and no column of the file is it"))
            }
        }
        return faults
    }

    @inline(never)
    static func found(_ id: UUID, _ call: Call) async throws -> Import {
        let rows = try await rows(id, call)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.decode(Import.self)
    }

    @inline(never)
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND i.id = \(id)")
    }

    static func select(_ call: Call) throws -> SQL {
        let whose: SQL = call.can(.importsManage) ? "TRUE" : "i.created_by = \(try call.user)"
        return """
            SELECT i.id, i.kind, i.target, i.state, i.file_id, i.file_name, i.size_bytes, i.delimiter, i.encoding,
                   i.has_header, i.headers, i.sample, i.mapping, i.rows_done,
                   CASE WHEN i.state IN ('checked', 'done', 'undone') THEN 100
                        ELSE least(99, i.bytes_done * 100 / greatest(i.size_bytes, 1)) END::integer AS progress,
                   i.created_count, i.changed_count, i.skipped_count, i.failed_count, i.undone_count, i.error, i.job_id,
                   i.created_by, i.started_at, i.finished_at, i.version, i.created_at, i.updated_at
              FROM imports i WHERE i.company_id = \(try call.company) AND \(fragment: whose)
            """
    }
}
