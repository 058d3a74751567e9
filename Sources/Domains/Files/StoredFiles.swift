import API
import Core
import Postgres
import Wire

/// The list of a company's files, and what is said of each.
enum StoredFiles {
    @RouteList static var routes: [Route] {
        GET("/v1/files", "List files", .can(.filesRead), list)
            .describe("Without `state` everything but the trash. `tag` finds files that bear it.")
        GET("/v1/files/{id}", "Read what is known of a file", .can(.filesRead), read)
        PATCH("/v1/files/{id}", "Rename a file, or change its tags and purpose", .can(.filesWrite), change)
    }

    struct Filter: ListFilter {
        let state: [FileState]?
        let kind: [ContentKind]?
        let type: String?
        let purpose: String?
        let tag: String?
        let uploadedBy: UUID?
        let sizeBytes: Bounds<Int64>?
        let createdAt: Bounds<Timestamp>?

        static let sorts = ["-created_at", "name", "size_bytes"]
        static let search = ["name"]
        static let ownFields: Set<String> = ["state", "tag"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<StoredFile> {
        var sql = try StoredFile.select(call.company)
        let states = list.filter.state ?? [.pending, .ready, .rejected]
        sql += " AND f.state = ANY(\(states))"
        if let tag = list.filter.tag { sql += " AND f.tags @> ARRAY[\(tag)]" }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<StoredFile> {
        try Single(await call.db.query("\(fragment: StoredFile.select(call.company)) AND f.id = \(id)"))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<FileChange>) async throws -> Single<
        StoredFile
    > {
        let company = try call.company
        let rows = try await call.db.transaction { tx in
            let before = try await tx.query(
                "SELECT name, purpose, tags, version, state FROM files WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
            )
            guard let row = before.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            guard try row.get("state", as: FileState.self) != .deleted else {
                throw Problem(.fileNotReady, "It lies in the trash.")
            }
            var changes = Changes()
            changes.set("name", body.name)
            changes.set("purpose", body.purpose)
            changes.set("tags", body.tags.map { FileTag.distinct($0.items) })
            let old: JSON = [
                "name": .string(try row.get("name")), "purpose": .string(try row.get("purpose")),
                "tags": .array(try row.get("tags", as: [String].self).map(JSON.string)),
            ]
            let (was, now) = Audit.changed(old, try JSON(encoding: body.value).withoutNulls)
            return try await tx.batch([
                "UPDATE files SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry("file.changed", on: "file", id.value, before: was, after: now),
                    by: call.actor,
                    company: company),
                "\(fragment: StoredFile.select(company)) AND f.id = \(id)",
            ])
        }
        return try Single(rows[2])
    }
}

extension FileTag {
    /// Each once, in their order.
    static func distinct(_ tags: [FileTag]) -> [String] {
        tags.reduce(into: []) { all, tag in if !all.contains(tag.text) { all.append(tag.text) } }
    }
}

extension JSON {
    fileprivate var withoutNulls: JSON {
        var kept = JSON.Object()
        for (key, value) in objectValue?.members ?? [] where !value.isNull { kept[key] = value }
        return .object(kept)
    }
}
