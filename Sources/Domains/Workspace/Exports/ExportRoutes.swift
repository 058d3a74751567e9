import API
import Core
import HTTP
import Postgres
import Wire

/// Tables taken out, of what the caller may see.
enum ExportRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/export-kinds", "List what can be exported", .can(.exportsRun), kinds)
        GET("/v1/exports", "List my exports", .can(.exportsRun), list)
        POST("/v1/exports", "Export a table", .can(.exportsRun), create)
            .describe(
                "It is made in the background, of what the caller may see then, and kept as a file for a week. CSV is RFC 4180 "
                    + "in UTF-8; a cell that a spreadsheet would take for a formula begins with an apostrophe."
            )
            .example(body: example)
        POST("/v1/exports/direct", "Take a small table at once", .can(.exportsRun), direct).operation(
            "exportDirectly"
        )
        .describe("The first \(WorkspaceNumbers.directRowsMax) rows in the answer itself; nothing is kept.")
        .idempotent(.none).media(ExportFormat.allCases.map(\.mediaType)).example(body: example)
        GET("/v1/exports/{id}", "Read an export", .can(.exportsRun), read)
        POST("/v1/exports/{id}/cancel", "Stop an export", .can(.exportsRun), cancel).problems(
            .exportNotRunning)
    }

    private static let example: JSON = [
        "kind": "task", "filter": ["priority": ["urgent"]], "sort": "-created_at", "saved_view_id": nil,
        "columns": ["key", "title", "due_on"], "format": "csv",
    ]

    struct Filter: ListFilter {
        let kind: [Text<60>]?
        let state: [ExportState]?
    }

    static func kinds(_ call: Call) async throws -> Single<ExportKindList> {
        let member = try member(call)
        var kinds: [ExportKindInfo] = []
        for kind in usable(call) {
            let columns = try await kind.columns(member, call.environment)
            kinds.append(
                ExportKindInfo(
                    kind: kind.kind, name: kind.name,
                    columns: columns.map { ExportColumnInfo(key: $0.key, name: $0.name) }))
        }
        return Single(ExportKindList(kinds: kinds))
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Export> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ExportDetail> {
        let rows = try await rows(id.value, call)
        guard let row = rows.first else { throw Problem.notFound }
        let export = try row.decode(Export.self)
        var url: String?
        if export.state == .done, let file = export.fileId {
            url = try await call.environment[FileKeeping.self].link(
                file, call.company, WorkspaceNumbers.exportLinkLife)
        }
        return Single(ExportDetail(export: export, url: url))
    }

    static func create(_ call: Call, _ body: Body<NewExport>) async throws -> Accepted<Export> {
        let company = try call.company
        let wish = try await Wish(body.value, call)
        let id = UUID.v7()
        try await call.db.transaction { tx in
            let job = try await Jobs.enqueue(ExportWork.kind, .init(id: id), company: company, in: tx)
            _ = try await tx.batch([
                """
                INSERT INTO exports (company_id, id, kind, filter, sort, columns, format, created_by, job_id,
                                     permissions_max)
                VALUES (\(company), \(id), \(wish.kind.kind), \(JSONText(wish.filter)), \(wish.sort),
                        \(wish.table.columns.map(\.key)), \(body.format), \(call.user), \(job),
                        \(call.principal?.limitOfKey))
                """,
                Audit.sql(
                    .init(
                        "export.started", on: "export", id,
                        after: [
                            "kind": .string(wish.kind.kind), "filter": wish.filter,
                            "format": .string(body.format.rawValue),
                        ]),
                    by: call.actor, company: company),
            ])
        }
        return try Accepted(await rows(id, call), at: "/v1/exports/\(id)")
    }

    static func direct(_ call: Call, _ body: Body<NewExport>) async throws -> Raw {
        let company = try call.company
        let wish = try await Wish(body.value, call)
        let rows = try await call.db.report(
            "\(fragment: wish.table.statement) LIMIT \(WorkspaceNumbers.directRowsMax)")
        let printer = ExportPrinter(body.format, wish.table.columns, name: wish.kind.name)
        let bytes = printer.begin() + (try printer.print(rows)) + printer.end()
        try await call.db.transaction { tx in
            let entry = Audit.Entry(
                "export.taken", on: wish.kind.kind, nil,
                after: ["filter": wish.filter, "rows": JSON(rows.count)])
            try await Audit.record(entry, by: call.actor, company: company, in: tx)
        }
        var response = Response(status: 200, body: .bytes(bytes))
        response.headers.add("content-type", body.format.mediaType)
        response.headers.add(
            "content-disposition", "attachment; filename=\"\(wish.kind.kind).\(body.format.rawValue)\"")
        return Raw(response)
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<Export> {
        let company = try call.company
        let known = try await rows(id.value, call)
        if known.isEmpty { throw Problem.notFound }
        let changed = try await call.db.query(
            """
            UPDATE exports SET state = 'cancelled', finished_at = now()
             WHERE company_id = \(company) AND id = \(id) AND state = 'running'
            """)
        if changed.affected == 0 { throw Problem(.exportNotRunning) }
        return try Single(await rows(id.value, call))
    }

    /// What is asked for, checked.
    private struct Wish: Sendable {
        let kind: ExportKind
        let filter: JSON
        let sort: String?
        let table: ExportTable

        init(_ new: NewExport, _ call: Call) async throws {
            let all = usable(call)
            guard let kind = all.first(where: { $0.kind == new.kind.text }) else {
                let names = all.map(\.kind).joined(separator: ", ")
                throw Problem.unprocessable(
                    "/kind", "not-one-of",
                    names.isEmpty ? "nothing can be exported" : "must be one of: \(names)")
            }
            var (filter, sort) = (new.filter ?? [:], new.sort?.text)
            if let view = new.savedViewId {
                if new.filter != nil {
                    throw Problem.unprocessable("/filter", "one-of", "goes without `saved_view_id` alone")
                }
                let saved = try await ViewRoutes.saved(view, kind.kind, call)
                filter = saved.filter
                sort = sort ?? saved.sort
            }
            self.kind = kind
            self.filter = filter
            self.sort = sort
            table = try await ExportTable.of(
                kind, filter: filter, sort: sort, keys: new.columns?.items.map(\.text), member: member(call),
                call.environment)
        }
    }

    private static func member(_ call: Call) throws -> Principal {
        guard let member = call.principal else { throw Problem.unauthorized }
        return member
    }

    private static func usable(_ call: Call) -> [ExportKind] {
        call.environment[WorkspaceParts.self].exports.filter { call.can($0.permission) }
    }

    @inline(never)
    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND e.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT e.id, e.kind, e.filter, e.sort, e.columns, e.format, e.state, e.rows_done, e.file_id, e.size_bytes,
               e.expires_at, e.error, e.job_id, e.created_by, e.finished_at, e.created_at
          FROM exports e WHERE e.company_id = \(try call.company) AND e.created_by = \(try call.user)
        """
    }
}
