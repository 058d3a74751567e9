import API
import Core
import Postgres
import Wire

/// Tables brought in: uploaded, mapped, tried, run, and perhaps taken back.
enum ImportRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/import-kinds", "List what can be imported", .can(.importsRun), kinds)
        GET("/v1/imports", "List imports", .can(.importsRun), list).describe(
            "One's own; all of them with imports:manage.")
        POST("/v1/imports", "Upload a table", .can(.importsRun), create)
            .describe(
                "Delimiter, encoding and heading are found out, a mapping is proposed, and the first rows come back with it. "
                    + "Nothing is written before it is started."
            )
            .problems(.importEmpty, .importTooWide, .importTooLarge)
            .example(body: [
                "kind": "task", "target": ["project_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41"],
                "file_id": nil,
                "csv": "title;due\r\nPoster;2026-12-01\r\n", "file_name": "tasks.csv",
            ])
        GET("/v1/imports/{id}", "Read an import", .can(.importsRun), read)
        PATCH("/v1/imports/{id}", "Map the columns of an import", .can(.importsRun), change)
            .describe(
                "Another delimiter, encoding or heading reads the file anew and proposes a mapping again."
            )
            .problems(.importBusy, .importOver, .importEmpty, .importTooWide)
        DELETE("/v1/imports/{id}", "Forget an import", .can(.importsRun), forget).problems(.importBusy)
            .describe("What it has written stays, and can be undone no more.")
        GET("/v1/imports/{id}/columns", "List the columns an import may have", .can(.importsRun), columns)
        POST("/v1/imports/{id}/dry-run", "Try an import", .can(.importsRun), tryOut).problems(
            .importBusy, .importOver
        )
        .describe(
            "Every row is written and taken back again. Two rows that only clash with each other may pass when they are far apart."
        )
        POST("/v1/imports/{id}/start", "Run an import", .can(.importsRun), start).problems(
            .importBusy, .importOver
        )
        .describe("It goes on by itself after a failure of the machine, and writes no row twice.")
        POST("/v1/imports/{id}/cancel", "Stop an import", .can(.importsRun), cancel).problems(.importNotBusy)
            .describe("What has been written stays, and can be undone.")
        POST("/v1/imports/{id}/undo", "Take an import back", .can(.importsRun), undo).problems(.importNotDone)
            .describe("Things that have changed since stay as they are.")
        GET("/v1/imports/{id}/rows", "List what became of the rows", .can(.importsRun), rows)
        GET(
            "/v1/imports/{id}/errors.csv", "Take the rows that failed away", .can(.importsRun),
            ImportReport.errors
        )
        .operation("exportImportErrors").media("text/csv")
        .describe(
            "The failed rows as they were, with what is wrong with each: corrected, they can be imported.")
    }

    struct Filter: ListFilter {
        let kind: [Text<60>]?
        let state: [ImportState]?
    }

    static func kinds(_ call: Call) async throws -> Single<ImportKindList> {
        Single(ImportKindList(kinds: usable(call).map { ImportKindInfo(kind: $0.kind, name: $0.name) }))
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Import> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Import> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewImport>) async throws -> Created<Import> {
        let company = try call.company
        let kind = try kind(body.kind.text, call)
        if (body.fileId == nil) == (body.csv == nil) {
            throw Problem.unprocessable("/csv", "one-of", "must be sent, or else `file_id`")
        }
        let target = try await kind.target(body.target ?? [:], call)
        let files = call.environment[FileKeeping.self]
        let name = body.fileName?.text ?? "import.csv"
        let file = try await fileId(body.value, name, files, call)
        let beginning = try await ImportSource.beginning(of: file, company, files)
        guard let beginning else {
            throw Problem.unprocessable("/file_id", "unknown-file", "is no file that can be read")
        }
        let source = try ImportSource(beginning)
        let columns = try await kind.columns(target, company, call.environment)
        let mapping = source.proposal(for: columns)
        let id = UUID.v7()
        try await call.db.transaction { tx in
            let attached = try await files.attach(file, ("import", id), company, tx)
            if attached.sizeBytes > WorkspaceNumbers.importBytesMax { throw Problem(.importTooLarge) }
            _ = try await tx.batch([
                insert(id, kind.kind, target, file, name, attached.sizeBytes, source, mapping, call),
                ImportEvents.audit("import.created", id, ["kind": .string(kind.kind)], call.actor, company),
            ])
        }
        return try Created(await rows(id, call))
    }

    /// The file named, or a new one of what came along.
    @inline(never)
    private static func fileId(_ new: NewImport, _ name: String, _ files: FileKeeping, _ call: Call)
        async throws -> UUID
    {
        if let file = new.fileId { return file }
        let bytes = Array((new.csv?.text ?? "").utf8)
        let draft = FileKeeping.Draft(
            name: name, company: try call.company, purpose: "import", by: call.actor,
            keptFor: WorkspaceNumbers.importFileLife)
        let kept = try await files.keep(draft) { out in try await out.write(bytes) }
        return kept.id
    }

    private static func insert(
        _ id: UUID, _ kind: String, _ target: JSON, _ file: UUID, _ name: String, _ size: Int,
        _ source: ImportSource,
        _ mapping: [MappedColumn], _ call: Call
    ) throws -> SQL {
        """
        INSERT INTO imports (company_id, id, kind, target, file_id, file_name, size_bytes, created_by, delimiter, encoding,
                             has_header, headers, sample, mapping, permissions_max)
        VALUES (\(try call.company), \(id), \(kind), \(JSONText(target)), \(file), \(name), \(size), \(try call.user),
                \(source.delimiter), \(source.encoding.rawValue), \(source.hasHeader),
                \(JSONText(try JSON(encoding: source.headers))), \(JSONText(try JSON(encoding: source.sample))),
                \(JSONText(try JSON(encoding: mapping))), \(call.principal?.limitOfKey))
        """
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ImportChange>) async throws -> Single<
        Import
    > {
        let company = try call.company
        let old = try await found(id.value, call)
        try call.requireVersion(Int64(old.version))
        try mustWait(old)
        let kind = try kind(old.kind, call)
        let columns = try await kind.columns(old.target, company, call.environment)
        var changes = Changes()
        var (headers, mapping) = (old.headers, body.mapping?.items)
        if body.delimiter != nil || body.encoding != nil || body.hasHeader != nil {
            let beginning = try await ImportSource.beginning(
                of: old.fileId, company, call.environment[FileKeeping.self])
            guard let beginning else { throw Problem(.importEmpty) }
            let source = try ImportSource(
                beginning, delimiter: body.delimiter ?? Delimiter(rawValue: old.delimiter),
                encoding: body.encoding ?? old.encoding, hasHeader: body.hasHeader ?? old.hasHeader)
            headers = source.headers
            mapping = mapping ?? source.proposal(for: columns)
            changes.set("delimiter", source.delimiter)
            changes.set("encoding", source.encoding.rawValue)
            changes.set("has_header", source.hasHeader)
            changes.set("headers", JSONText(try JSON(encoding: source.headers)))
            changes.set("sample", JSONText(try JSON(encoding: source.sample)))
        }
        if let mapping {
            let faults = faults(of: mapping, headers.count, columns, isComplete: false)
            if !faults.isEmpty { throw Problem.unprocessable(faults) }
            changes.set("mapping", JSONText(try JSON(encoding: mapping)))
        }
        // What was tried was another table.
        changes.set("state", ImportState.uploaded)
        _ = try await call.change(
            """
            UPDATE imports SET \(fragment: changes.sql)
             WHERE company_id = \(company) AND id = \(id) AND version = \(old.version)
               AND state IN ('uploaded', 'checked') AND \(fragment: call.versionMatches())
            """, exists: "SELECT 1 FROM imports WHERE company_id = \(company) AND id = \(id)")
        return try Single(await rows(id.value, call))
    }

    static func columns(_ call: Call, _ id: Path<UUID>) async throws -> Single<ImportColumnList> {
        let old = try await found(id.value, call)
        let columns = try await kind(old.kind, call).columns(old.target, call.company, call.environment)
        return Single(
            ImportColumnList(
                columns: columns.map {
                    ImportColumnInfo(
                        key: $0.key, name: $0.name, isRequired: $0.isRequired, summary: $0.summary,
                        aliases: $0.aliases)
                }))
    }

    static func tryOut(_ call: Call, _ id: Path<UUID>) async throws -> Accepted<Import> {
        try await begin(.check, id.value, call)
    }

    static func start(_ call: Call, _ id: Path<UUID>) async throws -> Accepted<Import> {
        try await begin(.run, id.value, call)
    }

    private static func begin(_ act: ImportWork.Act, _ id: UUID, _ call: Call) async throws -> Accepted<
        Import
    > {
        let company = try call.company
        let old = try await found(id, call)
        try mustWait(old)
        let kind = try kind(old.kind, call)
        _ = try await kind.target(old.target, call)
        let columns = try await kind.columns(old.target, company, call.environment)
        let faults = faults(of: old.mapping, old.headers.count, columns, isComplete: true)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        try await call.db.transaction { tx in
            let changed = try await tx.query(
                """
                UPDATE imports SET state = \(act == .run ? ImportState.running : .checking), rows_done = 0, bytes_done = 0,
                       created_count = 0, changed_count = 0, skipped_count = 0, failed_count = 0, error = NULL,
                       created_by = \(call.user), started_at = now(), finished_at = NULL, version = version + 1,
                       updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND state IN ('uploaded', 'checked')
                """)
            if changed.affected == 0 { throw Problem(.importBusy) }
            _ = try await tx.batch([
                "DELETE FROM import_rows WHERE company_id = \(company) AND import_id = \(id) AND is_dry",
                ImportEvents.audit(
                    act == .run ? "import.started" : "import.tried", id, ["kind": .string(old.kind)],
                    call.actor, company),
            ])
            try await ImportWork.enqueue(act, id, company, in: tx)
        }
        return try Accepted(await rows(id, call), at: "/v1/imports/\(id)")
    }

    static func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<Import> {
        let company = try call.company
        let old = try await found(id.value, call)
        try await call.db.transaction { tx in
            // The batch in hand waits for this row, and finds that it is over.
            let changed = try await tx.query(
                """
                UPDATE imports SET state = CASE state WHEN 'running' THEN 'cancelled' ELSE 'uploaded' END,
                       finished_at = now(), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND state IN ('running', 'checking')
                """)
            if changed.affected == 0 { throw Problem(.importNotBusy) }
            if old.state == .running {
                try await call.environment[FileKeeping.self].detach(("import", id.value), company, tx)
            }
            _ = try await tx.query(
                ImportEvents.audit(
                    "import.cancelled", id.value, ["kind": .string(old.kind)], call.actor, company))
        }
        return try Single(await rows(id.value, call))
    }

    static func forget(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let old = try await found(id.value, call)
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                """
                DELETE FROM imports
                 WHERE company_id = \(company) AND id = \(id) AND state NOT IN ('checking', 'running', 'undoing')
                """)
            if gone.affected == 0 { throw Problem(.importBusy) }
            _ = try await tx.query(
                ImportEvents.audit(
                    "import.forgotten", id.value, ["kind": .string(old.kind)], call.actor, company))
            try await call.environment[FileKeeping.self].detach(("import", id.value), company, tx)
        }
        return NoContent()
    }

    static func undo(_ call: Call, _ id: Path<UUID>) async throws -> Accepted<Import> {
        let company = try call.company
        let old = try await found(id.value, call)
        _ = try kind(old.kind, call)
        try await call.db.transaction { tx in
            let changed = try await tx.query(
                """
                UPDATE imports SET state = 'undoing', created_by = \(call.user), undone_count = 0, error = NULL,
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND state IN ('done', 'cancelled', 'failed')
                """)
            if changed.affected == 0 { throw Problem(.importNotDone) }
            _ = try await tx.query(
                ImportEvents.audit(
                    "import.undo_started", id.value, ["kind": .string(old.kind)], call.actor, company))
            try await ImportWork.enqueue(.undo, id.value, company, in: tx)
        }
        return try Accepted(await rows(id.value, call), at: "/v1/imports/\(id.value)")
    }

    struct RowFilter: ListFilter {
        let state: [ImportRowState]?
        let isDry: Bool?

        static let sorts = ["n"]
    }

    static func rows(_ call: Call, _ id: Path<UUID>, _ list: List<RowFilter>) async throws -> Page<
        ImportRowResult
    > {
        _ = try await found(id.value, call)
        return try await call.page(
            list,
            """
            SELECT r.n, r.is_dry, r.state, coalesce(r.faults, '[]') AS faults, r.entity_id, r.n AS id FROM import_rows r
             WHERE r.company_id = \(call.company) AND r.import_id = \(id)
            """)
    }
}
