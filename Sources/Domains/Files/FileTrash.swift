import API
import Core
import Postgres
import Wire

/// Deleting files, one or many, and what can be done with them in the trash.
enum FileTrash {
    @RouteList static var routes: [Route] {
        DELETE("/v1/files/{id}", "Put a file into the trash", .can(.filesWrite), delete)
            .describe(
                """
                One's own; anybody's with `files:delete`. It can be restored until the trash is emptied or its time is up; \
                until then it takes room. What something uses cannot be deleted.
                """
            )
            .problems(.fileInUse)
        POST("/v1/file-deletions", "Put several files into the trash", .can(.filesWrite), deleteMany)
            .operation("deleteFiles")
        POST("/v1/files/{id}/restoration", "Take a file out of the trash", .can(.filesWrite), restore)
        POST("/v1/file-restorations", "Take several files out of the trash", .can(.filesWrite), restoreMany)
            .operation("restoreFiles")
        DELETE("/v1/file-trash/{id}", "Delete a file in the trash for good", .can(.filesDelete), purge)
        DELETE("/v1/file-trash", "Empty the trash", .can(.filesDelete), empty).operation("emptyFileTrash")
            .describe("A hundred files at a time; `remaining` says how many are left, so ask until it is 0.")
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let (company, parts) = (try call.company, call.files)
        try await call.db.transaction { tx in
            let results = try await FileEnd.delete(
                [id.value], onlyOf: try owner(call), parts, by: call.actor, company: company, in: tx)
            guard let result = results[id.value] else { throw Problem.notFound }
            switch result {
            case nil: return
            case ProblemCode.fileInUse.name:
                let users = try await uses(of: id.value, company, tx)
                throw Problem(.fileInUse).with("used_by", .array(users))
            case .some: throw Problem.forbidden(.filesDelete)
            }
        }
        return NoContent()
    }

    /// Nil for those who may delete what others uploaded.
    private static func owner(_ call: Call) throws -> UUID? { call.can(.filesDelete) ? nil : try call.user }

    private static func uses(of file: UUID, _ company: UUID, _ tx: Transaction) async throws -> [JSON] {
        let rows = try await tx.query(
            """
            SELECT subject_type, subject_id FROM file_refs WHERE company_id = \(company) AND file_id = \(file)
             ORDER BY created_at LIMIT \(FileLimits.refsShown)
            """)
        return try rows.map { row in
            [
                "type": .string(try row.get("subject_type")),
                "id": .string(try row.get("subject_id", as: UUID.self).description),
            ]
        }
    }

    static func deleteMany(_ call: Call, _ body: Body<FileIds>) async throws -> Single<FileResults> {
        let (company, parts) = (try call.company, call.files)
        let ids = body.ids.items
        let results = try await call.db.transaction { tx in
            try await FileEnd.delete(
                ids, onlyOf: owner(call), parts, by: call.actor, company: company, in: tx)
        }
        return Single(summary(ids) { id in results[id] ?? ProblemCode.notFound.name })
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<StoredFile> {
        let (company, parts) = (try call.company, call.files)
        let rows = try await call.db.transaction { tx in
            let restored = try await FileEnd.restore(
                [id.value], parts, by: call.actor, company: company, in: tx)
            if restored.isEmpty { throw Problem.notFound }
            return try await tx.query("\(fragment: StoredFile.select(company)) AND f.id = \(id)")
        }
        return try Single(rows)
    }

    static func restoreMany(_ call: Call, _ body: Body<FileIds>) async throws -> Single<FileResults> {
        let (company, parts) = (try call.company, call.files)
        let ids = body.ids.items
        let restored = try await call.db.transaction { tx in
            try await FileEnd.restore(ids, parts, by: call.actor, company: company, in: tx)
        }
        return Single(summary(ids) { id in restored.contains(id) ? nil : ProblemCode.notFound.name })
    }

    private static func summary(_ ids: [UUID], _ code: (UUID) -> String?) -> FileResults {
        let results = ids.map { FileResults.Result(id: $0, code: code($0)) }
        let done = results.count { $0.code == nil }
        return FileResults(done: done, refused: results.count - done, results: results)
    }

    static func purge(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let gone = try await purge(call, "f.id = \(id)", most: 1, company)
        if gone == 0 { throw Problem.notFound }
        return NoContent()
    }

    struct Emptied: Codable, Sendable {
        let purged: Int
        let remaining: Int
    }

    static func empty(_ call: Call) async throws -> Single<Emptied> {
        let company = try call.company
        let purged = try await purge(call, "TRUE", most: FileLimits.bulkMax, company)
        let left = try await call.db.query(
            "SELECT count(*) AS count FROM files WHERE company_id = \(company) AND state = 'deleted'")
        return Single(Emptied(purged: purged, remaining: try left[0].get("count")))
    }

    /// How many files of the trash went for good.
    private static func purge(_ call: Call, _ condition: SQL, most: Int, _ company: UUID) async throws -> Int
    {
        let parts = call.files
        let (count, objects) = try await call.db.transaction { tx in
            let rows = try await tx.query(
                """
                SELECT f.id, f.name FROM files f
                 WHERE f.company_id = \(company) AND f.state = 'deleted' AND \(fragment: condition)
                 ORDER BY f.deleted_at, f.id LIMIT \(most)
                """)
            let ids = try rows.map { try $0.get("id", as: UUID.self) }
            let objects = try await FileEnd.purge(ids, company: company, in: tx)
            _ = try await tx.batch(
                try rows.map { row in
                    Audit.sql(
                        Audit.Entry(
                            "file.purged", on: "file", try row.get("id", as: UUID.self),
                            before: ["name": .string(try row.get("name"))]),
                        by: call.actor, company: company)
                })
            return (ids.count, objects)
        }
        parts.figures.filesPurged.count(count)
        // What fails here is found by the sweep: no row speaks of it any more.
        try? await parts.storage.delete(objects)
        return count
    }
}
