import API
import Core
import Postgres
import Wire

/// The company's tags.
enum TagRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/tags", "List tags", .can(.tagsRead), list)
            .describe("`uses` counts the things that carry the tag, of all kinds.")
        POST("/v1/tags", "Create a tag", .can(.tagsWrite), create).problems(.tagNameTaken, .tooManyTags)
            .example(body: example)
        GET("/v1/tags/{id}", "Read a tag", .can(.tagsRead), read)
        PATCH("/v1/tags/{id}", "Change a tag", .can(.tagsWrite), change).problems(.tagNameTaken)
        DELETE("/v1/tags/{id}", "Delete a tag", .can(.tagsManage), delete)
            .describe("Whatever carries it loses it.")
        POST("/v1/tags/{id}/merge", "Merge a tag into another", .can(.tagsManage), merge).problems(
            .tagIntoItself
        )
        .describe(
            "Whatever carries this tag carries the other one afterwards, and this one is gone: all of it or nothing. "
                + "Answers with the other tag.")
    }

    private static let example: JSON = [
        "name": "Spring launch", "color": "#2f6fed", "description": "Whatever belongs to the launch in April",
        "kinds": nil,
    ]

    struct Filter: ListFilter {
        let kind: Text<60>?

        static let sorts = ["name", "-created_at", "-uses"]
        static let search = ["name", "description"]
        static let ownFields: Set<String> = ["kind"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Tag> {
        var sql: SQL =
            "SELECT \(fragment: try columns(call)) FROM tags t WHERE t.company_id = \(try call.company)"
        if let kind = list.kind { sql += " AND (t.kinds IS NULL OR \(kind.text) = ANY(t.kinds))" }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Tag> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewTag>) async throws -> Created<Tag> {
        let company = try call.company
        let id = UUID.v7()
        let kinds = try known(body.kinds?.items, call)
        let limit = RowLimit(
            WorkspaceLimits.tagsMax, "SELECT count(*) FROM tags WHERE company_id = \(company)",
            else: .tooManyTags)
        let record = Audit.sql(
            .init("tag.created", on: "tag", id, after: ["name": .string(body.name.text)]), by: call.actor,
            company: company)
        let event = try TagEvents.sql(TagEvents.created, id, body.name.text, by: call.actor, company)
        let columns = try columns(call)
        let rows = try await call.create(under: limit, also: [record, event]) { isBelow in
            """
            INSERT INTO tags AS t (company_id, id, name, color, description, kinds)
            SELECT \(company), \(id), \(body.name), \(body.color), \(body.description), \(kinds)::text[]
             WHERE \(fragment: isBelow)
            RETURNING \(fragment: columns)
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<TagChange>) async throws -> Single<Tag> {
        let company = try call.company
        let kinds = try known(body.value.kinds??.items, call)
        try await call.db.transaction { tx in
            let row = try await locked(id.value, company, tx)
            try call.requireVersion(row.get("version"))
            var changes = Changes()
            changes.set("name", body.name)
            changes.set("color", body.value.color)
            changes.set("description", body.value.description)
            if body.value.kinds != nil { changes.set("kinds", to: "\(kinds)::text[]") }
            _ = try await tx.batch([
                "UPDATE tags SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    .init(
                        "tag.changed", on: "tag", id.value, before: ["name": .string(row.get("name"))],
                        after: JSON(encoding: body.value)),
                    by: call.actor, company: company),
                TagEvents.sql(
                    TagEvents.updated, id.value, body.name?.text ?? row.get("name"), by: call.actor, company),
            ])
        }
        return try Single(await rows(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let taggings = taggings(call)
        try await call.db.transaction { tx in
            let row = try await locked(id.value, company, tx)
            let name: String = try row.get("name")
            var statements = taggings.map { tagging -> SQL in
                "DELETE FROM \(unescaped: tagging.table) WHERE company_id = \(company) AND tag_id = \(id)"
            }
            statements += [
                "DELETE FROM tags WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    .init("tag.deleted", on: "tag", id.value, before: ["name": .string(name)]),
                    by: call.actor,
                    company: company),
                try TagEvents.sql(TagEvents.deleted, id.value, name, by: call.actor, company),
            ]
            _ = try await tx.batch(statements)
        }
        return NoContent()
    }

    static func merge(_ call: Call, _ id: Path<UUID>, _ body: Body<TagMerge>) async throws -> Single<Tag> {
        let company = try call.company
        let other = body.intoId
        if other == id.value { throw Problem(.tagIntoItself) }
        let taggings = taggings(call)
        try await call.db.transaction { tx in
            // In one order, so that two merges the other way round do not wait for each other.
            let rows = try await tx.query(
                """
                SELECT id, name FROM tags
                 WHERE company_id = \(company) AND id IN (\(id), \(other)) ORDER BY id FOR UPDATE
                """)
            let names = Dictionary(
                uniqueKeysWithValues: try rows.map {
                    (try $0.get("id", as: UUID.self), try $0.get("name", as: String.self))
                })
            guard let name = names[id.value] else { throw Problem.notFound }
            guard let otherName = names[other] else {
                throw Problem.unprocessable("/into_id", "unknown-tag", "is no tag of this company")
            }
            _ = try await tx.batch(
                taggings.flatMap { moved($0, from: id.value, to: other, company) } + [
                    "DELETE FROM tags WHERE company_id = \(company) AND id = \(id)",
                    Audit.sql(
                        .init(
                            "tag.merged", on: "tag", id.value, before: ["name": .string(name)],
                            after: ["into_id": .string(other.description), "into_name": .string(otherName)]),
                        by: call.actor, company: company),
                    TagEvents.merge(id.value, name, into: other, by: call.actor, company),
                ])
        }
        return try Single(await rows(other, call))
    }

    private static func moved(_ tagging: Tagging, from: UUID, to: UUID, _ company: UUID) -> [SQL] {
        [
            """
            INSERT INTO \(unescaped: tagging.table) (company_id, \(unescaped: tagging.column), tag_id)
            SELECT company_id, \(unescaped: tagging.column), \(to)::uuid FROM \(unescaped: tagging.table)
             WHERE company_id = \(company) AND tag_id = \(from)
            ON CONFLICT DO NOTHING
            """,
            "DELETE FROM \(unescaped: tagging.table) WHERE company_id = \(company) AND tag_id = \(from)",
        ]
    }

    private static func locked(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws -> Row {
        let rows = try await tx.query(
            "SELECT name, version FROM tags WHERE company_id = \(company) AND id = \(id) FOR UPDATE")
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "SELECT \(fragment: columns(call)) FROM tags t WHERE t.company_id = \(call.company) AND t.id = \(id)"
        )
    }

    private static func taggings(_ call: Call) -> [Tagging] {
        call.environment[WorkspaceParts.self].subjects.compactMap(\.tagging)
    }

    private static func columns(_ call: Call) throws -> SQL {
        let company = try call.company
        let counts = taggings(call).map { tagging -> SQL in
            """
            (SELECT count(*) FROM \(unescaped: tagging.table) used
              WHERE used.company_id = \(company) AND used.tag_id = t.id)
            """
        }
        let uses = counts.isEmpty ? "0::bigint" : counts.joined(separator: " + ")
        return """
            t.id, t.name, t.color, t.description, t.kinds, (\(fragment: uses))::integer AS uses, t.version, t.created_at,
            t.updated_at
            """
    }

    /// The kinds, when all of them may be tagged; none is as good as all.
    private static func known(_ kinds: [Text<60>]?, _ call: Call) throws -> [String]? {
        guard let kinds, !kinds.isEmpty else { return nil }
        let known = call.environment[WorkspaceParts.self].subjects.filter { $0.tagging != nil }.map(\.kind)
        let faults = kinds.enumerated().filter { !known.contains($0.element.text) }.map {
            Fault.at("/kinds/\($0.offset)", "not-one-of", "must be one of: \(known.joined(separator: ", "))")
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        return kinds.map(\.text)
    }
}
